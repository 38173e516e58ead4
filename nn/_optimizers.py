"""Optimisers: from parameters and their gradients to better parameters.

Each rule is written once, in arithmetic that means the same for one float and for a NumPy array of
them; which of the two it gets, whoever calls `advance` decides. The formulas are PyTorch's where
libraries differ. Knows nothing of models and losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from inspect import Signature, signature
from typing import Any

from autograd import Value

from ._schedules import Schedule

# One number per parameter: a list of floats, or a NumPy array.
Column = Any
Objective = Callable[[Column], tuple[float, Column]]
Number = Any  # a float or a NumPy array


def _sqrt(x: Number) -> Number:
    """Return the square root, 0 where rounding has made `x` negative."""
    if isinstance(x, float):
        return math.sqrt(x) if x > 0.0 or x != x else 0.0
    import numpy

    return numpy.sqrt(numpy.maximum(x, 0.0))


def _larger(x: Number, y: Number) -> Number:
    """Return the larger of both, nan if `y` is."""
    if isinstance(y, float):
        return x if x > y else y
    import numpy

    return numpy.maximum(x, y)


def all_finite(column: Column) -> bool:
    """Say whether no number of the column is nan or infinite."""
    if isinstance(column, list):
        return all(map(math.isfinite, column))
    return math.isfinite(abs(column).max())


def _between(default: float | None, low: float, high: float, open: bool = False) -> Any:
    """Return a keyword that must be in [low, high), or in (low, high) if `open`."""
    return field(default=default, kw_only=True, metadata={"low": low, "high": high, "open": open})


# Keywords of PyTorch and Keras, and what stands for them here, where it does.
_ELSEWHERE = {
    "params": "parameters",
    "learning_rate": "lr",
    "alpha": "decay",
    "rho": "decay",
    "betas": "beta1 and beta2",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "eps",
    "initial_accumulator_value": "initial",
    "global_clipnorm": "clip_norm",
    "clipvalue": "clip_value",
    "history_size": "memory",
    "tolerance_grad": "gtol",
    "tolerance_change": "ftol",
}
_NOT_HERE = {
    "lr": "the line search finds how long a step is",
    "maximize": "minimise the negative of the loss",
    "dampening": "every gradient counts whole",
    "lr_decay": "give a schedule as lr, such as nn.Exponential",
    "decoupled_weight_decay": "that is nn.AdamW",
    "foreach": "leave it out, it is about tensors",
    "fused": "leave it out, it is about tensors",
    "capturable": "leave it out, it is about tensors",
    "differentiable": "leave it out, gradients through updates need grad",
    "clipnorm": "clip_norm is of the whole gradient",
    "max_eval": "max_iter is the limit",
    "line_search_fn": "the line search is SciPy's",
}


class _Named(type):
    """Says of a keyword that is not known which one is meant."""

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        known = cls.__signature__.parameters
        if not any(one.kind is one.VAR_KEYWORD for one in known.values()):
            for name in keywords:
                if name not in known:
                    raise TypeError(f"{cls.__name__}: {_unknown(name, list(known))}")
        return super().__call__(*args, **keywords)

    @property
    def __signature__(cls) -> Signature:
        """What `help` and `inspect.signature` are to show: without it that of the method above."""
        own = signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])


def _unknown(name: str, known: list[str]) -> str:
    """Return what to say of a keyword that is none of these."""
    ours = _ELSEWHERE.get(name, "")
    if ours.split(" ")[0] in known:
        return f"there is no keyword {name!r}; here it is {ours}"
    if name in _NOT_HERE:
        return f"there is no keyword {name!r}: {_NOT_HERE[name]}"
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    return f"there is no keyword {name!r}; {hint}"


@dataclass(eq=False)
class Optimizer(metaclass=_Named):
    """What all optimisers share: the parameters, how many updates were made, what they remember.

    Attributes:
        groups: for each group of parameters the keywords it has of its own; one without any, if
            no groups were given.
    """

    parameters: list[Value] = field(repr=False)

    def __post_init__(self) -> None:
        name = type(self).__name__
        groups, self.groups = _grouped(name, self.parameters)
        self.parameters = _checked(name, [one for group in groups for one in group])
        self._sizes = list(map(len, groups))
        self._check(name)
        self.steps = 0
        self._columns: list[list[Column]] = []  # for each group

    def _check(self, name: str) -> None:
        """Raise an error that begins with `name` if a setting is out of range."""
        for setting in fields(self):
            value, limits = getattr(self, setting.name), setting.metadata
            if limits and value is not None:
                low, high = limits["low"], limits["high"]
                if not _is_number(value):
                    raise TypeError(f"{name}: {setting.name} must be a number, not {value!r}")
                if not (low <= value < high) or (limits["open"] and value == low):
                    bracket = "(" if limits["open"] else "["
                    raise ValueError(
                        f"{name}: {setting.name} must be in {bracket}{low}, {high}), not {value!r}"
                    )

    def settings(self) -> dict[str, Any]:
        """Return every keyword's value by name; those of groups as "groups.1.lr"."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        del found["parameters"]
        if len(self.groups) > 1:
            found["groups"] = self._sizes
        for i, group in enumerate(self.groups):
            found |= {f"groups.{i}.{name}": value for name, value in group.items()}
        return found

    def set(self, name: str, value: Any) -> None:
        """Change what goes by that name in `settings`."""
        if name.startswith("groups."):
            _, i, own = name.split(".")
            self.groups[int(i)][own] = value
        else:
            setattr(self, name, value)

    def zero_grad(self) -> None:
        """Set `.grad` of every parameter to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def advance(self, x: Column, objective: Objective) -> tuple[Column, float]:
        """Return better parameters than `x`, and the value of `objective` at `x`."""
        raise NotImplementedError(f"{type(self).__name__} has no advance()")

    def snapshot(self) -> dict[str, Any]:
        """Return what `restore` takes to undo whatever happens to this optimiser until then."""
        return vars(self) | {"groups": list(map(dict, self.groups))}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Be as when the snapshot was made."""
        for group, before in zip(self.groups, snapshot["groups"], strict=True):
            group.clear()
            group.update(before)
        vars(self).update(snapshot | {"groups": self.groups})

    # ------------------------------------------------------------------ files

    def state_dict(self) -> dict[str, Any]:
        """Return everything that an equal optimiser needs to go on from here."""
        groups = [[list(map(float, one)) for one in columns] for columns in self._columns]
        return {"kind": type(self).__name__, "steps": self.steps, "groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` of an equal optimiser returned.

        Raises:
            ValueError: it is another optimiser's, or of other parameters; nothing changes.
        """
        name = type(self).__name__
        if state.get("kind") != name:
            raise ValueError(f"{name} can't go on from the state of {state.get('kind')!r}")
        steps, groups = state.get("steps"), state.get("groups")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise ValueError(f"{name}: steps must be a number of updates, not {steps!r}")
        if not isinstance(groups, list) or len(groups) not in {0, len(self._sizes)}:
            raise ValueError(f"{name}: the state must be of {len(self._sizes)} groups")
        for i, columns in enumerate(groups):
            _check_columns(name, columns, len(self._starts()[i]), self._sizes[i])
        self.steps = steps
        self._columns = [[list(map(float, one)) for one in columns] for columns in groups]

    def _starts(self) -> list[tuple[float, ...]]:
        """Return `_start()` of every group."""
        return [()] * len(self.groups)


def _is_number(x: object) -> bool:
    return isinstance(x, (int, float)) or (hasattr(x, "__float__") and not hasattr(x, "__len__"))


def _check_columns(name: str, columns: Any, count: int, size: int) -> None:
    """Raise ValueError unless these are `count` columns of `size` finite numbers."""
    if not isinstance(columns, list) or len(columns) != count:
        raise ValueError(f"{name} keeps {count} columns of numbers")
    for column in columns:
        if not isinstance(column, list) or len(column) != size:
            raise ValueError(f"{name}: every column needs {size} numbers")
        if not all(isinstance(x, (int, float)) and math.isfinite(x) for x in column):
            raise ValueError(f"{name}: a column holds something that is no finite number")


@dataclass(eq=False)
class FirstOrder(Optimizer):
    """Optimisers that step by one gradient: learning rate, weight decay, clipping.

    Args:
        parameters: the `Value`s to improve, in order; or groups with keywords of their own, each a
            dictionary: `[{"params": first}, {"params": second, "lr": 0.1}]`.
        lr: the learning rate, or a function of the number of updates made so far (`nn.Linear`...).
        weight_decay: added to the gradient times the parameter.
        clip_value: gradients beyond +-clip_value are cut to it; first of all. A nan stays.
        clip_norm: the gradient, of all groups together, is multiplied by
            clip_norm / (length + 1e-6) if that is below 1.
    """

    lr: float | Schedule = 0.01
    weight_decay: float = _between(0.0, 0.0, math.inf)
    clip_value: float | None = _between(None, 0.0, math.inf, open=True)
    clip_norm: float | None = _between(None, 0.0, math.inf, open=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for i, group in enumerate(self.groups):
            if group:
                self._part(group)._check(f"{type(self).__name__}: group {i}")

    def _check(self, name: str) -> None:
        super()._check(name)
        if not callable(self.lr) and not (_is_number(self.lr) and 0.0 <= self.lr < math.inf):
            raise ValueError(f"{name}: lr must be a rate >= 0 or a schedule, not {self.lr!r}")

    def _part(self, group: dict[str, Any]) -> FirstOrder:
        """Return an optimiser with the settings of a group, or this one if it has none of its own.

        Raises:
            TypeError: the group has a keyword that is none, or not a group's.
        """
        if not group:
            return self
        known = [one.name for one in fields(self) if one.name != "parameters"]
        for name in group:
            if name not in known:
                raise TypeError(f"{type(self).__name__}: in a group {_unknown(name, known)}")
            if name.startswith("clip_"):
                raise TypeError(
                    f"{type(self).__name__}: {name} is for all parameters together; give it to "
                    "the optimizer, not to a group"
                )
        part = copy(self)
        vars(part).update(group)
        return part

    def _start(self) -> tuple[float, ...]:
        """Return the initial number of each column of state."""
        return ()

    def _starts(self) -> list[tuple[float, ...]]:
        return [self._part(group)._start() for group in self.groups]

    def _rule(self, rate: float, x: Number, g: Number, *state: Number) -> tuple[Number, ...]:
        """Return the new parameter and the new state; `self.steps` counts this update."""
        raise NotImplementedError(f"{type(self).__name__} has no rule")

    def _decayed(self, rate: float, x: Number, g: Number) -> tuple[Number, Number]:
        """Return parameter and gradient with weight decay in one of them."""
        return (x, g + self.weight_decay * x) if self.weight_decay else (x, g)

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return self.lr(self.steps) if callable(self.lr) else self.lr

    def step(self) -> None:
        """Improve the parameters by their `.grad`."""
        new = self.update([p.data for p in self.parameters], [p.grad for p in self.parameters])
        for parameter, number in zip(self.parameters, new, strict=True):
            parameter.data = number

    def advance(self, x: Column, objective: Objective) -> tuple[Column, float]:
        """Return better parameters than `x`, and the value of `objective` at `x`."""
        value, gradient = objective(x)
        return self.update(x, gradient), value

    def update(self, x: Column, gradient: Column) -> Column:
        """Return parameters `x` after one update by `gradient`, both columns of one kind."""
        parts = list(map(self._part, self.groups))
        rates = [part.rate for part in parts]
        gradient = self._clipped(gradient)
        columns: list[list[Column]] = self._columns or [[] for _ in parts]
        self.steps += 1
        self._columns = []
        pieces: list[Column] = []
        end = 0
        for part, rate, kept, size in zip(parts, rates, columns, self._sizes, strict=True):
            part.steps = self.steps
            begin, end = end, end + size
            move = part._moved if isinstance(x, list) else part._moved_array
            new, *now = move(rate, x[begin:end], gradient[begin:end], kept)
            pieces.append(new)
            self._columns.append(now)
        if len(pieces) == 1:
            return pieces[0]
        if isinstance(x, list):
            return [number for piece in pieces for number in piece]
        import numpy

        return numpy.concatenate(pieces)

    def _moved(self, rate: float, x: Column, gradient: Column, kept: list[Column]) -> list[Column]:
        """Return the new parameters of a group and its columns of state, as lists."""
        columns = kept or [[number] * len(x) for number in self._start()]
        rows = [
            self._rule(rate, *self._decayed(rate, one, g), *state)
            for one, g, *state in zip(x, gradient, *columns, strict=True)
        ]
        return list(map(list, zip(*rows, strict=True)))

    def _moved_array(
        self, rate: float, x: Column, gradient: Column, kept: list[Column]
    ) -> list[Column]:
        """Return the same as arrays."""
        import numpy

        columns = kept or [numpy.full(len(x), number) for number in self._start()]
        with numpy.errstate(all="ignore"):
            state = [numpy.asarray(column) for column in columns]
            decayed = self._decayed(rate, x, numpy.asarray(gradient))
            return list(self._rule(rate, *decayed, *state))

    def _clipped(self, gradient: Column) -> Column:
        if self.clip_value is None and self.clip_norm is None:
            return gradient
        numbers: list[float] = list(map(float, gradient))
        if self.clip_value is not None:
            limit = self.clip_value
            numbers = [g if g != g else max(-limit, min(limit, g)) for g in numbers]
        if self.clip_norm is not None:
            scale = self.clip_norm / (math.hypot(*numbers) + 1e-6)
            if scale < 1.0:
                numbers = [g * scale for g in numbers]
        return numbers


def _grouped(name: str, given: Iterable[Any]) -> tuple[list[list[Value]], list[dict[str, Any]]]:
    """Return the parameters of each group, and its own keywords.

    Raises:
        TypeError: parameters and groups are mixed, or a group has no parameters.
    """
    found = list(given)
    if not any(isinstance(one, Mapping) for one in found):
        return [found], [{}]
    groups, keywords = [], []
    for i, one in enumerate(found):
        if not isinstance(one, Mapping):
            raise TypeError(f"{name}: all or none must be groups, but number {i} is {one!r}")
        if "params" not in one:
            raise TypeError(f'{name}: group {i} has no "params", its parameters: {sorted(one)}')
        groups.append(list(one["params"]))
        keywords.append({key: value for key, value in one.items() if key != "params"})
        if not groups[-1]:
            raise ValueError(f"{name}: group {i} has no parameters")
    return groups, keywords


def _checked(name: str, found: list[Value]) -> list[Value]:
    for parameter in found:
        if not isinstance(parameter, Value) or parameter.primitive is not None:
            raise TypeError(f"{name}: parameters must be leaf Values, not {parameter!r}")
    if not found:
        raise ValueError(f"{name}: no parameters")
    if len({id(parameter) for parameter in found}) != len(found):
        raise ValueError(f"{name}: a parameter is given twice")
    return found


@dataclass(eq=False)
class SGD(FirstOrder):
    """Gradient descent: x -= lr g. With momentum m: v = m v + g, x -= lr v; Nesterov: lr (g + m v).

    Full-batch or stochastic is up to who computes the gradient.
    """

    momentum: float = _between(0.0, 0.0, 1.0)
    nesterov: bool = field(default=False, kw_only=True)

    def _check(self, name: str) -> None:
        super()._check(name)
        if self.nesterov and not self.momentum:
            raise ValueError(f"{name}: nesterov needs a momentum")

    def _start(self) -> tuple[float, ...]:
        return (0.0,) if self.momentum else ()

    def _rule(self, rate: float, x: Number, g: Number, *state: Number) -> tuple[Number, ...]:
        if not state:
            return (x - rate * g,)
        velocity = self.momentum * state[0] + g
        return x - rate * (g + self.momentum * velocity if self.nesterov else velocity), velocity


@dataclass(eq=False)
class Adagrad(FirstOrder):
    """s += g^2, x -= lr g / (sqrt(s) + eps), with s from `initial` on."""

    initial: float = _between(0.0, 0.0, math.inf)
    eps: float = _between(1e-10, 0.0, math.inf, open=True)

    def _start(self) -> tuple[float, ...]:
        return (self.initial,)

    def _rule(self, rate: float, x: Number, g: Number, *state: Number) -> tuple[Number, ...]:
        total = state[0] + g * g
        return x - rate * g / (_sqrt(total) + self.eps), total


@dataclass(eq=False)
class RMSProp(FirstOrder):
    """s = decay s + (1 - decay) g^2, x -= lr g / (sqrt(s) + eps).

    `centered` takes the square of the averaged gradient off s; with momentum m the steps are
    averaged, v = m v + g / (sqrt(s) + eps), x -= lr v.
    """

    decay: float = _between(0.99, 0.0, 1.0)
    momentum: float = _between(0.0, 0.0, 1.0)
    centered: bool = field(default=False, kw_only=True)
    eps: float = _between(1e-8, 0.0, math.inf, open=True)

    def _start(self) -> tuple[float, ...]:
        return (0.0, 0.0, 0.0)

    def _rule(self, rate: float, x: Number, g: Number, *state: Number) -> tuple[Number, ...]:
        square, mean, velocity = state
        square = self.decay * square + (1.0 - self.decay) * (g * g)
        size = square
        if self.centered:
            mean = self.decay * mean + (1.0 - self.decay) * g
            size = square - mean * mean
        step = g / (_sqrt(size) + self.eps)
        if self.momentum:
            step = velocity = self.momentum * velocity + step
        return x - rate * step, square, mean, velocity


@dataclass(eq=False)
class Adam(FirstOrder):
    """m = b1 m + (1 - b1) g, s = b2 s + (1 - b2) g^2, x -= lr m' / (sqrt(s') + eps).

    m' = m / (1 - b1^t) and s' = s / (1 - b2^t) in the t-th update (Kingma and Ba, 2015); with
    `amsgrad` the largest s so far takes the place of s there (Reddi, Kale and Kumar, 2018).
    """

    lr: float | Schedule = 0.001
    beta1: float = _between(0.9, 0.0, 1.0)
    beta2: float = _between(0.999, 0.0, 1.0)
    eps: float = _between(1e-8, 0.0, math.inf, open=True)
    amsgrad: bool = field(default=False, kw_only=True)

    def _start(self) -> tuple[float, ...]:
        return (0.0, 0.0, 0.0) if self.amsgrad else (0.0, 0.0)

    def _rule(self, rate: float, x: Number, g: Number, *state: Number) -> tuple[Number, ...]:
        mean = self.beta1 * state[0] + (1.0 - self.beta1) * g
        square = self.beta2 * state[1] + (1.0 - self.beta2) * (g * g)
        largest = (_larger(state[2], square),) if self.amsgrad else ()
        size = _sqrt((*largest, square)[0] / (1.0 - self.beta2**self.steps)) + self.eps
        return x - rate / (1.0 - self.beta1**self.steps) * mean / size, mean, square, *largest


@dataclass(eq=False)
class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself, x *= 1 - lr weight_decay, beforehand.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    weight_decay: float = _between(0.01, 0.0, math.inf)

    def _decayed(self, rate: float, x: Number, g: Number) -> tuple[Number, Number]:
        return x * (1.0 - rate * self.weight_decay), g


@dataclass(eq=False)
class LBFGS(Optimizer):
    """Quasi-Newton steps by SciPy's L-BFGS-B: for smooth losses on all the data at once.

    Args:
        parameters: the `Value`s to improve, in order.
        max_iter: iterations each time it is asked to advance (each batch of `nn.fit`).
        memory: how many past gradients stand in for the Hessian.
        gtol: it stops where no entry of the gradient is larger.
        ftol: it stops where the value falls by less than this, relatively.
    """

    max_iter: int = _between(20, 1, math.inf)
    memory: int = _between(10, 1, math.inf)
    gtol: float = _between(1e-8, 0.0, math.inf)
    ftol: float = _between(1e-12, 0.0, math.inf)

    def _check(self, name: str) -> None:
        super()._check(name)
        if self.groups != [{}]:
            raise TypeError(f"{name} takes parameters, not groups: it has one step for all of them")

    def step(self, closure: Callable[[], Value]) -> float:
        """Improve the parameters; return the loss before. `closure` returns the loss as it is now.

        Raises:
            ImportError: SciPy is not installed.
        """

        def objective(x: Column) -> tuple[float, Column]:
            for parameter, number in zip(self.parameters, x, strict=True):
                parameter.data, parameter.grad = float(number), 0.0
            loss = closure()
            loss.backward()
            return loss.data, [parameter.grad for parameter in self.parameters]

        new, value = self.advance([p.data for p in self.parameters], objective)
        for parameter, number in zip(self.parameters, new, strict=True):
            parameter.data = number
        return value

    def advance(self, x: Column, objective: Objective) -> tuple[Column, float]:
        """Return better parameters than `x`, and the value of `objective` at `x`."""
        try:
            import numpy
            from scipy.optimize import minimize
        except ImportError as reason:
            raise ImportError("LBFGS needs SciPy: pip install scipy") from reason
        values: list[float] = []

        def on_arrays(at: Any) -> tuple[float, Any]:
            value, gradient = objective(at.tolist() if isinstance(x, list) else at)
            values.append(value)
            return value, numpy.array(gradient)

        options = {
            "maxiter": self.max_iter,
            "maxcor": self.memory,
            "gtol": self.gtol,
            "ftol": self.ftol,
        }
        found = minimize(on_arrays, numpy.array(x), jac=True, method="L-BFGS-B", options=options)
        self.steps += 1
        return (found.x.tolist() if isinstance(x, list) else found.x), values[0]
