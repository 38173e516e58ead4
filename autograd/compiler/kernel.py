"""The callable: arguments in, results out; records paths, keeps code for each, sorts rows by path.

Everything below it is asked for one thing: `trace` for what a function does at one point,
`_execute` for running a program over numbers.
"""

from __future__ import annotations

import functools
import inspect
import pickle
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final, Literal, get_args

import numpy as np

from .._primitive import Node
from .._structure import _flatten, _unflatten, is_container
from .._sweep import pull_graph, push_graph
from .._value import Value
from . import native
from ._cache import write
from ._execute import BLOCK, Batch, Code, Options, Point, total
from ._files import from_text, to_text
from .arguments import Array, Call, Form
from .native import Layout, NoLowering
from .passes import simplify
from .program import Program
from .trace import Trace, collector_paused, gradient, trace

_FLOAT64: Final = np.dtype(np.float64)
Mode = Literal["value", "value_and_grad", "jacobian", "hessian"]
Reduce = Literal["sum", "mean"] | None


@dataclass
class Path:
    """One way through the function: a program that holds where its guards do.

    Attributes:
        code: it, compiled or not.
        captured: `Value`s from outside the arguments; their numbers are read at each call.
        out: the form of what the function returned.
    """

    code: Code
    captured: list[Value]
    out: Form
    points: list[Point] = field(default_factory=list)

    def extra(self) -> list[float]:
        return [v._data for v in self.captured]


@dataclass
class Family:
    """Calls of one mode that differ in their numbers only.

    Attributes:
        forms: the form of each argument.
        axes: the axis of rows of each argument.
        mapped: whether each number differs from row to row.
        parameters: what to differentiate by, where it is not arguments.
        paths: the ways through the function recorded so far.
        inner: the forms of what is differentiated by, once they are known.
        eager: no code can be generated.
    """

    mode: Mode
    forms: list[Form]
    axes: tuple[int | None, ...]
    mapped: list[bool]
    parameters: list[Value] | None
    paths: list[Path] = field(default_factory=list)
    inner: list[Form] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    eager: bool = False

    @property
    def by_rows(self) -> bool:
        return any(axis is not None for axis in self.axes)


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

    def __init__(
        self,
        f: Callable[..., Any] | None,
        wrt: Any = 0,
        in_axes: Any = None,
        reduce: Reduce = None,
        fast: bool = False,
        threads: int = 1,
        executor: Any = None,
        max_paths: int = 64,
        cache: str | None = None,
    ) -> None:
        if f is not None and not callable(f):
            raise TypeError(f"compile: f must be callable, not {f!r}")
        if reduce not in (None, "sum", "mean"):
            raise ValueError(f"compile: reduce must be None, 'sum' or 'mean', not {reduce!r}")
        if reduce is not None and in_axes is None:
            raise ValueError(f"compile: reduce={reduce!r} adds up rows; say which with in_axes")
        if threads < 1 or max_paths < 1:
            raise ValueError("compile: threads and max_paths must be at least 1")
        self._f = f
        self._wrt = wrt
        self._in_axes = in_axes
        self._reduce = reduce
        self._options = Options(fast, threads, executor, None if cache is None else str(cache))
        self._max_paths = max_paths
        self._families: dict[Any, Family] = {}
        self._last: Path | None = None
        self._batches: list[tuple[Family, Batch]] = []  # see _batched
        self._quick: tuple[Path, tuple[int, ...]] | None = None  # see _quickly
        self._nodes = 0
        self._recording = 0.0  # milliseconds, as is
        self._passes = 0.0
        self._eager_seconds = 0.0
        self._run_seconds = 0.0
        self._warned: set[str] = set()
        self._lock = threading.RLock()
        if f is not None:
            functools.update_wrapper(self, f)

    def __repr__(self) -> str:
        return f"<kernel of {self._name}>"

    @property
    def _name(self) -> str:
        own: str = self.__dict__.get("__qualname__", "")
        return own or getattr(self._f, "__qualname__", None) or repr(self._f)

    # ------------------------------------------------------------------------------- calls

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns; with `in_axes`, arrays of it."""
        return self._run("value", args)

    def grad(self, *args: Any) -> Any:
        """Return the gradient, in the structure of the argument(s) `wrt`."""
        found = self._quickly(args)
        if found is not None:
            return found[1]
        return self._run("value_and_grad", args)[1]

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
        paths = [path for family in self._families.values() for path in family.paths]
        generation = sum(path.code.milliseconds for path in paths)
        recording, passes = self._recording, self._passes
        pays: float | None = None
        if self._run_seconds:
            gain = self._eager_seconds - self._run_seconds
            cost = (recording + passes + generation) / 1e3
            pays = float(np.ceil(cost / gain)) if gain > 0.0 else float("inf")
        return Stats(
            self._nodes,
            sum(len(path.code.program.code) for path in paths),
            sum(len(path.code.program.guards) for path in paths),
            len(paths),
            recording,
            passes,
            generation,
            pays,
        )

    def _used(self) -> Path:
        if self._last is None:
            raise ValueError(f"{self!r} has recorded nothing yet; call it first")
        return self._last

    # --------------------------------------------------------------------- away and back again

    def save(self, path: Any) -> None:
        """Write the programs of all paths recorded so far to a JSON file, for `load_kernel`.

        Raises:
            TypeError: `wrt` is an object, or an argument holds what JSON can't.
        """
        write(FilePath(path), to_text(self._contents()).encode())

    def _contents(self) -> dict[str, Any]:
        """Return everything but the function, as plain data."""
        if not isinstance(self._wrt, (int, tuple)):
            raise TypeError(f"{self!r}: only a kernel whose wrt are arguments can be saved")
        return {
            "name": self._name,
            "wrt": self._wrt,
            "in_axes": self._in_axes,
            "reduce": self._reduce,
            "fast": self._options.fast,
            "families": [
                {
                    "mode": family.mode,
                    "axes": family.axes,
                    "forms": [form.to_json() for form in family.forms],
                    "paths": [
                        {
                            "program": path.code.program.to_json(),
                            "captured": [x.hex() for x in path.extra()],
                            "out": path.out.to_json(),
                        }
                        for path in family.paths
                    ],
                }
                for family in self._families.values()
                if family.paths
            ],
        }

    def __getstate__(self) -> dict[str, Any]:
        """The programs travel, code is generated where they land. So does the function, if it can
        be found by name; the executor stays."""
        function = self._f
        try:
            pickle.dumps(function)
        except (pickle.PicklingError, AttributeError, TypeError):
            function = None
        options = self._options
        return {
            "function": function,
            "name": self._name,
            "settings": {
                "wrt": self._wrt,
                "in_axes": self._in_axes,
                "reduce": self._reduce,
                "fast": options.fast,
                "threads": options.threads,
                "max_paths": self._max_paths,
                "cache": options.cache,
            },
            "families": [
                (
                    f.mode,
                    f.forms,
                    f.axes,
                    f.parameters,
                    [(p.code.program, p.captured, p.out) for p in f.paths],
                )
                for f in self._families.values()
            ],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["function"], **state["settings"])  # type: ignore[misc]
        self.__qualname__ = state["name"]
        for mode, forms, axes, parameters, paths in state["families"]:
            self._restore(mode, forms, axes, parameters, paths)

    def _restore(
        self,
        mode: Mode,
        forms: list[Form],
        axes: tuple[int | None, ...],
        parameters: list[Value] | None,
        paths: list[tuple[Program, list[Value], Form]],
    ) -> None:
        """Add a family recorded elsewhere.

        Raises:
            ValueError: the parts do not fit together.
        """
        mapped = [form.axis is not None for form in forms for _ in range(form.size)]
        family = Family(mode, forms, axes, mapped, parameters)
        for program, captured, out in paths:
            outputs = len(self._layout(family, program, len(captured), out).sums)
            if len(mapped) + len(captured) != program.inputs or outputs != len(program.outputs):
                raise ValueError("not a kernel: a program does not fit its arguments")
            self._last = self._add(family, program, captured, out)
        key = tuple(form.key for form in forms)
        ids = None if parameters is None else tuple(map(id, parameters))
        self._families[mode, key, ids] = family

    # ----------------------------------------------------------------------------- dispatch

    def _axes(self, count: int) -> tuple[int | None, ...]:
        axes = self._in_axes
        if axes is None or isinstance(axes, int):
            return (axes,) * count
        if len(axes) != count:
            raise ValueError(
                f"{self!r}: in_axes has {len(axes)} entries, the call {count} arguments"
            )
        return tuple(axes)

    def _parameters(self) -> list[Value] | None:
        wrt = self._wrt
        if isinstance(wrt, (int, tuple)):
            return None
        return list(wrt.parameters())

    def _family(self, mode: Mode, call: Call) -> Family:
        parameters = self._parameters() if mode != "value" else None
        key = (mode, call.key, None if parameters is None else tuple(map(id, parameters)))
        found = self._families.get(key)
        if found is None:
            with self._lock:
                found = self._families.setdefault(
                    key, Family(mode, call.forms, call.axes, call.mapped, parameters)
                )
        return found

    def _run(self, mode: Mode, args: tuple[Any, ...]) -> Any:
        if mode == "value_and_grad" and self._batches:
            added = self._batched(args)
            if added is not None:
                return added
        call = Call(args, self._axes(len(args)))
        family = self._family(mode, call)
        find = self._at_point if call.rows is None else self._over_rows
        found, out = find(family, call)
        if mode == "value_and_grad" and self._reduce is not None and len(family.paths) == 1:
            path = family.paths[0]
            plain = not path.captured and not family.eager and family.parameters is None
            if plain and Batch.suits(path.code, args, call.axes):
                self._batches = [(family, Batch(path.code, args, call.axes))]
        return self._dress(family, found, out)

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
        if self._reduce == "mean":
            added /= count
        return self._dress(family, added, family.paths[0].out)

    # ---------------------------------------------------------------------------- recording

    def _wanted(self, family: Family) -> list[int]:
        """Return the numbers of the arguments to differentiate by."""
        many = self._wrt if isinstance(self._wrt, tuple) else (self._wrt,)
        count = len(family.forms)
        for i in many:
            if not isinstance(i, int) or not -count <= i < count:
                raise ValueError(
                    f"{self!r}: wrt={self._wrt!r}, but it was called with {count} arguments"
                )
        return [i % count for i in many]

    def _inputs(self, family: Family) -> list[int]:
        """Return the places of the numbers to differentiate by, among all numbers."""
        starts = np.cumsum([0, *(form.size for form in family.forms)])
        found: list[int] = []
        for i in self._wanted(family):
            if not family.forms[i].size:
                raise TypeError(
                    f"{self!r}: argument {i} holds no float to differentiate with respect to; "
                    "pass floats (3.0, not 3)"
                )
            found += range(starts[i], starts[i + 1])
        return found

    def _record(self, family: Family, numbers: list[float], fill: Any) -> tuple[Trace, Form]:
        """Return what the function, and what `mode` asks of it, does at one point."""
        f = self._f
        if f is None:
            raise ValueError(
                "this kernel was loaded from a file, which holds no Python function: arguments of "
                "another structure, or numbers that take another branch, can't be recorded"
            )
        forms: list[Form] = []
        started = time.perf_counter()
        recorded_at = [0.0]

        def run(values: list[Value], level: int) -> list[Any]:
            out = f(*fill(values))
            recorded_at[0] = time.perf_counter()
            if isinstance(out, int) and not isinstance(out, bool):
                out = float(out)
            numbers = _numbers_of(out)
            forms.append(Form(_plain(out), f"the result of {self._name}"))
            if family.mode == "value":
                return numbers
            if family.parameters is None:
                wrt: list[Any] = [values[i] for i in self._inputs(family)]
            else:
                wrt, level = list(family.parameters), 0
            with collector_paused():
                return derivatives(out, numbers, wrt, level)

        def derivatives(out: Any, numbers: list[Any], wrt: list[Any], level: int) -> list[Any]:
            if family.mode == "jacobian":
                return _jacobian(numbers, wrt, level)
            if len(numbers) != 1 or is_container(out):
                raise TypeError(
                    f"{family.mode} needs a scalar output, but {self._name} returned {out!r}; "
                    "for several outputs use jacobian"
                )
            if family.mode == "value_and_grad":
                return [numbers[0], *gradient(numbers[0], wrt, level)]
            root = numbers[0]
            first = pull_graph([root], [1.0], wrt, level) if isinstance(root, Node) else []
            return [g for x in first or [0.0] * len(wrt) for g in gradient(x, wrt, level)]

        done = trace(numbers, run)
        self._eager_seconds = recorded_at[0] - started
        self._nodes += done.recorded
        self._recording += 1e3 * (time.perf_counter() - started)
        return done, forms[0]

    def _path(self, family: Family, done: Trace, out: Form) -> Path:
        """Return a new path of the family, ready to be compiled.

        Raises:
            ValueError: it returns something of another form than the paths before.
        """
        if family.paths and family.paths[0].out.key != out.key:
            raise ValueError(
                f"{self._name} returns results of different structure on different branches"
            )
        started = time.perf_counter()
        with collector_paused():
            program = simplify(done.program)
        self._passes += 1e3 * (time.perf_counter() - started)
        return self._add(family, program, done.captured, out)

    def _add(self, family: Family, program: Program, captured: list[Value], out: Form) -> Path:
        layout = self._layout(family, program, len(captured), out)
        code = Code(program, layout, self._options.fast, self._options.cache)
        path = Path(code, captured, out)
        with family.lock:
            family.paths.append(path)
        return path

    def _layout(self, family: Family, program: Program, captured: int, out: Form) -> Layout:
        sums = self._sums(family, out)
        if family.by_rows:
            return Layout((*family.mapped, *[False] * captured), sums)
        return Layout((False,) * program.inputs, (False,) * len(sums), point=True)

    def _sums(self, family: Family, out: Form) -> tuple[bool, ...]:
        """Return which outputs are added up over the rows."""
        if family.mode == "value":
            return (self._reduce is not None,) * out.size
        if family.parameters is not None:
            per_input = [self._reduce is not None] * len(family.parameters)
        else:
            per_input = [
                self._reduce is not None and not family.mapped[i] for i in self._inputs(family)
            ]
        if family.mode == "value_and_grad":
            return (self._reduce is not None, *per_input)
        if self._reduce is not None and not all(per_input):
            raise ValueError(f"{self!r}: {family.mode} with reduce needs wrt to be shared by rows")
        count = out.size if family.mode == "jacobian" else len(per_input)
        return tuple(per_input) * count

    def _warn(self, about: str, text: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            warnings.warn(text, RuntimeWarning, stacklevel=_outside())

    def _may_record(self, family: Family, branch: str) -> bool:
        """Say whether one more path may be kept; warn once if not."""
        if len(family.paths) < self._max_paths:
            return True
        where = f", first branch at {branch}" if branch else ""
        self._warn(
            "paths",
            f"{self!r} took more than max_paths={self._max_paths} different paths{where}; the "
            "others run eagerly. Raise max_paths, or choose with autograd.where instead of `if`",
        )
        return False

    def _no_lowering(self, family: Family, reason: NoLowering) -> None:
        family.eager = True
        self._warn(str(reason), f"{self!r} runs eagerly, not compiled: {reason}")

    # ----------------------------------------------------------------------------- one point

    def _at_point(self, family: Family, call: Call) -> tuple[Any, Form]:
        shared = call.shared
        if not family.eager:
            try:
                for path in family.paths:
                    found = self._try_point(family, path, shared)
                    if found is not None:
                        self._remember(family, path)
                        return found, path.out
            except NoLowering as reason:
                self._no_lowering(family, reason)
        done, out = self._record(family, shared.tolist(), call.fill)
        # What recording computed is the result: the first call needs no code at all.
        if not family.eager and self._may_record(family, done.branch):
            self._last = self._path(family, done, out)
        return np.array(done.values), out

    def _remember(self, family: Family, path: Path) -> None:
        """Let `_quickly` use the path, if it takes one array and nothing else."""
        if family.mode != "value_and_grad" or self._wrt != 0 or len(family.forms) != 1:
            return
        form = family.forms[0]
        if form.shape is not None and not path.captured:
            self._quick = (path, form.shape)

    def _try_point(self, family: Family, path: Path, shared: Array) -> Array | None:
        """Return the results by this path, None if its guards do not hold."""
        try:
            point = path.points.pop()
        except IndexError:
            form = family.forms[0] if family.forms else None
            point = Point(path.code, None if form is None else form.shape)
        n = len(shared)
        point.inputs[:n] = shared
        for i, v in enumerate(path.captured, n):
            point.inputs[i] = v._data
        started = time.perf_counter()
        held = point.run()
        self._run_seconds = time.perf_counter() - started
        found = point.results.copy() if held else None
        path.points.append(point)
        if held:
            self._last = path
        return found

    # ---------------------------------------------------------------------------------- rows

    def _over_rows(self, family: Family, call: Call) -> tuple[Any, Form]:
        """Return the results as one entry per output: a sum, or an array over the rows."""
        assert call.rows is not None
        if not family.paths and not family.eager:
            numbers = call.numbers(0) if call.rows.count else [1.0] * len(call.mapped)
            done, out = self._record(family, numbers, call.fill)
            self._path(family, done, out)
        started = time.perf_counter()
        results = self._added(family, call) if self._reduce else self._sorted(family, call)
        if call.rows.count:
            self._run_seconds = (time.perf_counter() - started) / call.rows.count
        return results, family.paths[0].out

    def _code(self, family: Family, path: Path) -> Code | None:
        """Return the code of a path, None if it must run eagerly."""
        if not family.eager:
            try:
                path.code.native  # noqa: B018 - compiles, or raises
            except NoLowering as reason:
                self._no_lowering(family, reason)
        return None if family.eager else path.code

    def _eagerly(self, family: Family, call: Call, row: int) -> Trace:
        return self._record(family, call.numbers(row), call.fill)[0]

    def _sorted(self, family: Family, call: Call) -> Array:
        """Return all outputs as columns; rows go to the paths whose guards hold there."""
        rows, shared = call.rows, call.shared
        assert rows is not None
        n = rows.count
        columns: Array | None = None
        left = None  # indices of rows without a result; None for all of them
        at = 0
        while left is None or len(left):
            if at == len(family.paths):
                assert left is not None
                done, out = self._record(family, call.numbers(int(left[0])), call.fill)
                if not self._may_record(family, done.branch):
                    break
                self._path(family, done, out)
            path = family.paths[at]
            at += 1
            code = self._code(family, path)
            if code is None:
                break
            self._last = path
            part = rows if left is None else rows.take(left)
            inputs = np.concatenate([shared, path.extra()]) if path.captured else shared
            found, _, held = code.run(inputs, part, self._options)
            if held is None or held.all():
                if left is None:
                    return found
                held = np.ones(part.count, dtype=bool)
            if columns is None:
                columns, left = np.empty((len(found), n)), np.arange(n)
            assert left is not None
            columns[:, left[held]] = found[:, held]
            left = left[~held]
        if columns is None:
            columns, left = np.empty((len(family.paths[0].code.program.outputs), n)), np.arange(n)
        for row in left if left is not None else ():
            columns[:, row] = self._eagerly(family, call, int(row)).values
        return columns

    def _added(self, family: Family, call: Call) -> Any:
        """Return all outputs, those of `sums` added up over the rows.

        Within a block, the sums of different paths are added in the order of their first rows, so
        the bits do not depend on which path was recorded first.
        """
        rows, shared = call.rows, call.shared
        assert rows is not None
        n = rows.count
        sums = family.paths[0].code.sums
        columns: Array = np.empty((0, 0))
        missing: Any = None  # flags of rows without a result; None for all of them
        parts: list[tuple[int, int, Array]] = []  # (block, first row, sums)
        at = 0
        while missing is None or missing.any():
            if at == len(family.paths):
                row = int(np.argmax(missing))
                done, out = self._record(family, call.numbers(row), call.fill)
                if not self._may_record(family, done.branch):
                    break
                self._path(family, done, out)
            path = family.paths[at]
            at += 1
            code = self._code(family, path)
            if code is None:
                break
            self._last = path
            inputs = np.concatenate([shared, path.extra()]) if path.captured else shared
            found, added, held = code.run(inputs, rows, self._options)
            if held is None or held.all():  # every row, whatever other paths found
                return self._assemble(sums, found, total(added), n)
            if missing is None:
                columns, missing = np.empty(found.shape), np.ones(n, dtype=bool)
            if not (held & missing).any():  # perhaps two threads have recorded the same path
                continue
            columns[:, held] = found[:, held]
            missing &= ~held
            for block, part in enumerate(added):
                inside = np.flatnonzero(held[block * BLOCK : (block + 1) * BLOCK])
                if len(inside):
                    parts.append((block, int(inside[0]), part))
        if missing is None:
            columns, missing = np.empty((int((~sums).sum()), n)), np.ones(n, dtype=bool)
        for row in np.flatnonzero(missing).tolist():
            values = np.array(self._eagerly(family, call, row).values)
            columns[:, row] = values[~sums]
            parts.append((row // BLOCK, row % BLOCK, values[sums]))
        parts.sort(key=lambda part: part[:2])
        blocks = np.zeros((-(-n // BLOCK), int(sums.sum())))
        for block, _, part in parts:
            blocks[block] += part
        return self._assemble(sums, columns, total(blocks), n)

    def _assemble(self, sums: Any, columns: Array, added: Array, n: int) -> Any:
        if self._reduce == "mean":
            added = added / n if n else np.full(len(added), np.nan)
        if not len(columns):
            return added
        if self._reduce == "mean":
            columns = columns / max(n, 1)
        rest, whole = iter(columns), iter(added)
        return [next(whole) if summed else next(rest) for summed in sums]

    # ------------------------------------------------------------------------------- results

    def _dress(self, family: Family, numbers: Any, out: Form) -> Any:
        """Return the results in the structures of the eager functions.

        `numbers` has one entry per output: a number, or an array over the rows.
        """
        if family.mode == "value":
            return out.result(_stack(numbers))
        if family.mode == "value_and_grad":
            value = numbers[0]
            gradient = self._gradient(family, numbers[1:])
            return (float(value) if np.ndim(value) == 0 else value), gradient
        inner = self._inner(family)
        width = sum(form.size for form in inner)
        matrix = _stack(numbers)
        matrix = matrix.reshape(-1, width, *matrix.shape[1:])
        single = not isinstance(self._wrt, tuple)
        if family.mode == "jacobian":
            return out.block(matrix, inner, single)
        blocks: list[Any] = []
        at = 0
        for form in inner:
            blocks.append(form.block(matrix[at : at + form.size], inner, single))
            at += form.size
        return blocks[0] if single else tuple(blocks)

    def _inner(self, family: Family) -> list[Form]:
        """Return the forms of what is differentiated by."""
        if not family.inner:
            if family.parameters is not None:
                family.inner = [Form([0.0] * len(family.parameters), "the parameters")]
            else:
                family.inner = [family.forms[i] for i in self._wanted(family)]
        return family.inner

    def _gradient(self, family: Family, numbers: Any) -> Any:
        if family.parameters is not None:
            if _stack(numbers).ndim > 1:  # one gradient per row: there is no one number to add
                return list(numbers)
            grads: list[float] = _stack(numbers).tolist()
            for parameter, g in zip(family.parameters, grads, strict=True):
                parameter._grad += g
            return grads
        parts: list[Any] = []
        at = 0
        for form in self._inner(family):
            parts.append(form.result(_stack(numbers[at : at + form.size])))
            at += form.size
        return tuple(parts) if isinstance(self._wrt, tuple) else parts[0]


def _stack(numbers: Any) -> Array:
    if isinstance(numbers, np.ndarray):
        return numbers
    return np.array(numbers, dtype=np.float64) if len(numbers) else np.empty(0)


def _numbers_of(out: Any) -> list[Any]:
    """Return the numbers of an output, `Value`s and floats, in order."""
    numbers: list[Any] = []
    for leaf in _flatten(out)[0]:
        if isinstance(leaf, np.ndarray):
            numbers += leaf.ravel().tolist()
        elif isinstance(leaf, (Node, float)):
            numbers.append(leaf)
    return numbers


def _plain(out: Any) -> Any:
    """Return an output with 0.0 for each `Value`, to take its form from.

    Raises:
        TypeError: there is no number in it.
    """

    def plain(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fO":
            return np.zeros(leaf.shape)
        return 0.0 if isinstance(leaf, Node) else leaf

    leaves, tree = _flatten(out)
    found = _unflatten(tree, [plain(leaf) for leaf in leaves])
    if tree is None and not isinstance(found, (float, np.ndarray)):
        raise TypeError(f"a compiled function must return numbers, not {out!r}")
    return found


def _jacobian(outputs: list[Any], wrt: list[Any], level: int) -> list[Any]:
    """Return all outputs by all inputs, row by row, in the mode that `autograd.jacobian` takes."""
    if len(wrt) >= len(outputs):
        return [g for y in outputs for g in gradient(y, wrt, level)]
    nodes = [y for y in outputs if isinstance(y, Node)]
    columns: list[list[Any]] = []
    for i in range(len(wrt)):
        direction = [float(i == j) for j in range(len(wrt))]
        found = iter(push_graph(nodes, wrt, direction, level))
        columns.append([next(found) + 0.0 if isinstance(y, Node) else 0.0 for y in outputs])
    return [column[j] for j in range(len(outputs)) for column in columns]


def _outside() -> int:
    """Return the `stacklevel` of the first caller outside this package."""
    frame = inspect.currentframe()
    level = 0
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("autograd"):
        frame, level = frame.f_back, level + 1
    return level


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
        )
    return Kernel(f, wrt, in_axes, reduce, fast, threads, executor, max_paths, cache)


def load_kernel(path: Any) -> Kernel:
    """Return the kernel that `Kernel.save` wrote to `path`.

    It computes what was recorded before saving, without the Python function: arguments of another
    structure, or numbers that take a branch not recorded, are an error.

    Raises:
        ValueError: the file is truncated, altered, of a newer version, or no kernel at all.
    """
    file = FilePath(path)
    data = from_text(file.read_text(encoding="utf-8"), str(file))
    try:
        wrt, axes = (tuple(x) if isinstance(x, list) else x for x in (data["wrt"], data["in_axes"]))
        kernel = Kernel(None, wrt, axes, data["reduce"], data["fast"])
        kernel.__qualname__ = str(data["name"])
        for family in data["families"]:
            if family["mode"] not in get_args(Mode):
                raise ValueError(f"no mode {family['mode']!r}")
            paths = [
                (
                    Program.from_json(path["program"]),
                    [Value(float.fromhex(x)) for x in path["captured"]],
                    Form.from_json(path["out"]),
                )
                for path in family["paths"]
            ]
            forms = [Form.from_json(form) for form in family["forms"]]
            kernel._restore(family["mode"], forms, tuple(family["axes"]), None, paths)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: not a kernel file: {error}") from None
    return kernel
