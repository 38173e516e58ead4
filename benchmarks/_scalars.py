"""The kinds of scalar that the workloads run on: ours, the peers', and plain floats.

A workload is written once, as a function `build(leaves) -> run` whose `run()` returns the result:
`build` may sort the leaves into neurons beforehand, `run` does the arithmetic. A kind of scalar
says what its leaves are, how the result's gradient is asked for and where it is found, and which
functions it has beside the operators. Each imports its library when it is made, so that this
module can be imported in every environment.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

Build = Callable[[Sequence[Any]], Callable[[], Any]]


class Maths:
    """The functions of a kind of scalar, by name; an absent one says whose it is."""

    def __init__(self, owner: str, **functions: Callable[[Any], Any]) -> None:
        self.owner = owner
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"{self.owner} has no {name}")


class Floats:
    """Plain Python floats: the same arithmetic with no gradient. Also the base of the others.

    `maths` holds the functions, `leaf(value)` makes a scalar that derivatives can be taken by;
    `program(build, values)` makes the leaves and takes `build`;
    then `forward()` returns a result, `backward(result)` differentiates it and `gradient()`
    returns the derivatives with respect to the leaves.
    """

    differentiates = False
    maths: Any = Maths("float", exp=math.exp, log=math.log, relu=lambda x: max(0.0, x))

    leaf: Callable[[float], Any] = float

    def program(self, build: Build, values: Sequence[float]) -> None:
        """Make the leaves and what computes with them."""
        self.leaves = [self.leaf(value) for value in values]
        self.forward = build(self.leaves)

    def backward(self, result: Any) -> None:
        """Compute the derivatives of `result` with respect to all leaves."""
        raise NotImplementedError("float has no backward")

    def gradient(self) -> list[float]:
        """Return what `backward` computed."""
        raise NotImplementedError("float has no gradient")


class _Objects(Floats):
    """A scalar that is an object with `.backward()` and `.grad`."""

    differentiates = True

    def backward(self, result: Any) -> None:
        result.backward()

    def gradient(self) -> list[float]:
        return [float(leaf.grad) for leaf in self.leaves]


class Ours(_Objects):
    """`autograd.Value` of this project."""

    def __init__(self) -> None:
        self.maths = importlib.import_module("autograd")
        self.leaf = self.maths.Value


class Reference(_Objects):
    """The micrograd-style class of `_reference.py`."""

    maths = Maths(
        "reference", exp=lambda x: x.exp(), log=lambda x: x.log(), relu=lambda x: x.relu()
    )

    def __init__(self) -> None:
        self.leaf = importlib.import_module("benchmarks._reference").Value


class Micrograd(_Objects):
    """`micrograd.engine.Value`: it has relu, and a power by a number, but no exp and no log."""

    maths = Maths("micrograd", relu=lambda x: x.relu())

    def __init__(self) -> None:
        self.leaf = importlib.import_module("micrograd.engine").Value


class Torch(_Objects):
    """PyTorch tensors without dimensions, in double precision, on one thread."""

    def __init__(self) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(1)
        self.maths = self.torch

    def leaf(self, value: float) -> Any:
        return self.torch.tensor(value, dtype=self.torch.float64, requires_grad=True)


class Xad(Floats):
    """`xad.adj_1st.Real`, on one tape that is recorded anew at each forward run."""

    differentiates = True

    def __init__(self) -> None:
        self.adjoint = importlib.import_module("xad.adj_1st")
        maths = importlib.import_module("xad.math")
        self.maths = Maths("XAD", exp=maths.exp, log=maths.log, relu=lambda x: maths.max(x, 0.0))
        self.tape = self.adjoint.Tape()
        self.tape.activate()

    def leaf(self, value: float) -> Any:
        real = self.adjoint.Real(value)
        self.tape.registerInput(real)
        return real

    def program(self, build: Build, values: Sequence[float]) -> None:
        super().program(build, values)
        run = self.forward

        def forward() -> Any:
            self.tape.newRecording()
            return run()

        self.forward = forward

    def backward(self, result: Any) -> None:
        self.tape.registerOutput(result)
        result.setAdjoint(1.0)
        self.tape.computeAdjoints()

    def gradient(self) -> list[float]:
        return [leaf.getDerivative() for leaf in self.leaves]


class Hips(Floats):
    """HIPS autograd, which traces a function of the list of leaves."""

    differentiates = True

    def __init__(self) -> None:
        numpy = importlib.import_module("autograd.numpy")
        self.make_vjp = importlib.import_module("autograd.core").make_vjp
        self.maths = Maths(
            "HIPS autograd", exp=numpy.exp, log=numpy.log, relu=lambda x: numpy.maximum(x, 0.0)
        )

    def program(self, build: Build, values: Sequence[float]) -> None:
        leaves = list(values)

        def run(boxes: Any) -> Any:
            return build(list(boxes))()

        self.forward = lambda: self.make_vjp(run, leaves)

    def backward(self, result: Any) -> None:
        pullback, _ = result
        self.derivatives = pullback(1.0)

    def gradient(self) -> list[float]:
        return [float(derivative) for derivative in self.derivatives]


KINDS: dict[str, Callable[[], Floats]] = {
    "floats": Floats,
    "ours": Ours,
    "reference": Reference,
    "micrograd": Micrograd,
    "torch": Torch,
    "xad": Xad,
    "hips": Hips,
}
