"""What NumPy asks of a `Value` it is given by itself: it goes through the same tables as arrays of
`Value`s. Installed on the class without importing NumPy, which is there when this is called.
"""

from __future__ import annotations

from typing import Any

from ._primitive import Node
from ._value import Value


def _array_ufunc(self: Value, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    from .arrays import on_scalars, zero_dimensional

    if method == "__call__" and not options:
        found = on_scalars(ufunc, inputs)
        if found is not NotImplemented:
            return found
    first, *rest = [zero_dimensional(x) if isinstance(x, Node) else x for x in inputs]
    return getattr(ufunc, method)(first, *rest, **options)


def _array_function(self: Value, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    from .arrays import scalar, zero_dimensional

    args = [zero_dimensional(x) if isinstance(x, Node) else x for x in args]
    kwargs = {key: zero_dimensional(x) if isinstance(x, Node) else x for key, x in kwargs.items()}
    return scalar(zero_dimensional(self).__array_function__(func, types, args, kwargs))


_Any: Any = Value
_Any.__array_ufunc__ = _array_ufunc
_Any.__array_function__ = _array_function
