"""MLPs to PyTorch and back: the same numbers in float64, activations by name.

PyTorch is imported where it is needed, and nothing else here knows of it.
"""

from __future__ import annotations

from typing import Any

from ._architecture import Architecture
from ._module import MLP
from ._weights import built

# Primitive, class in torch.nn, and what it must be told to be the same function. Softplus is cut
# off at a threshold, from which the rest is beyond the last digit of a float64.
_SAME: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("relu", "ReLU", {}),
    ("leaky_relu", "LeakyReLU", {"negative_slope": 0.01}),
    ("elu", "ELU", {"alpha": 1.0}),
    ("gelu", "GELU", {"approximate": "none"}),
    ("silu", "SiLU", {}),
    ("sigmoid", "Sigmoid", {}),
    ("log_sigmoid", "LogSigmoid", {}),
    ("softplus", "Softplus", {"beta": 1.0, "threshold": 40.0}),
    ("tanh", "Tanh", {}),
)


def to_torch(model: MLP) -> Any:
    """Return a `torch.nn.Sequential` of float64 that computes what a plain MLP does.

    It takes a tensor of rows and returns one row of outputs for each.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: no plain MLP, activations that differ within a layer, or one that PyTorch has no
            module for; the message names it.
    """
    import torch

    architecture = model.architecture()
    known = {name: (getattr(torch.nn, module), words) for name, module, words in _SAME}
    parts: list[Any] = []
    numbers = [parameter.data for parameter in model.parameters()]
    for i, (rows, biases) in enumerate(architecture.split(numbers)):
        name = architecture.activations[i]
        where = f"to_torch: layer {i + 1}"
        if not isinstance(name, str):
            raise ValueError(f"{where} has several activations: {', '.join(sorted(set(name)))}")
        if name != "identity" and name not in known:
            raise ValueError(
                f"{where} has the activation {name!r}; PyTorch has modules for {', '.join(known)}"
            )
        linear = torch.nn.Linear(
            len(rows[0]), len(rows), bias=architecture.bias, dtype=torch.float64
        )
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(rows, dtype=torch.float64))
            if biases:
                linear.bias.copy_(torch.tensor(biases, dtype=torch.float64))
        parts.append(linear)
        if name != "identity":
            make, words = known[name]
            parts.append(make(**words))
    return torch.nn.Sequential(*parts)


def from_torch(module: Any) -> MLP:
    """Return the MLP that computes what a `Sequential` of `Linear`s and activations does.

    Sequentials may be nested; numbers of less than 64 bits are taken exactly.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: `module` is none of PyTorch's.
        ValueError: a part can't be one of an MLP; the message names it and says why.
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch() takes a torch.nn.Module, not {type(module).__name__}")
    linears: list[Any] = []
    names: list[str] = []
    active = True  # whether the last layer has its activation
    for part in _flat(module, torch):
        if type(part) is torch.nn.Linear:
            if any(part is one for one in linears):
                raise ValueError(
                    f"from_torch: {part} stands in two places, so its weights are tied"
                )
            if linears and part.in_features != linears[-1].out_features:
                raise ValueError(
                    f"from_torch: {part} after a layer of {linears[-1].out_features} outputs"
                )
            linears.append(part)
            names.append("identity")
            active = False
            continue
        name = _name_of(part, torch)
        if name == "identity":
            continue
        if active:
            where = "follows another activation" if linears else "comes before any layer"
            raise ValueError(f"from_torch: {part} {where}")
        names[-1] = name
        active = True
    if not linears:
        raise ValueError(f"from_torch: there is no Linear in {module}")
    biases = {linear.bias is not None for linear in linears}
    if len(biases) > 1:
        raise ValueError("from_torch: some layers have biases, others none")
    sizes = tuple(linear.out_features for linear in linears)
    architecture = Architecture(linears[0].in_features, sizes, tuple(names), biases.pop())
    layers = []
    for linear in linears:
        for parameter in linear.parameters():
            if not parameter.dtype.is_floating_point:
                raise ValueError(f"from_torch: {linear} holds numbers of {parameter.dtype}")
        weight = linear.weight.detach().double().flatten().tolist()
        layers.append((weight, linear.bias is not None and linear.bias.detach().double().tolist()))
    return built(architecture, layers)


def _flat(module: Any, torch: Any) -> list[Any]:
    """Return the parts of nested `Sequential`s in order."""
    found: list[Any] = []
    stack = [module]
    while stack:
        part = stack.pop()
        if part._forward_hooks or part._forward_pre_hooks or "forward" in vars(part):
            raise ValueError(f"from_torch: {part} has hooks or a forward() of its own")
        if type(part) is torch.nn.Sequential:
            stack.extend(reversed(list(part)))
        else:
            found.append(part)
    return found


def _name_of(part: Any, torch: Any) -> str:
    """Return the primitive that is the same function as a part of a network."""
    if type(part) is torch.nn.Identity:
        return "identity"
    for name, module, words in _SAME:
        if type(part) is not getattr(torch.nn, module):
            continue
        for word, wanted in words.items():
            given = getattr(part, word)
            if given != wanted and not (word == "threshold" and given > wanted):
                why = " (below, it cuts off digits)" if word == "threshold" else ""
                raise ValueError(f"from_torch: {part}: {word} must be {wanted}{why}")
        return name
    known = ", ".join(module for _, module, _ in _SAME)
    raise ValueError(f"from_torch: {part} can't be part of an MLP; Linear, {known} can")
