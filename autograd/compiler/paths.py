"""The ways through one function that were recorded, by mode and form of the arguments.

Asks `trace` what the function does at one point and keeps a program for each way. Knows nothing of
how a program is run (`points`, `rows`) or how results are dressed (`results`).
"""

from __future__ import annotations

import functools
import inspect
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .._locks import lock
from .._value import Value
from .._watch import nested
from ._execute import Code
from .arguments import Call
from .families import Family, Path, Recorded, Settings
from .fingerprint import Fingerprint
from .forms import Array, Form
from .keys import Same
from .native import Layout, NoLowering
from .outputs import Mode, as_floats, as_graph, kernels_written_out, taken_apart
from .passes import simplify
from .program import Program
from .trace import Trace, collector_paused, inputs_of, trace

_MANY: Final = 32  # programs that differ in a whole number, or in the state, before a warning


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
        fingerprint: of everything the function can see.
        no_lowering: which primitive has no machine code, "" if none was met.
        unsteady: why no program can stand for the function, "" if nothing speaks against it.
        stale: what the self-check found, None as long as it finds nothing.
    """

    def __init__(self, f: Callable[..., Any] | None, name: str, settings: Settings) -> None:
        self.f = f
        self.name = name
        self.settings = settings
        self.families: dict[Any, Family] = {}
        self.last: Path | None = None
        self.fingerprint = Fingerprint(f)
        self.no_lowering = ""
        self.unsteady = ""
        self._see_unsteady(self.fingerprint)
        self.stale: str | None = None
        self._seen: dict[Any, Fingerprint] = {}  # of functions among the arguments
        self.costs = Costs()
        self._alike: dict[Any, int] = {}  # families that differ in whole numbers or functions only
        self._warned: set[str] = set()
        self._lock = lock()

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

    def parameters(self) -> list[Value] | None:
        """Return what to differentiate by, where it is not arguments."""
        wrt = self.settings.wrt
        if isinstance(wrt, (int, tuple)):
            return None
        found = list(wrt.parameters())
        for x in found:
            if not isinstance(x, Value):
                raise TypeError(
                    f"{self!r}: parameters() of the {type(wrt).__name__} that is wrt must give "
                    f"Values, not {x!r}"
                )
        return found

    def state(self, call: Call) -> Any:
        """Return a key of all that the function can see besides the arguments' numbers."""
        if self.unsteady:
            return None
        if not self.fingerprint.holds():
            changed = self.fingerprint.update()
            self._see_unsteady(self.fingerprint)
            if self.fingerprint.states == _MANY and changed:
                self.warn(
                    "states",
                    f"{self!r} has met {_MANY} different states of what it reads ({changed[0]} "
                    "changed last); each is a program of its own: pass what changes as an argument",
                )
        return self.fingerprint.key, *[self._state_of(f) for f in call.functions]

    def _see_unsteady(self, fingerprint: Fingerprint) -> None:
        if fingerprint.unsteady:
            self.unsteady = f"it reads {fingerprint.unsteady[0]}"

    def _state_of(self, f: Any) -> int:
        named = self.fingerprint.attributes
        found = self._seen.get((Same(f), named))
        if found is None:
            found = self._seen[Same(f), named] = Fingerprint(f, named)
        if not found.holds():
            found.update()
        self._see_unsteady(found)
        return found.key

    def family(self, mode: Mode, call: Call) -> Family:
        """Return the family a call belongs to."""
        parameters = self.parameters() if mode != "value" else None
        key = _key(mode, call.key, parameters, self.state(call))
        found = self.families.get(key)
        if found is None:
            with self._lock:
                new = Family(mode, call.forms, call.names, parameters, self.settings, self.name)
                found = self.families.setdefault(key, new)
                self._count(key)
        return found

    def _count(self, key: Any) -> None:
        """Warn when whole numbers or functions make programs without end; forget those of the
        oldest states."""
        loose = _without_statics(key)
        self._alike[loose] = self._alike.get(loose, 0) + 1
        if self._alike[loose] == _MANY:
            alike = [k[1][1] for k in self.families if _without_statics(k) == loose]
            i = next(i for i in range(len(alike[0])) if len({forms[i] for forms in alike}) > 1)
            self.warn(
                "integers",
                f"{self!r}: argument {i} has had {_MANY} different whole numbers or functions, and "
                "each is a program of its own; pass a float if it is a number to compute with, pad "
                "to a few sizes if it is a length, pass the same function if it is made anew for "
                "each call",
            )
        states = list(dict.fromkeys(k[3] for k in self.families))
        if len(states) > 2 * _MANY:
            for old in [k for k in self.families if k[3] == states[0]]:
                del self.families[old]

    # ---------------------------------------------------------------------------- recording

    def record(self, family: Family, numbers: list[float], fill: Any) -> tuple[Trace, Form]:
        """Return what the function, and what `mode` asks of it, does at one point."""
        leaves = self.settings.leaves
        if leaves and (not family.forms or family.forms[0].shape != (len(leaves),)):
            raise ValueError(
                f"{self!r}: argument 0 must be an array of {len(leaves)} numbers, one for each of "
                "the leaves"
            )
        forms: list[Form] = []
        started = time.perf_counter()
        recorded_at = [0.0]

        def run(values: list[Any], level: int) -> list[Any]:
            out = self.call(*fill(values))
            recorded_at[0] = time.perf_counter()
            outputs, form = self.outputs(family, out, values, level)
            forms.append(form)
            return outputs

        done = trace(numbers, run, leaves)
        self.costs.eager_seconds = recorded_at[0] - started
        self.costs.nodes += done.recorded
        self.costs.recording += 1e3 * (time.perf_counter() - started)
        return done, forms[0]

    def call(self, args: list[Any], named: dict[str, Any]) -> Any:
        """Return what the function returns.

        Raises:
            ValueError: there is no function.
        """
        if self.f is None:
            raise ValueError(
                "this kernel was loaded from a file, which holds no Python function: arguments of "
                "another structure, or numbers that take another branch, can't be recorded"
            )
        return self.f(*args[1:] if self.settings.leaves else args, **named)

    def outputs(
        self, family: Family, out: Any, values: list[Any], level: int
    ) -> tuple[list[Any], Form]:
        """Return the numbers that `mode` asks for, as graph, and the form of the output `out`."""
        numbers, form = taken_apart(out, family.mode, self.name)
        with collector_paused():
            return as_graph(family.mode, numbers, *self._by(family, values, level)), form

    def _by(self, family: Family, values: list[Any], level: int) -> tuple[list[Any], int]:
        """Return what to differentiate by, and the level below which nothing depends on it."""
        if family.mode == "value":
            return [], level
        if family.parameters is not None:
            return list(family.parameters), 0
        return [values[i] for i in family.inputs()], 0 if self.settings.leaves else level

    def plainly(self, family: Family, numbers: list[float], fill: Any) -> tuple[list[float], Form]:
        """Return what the function gives at one point, with nobody recording."""
        with (
            kernels_written_out(),
            nested() as level,
            inputs_of(numbers, self.settings.leaves, level) as values,
        ):
            out = self.call(*fill(values))
            found, form = taken_apart(out, family.mode, self.name)
            return as_floats(family.mode, found, *self._by(family, values, level)), form

    def path(self, family: Family, done: Trace, out: Form) -> Path:
        """Return a new path of the family, ready to be compiled.

        Raises:
            ValueError: it returns something of another form than the paths before.
        """
        self.same_shape(family, out)
        started = time.perf_counter()
        with collector_paused():
            program = simplify(done.program)
        self.costs.passes += 1e3 * (time.perf_counter() - started)
        captured = list(map(self._place, done.captured))
        if any(isinstance(v, Value) and v._level > 0 for v in captured):
            # It is gone when the derivative call it belongs to is, and nobody sees its successor.
            self.unsteady = "it reads, out of sight, a Value that belongs to one derivative call"
        layout = family.layout(program, len(captured), out)
        return self._add(family, (program, done.program, captured, out), layout)

    def same_shape(self, family: Family, out: Form) -> None:
        """Check that a result is of the form of those before, static leaves aside."""
        if family.paths and family.paths[0].out.shapes != out.shapes:
            raise ValueError(
                f"{self.name} returns results of different structure on different branches"
            )

    def _place(self, value: Value) -> Value | int:
        """Return the index under which the fingerprint sees a `Value`, else it itself."""
        for i, known in enumerate(self.fingerprint.values):
            if known is value:
                return i
        return value

    def captured(self, path: Path) -> list[Any]:
        """Return the `Value`s from outside that a path reads."""
        known = self.fingerprint.values
        return [known[v] if isinstance(v, int) else v for v in path.captured]

    def inputs(self, path: Path, shared: Array) -> Array:
        """Return the numbers that all rows share, those of captured `Value`s included."""
        if not path.captured:
            return shared
        return np.concatenate([shared, [v._data for v in self.captured(path)]])

    def _add(
        self, family: Family, recorded: Recorded, layout: Layout | Callable[[], Layout]
    ) -> Path:
        program, raw, captured, out = recorded
        options = self.settings.options
        code = Code(program, layout, options.fast, options.cache)
        path = Path(code, raw, self.name, captured, out)
        if self.settings.check != "never" and self.f is not None:
            path.check_at = 2
        with family.lock:
            family.paths.append(path)
        return path

    def restore(self, family: Family, paths: Sequence[Recorded]) -> None:
        """Add a family recorded elsewhere, in the present state and in no more memory than it
        takes already.

        Raises:
            ValueError: the parts do not fit together.
        """
        if tuple(form.axis for form in family.forms) != self.axes(len(family.forms)):
            raise ValueError("not a kernel: in_axes does not fit the arguments")
        form_keys = family.names, tuple([form.key for form in family.forms])
        key = _key(family.mode, form_keys, family.parameters, (self.fingerprint.key,))
        if key in self.families:
            raise ValueError("not a kernel: the same arguments twice")
        numbers = sum(form.size for form in family.forms)
        for recorded in paths:
            program, _, captured, out = recorded
            if out.axis is not None or out.shapes != paths[0][3].shapes:
                raise ValueError("not a kernel: its paths return results of different structure")
            inputs, outputs = numbers + len(captured), family.outputs(out)
            if inputs != program.inputs or outputs != len(program.outputs):
                raise ValueError("not a kernel: a program does not fit its arguments")
            layout = functools.partial(family.layout, program, len(captured), out)
            self.last = self._add(family, recorded, layout)
        self.families[key] = family

    def ignore(self, places: list[str], family: Family) -> None:
        """Leave places out of the state, which a family's function writes to and does not read."""
        self.fingerprint.ignore(places)
        for key in [k for k, found in self.families.items() if found is family]:
            state = self.fingerprint.key, *key[3][1:]
            self.families[*key[:3], state] = self.families.pop(key)

    def travelling(self) -> list[Family]:
        """Return the families that belong to the present state, and to no other function's."""
        state = (self.fingerprint.key,)
        return [f for key, f in self.families.items() if key[3] == state and f.paths]

    # ----------------------------------------------------------------------------- what may be

    def warn(self, about: str, text: str) -> None:
        """Warn the user, once about each thing."""
        if about not in self._warned:
            self._warned.add(about)
            warnings.warn(text, RuntimeWarning, stacklevel=_outside())

    def may_record(self, family: Family, done: Trace) -> bool:
        """Say whether one more path may be kept; warn once if not."""
        limit = self.settings.max_paths
        if len(family.paths) < limit:
            return True
        branch = _parting(family.paths[0].raw, done.program)
        where = f", first parting at {branch}," if branch else ""
        self.warn(
            "paths",
            f"{self!r} took more than max_paths={limit} different paths{where} and the "
            "others run eagerly. Raise max_paths, or choose with autograd.where instead of `if`",
        )
        return False

    def code(self, family: Family, path: Path) -> Code | None:
        """Return the code of a path, compiled; None if it must run eagerly."""
        if self.unsteady:
            self.warn("unsteady", f"{self!r} runs eagerly, not compiled: {self.unsteady}")
            return None
        if not family.eager:
            try:
                path.code.native  # noqa: B018 - compiles, or raises
            except NoLowering as reason:
                family.eager = True
                self.no_lowering = str(reason)
                self.warn(str(reason), f"{self!r} runs eagerly, not compiled: {reason}")
        return None if family.eager else path.code


def _key(mode: Mode, call: Any, parameters: list[Value] | None, state: Any) -> Any:
    ids = None if parameters is None else tuple(map(id, parameters))
    return mode, call, ids, state


def _without_statics(key: Any) -> Any:
    """Return a key that is the same for others with other whole numbers or functions in it."""
    if isinstance(key, tuple):
        if len(key) == 2 and key[0] is int:
            return (int,)
        return tuple([_without_statics(part) for part in key])
    return Same if isinstance(key, Same) else key


def _parting(one: Program, other: Program) -> str:
    """Return the line of the first comparison that came out differently, "" if not known."""
    for (a, _), (b, line) in zip(one.comparisons(), other.comparisons(), strict=False):
        if a[3] != b[3]:
            return line
    return ""


def _outside() -> int:
    """Return the `stacklevel` of the first caller outside this package."""
    frame = inspect.currentframe()
    level = 0
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("autograd"):
        frame, level = frame.f_back, level + 1
    return level
