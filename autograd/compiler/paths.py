"""The ways through one function that were recorded, by mode and form of the arguments.

Asks `trace` what the function does at one point and keeps a program for each way. Knows nothing of
how a program is run (`points`, `rows`) or how results are dressed (`results`).
"""

from __future__ import annotations

import inspect
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._primitive import Node
from .._structure import _flatten, _unflatten, is_container
from .._sweep import pull_graph, push_graph
from .._value import Value
from ._execute import Code, Options, Point
from .arguments import Call, Form
from .native import Layout, NoLowering
from .passes import simplify
from .program import Program
from .trace import Trace, collector_paused, gradient, trace

Mode = Literal["value", "value_and_grad", "jacobian", "hessian"]
Reduce = Literal["sum", "mean"] | None


@dataclass(frozen=True)
class Settings:
    """What `compile` was asked for; see there."""

    wrt: Any = 0
    in_axes: Any = None
    reduce: Reduce = None
    options: Options = field(default_factory=Options)
    max_paths: int = 64
    leaves: tuple[Value, ...] = ()


@dataclass
class Path:
    """One way through the function: a program that holds where its guards do.

    Attributes:
        code: it, compiled or not.
        captured: `Value`s from outside the arguments; their numbers are read at each call.
        out: the form of what the function returned.
        points: memory for calls at one point that nobody uses.
    """

    code: Code
    captured: list[Value]
    out: Form
    points: list[Point] = field(default_factory=list)

    def extra(self) -> list[float]:
        """Return the numbers of the captured `Value`s."""
        return [v._data for v in self.captured]


@dataclass
class Family:
    """Calls of one mode that differ in their numbers only.

    Attributes:
        forms: the form of each argument.
        parameters: what to differentiate by, where it is not arguments.
        paths: the ways through the function recorded so far.
        eager: no code can be generated.
    """

    mode: Mode
    forms: list[Form]
    parameters: list[Value] | None
    paths: list[Path] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    eager: bool = False

    @property
    def by_rows(self) -> bool:
        """Whether there is an argument with rows."""
        return any(form.axis is not None for form in self.forms)

    @property
    def mapped(self) -> list[bool]:
        """For each number of the arguments, whether it differs from row to row."""
        return [form.axis is not None for form in self.forms for _ in range(form.size)]


@dataclass
class Costs:
    """What recording took (nodes, milliseconds), and seconds that one run took, both ways."""

    nodes: int = 0
    recording: float = 0.0
    passes: float = 0.0
    eager_seconds: float = 0.0
    run_seconds: float = 0.0


class Paths:
    """All ways through one function recorded so far.

    Attributes:
        f: the function; None if it was loaded from a file, which holds none.
        name: what messages call it.
        last: the path used last.
    """

    def __init__(self, f: Callable[..., Any] | None, name: str, settings: Settings) -> None:
        self.f = f
        self.name = name
        self.settings = settings
        self.families: dict[Any, Family] = {}
        self.last: Path | None = None
        self.costs = Costs()
        self._warned: set[str] = set()
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<kernel of {self.name}>"

    # ------------------------------------------------------------------------- which family

    def axes(self, count: int) -> tuple[int | None, ...]:
        """Return the axis of rows of each of `count` arguments."""
        axes = self.settings.in_axes
        if axes is None or isinstance(axes, int):
            return (axes,) * count
        if len(axes) != count:
            raise ValueError(
                f"{self!r}: in_axes has {len(axes)} entries, the call {count} arguments"
            )
        return tuple(axes)

    def _parameters(self) -> list[Value] | None:
        wrt = self.settings.wrt
        if isinstance(wrt, (int, tuple)):
            return None
        return list(wrt.parameters())

    def family(self, mode: Mode, call: Call) -> Family:
        """Return the family a call belongs to."""
        parameters = self._parameters() if mode != "value" else None
        key = _key(mode, call.forms, parameters)
        found = self.families.get(key)
        if found is None:
            with self._lock:
                found = self.families.setdefault(key, Family(mode, call.forms, parameters))
        return found

    def wanted(self, family: Family) -> list[int]:
        """Return the numbers of the arguments to differentiate by."""
        wrt = self.settings.wrt
        many = wrt if isinstance(wrt, tuple) else (wrt,)
        count = len(family.forms)
        for i in many:
            if not isinstance(i, int) or not -count <= i < count:
                raise ValueError(f"{self!r}: wrt={wrt!r}, but it was called with {count} arguments")
        return [i % count for i in many]

    def _inputs(self, family: Family) -> list[int]:
        """Return the places of the numbers to differentiate by, among all numbers."""
        starts = np.cumsum([0, *(form.size for form in family.forms)])
        found: list[int] = []
        for i in self.wanted(family):
            if not family.forms[i].size:
                raise TypeError(
                    f"{self!r}: argument {i} holds no float to differentiate with respect to; "
                    "pass floats (3.0, not 3)"
                )
            found += range(starts[i], starts[i + 1])
        return found

    # ---------------------------------------------------------------------------- recording

    def record(self, family: Family, numbers: list[float], fill: Any) -> tuple[Trace, Form]:
        """Return what the function, and what `mode` asks of it, does at one point."""
        f = self.f
        if f is None:
            raise ValueError(
                "this kernel was loaded from a file, which holds no Python function: arguments of "
                "another structure, or numbers that take another branch, can't be recorded"
            )
        leaves = self.settings.leaves
        if leaves and (not family.forms or family.forms[0].shape != (len(leaves),)):
            raise ValueError(
                f"{self!r}: argument 0 must be an array of {len(leaves)} numbers, one for each of "
                "the leaves"
            )
        forms: list[Form] = []
        started = time.perf_counter()
        recorded_at = [0.0]

        def run(values: list[Value], level: int) -> list[Any]:
            out = f(*fill(values)[1:]) if leaves else f(*fill(values))
            recorded_at[0] = time.perf_counter()
            if isinstance(out, int) and not isinstance(out, bool):
                out = float(out)
            numbers = _numbers_of(out)
            forms.append(Form(_plain(out), f"the result of {self.name}"))
            if family.mode == "value":
                return numbers
            if family.parameters is None:
                wrt: list[Any] = [values[i] for i in self._inputs(family)]
            else:
                wrt = list(family.parameters)
            if leaves or family.parameters is not None:
                level = 0
            with collector_paused():
                return self._derivatives(family.mode, out, numbers, wrt, level)

        done = trace(numbers, run, leaves)
        self.costs.eager_seconds = recorded_at[0] - started
        self.costs.nodes += done.recorded
        self.costs.recording += 1e3 * (time.perf_counter() - started)
        return done, forms[0]

    def _derivatives(
        self, mode: Mode, out: Any, numbers: list[Any], wrt: list[Any], level: int
    ) -> list[Any]:
        if mode == "jacobian":
            return _jacobian(numbers, wrt, level)
        if len(numbers) != 1 or is_container(out):
            raise TypeError(
                f"{mode} needs a scalar output, but {self.name} returned {out!r}; "
                "for several outputs use jacobian"
            )
        root = numbers[0]
        if mode == "value_and_grad":
            return [root, *gradient(root, wrt, level)]
        first = pull_graph([root], [1.0], wrt, level) if isinstance(root, Node) else []
        return [g for x in first or [0.0] * len(wrt) for g in gradient(x, wrt, level)]

    def path(self, family: Family, done: Trace, out: Form) -> Path:
        """Return a new path of the family, ready to be compiled.

        Raises:
            ValueError: it returns something of another form than the paths before.
        """
        if family.paths and family.paths[0].out.key != out.key:
            raise ValueError(
                f"{self.name} returns results of different structure on different branches"
            )
        started = time.perf_counter()
        with collector_paused():
            program = simplify(done.program)
        self.costs.passes += 1e3 * (time.perf_counter() - started)
        return self._add(family, program, done.captured, out)

    def _add(self, family: Family, program: Program, captured: list[Value], out: Form) -> Path:
        layout = self._layout(family, program, len(captured), out)
        options = self.settings.options
        path = Path(Code(program, layout, options.fast, options.cache), captured, out)
        with family.lock:
            family.paths.append(path)
        return path

    def restore(
        self,
        mode: Mode,
        forms: list[Form],
        parameters: list[Value] | None,
        paths: Sequence[tuple[Program, list[Value], Form]],
    ) -> None:
        """Add a family recorded elsewhere.

        Raises:
            ValueError: the parts do not fit together.
        """
        family = Family(mode, forms, parameters)
        if tuple(form.axis for form in forms) != self.axes(len(forms)):
            raise ValueError("not a kernel: in_axes does not fit the arguments")
        for program, captured, out in paths:
            outputs = len(self._layout(family, program, len(captured), out).sums)
            inputs = len(family.mapped) + len(captured)
            if inputs != program.inputs or outputs != len(program.outputs):
                raise ValueError("not a kernel: a program does not fit its arguments")
            self.last = self._add(family, program, captured, out)
        self.families[_key(mode, forms, parameters)] = family

    def _layout(self, family: Family, program: Program, captured: int, out: Form) -> Layout:
        sums = self._sums(family, out)
        if family.by_rows:
            return Layout((*family.mapped, *[False] * captured), sums)
        return Layout((False,) * program.inputs, (False,) * len(sums), point=True)

    def _sums(self, family: Family, out: Form) -> tuple[bool, ...]:
        """Return which outputs are added up over the rows."""
        reduced = self.settings.reduce is not None
        if family.mode == "value":
            return (reduced,) * out.size
        if family.parameters is not None:
            per_input = [reduced] * len(family.parameters)
        else:
            mapped = family.mapped
            per_input = [reduced and not mapped[i] for i in self._inputs(family)]
        if family.mode == "value_and_grad":
            return (reduced, *per_input)
        if reduced and not all(per_input):
            raise ValueError(f"{self!r}: {family.mode} with reduce needs wrt to be shared by rows")
        count = out.size if family.mode == "jacobian" else len(per_input)
        return tuple(per_input) * count

    # ----------------------------------------------------------------------------- what may be

    def warn(self, about: str, text: str) -> None:
        """Warn the user, once about each thing."""
        if about not in self._warned:
            self._warned.add(about)
            warnings.warn(text, RuntimeWarning, stacklevel=_outside())

    def may_record(self, family: Family, branch: str) -> bool:
        """Say whether one more path may be kept; warn once if not."""
        limit = self.settings.max_paths
        if len(family.paths) < limit:
            return True
        where = f", first branch at {branch}" if branch else ""
        self.warn(
            "paths",
            f"{self!r} took more than max_paths={limit} different paths{where}; the "
            "others run eagerly. Raise max_paths, or choose with autograd.where instead of `if`",
        )
        return False

    def code(self, family: Family, path: Path) -> Code | None:
        """Return the code of a path, compiled; None if it must run eagerly."""
        if not family.eager:
            try:
                path.code.native  # noqa: B018 - compiles, or raises
            except NoLowering as reason:
                family.eager = True
                self.warn(str(reason), f"{self!r} runs eagerly, not compiled: {reason}")
        return None if family.eager else path.code


def _key(mode: Mode, forms: list[Form], parameters: list[Value] | None) -> Any:
    ids = None if parameters is None else tuple(map(id, parameters))
    return mode, tuple([form.key for form in forms]), ids


def _outside() -> int:
    """Return the `stacklevel` of the first caller outside this package."""
    frame = inspect.currentframe()
    level = 0
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("autograd"):
        frame, level = frame.f_back, level + 1
    return level


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
