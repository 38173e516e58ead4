"""Optimisers: from parameters and their gradients to better parameters.

Each rule is written once, in arithmetic that means the same for one float and for a NumPy array of
them; which of the two it gets, whoever calls `advance` decides. The formulas are PyTorch's where
libraries differ. Knows nothing of models and losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
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


def all_finite(column: Column) -> bool:
    """Say whether no number of the column is nan or infinite."""
    if isinstance(column, list):
        return all(map(math.isfinite, column))
    return math.isfinite(abs(column).max())


def _between(default: float | None, low: float, high: float, open: bool = False) -> Any:
    """Return a keyword that must be in [low, high), or in (low, high) if `open`."""
    return field(default=default, kw_only=True, metadata={"low": low, "high": high, "open": open})


@dataclass(eq=False)
class Optimizer:
    """What all optimisers share: the parameters, how many updates were made, what they remember."""

    parameters: list[Value] = field(repr=False)

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.parameters = _checked(name, self.parameters)
        for setting in fields(self):
            value, limits = getattr(self, setting.name), setting.metadata
            if limits and value is not None:
                low, high = limits["low"], limits["high"]
                if not (low <= value < high) or (limits["open"] and value == low):
                    bracket = "(" if limits["open"] else "["
                    raise ValueError(
                        f"{name}: {setting.name} must be in {bracket}{low}, {high}), not {value!r}"
                    )
        self.steps = 0
        self._columns: list[Column] = []

    def _start(self) -> tuple[float, ...]:
        """Return the initial number of each column of state."""
        return ()

    def zero_grad(self) -> None:
        """Set `.grad` of every parameter to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def advance(self, x: Column, objective: Objective) -> tuple[Column, float]:
        """Return better parameters than `x`, and the value of `objective` at `x`."""
        raise NotImplementedError(f"{type(self).__name__} has no advance()")

    def snapshot(self) -> dict[str, Any]:
        """Return what `restore` takes to undo whatever happens to this optimiser until then."""
        return dict(vars(self))

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Be as when the snapshot was made."""
        vars(self).update(snapshot)

    # ------------------------------------------------------------------ files

    def state_dict(self) -> dict[str, Any]:
        """Return everything that an equal optimiser needs to go on from here."""
        columns = [c if isinstance(c, list) else c.tolist() for c in self._columns]
        return {"kind": type(self).__name__, "steps": self.steps, "columns": columns}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` of an equal optimiser returned.

        Raises:
            ValueError: it is another optimiser's, or of other parameters; nothing changes.
        """
        name = type(self).__name__
        if state.get("kind") != name:
            raise ValueError(f"{name} can't go on from the state of {state.get('kind')!r}")
        steps, columns = state.get("steps"), state.get("columns")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise ValueError(f"{name}: steps must be a number of updates, not {steps!r}")
        if not isinstance(columns, list) or len(columns) not in {0, len(self._start())}:
            raise ValueError(f"{name} keeps {len(self._start())} columns of numbers")
        for column in columns:
            if not isinstance(column, list) or len(column) != len(self.parameters):
                raise ValueError(f"{name}: every column needs {len(self.parameters)} numbers")
            if not all(isinstance(x, (int, float)) and math.isfinite(x) for x in column):
                raise ValueError(f"{name}: a column holds something that is no finite number")
        self.steps, self._columns = steps, [list(map(float, column)) for column in columns]


@dataclass(eq=False)
class FirstOrder(Optimizer):
    """Optimisers that step by one gradient: learning rate, weight decay, clipping.

    Args:
        parameters: the `Value`s to improve, in order.
        lr: the learning rate, or a function of the number of updates made so far (`nn.Linear`...).
        weight_decay: added to the gradient times the parameter.
        clip_value: gradients beyond +-clip_value are cut to it; first of all. A nan stays.
        clip_norm: the gradient is multiplied by clip_norm / (length + 1e-6) if that is below 1.
    """

    lr: float | Schedule = 0.01
    weight_decay: float = _between(0.0, 0.0, math.inf)
    clip_value: float | None = _between(None, 0.0, math.inf, open=True)
    clip_norm: float | None = _between(None, 0.0, math.inf, open=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.lr) and not 0.0 <= self.lr < math.inf:
            name = type(self).__name__
            raise ValueError(f"{name}: lr must be a rate >= 0 or a schedule, not {self.lr!r}")

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
        rate, start = self.rate, self._start()
        self.steps += 1
        if isinstance(x, list):
            columns = self._columns or [[number] * len(x) for number in start]
            rows = [
                self._rule(rate, *self._decayed(rate, one, g), *state)
                for one, g, *state in zip(x, self._clipped(gradient), *columns, strict=True)
            ]
            new, *self._columns = map(list, zip(*rows, strict=True))
            return new
        import numpy

        columns = self._columns or [numpy.full(len(x), number) for number in start]
        with numpy.errstate(all="ignore"):
            gradient = numpy.asarray(self._clipped(gradient))
            state = [numpy.asarray(column) for column in columns]
            new, *self._columns = self._rule(rate, *self._decayed(rate, x, gradient), *state)
        return new

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


def _checked(name: str, parameters: Iterable[Value]) -> list[Value]:
    found = list(parameters)
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov needs a momentum")

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

    m' = m / (1 - b1^t) and s' = s / (1 - b2^t) in the t-th update (Kingma and Ba, 2015).
    """

    lr: float | Schedule = 0.001
    beta1: float = _between(0.9, 0.0, 1.0)
    beta2: float = _between(0.999, 0.0, 1.0)
    eps: float = _between(1e-8, 0.0, math.inf, open=True)

    def _start(self) -> tuple[float, ...]:
        return (0.0, 0.0)

    def _rule(self, rate: float, x: Number, g: Number, *state: Number) -> tuple[Number, ...]:
        mean = self.beta1 * state[0] + (1.0 - self.beta1) * g
        square = self.beta2 * state[1] + (1.0 - self.beta2) * (g * g)
        size = _sqrt(square / (1.0 - self.beta2**self.steps)) + self.eps
        return x - rate / (1.0 - self.beta1**self.steps) * mean / size, mean, square


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
