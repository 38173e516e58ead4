"""How kernels are made: from a function, with everything that can be asked for checked first, or
from a file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, get_args

from .._value import Value
from . import files, native
from ._execute import Options
from .families import Check, Reduce, Settings
from .kernel import Kernel
from .paths import Paths


def compile(
    f: Callable[..., Any] | None = None,
    *,
    wrt: Any = 0,
    in_axes: Any = None,
    reduce: Reduce = None,
    fast: bool = False,
    threads: int = 1,
    executor: Any = None,
    max_paths: int = 64,
    cache: Any = None,
    check: Check = "sample",
    leaves: Iterable[Value] = (),
) -> Any:
    """Return `f` as a `Kernel`: recorded once, checked at every call, run as machine code.

    `kernel(*args)`, `.grad`, `.value_and_grad`, `.jacobian` and `.hessian` take and return what the
    eager functions do; values and gradients agree to the bit (unless `fast`). Also a decorator,
    with or without arguments.

    Floats, and arrays of floats, are inputs. Integers, strings, booleans and None are static:
    other ones are other code. A branch taken on a `Value` is checked at each call; numbers that
    take another one are recorded anew.

    Args:
        wrt: what to differentiate by: the number of an argument, a tuple of them, or an object
            with `parameters()`, whose `.data` is read at each call and to whose `.grad` gradients
            are added.
        in_axes: None for one point. Else the function is run for each row: 0 means one row per
            entry of the leading axis, None that the argument is shared by all; a tuple has one
            entry per argument.
        reduce: "sum" or "mean" of the rows; shared arguments get one accumulated gradient.
        fast: allow contraction (fused multiply-add) and glibc's vector mathematics, which may
            differ in the last bits (see docs/compile.md).
        threads: how many threads share the rows.
        executor: a `concurrent.futures.Executor` that shares them, of processes or machines.
        max_paths: ways through the function to keep code for; others run eagerly.
        cache: a folder to keep machine code in; it is trusted as the program itself is.
        check: how often results are compared with the function itself: "sample" at calls 2, 4, 8,
            16, ... of each path (of rows, one of them), "always", or "never".
        leaves: `Value`s that `f` finds elsewhere than in its arguments, such as the parameters of
            a model. The kernel takes an array of their numbers as a further, first argument, and
            neither reads nor changes what they hold.

    Raises:
        ImportError: llvmlite is not installed.
        StaleKernel: (by the kernel) the function has become another one without the kernel seeing
            it, found by a check.
    """
    native._llvm()
    if f is None:
        return functools.partial(
            compile,
            wrt=wrt,
            in_axes=in_axes,
            reduce=reduce,
            fast=fast,
            threads=threads,
            executor=executor,
            max_paths=max_paths,
            cache=cache,
            check=check,
            leaves=leaves,
        )
    if not callable(f):
        raise TypeError(f"compile: f must be callable, not {f!r}")
    _check_axes(in_axes)
    _check_wrt(wrt)
    if check not in get_args(Check):
        raise ValueError(f"compile: check must be 'sample', 'always' or 'never', not {check!r}")
    if reduce not in (None, "sum", "mean"):
        raise ValueError(f"compile: reduce must be None, 'sum' or 'mean', not {reduce!r}")
    if reduce is not None and in_axes is None:
        raise ValueError(f"compile: reduce={reduce!r} adds up rows; say which with in_axes")
    for what, number in (("threads", threads), ("max_paths", max_paths)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"compile: {what} must be a whole number, at least 1, not {number!r}")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"compile: executor must be a concurrent.futures.Executor, not {executor!r}"
        )
    if isinstance(leaves, Value):
        raise TypeError("compile: leaves must be a list of Values, not one Value")
    known = tuple(leaves)
    for leaf in known:
        if not isinstance(leaf, Value) or leaf.primitive is not None:
            raise TypeError(f"compile: leaves must be leaf Values, not {leaf!r}")
    if len(set(map(id, known))) != len(known):
        raise ValueError("compile: a Value is given twice among the leaves")
    options = Options(fast, threads, executor, None if cache is None else str(cache))
    settings = Settings(wrt, in_axes, reduce, options, max_paths, check, known)
    return Kernel(Paths(f, getattr(f, "__qualname__", None) or repr(f), settings))


def _check_axes(in_axes: Any) -> None:
    axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,)
    if not all(x is None or (isinstance(x, int) and not isinstance(x, bool)) for x in axes):
        raise ValueError(
            f"compile: in_axes must be None, a whole number or a tuple of these, one for each "
            f"argument, not {in_axes!r}"
        )


def _check_wrt(wrt: Any) -> None:
    many = wrt if isinstance(wrt, tuple) else (wrt,)
    if callable(getattr(wrt, "parameters", None)):
        return
    if not many or not all(isinstance(i, int) and not isinstance(i, bool) for i in many):
        raise ValueError(
            "compile: wrt must be the number of an argument, a tuple of such, or an object with "
            f"parameters(), not {wrt!r}"
        )
    if len(set(many)) < len(many):
        raise ValueError(f"compile: wrt={wrt!r} names an argument twice")


def load_kernel(path: Any) -> Kernel:
    """Return the kernel that `Kernel.save` wrote to `path`.

    It computes what was recorded before saving, without the Python function: arguments of another
    structure, or numbers that take a branch not recorded, are an error.

    Raises:
        ValueError: the file is truncated, altered, of a newer version, or no kernel at all.
    """
    return Kernel(files.load(path))
