"""The callable: arguments in, results out. What it stands on has rooms of its own: `paths` records,
`points` and `rows` find numbers, `results` dresses them, `files` keeps them."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .._value import Value
from . import files, native
from ._execute import Batch, Options
from .arguments import Array, Call
from .paths import Family, Mode, Path, Paths, Reduce, Settings
from .points import at_point
from .results import dress
from .rows import over_rows

_FLOAT64: Final = np.dtype(np.float64)


@dataclass
class Stats:
    """What compiling has cost so far.

    Attributes:
        nodes: recorded, over all paths (graphs of derivatives included).
        instructions: of them, after the passes.
        guards: comparisons that are checked at each call.
        paths: ways through the function that were recorded.
        recording, passes, generation: milliseconds.
        pays_after: calls (rows, with `in_axes`) until all this has paid back, estimated from the
            last call; None before a compiled call, infinite if compiled code is not faster.
    """

    nodes: int = 0
    instructions: int = 0
    guards: int = 0
    paths: int = 0
    recording: float = 0.0
    passes: float = 0.0
    generation: float = 0.0
    pays_after: float | None = None


class Kernel:
    """A function as machine code; see `compile`, which makes one."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._batches: list[tuple[Family, Batch]] = []  # see _batched
        self._quick: tuple[Path, tuple[int, ...]] | None = None  # see _quickly
        if paths.f is not None:
            # Not its __dict__: a function may have an attribute called `grad`.
            functools.update_wrapper(self, paths.f, updated=())

    def __repr__(self) -> str:
        return repr(self._paths)

    # ------------------------------------------------------------------------------- calls

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns; with `in_axes`, arrays of it."""
        return self._run("value", args)

    def grad(self, *args: Any) -> Any:
        """Return the gradient, in the structure of the argument(s) `wrt`."""
        return self.value_and_grad(*args)[1]

    def value_and_grad(self, *args: Any) -> Any:
        """Return `(value, gradient)`. With parameters for `wrt`, the gradient is a list with one
        entry per parameter, and is added to their `.grad`."""
        found = self._quickly(args)
        if found is not None:
            return found
        return self._run("value_and_grad", args)

    def jacobian(self, *args: Any) -> Any:
        """Return all outputs by all inputs, nested as `autograd.jacobian` nests them."""
        return self._run("jacobian", args)

    def hessian(self, *args: Any) -> Any:
        """Return the second derivatives, nested as `autograd.hessian` nests them."""
        return self._run("hessian", args)

    def _run(self, mode: Mode, args: tuple[Any, ...]) -> Any:
        if mode == "value_and_grad" and self._batches:
            added = self._batched(args)
            if added is not None:
                return added
        paths = self._paths
        call = Call(args, paths.axes(len(args)))
        family = paths.family(mode, call)
        find = at_point if call.rows is None else over_rows
        found, out = find(paths, family, call)
        self._remember(family, args, call)
        return dress(paths, family, found, out)

    # --------------------------------------------------------------- the same call once more

    def _remember(self, family: Family, args: tuple[Any, ...], call: Call) -> None:
        """Keep what lets the next call like this one skip the general way."""
        settings = self._paths.settings
        path = self._paths.last
        if family.mode != "value_and_grad" or path is None or family.eager:
            return
        if path.captured or family.parameters is not None:
            return
        if call.rows is not None:
            single = settings.reduce is not None and family.paths == [path]
            if single and Batch.suits(path.code, args, call.axes):
                self._batches = [(family, Batch(path.code, args, call.axes))]
        elif settings.wrt == 0 and len(family.forms) == 1 and path.code.ready:
            shape = family.forms[0].shape
            if shape is not None:
                self._quick = (path, shape)

    def _quickly(self, args: tuple[Any, ...]) -> tuple[float, Array] | None:
        """Return value and gradient at one array like the one before, None if it is not that easy.

        The general way would take ten times as long as a small program.
        """
        quick = self._quick
        if quick is None or len(args) != 1:
            return None
        x = args[0]
        path, shape = quick
        if type(x) is not np.ndarray or x.shape != shape or x.dtype is not _FLOAT64:
            return None
        try:
            point = path.points.pop()
        except IndexError:
            return None
        point.given[...] = x
        found = (point.outputs.item(0), point.gradient.copy()) if point.run() else None
        path.points.append(point)
        return found

    def _batched(self, args: tuple[Any, ...]) -> Any:
        """Return the results for a small batch like the one before, None if it is not that easy."""
        try:
            family, batch = self._batches.pop()
        except IndexError:  # another thread has it
            return None
        added, count = batch.run(args)
        self._batches.append((family, batch))
        if added is None:
            return None
        if self._paths.settings.reduce == "mean":
            added /= count
        return dress(self._paths, family, added, family.paths[0].out)

    # ------------------------------------------------------------------------------- insight

    @property
    def program(self) -> Any:
        """The program of the last path used; it prints as Python."""
        return self._used().code.program

    @property
    def llvm_ir(self) -> str:
        """The LLVM IR of the last path used."""
        return self._used().code.source().text

    @property
    def assembly(self) -> str:
        """The assembly of the last path used."""
        code = self._used().code
        return native.assembly(code.source(), opt=code.effort)

    @property
    def stats(self) -> Stats:
        """What was recorded, what is left of it, and what it cost."""
        paths = [path for family in self._paths.families.values() for path in family.paths]
        costs = self._paths.costs
        generation = sum(path.code.milliseconds for path in paths)
        pays: float | None = None
        if costs.run_seconds:
            gain = costs.eager_seconds - costs.run_seconds
            cost = (costs.recording + costs.passes + generation) / 1e3
            pays = float(np.ceil(cost / gain)) if gain > 0.0 else float("inf")
        return Stats(
            costs.nodes,
            sum(len(path.code.program.code) for path in paths),
            sum(len(path.code.program.guards) for path in paths),
            len(paths),
            costs.recording,
            costs.passes,
            generation,
            pays,
        )

    def _used(self) -> Path:
        if self._paths.last is None:
            raise ValueError(f"{self!r} has recorded nothing yet; call it first")
        return self._paths.last

    # --------------------------------------------------------------------- away and back again

    def save(self, path: Any) -> None:
        """Write the programs of all paths recorded so far to a JSON file, for `load_kernel`.

        Raises:
            TypeError: `wrt` is an object, or an argument holds what JSON can't.
        """
        files.save(self._paths, path)

    def __getstate__(self) -> dict[str, Any]:
        """The programs travel, code is generated where they land. So does the function, if it can
        be found by name; the executor stays."""
        function = self._paths.f
        try:
            pickle.dumps(function)
        except (pickle.PicklingError, AttributeError, TypeError):
            function = None
        settings = self._paths.settings
        options = settings.options
        kept = Options(options.fast, options.threads, None, options.cache)
        return {
            "function": function,
            "name": self._paths.name,
            "settings": Settings(
                settings.wrt,
                settings.in_axes,
                settings.reduce,
                kept,
                settings.max_paths,
                settings.leaves,
            ),
            "families": [
                (
                    f.mode,
                    f.forms,
                    f.parameters,
                    [(p.code.program, p.captured, p.out) for p in f.paths],
                )
                for f in self._paths.families.values()
            ],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        paths = Paths(state["function"], state["name"], state["settings"])
        self.__init__(paths)  # type: ignore[misc]
        for mode, forms, parameters, recorded in state["families"]:
            paths.restore(mode, forms, parameters, recorded)


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
        leaves: `Value`s that `f` finds elsewhere than in its arguments, such as the parameters of
            a model. The kernel takes an array of their numbers as a further, first argument, and
            neither reads nor changes what they hold.

    Raises:
        ImportError: llvmlite is not installed.
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
            leaves=leaves,
        )
    if not callable(f):
        raise TypeError(f"compile: f must be callable, not {f!r}")
    if reduce not in (None, "sum", "mean"):
        raise ValueError(f"compile: reduce must be None, 'sum' or 'mean', not {reduce!r}")
    if reduce is not None and in_axes is None:
        raise ValueError(f"compile: reduce={reduce!r} adds up rows; say which with in_axes")
    if threads < 1 or max_paths < 1:
        raise ValueError("compile: threads and max_paths must be at least 1")
    known = tuple(leaves)
    for leaf in known:
        if not isinstance(leaf, Value) or leaf.primitive is not None:
            raise TypeError(f"compile: leaves must be leaf Values, not {leaf!r}")
    if len(set(map(id, known))) != len(known):
        raise ValueError("compile: a Value is given twice among the leaves")
    options = Options(fast, threads, executor, None if cache is None else str(cache))
    settings = Settings(wrt, in_axes, reduce, options, max_paths, known)
    return Kernel(Paths(f, getattr(f, "__qualname__", None) or repr(f), settings))


def load_kernel(path: Any) -> Kernel:
    """Return the kernel that `Kernel.save` wrote to `path`.

    It computes what was recorded before saving, without the Python function: arguments of another
    structure, or numbers that take a branch not recorded, are an error.

    Raises:
        ValueError: the file is truncated, altered, of a newer version, or no kernel at all.
    """
    return Kernel(files.load(path))
