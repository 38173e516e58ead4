"""The callable: arguments in, results out. What it stands on has rooms of its own: `paths` records,
`points` and `rows` find numbers, `results` dresses them, `files` keeps them."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import types
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .._case import Averaged
from .._decisions import Decisions
from .._structure import holds_values
from .._watch import watch
from . import files, native, pickles
from ._execute import Batch
from .arguments import Call
from .check import StaleKernel
from .decided import Asked, decided
from .families import Family, Path
from .graphs import as_graph, as_nodes, by_rows, depends
from .outputs import Mode, are_kernels_written_out
from .paths import Paths
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
        self._batches: list[tuple[Family, Path, Batch]] = []  # see _batched
        self._quick: dict[Mode, tuple[Path, tuple[int, ...]]] = {}  # see _quickly
        self._state = -1  # the fingerprint's key these two belong to
        self._one: Kernel | None = None  # see _by_rows
        self._asked: Asked = None  # the last call, for `decisions`
        if paths.f is not None:
            # Not its __dict__: a function may have an attribute called `grad`.
            functools.update_wrapper(self, paths.f, updated=())

    def __repr__(self) -> str:
        return repr(self._paths)

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        """Be a method where a class has the kernel: of each object, its own kernel."""
        f = self._paths.f
        if owner is None or f is None or isinstance(f, staticmethod):
            return self
        own = getattr(owner, "__dict__", None)
        kept = None if own is None else own.get("__kernels__")
        if kept is None or kept.owner is not owner:  # a copy has the dictionary of the original
            kept = _Kept(owner)
            if isinstance(owner, type):  # of a class method
                type.__setattr__(owner, "__kernels__", kept)
            elif own is not None:
                own["__kernels__"] = kept
            else:
                self._paths.warn(
                    "slots",
                    f"{self!r}: objects of {type(owner).__name__} have __slots__ and so no place "
                    "for a kernel of their own: every call records anew. Compile a function that "
                    "takes the object's numbers instead",
                )
        found = kept.get(self)
        if found is None:
            method = types.MethodType(f, owner)
            found = kept.setdefault(
                self, Kernel(Paths(method, self._paths.name, self._paths.settings))
            )
        return found

    # ------------------------------------------------------------------------------- calls

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        """Return what the function returns; with `in_axes`, arrays of it."""
        if self._quick and not named:
            found = self._quickly("value", args)
            if found is not None:
                return found
        return self._run("value", args, named)

    def grad(self, /, *args: Any, **named: Any) -> Any:
        """Return the gradient, in the structure of the argument(s) `wrt`."""
        return self.value_and_grad(*args, **named)[1]

    def value_and_grad(self, /, *args: Any, **named: Any) -> Any:
        """Return `(value, gradient)`. With parameters for `wrt`, the gradient is a list with one
        entry per parameter, and is added to their `.grad`."""
        if self._quick and not named:
            found = self._quickly("value_and_grad", args)
            if found is not None:
                return found
        return self._run("value_and_grad", args, named)

    def jacobian(self, /, *args: Any, **named: Any) -> Any:
        """Return all outputs by all inputs, nested as `autograd.jacobian` nests them."""
        return self._run("jacobian", args, named)

    def hessian(self, /, *args: Any, **named: Any) -> Any:
        """Return the second derivatives, nested as `autograd.hessian` nests them."""
        return self._run("hessian", args, named)

    def _run(self, mode: Mode, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if mode == "value_and_grad" and self._batches and not named:
            added = self._batched(args)
            if added is not None:
                return added
        paths = self._paths
        if paths.stale:
            raise StaleKernel(paths.stale)
        args, names = _arranged(paths, args, named)
        axes = paths.axes(len(args) - len(names)) + (None,) * len(names)
        inside = watch.busy and watch.freezes()
        rows = any(axis is not None for axis in axes)
        if rows and (inside or holds_values(args)):
            return self._by_rows(mode, args, axes, names)
        call = Call(args, axes, names)
        family = paths.family(mode, call)
        if inside:
            found, out = as_graph(paths, family, call)
            return dress(paths, family, call.forms, found, out)
        dependent = depends(family, call, paths)
        if not dependent:
            find = at_point if call.rows is None else over_rows
            found, out = find(paths, family, call, watch.busy and watch.wants_all())
            dependent = depends(family, call, paths)  # on what was out of sight until now
        if not dependent:
            self._remember(family, args, call)
            self._asked = family, call
        elif rows:
            return self._by_rows(mode, args, axes, names)
        else:
            written_out = are_kernels_written_out() or watch.wants_all()
            found, out = (as_graph if written_out else as_nodes)(paths, family, call)
        return dress(paths, family, call.forms, found, out)

    # --------------------------------------------------------------- the same call once more

    def _remember(self, family: Family, args: tuple[Any, ...], call: Call) -> None:
        """Keep what lets the next call like this one skip the general way."""
        paths = self._paths
        path = paths.last
        if path is None or family.eager or paths.unsteady or path.captured:
            return
        if family.parameters is not None or call.names or call.functions:
            return
        if not any(known is path for known in family.paths):  # another thread's, meanwhile
            return
        if self._state != paths.fingerprint.key:
            self._batches, self._quick, self._state = [], {}, paths.fingerprint.key
        if call.rows is not None:
            single = paths.settings.reduce is not None and family.paths == [path]
            one = family.mode == "value_and_grad"
            if one and single and Batch.suits(path.code, args, call.axes):
                self._batches = [(family, path, Batch(path.code, args, call.axes))]
            return
        shape = family.forms[0].shape if len(family.forms) == 1 else None
        one = family.mode == "value" and path.out.number
        if family.mode == "value_and_grad":
            one = paths.settings.wrt == 0
        if one and shape is not None and path.code.ready:
            self._quick[family.mode] = path, shape

    def _same(self, path: Path) -> bool:
        """Say whether a path may answer as it did last time: nobody watches, nothing that the
        function can see has changed, and it is not the path's turn to be checked."""
        if watch.busy or not self._paths.fingerprint.holds() or self._paths.stale:
            return False
        if self._state != self._paths.fingerprint.key or path.calls + 1 >= path.check_at:
            return False
        path.calls += 1
        return True

    def _quickly(self, mode: Mode, args: tuple[Any, ...]) -> Any:
        """Return the results at one array like the one before, None if it is not that easy.

        The general way would take ten times as long as a small program.
        """
        quick = self._quick.get(mode)
        if quick is None or len(args) != 1:
            return None
        x = args[0]
        path, shape = quick
        if type(x) is not np.ndarray or x.shape != shape or x.dtype is not _FLOAT64:
            return None
        if not self._same(path):
            return None
        try:
            point = path.points.pop()
        except IndexError:
            return None
        point.given[...] = x
        found: Any = None
        if point.run():
            found = point.outputs.item(0)
            if mode == "value_and_grad":
                found = found, point.gradient.copy()
        path.points.append(point)
        self._asked = path, point
        return found

    def _batched(self, args: tuple[Any, ...]) -> Any:
        """Return the results for a small batch like the one before, None if it is not that easy."""
        try:
            family, path, batch = self._batches.pop()
        except IndexError:  # another thread has it
            return None
        added, count = batch.run(args) if self._same(path) else (None, 0)
        self._batches.append((family, path, batch))
        if added is None:
            return None
        self._asked = path, None
        if self._paths.settings.reduce == "mean":
            added /= count
        return dress(self._paths, family, family.forms, added, path.out)

    def _by_rows(
        self,
        mode: Mode,
        args: tuple[Any, ...],
        axes: tuple[int | None, ...],
        names: tuple[str, ...],
    ) -> Any:
        """Return the values over rows inside another graph, by a kernel for one row."""
        settings = self._paths.settings
        if mode != "value":
            raise TypeError(
                f"{self!r}: {mode} over rows inside another graph is not offered; differentiate "
                "what the kernel returns there (autograd.grad), or call it with plain numbers"
            )
        if self._paths.f is None:
            raise TypeError(
                f"{self!r} was loaded from a file with programs for rows of numbers; inside "
                "another graph it needs one for a single row: save a kernel without in_axes"
            )
        if self._one is None:
            alone = dataclasses.replace(settings, in_axes=None, reduce=None)
            self._one = Kernel(Paths(self._paths.f, self._paths.name, alone))
        one, positional = self._one, len(args) - len(names)

        def row(*values: Any) -> Any:
            return one(*values[:positional], **dict(zip(names, values[positional:], strict=True)))

        return by_rows(row, args, axes, settings.reduce)

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

    @property
    def eager_reason(self) -> str:
        """Why calls run the function itself rather than machine code; "" if they do not."""
        return self._paths.unsteady or self._paths.no_lowering

    @property
    def decisions(self) -> Decisions:
        """Every comparison that chose a branch in the last call, those nearest to the flip first.

        Over rows, for each comparison the row nearest to the flip and how many rows were answered
        True, of all rows that a recorded path covers. Computed when asked for, from the arguments
        of the last call, which are kept and not copied: change an array in place, and this speaks
        of the new numbers. Calls within another graph do not count.

        Raises:
            ValueError: the kernel has not been called.
        """
        return decided(self._paths, self._asked)

    def __lint__(self) -> Any:
        """Return the function for `lint`, with what the kernel knows of its rows."""
        f, settings = self._paths.f, self._paths.settings
        if f is None or (settings.in_axes is not None and settings.reduce is None):
            why = "holds no function" if f is None else "does not add up its rows"
            raise TypeError(f"lint: {self!r} {why}; lint the function itself at one point")
        return f if settings.in_axes is None else Averaged(f, settings.in_axes)

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

    def __reduce__(self) -> Any:
        """See `pickles`."""
        return _unpickled, (pickles.packed(self._paths),)

    def __deepcopy__(self, memo: Any) -> Kernel:
        """Return a kernel of the same function, which shares what was recorded; of the copy's
        method, where it is copied with the object that the method belongs to."""
        f, settings = self._paths.f, self._paths.settings
        own = isinstance(f, types.MethodType)
        twin = copy.deepcopy(f, memo) if own else memo.get(id(f), f)
        if twin is f or f is None:
            return Kernel(self._paths)
        wrt = memo.get(id(settings.wrt), settings.wrt)
        return Kernel(Paths(twin, self._paths.name, dataclasses.replace(settings, wrt=wrt)))

    def __copy__(self) -> Kernel:
        return Kernel(self._paths)


def _unpickled(state: dict[str, Any]) -> Kernel:
    return Kernel(pickles.unpacked(state))


class _Kept(dict[Kernel, Kernel]):
    """The kernels of an object's methods. They stay behind when it is copied or pickled."""

    def __init__(self, owner: Any = None) -> None:
        self.owner = owner

    def __reduce__(self) -> Any:
        return _Kept, ()

    def __deepcopy__(self, memo: Any) -> _Kept:
        return _Kept()


def _arranged(
    paths: Paths, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Return all arguments, and the names of the last of them: those that have no position."""
    if not named:
        return args, ()
    leaves = args[:1] if paths.settings.leaves else ()  # which the function does not see
    if paths.f is not None:
        try:
            bound = inspect.signature(paths.f).bind(*args[len(leaves) :], **named)
        except ValueError:  # a builtin that does not tell
            pass
        except TypeError as error:
            raise TypeError(f"{paths!r}: {error}") from None
        else:
            args, named = (*leaves, *bound.args), bound.kwargs
    return (*args, *named.values()), tuple(named)
