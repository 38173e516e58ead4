"""Kernels as pickles: the function travels with what was recorded of it, if it is still the same
function where it lands."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import types
from typing import Any

from .._value import Value
from ._execute import Options
from .families import Family, Recorded
from .fingerprint import Fingerprint
from .keys import Same
from .paths import Paths


def packed(paths: Paths) -> dict[str, Any]:
    """Return a kernel as plain data, its function included; the executor stays.

    Raises:
        pickle.PicklingError: the function can't travel.
    """
    if paths.settings.leaves:
        raise pickle.PicklingError(
            f"{paths!r} can't be pickled: its leaves would arrive as copies that the function does "
            "not know"
        )
    options = paths.settings.options
    kept = Options(options.fast, options.threads, None, options.cache)
    settings = dataclasses.replace(paths.settings, options=kept, wrt=0)
    return {
        "function": _function(paths.f, paths.settings.wrt),
        "name": paths.name,
        "settings": settings,
        "state": _digest(paths.fingerprint),
        "families": [_family(paths, family) for family in paths.travelling()],
    }


def _family(paths: Paths, family: Family) -> Any:
    parameters = family.parameters or []
    recorded = []
    for path in family.paths:
        captured: list[Any] = []
        for v in path.captured:
            if isinstance(v, Value) and paths.f is None:
                captured.append(v)
            elif isinstance(v, Value):  # out of sight: only a parameter is found again elsewhere
                captured.append([i for i, p in enumerate(parameters) if p is v][:1])
            else:
                captured.append(v)
        if [] not in captured:
            recorded.append((path.code.program, path.raw, captured, path.out))
    many = None if family.parameters is None else len(parameters)
    return family.mode, family.forms, family.names, many, recorded


def unpacked(state: dict[str, Any]) -> Paths:
    """Return what `packed` took apart. Programs of a function that has changed are dropped."""
    function, wrt = _function_again(state["function"])
    settings = dataclasses.replace(state["settings"], wrt=wrt)
    paths = Paths(function, state["name"], settings)
    if _digest(paths.fingerprint) != state["state"]:
        return paths
    for mode, forms, names, many, recorded in state["families"]:
        parameters = None if many is None else paths.parameters()
        if parameters is not None and len(parameters) != many:
            continue
        ready: list[Recorded] = []
        for program, raw, captured, out in recorded:
            found = [(parameters or [])[v[0]] if isinstance(v, list) else v for v in captured]
            ready.append((program, raw, found, out))
        paths.restore(Family(mode, forms, names, parameters, paths.settings, paths.name), ready)
    return paths


# ---------------------------------------------------------------------------- the function


def _function(f: Any, wrt: Any) -> Any:
    """Return the function and what it is differentiated by, such that they belong together again
    where they land: what the function finds in its module must not arrive as a copy."""
    if f is None or _by_name(f):
        if isinstance(f, types.FunctionType) and not isinstance(wrt, (int, tuple)):
            return "named", f, _global(f, wrt)
        return "plain", f, wrt
    try:
        import cloudpickle
    except ImportError:
        raise pickle.PicklingError(
            f"the kernel of {getattr(f, '__qualname__', f)!r} can't be pickled: its function has "
            "no name by which another process could find it; define it in a module, or install "
            "cloudpickle"
        ) from None
    return "cloud", cloudpickle.dumps((f, wrt)), None


def _function_again(packed: Any) -> tuple[Any, Any]:
    kind, f, wrt = packed
    if kind == "cloud":
        f, wrt = pickle.loads(f)
    elif kind == "named":
        wrt = f.__globals__[wrt]
    return f, wrt


def _by_name(f: Any) -> bool:
    if isinstance(f, types.MethodType):  # its object may hold the kernel that is being pickled
        f = f.__self__ if isinstance(f.__self__, type) else type(f.__self__)
    try:
        pickle.dumps(f)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _global(f: Any, wrt: Any) -> str:
    for name, x in f.__globals__.items():
        if x is wrt:
            return str(name)
    raise pickle.PicklingError(
        f"the kernel of {f.__qualname__!r} can't be pickled: the function travels by name, and "
        f"what wrt is, {wrt!r}, would arrive as a copy that it does not know; keep it in a global "
        f"of the module {f.__module__!r}"
    )


# --------------------------------------------------------------------- the state, elsewhere


def _digest(fingerprint: Fingerprint) -> str:
    """Return what the state has in common with the same state in another process."""
    found = hashlib.sha256()
    for place, key in sorted(fingerprint.places.items()):
        found.update(f"{place}={_portable(key)}\n".encode())
    return found.hexdigest()


def _portable(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple([_portable(part) for part in key])
    if isinstance(key, frozenset):
        return sorted(map(repr, map(_portable, key)))
    if not isinstance(key, Same):
        return repr(key)
    x = key.it
    if isinstance(x, types.CodeType):
        parts = [part if isinstance(part, types.CodeType) else repr(part) for part in x.co_consts]
        consts = [_portable(Same(p)) if isinstance(p, types.CodeType) else p for p in parts]
        return x.co_code, consts, x.co_names, x.co_varnames, x.co_freevars, x.co_cellvars
    name = getattr(x, "__qualname__", None) or getattr(x, "__name__", None)
    return f"{type(x).__module__}.{type(x).__qualname__} {name}"
