"""Networks out of files: what `save` wrote of a plain MLP, and safetensors.

A file may come from anybody: its parts are compared with each other before a network of the size it
claims is made, and nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

from ._architecture import Architecture
from ._files import WEIGHTS, read_document
from ._module import MLP, Activations
from ._safetensors import Tensor, read_tensors, to_bytes, write_tensors

_NAME = re.compile(r"(.*?)(\d{1,9})\.(weight|bias)", re.DOTALL)


def load(path: str | PathLike[str]) -> MLP:
    """Return the MLP whose `save` wrote the file: the same architecture, the same bits.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no such file, truncated or altered, of another version, or of a module
            that is no plain MLP (then make the module, and call its `load`); the message begins
            with the file's name.
    """
    content = read_document(path, WEIGHTS)
    try:
        return _mlp(content)
    except (TypeError, ValueError) as reason:
        raise ValueError(f"{path}: {reason!s:.400}") from None


def _mlp(content: dict[str, Any]) -> MLP:
    if set(content) != {"model", "architecture", "parameters"}:
        raise ValueError("there must be model, architecture, parameters and nothing else")
    model, data, parameters = (content[x] for x in ("model", "architecture", "parameters"))
    if type(model) is not str or type(parameters) is not dict:
        raise ValueError(f"model is {model!r:.100}, parameters are {type(parameters).__name__}")
    if data is None:
        raise ValueError(
            f"it holds the weights of {model!r:.100}, which is no plain MLP: make the module, then "
            "call its load()"
        )
    architecture = Architecture.from_json(data)
    if architecture.count != len(parameters):
        raise ValueError(f"{len(parameters)} parameters for a network {architecture!s:.200}")
    found = _empty(architecture)
    found.load_state_dict(parameters)
    return found


def _empty(architecture: Architecture) -> MLP:
    return MLP(
        architecture.inputs,
        architecture.sizes,
        activation=architecture.activations,
        bias=architecture.bias,
        init="zero",
        name=architecture.name,
    )


def built(architecture: Architecture, layers: Iterable[tuple[Sequence[float], Any]]) -> MLP:
    """Return an MLP of (weights row after row, biases) of each layer; biases are ignored without.

    Raises:
        ValueError: too few or too many numbers, or one that is not finite.
    """
    found = _empty(architecture)
    numbers: list[float] = []
    for (neurons, inputs), (weights, biases) in zip(architecture.shapes(), layers, strict=True):
        for i in range(neurons):
            numbers += weights[i * inputs : (i + 1) * inputs]
            if architecture.bias:
                numbers.append(biases[i])
    found.assign(numbers)
    return found


# ----------------------------------------------------------------------------------- safetensors


def save_safetensors(model: MLP, path: str | PathLike[str]) -> None:
    """Write a plain MLP as matrices, "layers.0.weight" (neurons, inputs) and "layers.0.bias".

    Architecture and a hash go into the header's `__metadata__`. The file is replaced only once it
    is whole.

    Raises:
        OSError: the file can't be written.
        ValueError: no plain MLP, or a parameter that is not finite.
    """
    architecture = model.architecture()
    numbers = [parameter.data for parameter in model.parameters()]
    tensors = {}
    for i, (rows, biases) in enumerate(architecture.split(numbers)):
        flat = array("d", [number for row in rows for number in row])
        tensors[f"layers.{i}.weight"] = Tensor((len(rows), len(rows[0])), flat)
        if biases:
            tensors[f"layers.{i}.bias"] = Tensor((len(biases),), array("d", biases))
    for name, parameter in model.named_parameters():
        if parameter.data - parameter.data != 0.0:
            raise ValueError(f"MLP: parameter {name!r} is {parameter.data!r}")
    text = json.dumps(architecture.to_json())
    about = {
        "format": "scalar-autograd",
        "architecture": text,
        "sha256": _hash(text, tensors),
    }
    write_tensors(path, tensors, about)


def load_safetensors(
    path: str | PathLike[str],
    *,
    activation: str | Sequence[Activations] | None = None,
    output_activation: str | None = None,
) -> MLP:
    """Return the MLP in a safetensors file, as matrices in float64 or float32.

    Files of others hold no activations: name them, as for `MLP`. Their tensors must be called
    "0.weight", "0.bias", "2.weight" (as PyTorch's `Sequential` of `Linear`s has them) or the like:
    the same word, then a number that gives the order.

    Raises:
        OSError: the file can't be read.
        ValueError: it is damaged or altered, the matrices don't follow one another, the activation
            is missing, or it is given for a file that knows its own.
    """
    tensors, about = read_tensors(path)
    try:
        text = about.get("architecture") if about.get("format") == "scalar-autograd" else None
        layers = _layers(tensors)
        sizes = tuple(weight.shape[0] for weight, _ in layers)
        inputs, bias = layers[0][0].shape[1], layers[0][1] is not None
        if text is None:
            if activation is None:
                raise ValueError("the file holds no activations: say activation=")
            model = MLP(
                inputs,
                sizes,
                activation=activation,
                output_activation=output_activation,
                bias=bias,
                init="zero",
            )
            architecture = model.architecture()
        else:
            if activation is not None or output_activation is not None:
                raise ValueError("the file knows its activations; leave them out")
            if about.get("sha256") != _hash(text, tensors):
                raise ValueError("the file was altered: its hash is another")
            architecture = Architecture.from_json(json.loads(text))
            if (architecture.inputs, architecture.sizes, architecture.bias) != (
                inputs,
                sizes,
                bias,
            ):
                raise ValueError(f"the matrices are not those of a network {architecture!s:.200}")
        return built(
            architecture, [(weight.numbers, bias and bias.numbers) for weight, bias in layers]
        )
    except (RecursionError, TypeError, ValueError) as reason:
        raise ValueError(f"{path}: {reason!s:.400}") from None


def _layers(tensors: dict[str, Tensor]) -> list[tuple[Tensor, Tensor | None]]:
    """Return (weights, biases) of each layer in order, once they follow one another."""
    found: dict[int, dict[str, Tensor]] = {}
    before = None
    for name, tensor in tensors.items():
        parts = _NAME.fullmatch(name)
        if parts is None or before not in (None, parts[1]):
            raise ValueError(f"tensor {name!r:.100} is no layer of an MLP, such as '0.weight'")
        before = parts[1]
        if parts[3] in found.setdefault(int(parts[2]), {}):
            raise ValueError(f"tensor {name!r:.100}: another one has its number")
        found[int(parts[2])][parts[3]] = tensor
    if not found:
        raise ValueError("there are no tensors in it")
    layers: list[tuple[Tensor, Tensor | None]] = []
    width = None
    for number, parts_of in sorted(found.items()):
        weight, bias = parts_of.get("weight"), parts_of.get("bias")
        where = f"layer {number}"
        if weight is None or len(weight.shape) != 2 or 0 in weight.shape:
            raise ValueError(f"{where} has no matrix of weights")
        if width is not None and weight.shape[1] != width:
            raise ValueError(
                f"{where} takes {weight.shape[1]} inputs, the one before gives {width}"
            )
        if bias is not None and bias.shape != weight.shape[:1]:
            raise ValueError(f"{where} has {weight.shape[0]} neurons, biases {bias.shape}")
        if layers and (bias is None) != (layers[0][1] is None):
            raise ValueError(f"{where}: some layers have biases, others none")
        width = weight.shape[0]
        layers.append((weight, bias))
    return layers


def _hash(text: str, tensors: dict[str, Tensor]) -> str:
    """Return the hash of an architecture and of names, shapes and numbers."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, tensor.shape]).encode())
        digest.update(to_bytes(tensor))
    return digest.hexdigest()
