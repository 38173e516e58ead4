"""A 2-2-2 network, number by number: forward, every derivative by the chain rule, one update.

Two inputs, two hidden neurons, two outputs, biases, sigmoid everywhere, squared error halved. The
derivatives in the table are products of factors that a pencil can check; beside each stands what
`backward()` found.

    python examples/feed_forward.py -o feed_forward.svg
"""

from __future__ import annotations

import argparse

import nn
from autograd import Value

INPUTS = [0.18, 0.31]
TARGETS = [0.23, 0.76]
# Neuron by neuron: two weights, then the bias.
HIDDEN = [0.12, 0.27, 0.15, 0.34, -0.21, 0.25]
OUTPUT = [0.41, 0.53, 0.35, -0.29, 0.62, 0.45]
RATE = 0.5
UPDATES = 10_000


def network() -> nn.MLP:
    """Return the network with its initial numbers."""
    return nn.MLP(
        2, [2, 2], activation="sigmoid", output_activation="sigmoid", init=[*HIDDEN, *OUTPUT]
    )


def error(net: nn.MLP, inputs: list[Value] | list[float]) -> Value:
    """Return the squared error of both outputs, halved and added up."""
    loss: Value = nn.half_squared_error(net(inputs), TARGETS)
    return loss


def update(net: nn.MLP) -> None:
    """Move every parameter against its gradient."""
    for parameter in net.parameters():
        parameter.data -= RATE * parameter.grad
        parameter.grad = 0.0


def print_forward(net: nn.MLP) -> tuple[list[float], list[float]]:
    """Print one forward pass; return what the hidden neurons and the outputs give."""
    print("forward")
    x, layers = INPUTS, []
    for letter, layer in zip("ho", net.layers, strict=True):
        activations = []
        for i, neuron in enumerate(layer.neurons, 1):
            terms = [f"{w.data:g}*{xi:.8g}" for w, xi in zip(neuron.w, x, strict=True)]
            total = neuron.b.data + sum(w.data * xi for w, xi in zip(neuron.w, x, strict=True))
            activation = neuron(x).data
            print(f"  net {letter}{i} = {neuron.b.data:g} + {' + '.join(terms)} = {total:.10f}")
            print(f"  out {letter}{i} = sigmoid(net {letter}{i}) = {activation:.10f}")
            activations.append(activation)
        x = activations
        layers.append(activations)
    hidden, outputs = layers
    for i, (o, t) in enumerate(zip(outputs, TARGETS, strict=True), 1):
        print(f"  E{i} = (out o{i} - {t})^2 / 2 = {0.5 * (o - t) ** 2:.10f}")
    return hidden, outputs


def print_derivatives(net: nn.MLP, hidden: list[float], outputs: list[float]) -> None:
    """Print every derivative as the product of its factors, beside the graph's."""
    hidden_layer, output_layer = net.layers
    print("backward: dE/dout * dout/dnet * dnet/dparameter")
    deltas = []
    for i, neuron in enumerate(output_layer.neurons):
        slope = outputs[i] * (1.0 - outputs[i])
        deltas.append((outputs[i] - TARGETS[i]) * slope)
        factors = f"{outputs[i] - TARGETS[i]:.8f} * {slope:.8f}"
        print_neuron(f"o{i + 1}", neuron, factors, deltas[i], hidden)
    for j, neuron in enumerate(hidden_layer.neurons):
        parts = [d * out.w[j].data for d, out in zip(deltas, output_layer.neurons, strict=True)]
        slope = hidden[j] * (1.0 - hidden[j])
        factors = f"({parts[0]:.8f} {parts[1]:+.8f}) * {slope:.8f}"
        print_neuron(f"h{j + 1}", neuron, factors, sum(parts) * slope, INPUTS)


def print_neuron(
    name: str, neuron: nn.Neuron, factors: str, delta: float, inputs: list[float]
) -> None:
    """Print the derivatives with respect to the parameters of one neuron."""
    for parameter, factor in zip([*neuron.w, neuron.b], [*inputs, 1.0], strict=True):
        print(
            f"  dE/d{parameter.label}({name}) = {factors} * {factor:.8f} = {delta * factor:.10f}"
            f"  graph {parameter.grad:.10f}"
        )


def draw(path: str) -> None:
    """Write the picture of the whole graph, layers and neurons framed."""
    import viz

    net = network()
    with nn.scopes():
        loss = error(net, [Value(x, label=f"x{i}") for i, x in enumerate(INPUTS, 1)])
    loss.label = "E"
    loss.backward()
    viz.draw(loss).save(path)


def main(argv: list[str] | None = None) -> None:
    """Print the worked example; draw it if asked to."""
    options = argparse.ArgumentParser(description="A 2-2-2 network, number by number.")
    options.add_argument("-o", "--output", default="", help="where to write the picture (.svg)")
    arguments = options.parse_args(argv)

    net = network()
    loss = error(net, INPUTS)
    loss.backward()
    hidden, outputs = print_forward(net)
    print(f"  E = {loss.data:.10f}")
    print_derivatives(net, hidden, outputs)

    update(net)
    print(f"one update with learning rate {RATE}")
    for name, parameter in net.named_parameters():
        print(f"  {name} = {parameter.data:.10f}")
    loss = error(net, INPUTS)
    print(f"  E = {loss.data:.10f}")
    for _ in range(UPDATES - 1):
        loss.backward()
        update(net)
        loss = error(net, INPUTS)
    first, second = (out.data for out in net(INPUTS))
    print(f"after {UPDATES:,} updates: E = {loss.data:.6e}, outputs {first:.8f} {second:.8f}")
    if arguments.output:
        draw(arguments.output)


if __name__ == "__main__":
    main()
