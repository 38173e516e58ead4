"""Backpropagation by hand: will the student pass? Hours slept and hours studied decide.

One sample through a 2-2-1 network without biases, sigmoid on both layers, binary cross-entropy.
Each step is written as the matrix formula and done with the graph as well:

    preprocess   x = (hours - mean) / deviation
    forward      a1 = sigmoid(W1 x),  a2 = sigmoid(W2 a1),  J = -(y log a2 + (1-y) log(1-a2))
    backward     delta2 = a2 - y,  delta1 = (W2^T delta2) * a1 * (1 - a1)
    gradients    dJ/dW2 = delta2 a1^T,  dJ/dW1 = delta1 x^T
    update       W = W - rate dJ/dW, and forward again

    python examples/backprop_by_hand.py -o backprop.svg
"""

from __future__ import annotations

import argparse

import nn
from autograd import Value

HOURS = [[6.0, 9.0]]  # slept, studied
PASSED = 1.0
SCALE = nn.Standardizer(mean=[7.0, 6.0], deviation=[1.5, 2.5])
W1 = [[0.3, -0.4], [0.2, 0.6]]
W2 = [0.5, -0.7]
RATE = 0.8


def network() -> nn.MLP:
    """Return the network with its initial weights."""
    return nn.MLP(
        2,
        [2, 1],
        activation="sigmoid",
        output_activation="sigmoid",
        bias=False,
        init=[*W1[0], *W1[1], *W2],
    )


def forward(net: nn.MLP, x: list[float]) -> tuple[list[Value], Value, Value]:
    """Return the hidden activations, the prediction and the loss, as graph."""
    hidden_layer, output_layer = net.layers
    hidden = hidden_layer(x)
    (prediction,) = output_layer(hidden)
    return hidden, prediction, nn.binary_cross_entropy(prediction, PASSED)


def weighted_sum(activation: Value) -> Value:
    """Return what went into the sigmoid: the derivative of the loss there is the delta."""
    return activation.parents[0]


def row(numbers: list[float]) -> str:
    """Return numbers as they are printed."""
    return "  ".join(f"{number:+.12f}" for number in numbers)


def main(argv: list[str] | None = None) -> None:
    """Print every step by formula and by graph; draw the graph if asked to."""
    options = argparse.ArgumentParser(description="Backpropagation by hand.")
    options.add_argument("-o", "--output", default="", help="where to write the picture (.svg)")
    arguments = options.parse_args(argv)
    net = network()

    (x,) = SCALE(HOURS)
    print(f"preprocess  x      {row(x)}")

    hidden, prediction, loss = forward(net, x)
    a1, a2 = [h.data for h in hidden], prediction.data
    print(f"forward     a1     {row(a1)}")
    print(f"forward     a2     {row([a2])}")
    print(f"forward     J      {row([loss.data])}")

    loss.backward()
    delta2 = a2 - PASSED
    delta1 = [w * delta2 * a * (1.0 - a) for w, a in zip(W2, a1, strict=True)]
    print(f"delta2      hand   {row([delta2])}")
    print(f"delta2      graph  {row([weighted_sum(prediction).grad])}")
    print(f"delta1      hand   {row(delta1)}")
    print(f"delta1      graph  {row([weighted_sum(h).grad for h in hidden])}")

    print(f"dJ/dW2      hand   {row([delta2 * a for a in a1])}")
    print(f"dJ/dW2      graph  {row([w.grad for w in net.layers[1].neurons[0].w])}")
    print(f"dJ/dW1      hand   {row([d * xi for d in delta1 for xi in x])}")
    print(f"dJ/dW1      graph  {row([w.grad for w in net.layers[0].parameters()])}")

    nn.SGD(net.parameters(), lr=RATE).step()
    print(f"update      W1     {row([w.data for w in net.layers[0].parameters()])}")
    print(f"update      W2     {row([w.data for w in net.layers[1].parameters()])}")
    _, again, less = forward(net, x)
    print(f"again       a2     {row([again.data])}  (was {a2:.6f}, label {PASSED:g})")
    print(f"again       J      {row([less.data])}  (was {loss.data:.6f})")

    if arguments.output:
        draw(arguments.output)


def draw(path: str) -> None:
    """Write the picture of the first forward and backward pass."""
    import viz

    net = network()
    (x,) = SCALE(HOURS)
    with nn.scopes():
        inputs = [
            Value(number, label=name) for number, name in zip(x, ("sleep", "study"), strict=True)
        ]
        loss = nn.binary_cross_entropy(net(inputs), PASSED)
    loss.label = "J"
    loss.backward()
    viz.draw(loss).save(path)


if __name__ == "__main__":
    main()
