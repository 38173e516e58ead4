"""The class of arrays that functions under a derivative are given, of `Value`s and floats.

It hands NumPy's calls on (ufuncs by `_ufuncs`, functions by its table) and says what is refused.
It knows no formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from .._primitive import Node, Primitive
from .._watch import watch
from ._ufuncs import WAYS_OUT, apply, arithmetic, plain, total

# A function of NumPy on arrays of Values, called as NumPy's is.
Function = Callable[..., Any]


class ValueArray(np.ndarray[Any, Any]):
    """An array of `Value`s and floats, of dtype object, on which NumPy computes with derivatives.

    Functions under `grad`, `jacobian`, `compile` ... are given one for each array argument. In
    NumPy's calls every cell goes through our primitives, so values, ties, nan and infinities are as
    docs/conventions.md has them for floats; what has no derivative here is refused.
    """

    functions: ClassVar[dict[Any, Function]] = {}

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        cells = [x.view(np.ndarray) if type(x) is ValueArray else x for x in inputs]
        if method == "__call__" and not options:
            found = arithmetic(ufunc, cells)
            if found is NotImplemented:
                found = apply(ufunc, method, cells, options)
            return found.view(ValueArray) if _are_cells(found) else wrapped(found)
        if ufunc is np.add and method == "reduce" and _is_plain(cells, options):
            return wrapped(total(cells[0], options))
        if "out" in options:
            return _into(ufunc, method, cells, options)
        return wrapped(apply(ufunc, method, cells, options))

    def __array_function__(
        self, func: Any, types: Any, args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        function = self.functions.get(func)
        if function is None:
            raise refused(func)
        return function(*args, **kwargs)

    def _by_cell(self, primitive: Primitive, args: tuple[Any, ...]) -> Any:
        """Return what a primitive of ours gives for each cell (it asks for this)."""
        inputs = [plain(x, primitive.name) for x in args]
        return wrapped(np.frompyfunc(primitive, len(args), 1)(*inputs))

    # ------------------------------------------------------- methods that NumPy does in C, its way

    def _by(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self.functions[getattr(np, name)](self, *args, **kwargs)

    def argmax(self, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        return self._by("argmax", axis, out, keepdims=keepdims)

    def argmin(self, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        return self._by("argmin", axis, out, keepdims=keepdims)

    def argsort(self, axis: Any = -1, kind: Any = None, order: Any = None, **more: Any) -> Any:
        return self._by("argsort", axis, kind, order, **more)

    def argpartition(self, kth: Any, axis: Any = -1, *more: Any, **other: Any) -> Any:
        return self._by("argsort", axis)

    def sort(self, axis: Any = -1, kind: Any = None, order: Any = None, **more: Any) -> None:
        self[...] = self._by("sort", axis, kind, order, **more)

    def partition(self, kth: Any, axis: Any = -1, *more: Any, **other: Any) -> None:
        self.sort(axis)

    def searchsorted(self, v: Any, side: Any = "left", sorter: Any = None) -> Any:
        return self._by("searchsorted", v, side, sorter)

    def round(self, decimals: Any = 0, out: Any = None) -> Any:
        return self._by("round", decimals, out)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        return self._by("mean", *args, **kwargs)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        return self._by("var", *args, **kwargs)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        return self._by("std", *args, **kwargs)

    def dot(self, b: Any, out: Any = None) -> Any:
        return self._by("dot", b, out)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a copy as objects or as bools; as numbers where no cell is a `Value`.

        Raises:
            TypeError: numbers are asked for, which would drop the gradient.
        """
        cells = self.view(np.ndarray)
        if np.dtype(dtype).kind == "O":
            return self.copy()
        if np.dtype(dtype).kind != "b" and any(isinstance(x, Node) for x in cells.flat):
            raise TypeError(
                f"x.astype({np.dtype(dtype)}) of an array of Values would silently drop the "
                "gradient; compute with x as it is, take constants with autograd.stop_gradient, "
                "or leave the graph on purpose ([v.data for v in x.flat])"
            )
        return cells.astype(dtype, *args, **kwargs)

    def tobytes(self, order: Any = "C") -> bytes:
        raise TypeError("tobytes() of an array of Values would write addresses, not numbers")

    def tofile(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("tofile() of an array of Values would write addresses, not numbers")

    def __repr__(self) -> str:
        return f"ValueArray({self._text(', ')})"

    def __str__(self) -> str:
        return self._text(" ")

    def _text(self, separator: str) -> str:
        cell = repr if watch.count and watch.freezes() else _number
        return np.array2string(
            self.view(np.ndarray), separator=separator, formatter={"object": cell}
        )


def _number(x: Any) -> str:
    return repr(x._data if isinstance(x, Node) else x)


def _is_plain(cells: list[Any], options: dict[str, Any]) -> bool:
    """Say whether there is one array, of cells, and nothing is asked about the result's kind."""
    return len(cells) == 1 and options.get("dtype") is None and options.get("out") is None


def _are_cells(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.kind == "O"


def _into(ufunc: Any, method: str, inputs: list[Any], options: dict[str, Any]) -> Any:
    """Apply a ufunc that writes into arrays given by out=, and return these."""
    given = options["out"]
    out = tuple([x.view(np.ndarray) if type(x) is ValueArray else x for x in given])
    found = apply(ufunc, method, inputs, {**options, "out": out})
    if ufunc.nout > 1:
        return tuple([wrapped(x) if g is None else g for x, g in zip(found, given, strict=True)])
    return wrapped(found) if given[0] is None else given[0]


def wrapped(x: Any) -> Any:
    """Return a result of NumPy's with arrays of cells as `ValueArray`s."""
    if isinstance(x, np.ndarray):
        return x.view(ValueArray) if x.dtype.kind == "O" else x
    if type(x) in (tuple, list):
        return type(x)([wrapped(entry) for entry in x])
    return x


def array_of(cells: Sequence[Any], shape: tuple[int, ...]) -> ValueArray:
    """Return these cells as an array of this shape."""
    # numpy.array() would look for structure inside a Value
    return np.fromiter(cells, object, len(cells)).reshape(shape).view(ValueArray)


def zero_dimensional(x: Any) -> ValueArray:
    """Return one cell as an array without dimensions."""
    return array_of([x], ())


def scalar(x: Any) -> Any:
    """Return the cell of an array without dimensions; anything else as it is."""
    return x[()] if isinstance(x, ValueArray) and x.ndim == 0 else x


def as_cells(x: Any) -> ValueArray:
    """Return `x`, an array, list or number, as an array of cells; plain numbers become floats.

    Raises:
        TypeError: it holds something else than real numbers.
    """
    if type(x) is ValueArray:
        return x
    array = np.asarray(x)
    if array.dtype.kind not in "Ofiub":
        raise TypeError(
            f"an array of dtype {array.dtype} does not go with Values, which are real numbers; "
            "convert it with .astype(float)"
        )
    if array.dtype.kind != "O":
        array = array.astype(np.float64)
    return array.astype(object).view(ValueArray)


def name_of(func: Any) -> str:
    """Return the name of a function of NumPy as its users write it."""
    return f"{func.__module__}.{func.__name__}"


def refused(func: Any, why: str = "") -> TypeError:
    """Return the error for a function of NumPy that arrays of `Value`s do not go through."""
    why = why or "has no derivative here"
    return TypeError(f"{name_of(func)} of an array of Values {why}; {WAYS_OUT}")
