"""Modules: things that own parameters and compute with them.

A parameter is an `autograd.Value` that a module holds; nothing registers it. Knows no loss, no
optimiser and no training loop.
"""

from __future__ import annotations

import math
import random
from collections import UserList, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from os import PathLike
from types import SimpleNamespace
from typing import Any

from autograd import Value, identity, relu, scope

from . import _sources
from ._architecture import Architecture, activations, known_activation
from ._files import WEIGHTS, read_document, write_document
from ._state import is_library

Scalar = Value | float
Activation = Callable[[Any], Any]
# A name, a function, or one of either for each neuron.
Activations = str | Activation | Sequence[str | Activation]

_scoped: ContextVar[bool] = ContextVar("scoped", default=False)


@contextmanager
def scopes() -> Iterator[None]:
    """Put what modules compute inside the `with` block into scopes named after the modules.

    For pictures. Outside such a block a forward pass opens no scope and pays nothing for them.
    """
    token = _scoped.set(True)
    try:
        yield
    finally:
        _scoped.reset(token)


class _Sealing(type):
    """Ends the construction of a module: from then on it gets no new attributes."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        module = super().__call__(*args, **kwargs)
        module._sealed = True
        return module


class Module(metaclass=_Sealing):
    """Something with parameters that can be called: assign `Value`s and modules in `__init__`.

    Parameters are the leaf `Value`s found in its attributes, and in lists, tuples, deques,
    dictionaries, arrays, dataclasses and modules there, in the order in which they were assigned;
    one that is found twice counts once. A `Value` where it would not be found, such as in a set, is
    an error. Once constructed, a module takes no attributes that it did not have, so a misspelt one
    is an error and not a silent nothing.

    Attributes:
        name: the scope this module computes in inside `nn.scopes()`; "" for none.
    """

    name = ""
    _sealed = False

    def forward(self, *inputs: Any) -> Any:
        """Return what the module computes; every subclass has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *inputs: Any) -> Any:
        """Return `forward(*inputs)`, in a scope of its own if scopes are asked for."""
        if self.name and _scoped.get():
            with scope(self.name):
                return self.forward(*inputs)
        return self.forward(*inputs)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._sealed and not hasattr(self, name):
            near = get_close_matches(name, vars(self), 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; assign it in __init__"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")
        for _ in _found(name, value, into_modules=False, owner=self):
            pass  # raises where a Value would not be found
        super().__setattr__(name, value)

    # ------------------------------------------------------------------------- parameters

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield (name, parameter) in order, each parameter once; "layers.0.neurons.1.w.0".

        Raises:
            TypeError: there are `Value`s in a set, as keys, or in an object that is no module.
            ValueError: two parameters have the same name.
        """
        names: set[str] = set()
        for name, parameter in _found("", self):
            if name in names:
                raise ValueError(
                    f"{type(self).__name__} has two parameters called {name!r}: rename a key"
                )
            names.add(name)
            yield name, parameter

    def parameters(self) -> list[Value]:
        """Return every parameter once, in order."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set `.grad` of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def assign(self, numbers: Iterable[float]) -> None:
        """Give the parameters, in the order of `parameters()`, these numbers.

        Raises:
            ValueError: too few or too many numbers, or one that is not finite; nothing changes.
        """
        parameters, given = self.parameters(), list(numbers)
        if len(given) != len(parameters):
            raise ValueError(
                f"{type(self).__name__} has {len(parameters)} parameters, got {len(given)} numbers"
            )
        for i, number in enumerate(given):
            if not math.isfinite(number):
                raise ValueError(f"parameter {i} of {type(self).__name__} must not be {number!r}")
        for parameter, number in zip(parameters, given, strict=True):
            parameter.data = number

    # ------------------------------------------------------------------------------ files

    def state_dict(self) -> dict[str, float]:
        """Return the number of every parameter by name."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Set every parameter from what `state_dict` returned.

        Raises:
            TypeError: `state` is no mapping, or holds something that is no number.
            ValueError: a name is missing or unknown, or a number not finite. The message names it;
                the model is unchanged.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict() takes a dict by name, not {type(state).__name__}")
        names = [name for name, _ in self.named_parameters()]
        what = type(self).__name__
        for name in names:
            if name not in state:
                raise ValueError(f"{what}: parameter {name!r} is missing")
        if len(state) != len(names):
            unknown = next(iter(set(state) - set(names)))
            raise ValueError(f"{what} has no parameter {unknown!r}: another model's weights?")
        numbers: list[float] = []
        for name in names:
            number = state[name]
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                raise TypeError(f"{what}: parameter {name!r} must be a number, not {number!r}")
            try:
                numbers.append(float(number))
            except OverflowError:
                numbers.append(math.inf)
            if not math.isfinite(numbers[-1]):
                raise ValueError(f"{what}: parameter {name!r} must not be {numbers[-1]!r}")
        self.assign(numbers)

    def _description(self) -> dict[str, Any] | None:
        """Return what files say of a module besides its parameters, None if it has its own code."""
        return None

    def save(self, path: str | PathLike[str]) -> None:
        """Write the parameters to a JSON file, exactly, replacing it only once it is whole.

        With a plain MLP goes its architecture, so that `nn.load` makes another one of the file.

        Raises:
            ValueError: a parameter is not finite.
        """
        state = self.state_dict()
        for name, number in state.items():
            if not math.isfinite(number):
                raise ValueError(f"{type(self).__name__}: parameter {name!r} is {number!r}")
        content = {"model": type(self).__name__, "architecture": self._description()}
        write_document(path, WEIGHTS, {**content, "parameters": state})

    def load(self, path: str | PathLike[str]) -> None:
        """Set the parameters from a file that `save` wrote.

        Raises:
            OSError: the file can't be read.
            ValueError: it is no such file, of a newer version, cut off, or of another model (with
                other names, or other activations of an MLP); the message says which. The model is
                unchanged.
        """
        document = read_document(path, WEIGHTS)
        there, here = document.get("architecture"), self._description()
        try:
            if there is not None and here is not None and there != here:
                _same_activations(Architecture.from_json(there), Architecture.from_json(here))
            self.load_state_dict(document.get("parameters", {}))
        except (TypeError, ValueError) as reason:
            raise ValueError(f"{path}: {reason}") from None


def _same_activations(there: Architecture, here: Architecture) -> None:
    if there.sizes == here.sizes and there.activations != here.activations:
        raise ValueError(
            f"the weights of a network {there}, this one is {here}; load_state_dict() takes any"
        )


def _found(
    name: str, thing: object, into_modules: bool = True, owner: Module | None = None
) -> Iterator[tuple[str, Value]]:
    """Yield (name, leaf `Value`) for all that `thing` holds, each once.

    Raises:
        TypeError: there are `Value`s where they would have no name or no order, or in an object
            that is not looked into, and neither `thing` nor `owner` holds them elsewhere.
    """
    seen: set[int] = set()
    seen_hidden: set[int] = set()
    hidden: list[tuple[str, str, Value]] = []  # with the words that say in what
    whole = name, thing
    stack = [(name, thing, "")]
    while stack:
        name, thing, hider = stack.pop()
        before = seen_hidden if hider else seen
        if isinstance(thing, (str, float, int)) or id(thing) in before:
            continue
        before.add(id(thing))
        if isinstance(thing, Value):
            if thing.primitive is None:
                if hider:
                    hidden.append((name, hider, thing))
                else:
                    yield name, thing
            continue
        if isinstance(thing, Module) and not into_modules and not hider:
            continue
        prefix = f"{name}." if name else ""
        parts = [(f"{prefix}{key}", item, hider) for key, item in _items(name, thing)]
        if type(thing) not in (list, tuple):
            parts += [(name, item, hider or where) for where, item in _unnamed(thing)]
        parts.reverse()
        stack += parts
    if hidden and not into_modules:
        for _ in _found(*whole, owner=owner):
            pass
    elif hidden:
        if owner is not None:
            seen |= {id(value) for _, value in _found("", owner)}
        for name, hider, value in hidden:
            if id(value) not in seen:
                raise TypeError(
                    f"{name}: {hider}, which would not be found as a parameter; make it an "
                    "nn.Module or a dataclass"
                )


def _items(name: str, thing: object) -> Iterable[tuple[object, object]]:
    """Return (key, item) for what is looked for in `thing`; nothing if it is no container."""
    if isinstance(thing, (Module, SimpleNamespace)):
        return vars(thing).items()
    if isinstance(thing, Mapping):
        if any(isinstance(key, Value) for key in thing):
            raise TypeError(
                f"{name}: a Value can't be a key: its name would change with its number"
            )
        return thing.items()
    if isinstance(thing, (list, tuple, deque, UserList)):
        return enumerate(thing)
    if isinstance(thing, (set, frozenset)):
        if any(isinstance(item, (Value, Module)) for item in thing):
            raise TypeError(
                f"{name}: a set has no order, so parameters can't be in one; use a list"
            )
        return ()
    if is_dataclass(thing) and not isinstance(thing, type):
        own = getattr(thing, "__dict__", {})
        named = {one.name: getattr(thing, one.name, None) for one in fields(thing)}
        return (named | own).items()
    if type(thing).__module__ == "numpy" and str(getattr(thing, "dtype", "")) == "object":
        return enumerate(thing.ravel().tolist())  # type: ignore[attr-defined]
    return ()


def _unnamed(thing: object) -> Iterable[tuple[str, object]]:
    """Return what is in `thing` but has no name as a parameter, with the words that say so.

    What a function captures is not looked at: it may be a number of somebody else's.
    """
    kind = type(thing).__name__
    if isinstance(thing, (set, frozenset, Mapping)):
        where = f"a {kind} holds a Value in a tuple"
        return [(where, item) for item in thing if isinstance(item, tuple)]
    if isinstance(thing, Module):
        if not _is_users(type(thing).__module__):
            return ()
        kinds = [one for one in type(thing).__mro__ if _is_users(one.__module__)]
        shared = [(key, item) for one in kinds for key, item in vars(one).items()]
        where = f"the class {kind} holds the Value"
        return [(f"{where} {key!r}", x) for key, x in shared if isinstance(x, (Value, Module))]
    if isinstance(thing, type) or is_dataclass(thing):
        return ()
    if not _is_users(type(thing).__module__):
        return ()
    slots = [key for one in type(thing).__mro__ for key in getattr(one, "__slots__", ())]
    found = {key: getattr(thing, key, None) for key in slots if key != "__dict__"}
    items = (found | getattr(thing, "__dict__", {})).items()
    return [(f"a {kind} holds the Value {key!r}", item) for key, item in items]


@cache
def _is_users(module: str) -> bool:
    """Say whether a module is the user's, rather than of Python or a library."""
    return not is_library(module)


# --------------------------------------------------------------------------------------- parts


def activation_function(activation: str | Activation) -> Activation:
    """Return the function of that name (any primitive of one argument), or the function given.

    Raises:
        ValueError: no primitive of one argument has that name.
        TypeError: it is neither a name nor callable.
    """
    if callable(activation):
        return activation
    if not isinstance(activation, str):
        raise TypeError(f"activation must be a name or a function, not {activation!r}")
    return known_activation(activation)


def _draw(init: str, rng: random.Random, inputs: int, outputs: int) -> float:
    """Return one initial weight of a layer with that many inputs and outputs."""
    match init:
        case "uniform":
            return rng.uniform(-1.0, 1.0)
        case "normal":
            return rng.gauss(0.0, 1.0)
        case "he":
            return rng.gauss(0.0, math.sqrt(2.0 / inputs))
        case "xavier":
            limit = math.sqrt(6.0 / (inputs + outputs))
            return rng.uniform(-limit, limit)
        case "zero":
            return 0.0
    raise ValueError(
        'init must be "uniform", "normal", "he", "xavier", "zero" or a list of numbers, '
        f"not {init!r}"
    )


Init = str | Sequence[float]


def _drawn(init: Init) -> str:
    """Return how weights are drawn before given numbers, if there are any, take their place."""
    return init if isinstance(init, str) else "zero"


def _inside(name: str) -> AbstractContextManager[None]:
    """Return the scope of that name, or nothing to be in."""
    return scope(name) if name else nullcontext()


def _count(what: str, n: object) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"{what} must be a whole number of at least 1, not {n!r}")
    return n


class Neuron(Module):
    """activation(b + w . x): one weight per input, and a bias.

    Args:
        inputs: how many numbers it takes.
        activation: a name or a function; ReLU unless said otherwise.
        bias: False for a neuron without one.
        init: how weights are drawn: "uniform" in (-1, 1), "normal" (mean 0, deviation 1), "he"
            (normal, variance 2 / inputs), "xavier" (uniform, variance 2 / (inputs + outputs)),
            "zero"; or all its numbers, weights first. Without given numbers the bias is 0.
        rng: where random numbers come from; the generator of the module `random` by default.
        outputs: the neurons of its layer, for "xavier".
        name: its scope, see `nn.scopes`.
    """

    def __init__(
        self,
        inputs: int,
        activation: str | Activation = relu,
        *,
        bias: bool = True,
        init: Init = "uniform",
        rng: random.Random | None = None,
        outputs: int = 1,
        name: str = "",
    ) -> None:
        inputs = _count("Neuron: inputs", inputs)
        self.name = name
        self.activation = activation_function(activation)
        how = _drawn(init)
        source = rng or _shared_generator()
        with _inside(name):
            self.w = [
                Value(_draw(how, source, inputs, outputs), label=f"w{i + 1}") for i in range(inputs)
            ]
            self.b: Any = Value(0.0, label="b") if bias else None
        if not isinstance(init, str):
            self.assign(init)

    def forward(self, x: Sequence[Scalar]) -> Any:
        """Return activation(b + w[0] x[0] + w[1] x[1] + ...), added in this order."""
        w = self.w
        try:
            given = len(x)
        except TypeError:
            raise TypeError(f"{self!r} takes a list of {len(w)} inputs, not {x!r}") from None
        if given != len(w):
            raise ValueError(f"{self!r} takes {len(w)} inputs, got {given}")
        total: Any = self.b
        if total is None:
            total = w[0] * x[0]
            for i in range(1, len(w)):
                total = total + w[i] * x[i]
        else:
            for wi, xi in zip(w, x, strict=True):
                total = total + wi * xi
        return total if self.activation is identity else self.activation(total)

    def __repr__(self) -> str:
        return f"{_title(self.activation)}Neuron({len(self.w)})"


def _shared_generator() -> random.Random:
    """Return the module `random` itself, so that `random.seed(...)` does what it says."""
    return random  # type: ignore[return-value]


def _title(activation: Activation) -> str:
    name = str(getattr(activation, "name", getattr(activation, "__name__", "Function")))
    titles = {"relu": "ReLU", "identity": "Linear"}
    return titles.get(name, name.title().replace("_", ""))


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    `activation` may be one for each neuron; the other arguments are those of `Neuron`, and `init`
    as numbers is in the order of `parameters()`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activation: Activations = relu,
        *,
        bias: bool = True,
        init: Init = "uniform",
        rng: random.Random | None = None,
        name: str = "",
    ) -> None:
        outputs = _count("Layer: outputs", outputs)
        each: list[str | Activation]
        if isinstance(activation, str) or callable(activation):
            each = [activation] * outputs
        else:
            each = list(activation)
        if len(each) != outputs:
            raise ValueError(f"Layer: {len(each)} activations for {outputs} neurons")
        self.name = name
        with _inside(name):
            self.neurons = [
                Neuron(
                    inputs,
                    one,
                    bias=bias,
                    init=_drawn(init),
                    rng=rng,
                    outputs=outputs,
                    name=f"neuron {i + 1}",
                )
                for i, one in enumerate(each)
            ]
        if not isinstance(init, str):
            self.assign(init)

    def forward(self, x: Sequence[Scalar]) -> list[Any]:
        """Return the output of every neuron."""
        return [neuron(x) for neuron in self.neurons]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(repr, self.neurons))}]"


class Sequential(Module):
    """Modules one after the other: each gets what the one before returned."""

    def __init__(self, *layers: Callable[[Any], Any], name: str = "") -> None:
        self.name = name
        self.layers: list[Any] = list(layers)

    def forward(self, x: Any) -> Any:
        """Return what the last module makes of it all."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"{type(self).__name__} of [{', '.join(map(repr, self.layers))}]"


class MLP(Sequential):
    """A multi-layer perceptron: `MLP(2, [16, 16, 1])` has 2 inputs, two hidden layers, one output.

    ReLU inside and linear at the end, unless said otherwise. A single output comes back as a
    `Value`, several as a list.

    Args:
        inputs: how many numbers it takes.
        sizes: the neurons of each layer, the output layer last.
        activation: a name or function for all hidden layers, or a list with one entry per hidden
            layer (or per layer, the output layer included); an entry may be a list with one per
            neuron.
        output_activation: that of the output layer; linear by default.
        bias, init, rng: as for `Neuron`; `init` as numbers is in the order of `parameters()`.
        name: its scope, see `nn.scopes`.
    """

    def __init__(
        self,
        inputs: int,
        sizes: Sequence[int],
        *,
        activation: str | Activation | Sequence[Activations] = relu,
        output_activation: Activations | None = None,
        bias: bool = True,
        init: Init = "uniform",
        rng: random.Random | None = None,
        name: str = "",
    ) -> None:
        if not sizes:
            raise ValueError("MLP: sizes must name at least the output layer")
        widths = [inputs, *sizes]
        activations = _per_layer(activation, output_activation, len(sizes))
        with _inside(name):
            layers = [
                Layer(
                    widths[i],
                    widths[i + 1],
                    one,
                    bias=bias,
                    init=_drawn(init),
                    rng=rng,
                    name=f"layer {i + 1}",
                )
                for i, one in enumerate(activations)
            ]
        super().__init__(*layers, name=name)
        if not isinstance(init, str):
            self.assign(init)

    def forward(self, x: Sequence[Scalar]) -> Any:
        """Return the output: a `Value`, or a list of them if there are several."""
        outputs = super().forward(x)
        return outputs[0] if len(outputs) == 1 else outputs

    def architecture(self) -> Architecture:
        """Return inputs, sizes, activations and biases: all of a plain MLP but its numbers.

        Raises:
            ValueError: it is none: of a subclass, changed since it was made, with tied weights, or
                with an activation that is no primitive of one argument. The message says which.
        """
        if type(self) is not MLP or "forward" in vars(self) or not self.layers:
            raise ValueError(f"{type(self).__name__} is no plain MLP: it has code of its own")
        first = self.layers[0]
        width: int = len(first.neurons[0].w) if type(first) is Layer and first.neurons else 0
        inputs, sizes, each = width, [], []
        biases: set[bool] = set()
        for i, layer in enumerate(self.layers):
            where = f"{type(self).__name__} is no plain MLP: layer {i + 1}"
            neurons = layer.neurons if type(layer) is Layer and "forward" not in vars(layer) else ()
            if not neurons or any(type(n) is not Neuron or "forward" in vars(n) for n in neurons):
                raise ValueError(f"{where} is {layer!r:.100}")
            if any(len(neuron.w) != width for neuron in neurons):
                raise ValueError(f"{where} does not take {width} inputs")
            names = tuple(_name_of(neuron.activation, where) for neuron in neurons)
            each.append(names[0] if len(set(names)) == 1 else names)
            biases |= {neuron.b is not None for neuron in neurons}
            width = len(neurons)
            sizes.append(width)
        found = Architecture(inputs, tuple(sizes), tuple(each), True in biases, self.name)
        if len(biases) > 1 or found.count != len(self.parameters()):
            raise ValueError(
                f"{type(self).__name__} is no plain MLP: it has {len(self.parameters())} "
                f"parameters, one of this shape {found.count}"
            )
        return found

    def _description(self) -> dict[str, Any] | None:
        try:
            return self.architecture().to_json()
        except ValueError:
            return None

    def to_python(
        self, name: str = "predict", inputs: Sequence[Sequence[float]] | None = None
    ) -> str:
        """Return a Python module that needs nothing but Python: `name([...])` is this network.

        It gives the same bits as the network does, and its doctests say so for each row of `inputs`
        (three rows of tenths unless given).

        Raises:
            ValueError: no plain MLP, a parameter that is not finite, or no name for a function.
        """
        return _sources.python(*self._trained(inputs), name)

    def to_javascript(
        self, name: str = "predict", inputs: Sequence[Sequence[float]] | None = None
    ) -> str:
        """Return a script that defines `name(array)`, this network, for browsers and Node.

        `name.examples` are pairs of each row of `inputs` and the output. The functions of
        JavaScript may differ from Python's in the last digits, so outputs agree to about 1e-12.

        Raises:
            ValueError: no plain MLP, a parameter that is not finite, or no name for a function.
        """
        return _sources.in_javascript(*self._trained(inputs), name)

    def _trained(
        self, inputs: Sequence[Sequence[float]] | None
    ) -> tuple[Architecture, list[float], list[tuple[list[float], Any]]]:
        """Return what there is to write down: architecture, numbers, inputs with their outputs."""
        architecture = self.architecture()
        for name, parameter in self.named_parameters():
            if not math.isfinite(parameter.data):
                raise ValueError(f"MLP: parameter {name!r} is {parameter.data!r}")
        given = _sources.test_inputs(architecture.inputs) if inputs is None else inputs
        examples = []
        for row in given:
            numbers = [float(number) for number in row]
            outputs = super().forward(numbers)
            plain = [output.data for output in outputs]
            examples.append((numbers, plain if len(plain) > 1 else plain[0]))
        return architecture, [p.data for p in self.parameters()], examples


def _name_of(activation: Activation, where: str) -> str:
    """Return the name of an activation that is a primitive of one argument.

    Raises:
        ValueError: it is another function.
    """
    name = getattr(activation, "name", "")
    if activations().get(name) is not activation:
        raise ValueError(f"{where} has the activation {activation!r}, a function without a name")
    return str(name)


def _per_layer(
    activation: str | Activation | Sequence[Activations],
    output: Activations | None,
    layers: int,
) -> list[Activations]:
    if isinstance(activation, str) or callable(activation):
        return [activation] * (layers - 1) + ["identity" if output is None else output]
    each = list(activation)
    if len(each) == layers and output is None:
        return each
    if len(each) != layers - 1:
        raise ValueError(
            f"MLP: {len(each)} activations for {layers - 1} hidden layers"
            + ("" if output is None else " and an output_activation")
        )
    return [*each, "identity" if output is None else output]
