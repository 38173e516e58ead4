"""MLPs to PyTorch and back: values and gradients, and what can't be taken."""

import random

import pytest

import nn
from autograd import Value

torch = pytest.importorskip("torch")

NAMES = ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "log_sigmoid", "softplus", "tanh"]


def close(found, wanted):  # where tanh saturates, 1 - tanh^2 of theirs has few digits
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", [*NAMES, "identity"])
def test_values_and_gradients_agree(name, bias):
    rng = random.Random(3)
    model = nn.MLP(3, [4, 4, 2], activation=name, output_activation=name, bias=bias, rng=rng)
    theirs = nn.to_torch(model)
    back = nn.from_torch(theirs)
    assert back.state_dict() == model.state_dict()
    assert back.architecture() == model.architecture()
    for scale in (0.1, 1.0, 30.0):
        x = [rng.gauss(0.0, scale) for _ in range(3)]
        ours = [Value(number) for number in x]
        first, second = model(ours)
        model.zero_grad()
        (3.0 * first - second).backward()
        tensor = torch.tensor([x], dtype=torch.float64, requires_grad=True)
        out = theirs(tensor)
        assert out.shape == (1, 2)
        theirs.zero_grad()
        (3.0 * out[0, 0] - out[0, 1]).backward()
        close([first.data, second.data], out[0].tolist())
        close([v.grad for v in ours], tensor.grad[0].tolist())
        linears = [part for part in theirs if isinstance(part, torch.nn.Linear)]
        for layer, linear in zip(model.layers, linears, strict=True):
            close(
                [w.grad for n in layer.neurons for w in n.w], linear.weight.grad.flatten().tolist()
            )
            if bias:
                close([n.b.grad for n in layer.neurons], linear.bias.grad.tolist())


def test_what_pytorch_has_no_module_for_is_refused_by_name():
    with pytest.raises(ValueError, match=r"layer 1 has the activation 'sin'; PyTorch has modules"):
        nn.to_torch(nn.MLP(1, [1, 1], activation="sin"))
    mixed = nn.MLP(1, [2, 1], activation=[["relu", "tanh"], "identity"])
    with pytest.raises(ValueError, match="layer 1 has several activations: relu, tanh"):
        nn.to_torch(mixed)
    with pytest.raises(ValueError, match="no plain MLP"):
        nn.to_torch(nn.MLP(1, [1], output_activation=abs))


def sequence(*parts):
    return torch.nn.Sequential(*parts)


def test_float32_nested_parts_and_identities_are_taken():
    torch.manual_seed(1)
    inner = sequence(torch.nn.Linear(2, 3), torch.nn.Identity(), torch.nn.Tanh())
    module = sequence(sequence(inner), sequence(), torch.nn.Linear(3, 1))
    model = nn.from_torch(module)
    assert str(model.architecture()) == "2-3-1 (tanh, identity)"
    assert model.layers[0].neurons[0].w[1].data == module[0][0][0].weight[0, 1].item()
    double = module.double()(torch.tensor([[0.5, -1.0]], dtype=torch.float64))
    close(model([0.5, -1.0]).data, double.item())
    alone = nn.from_torch(torch.nn.Linear(2, 1, bias=False))
    assert str(alone.architecture()) == "2-1 (identity, no biases)"


def tied():
    linear = torch.nn.Linear(2, 2)
    return sequence(linear, torch.nn.ReLU(), linear)


def hooked():
    linear = torch.nn.Linear(2, 2)
    linear.register_forward_hook(lambda *given: None)
    return linear


class Doubled(torch.nn.Linear):
    def forward(self, x):
        return 2.0 * super().forward(x)


def infinite():
    linear = torch.nn.Linear(1, 1)
    with torch.no_grad():
        linear.weight.fill_(float("inf"))
    return linear


LINEAR = torch.nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (sequence(), "there is no Linear"),
        (sequence(LINEAR, torch.nn.Dropout(0.5)), r"Dropout\(p=0.5.*\) can't be part of an MLP"),
        (sequence(LINEAR, torch.nn.Softmax(dim=1)), "Softmax"),
        (sequence(torch.nn.Conv2d(1, 1, 1)), "Conv2d"),
        (Doubled(2, 2), "Doubled"),
        (sequence(torch.nn.ReLU(), LINEAR), "ReLU.* comes before any layer"),
        (sequence(LINEAR, torch.nn.ReLU(), torch.nn.Tanh()), "Tanh.* follows another activation"),
        (sequence(LINEAR, torch.nn.Linear(3, 1)), "after a layer of 2 outputs"),
        (sequence(LINEAR, torch.nn.Linear(2, 1, bias=False)), "some layers have biases"),
        (sequence(LINEAR, torch.nn.LeakyReLU(0.2)), r"negative_slope must be 0\.01"),
        (sequence(LINEAR, torch.nn.ELU(2.0)), r"alpha must be 1\.0"),
        (sequence(LINEAR, torch.nn.GELU("tanh")), "approximate must be none"),
        (sequence(LINEAR, torch.nn.Softplus()), r"threshold must be 40\.0 \(below, it cuts off"),
        (sequence(LINEAR, torch.nn.Softplus(beta=2.0)), r"beta must be 1\.0"),
        (tied(), "stands in two places"),
        (hooked(), "has hooks"),
        (infinite(), "must not be inf"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_is_no_mlp_is_refused_by_name(module, words):
    with pytest.raises(ValueError, match=words):
        nn.from_torch(module)


def test_from_torch_takes_modules():
    with pytest.raises(TypeError, match=r"takes a torch\.nn\.Module, not MLP"):
        nn.from_torch(nn.MLP(1, [1]))
