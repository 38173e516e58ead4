"""check_gradients: are these derivatives right?

The verdict is about what rounding does not explain. Knows the engine's recordings and the
reference; knows no test framework.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .._primitive import Node, Observer, operands_of
from .._structure import Structure, is_array, is_container
from .._value import Value
from .._watch import watching
from ..derivatives import _Recording
from ._differences import Difference, derivative
from ._expression import Expression
from ._reference import STEP_DIGITS, Local, Mpf, Replay, Step, context, evaluate

Mode = Literal["reverse", "forward"]

RTOL: Final = 256 * sys.float_info.epsilon
_RANGE: Final = 1e308
_REFERENCE_ERROR: Final = 1e-18  # of one operation's derivatives, relative
_DIFFERENCES_SAFETY: Final = 8.0
_NUDGE: Final = 1e-150  # off a tie at zero, and clear of denormal numbers
_LONG: Final = 40  # operations; longer programs are not printed


@dataclass(frozen=True)
class Mismatch:
    """What is wrong, in a form that a program can use; `str` is for people.

    Attributes:
        function: its name.
        what: "value", "first derivative" or "second derivative", and how it was computed.
        argument: where in the arguments, as Python would write it; two for a second derivative.
        analytic: the number under test.
        reference: what it should be.
        reference_error: how far the reference itself may be off.
        ulps: the difference, in units in the last place of the reference.
        explained: how many ulps rounding explains.
        method: how the reference was found.
        step: the step of the differences; relative, for the definitions.
        chain: the operations between argument and result, one line each.
        culprit: the first operation that disagrees with its definition, "" if none does.
        kinks: nearby kinks, each as (operation, distance).
        notes: what else there is to know.
        program: one line of Python that shows it again.
    """

    function: str
    what: str
    argument: str
    analytic: float
    reference: float
    reference_error: float
    ulps: float
    explained: float
    method: str
    step: float
    chain: tuple[str, ...] = ()
    culprit: str = ""
    kinks: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    program: str = ""

    def __str__(self) -> str:
        lines = [
            f"{self.function}: {self.what} by {self.argument} is wrong",
            f"  analytic   {self.analytic!r}",
            f"  reference  {self.reference!r} +- {self.reference_error:.1g}",
            f"  difference {self.ulps:.3g} ulps, of which rounding explains {self.explained:.3g}",
            f"  reference by {self.method}, step {self.step:.1g}",
        ]
        if self.culprit:
            lines.append(f"  first wrong operation: {self.culprit}")
        if self.chain:
            lines.append(f"  from {self.argument} to the result:")
            lines += [f"    {line}" for line in self.chain]
        if self.kinks:
            lines.append("  kinks nearby:")
            lines += [f"    {name} at a distance of {far:.3g}" for name, far in self.kinks]
        lines += [f"  note: {note}" for note in self.notes]
        if self.program:
            lines += ["  to see it again:", f"    {self.program}"]
        return "\n".join(lines)


class GradientMismatch(AssertionError):
    """A derivative is wrong. `report` says which, by how much, and where it went wrong."""

    def __init__(self, report: Mismatch) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass
class Checked:
    """How many numbers were found right, and how many could not be decided.

    Undecided: at infinities, beyond the range of a float, second derivatives on a kink, or where
    rounding explains anything.
    """

    right: int = 0
    undecided: int = 0
    method: str = ""
    kinks: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = field(default=())


class _Spy(Observer):
    """Notices when the program takes numbers out of the graph, or compares equal ones."""

    def __init__(self) -> None:
        self.reads = 0
        self.ties = 0

    def read(self, node: Node, how: str) -> None:
        self.reads += how == ".data"

    def compared(self, op: str, x: Node, y: object, outcome: bool) -> None:
        other = y._data if isinstance(y, Node) else y
        if x._data == other:
            self.ties += 1


class _Subject:
    """The function under test at one point: recorded if it can be."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f = f
        self.args = args
        self.name = getattr(f, "__name__", None) or repr(f)
        if self.name == "<lambda>" or isinstance(f, Expression):
            self.name = repr(f) if isinstance(f, Expression) else "the function"
        self.structures = [Structure(x) for x in args]
        self.argnums = tuple(i for i, s in enumerate(self.structures) if s.numbers)
        if not self.argnums:
            raise TypeError(
                "check_gradients: no argument holds a float to differentiate with respect to; "
                "pass floats (3.0, not 3)"
            )
        self.point = [float(x) for i in self.argnums for x in self.structures[i].numbers]
        self.paths = _paths(f, args, self.argnums)
        self.refused: Exception | None = None
        self.run: _Recording | None = None
        spy = _Spy()
        try:
            with watching(spy):
                self.run = _Recording("check_gradients", f, self.argnums, args, {})
        except Exception as reason:
            self.refused = reason
        self.reads, self.ties = spy.reads, spy.ties

    def refill(self, numbers: Sequence[float]) -> tuple[Any, ...]:
        """Return the arguments with other numbers, as floats and float64 arrays."""
        args = list(self.args)
        at = 0
        for i in self.argnums:
            n = len(self.structures[i].numbers)
            args[i] = self.structures[i].result(list(numbers[at : at + n]))
            at += n
        return tuple(args)

    def at(self, numbers: Sequence[float]) -> float:
        """Return f at other numbers."""
        out = self.f(*self.refill(numbers))
        return float(out._data if isinstance(out, Node) else out)

    def differences(self) -> list[Difference]:
        """Return the derivative by each number, from values of `f` alone."""
        found = []
        for i, x in enumerate(self.point):

            def along(moved: float, i: int = i) -> float:
                numbers = list(self.point)
                numbers[i] = moved
                try:
                    return self.at(numbers)
                except (ValueError, ZeroDivisionError, OverflowError):
                    return math.nan

            found.append(derivative(along, x))
        return found


def _paths(f: Callable[..., Any], args: tuple[Any, ...], argnums: tuple[int, ...]) -> list[str]:
    """Return where each number is, as Python would write it: `x`, `w[1]['bias']`, `a[0, 2]`."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values()][: len(args)]
    except (TypeError, ValueError):
        names = []
    if isinstance(f, Expression):
        names = list(f.variables)
    if len(names) < len(args) or len(set(names)) < len(names) or names[-1] == "args":
        names = [f"argument {i + 1}" for i in range(len(args))]
    found: list[str] = []
    for i in argnums:
        leaves = [(names[i], args[i])]
        if is_container(args[i]):
            import optree

            from .._structure import _NAMESPACE

            accessors, parts, _ = optree.tree_flatten_with_accessor(args[i], namespace=_NAMESPACE)
            leaves = [(a.codify(names[i]), x) for a, x in zip(accessors, parts, strict=True)]
        for path, leaf in leaves:
            if is_array(leaf) and leaf.dtype.kind in "fO":
                import numpy

                indices = numpy.ndindex(leaf.shape)
                found += [f"{path}[{', '.join(map(str, at))}]" if at else path for at in indices]
            elif Structure(leaf).numbers:
                found.append(path)
    return found


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: Sequence[Mode] = ("reverse", "forward"),
    gradient: Callable[..., Any] | None = None,
    rtol: float = RTOL,
    atol: float = 0.0,
) -> Checked:
    """Return what was checked, if the derivatives of `f` at `args` are right.

    `f` takes floats, or nested structures and arrays of them, and returns a scalar. First
    derivatives are computed in each of `modes`, second ones in each mode over each mode, and held
    against a reference: `f` is recorded, and every operation differentiated from its mathematical
    definition in multi-precision arithmetic. Where that is not possible (`f` does not run on
    `Value`s, takes numbers out of the graph, or uses an operation without `exact`), the reference
    are extrapolated differences of `f`, and first derivatives only.

    With `gradient`, a function of the same arguments that returns one entry per argument as
    `grad` would, that function is checked too.

    On a kink any value between the one-sided derivatives is right. `rtol` is relative to the sum
    of magnitudes that a derivative is composed of, so that correct derivatives pass however much
    they cancel; the default is 256 ulps. `atol` is added.

    Raises:
        GradientMismatch: one is wrong.
        TypeError: no argument holds a float; `f` does not run on `Value`s and there is no
            `gradient`; `gradient` does not return one entry per argument.
        ValueError: `order` or `modes` out of range.
    """
    if order not in (1, 2):
        raise ValueError(
            f"check_gradients: order must be 1 or 2, not {order!r} (check_primitive goes to 3)"
        )
    if not modes or any(mode not in ("reverse", "forward") for mode in modes):
        raise ValueError(f"check_gradients: modes must be of 'reverse', 'forward', not {modes!r}")
    subject = _Subject(f, args)
    if subject.run is None and gradient is None:
        raise TypeError(
            f"check_gradients: {subject.name} does not run on Values "
            f"({type(subject.refused).__name__}: {subject.refused}); write it with autograd's "
            "functions, or give gradient= to have a gradient function checked"
        ) from subject.refused
    check = _Check(subject, order, modes, gradient, rtol, atol)
    check.run()
    return check.done


class _Check:
    """One call of check_gradients."""

    def __init__(
        self,
        subject: _Subject,
        order: int,
        modes: Sequence[Mode],
        gradient: Callable[..., Any] | None,
        rtol: float,
        atol: float,
    ) -> None:
        self.subject = subject
        self.order = order
        self.modes = modes
        self.gradient = gradient
        self.rtol = rtol
        self.atol = atol
        self.done = Checked()
        self.replay: Replay | None = None
        self._peak: Mpf | None = None
        self._product: Mpf = 0
        self._claimed: list[float] = []
        run = subject.run
        self.out = None if run is None else run.scalar(run.out)

    def run(self) -> None:
        subject = self.subject
        theirs = None if self.gradient is None else self._theirs()
        self._claimed = theirs or []
        by_definition = subject.run is not None and subject.reads == 0
        if by_definition and isinstance(self.out, Value):
            assert subject.run is not None
            self.replay = Replay(self.out, subject.run.inputs, self.order, self.rtol)
            by_definition = all(
                step.node._prim is None or step.node._prim.exact is not None
                for step in self.replay.steps
            )
        if by_definition:
            self.done.method = "the operations' definitions in multi-precision arithmetic"
            if self.replay is not None:
                self.done.kinks = tuple(_kinks(self.replay))
                self._values(self.replay)
            self._ours()
            if theirs is not None:
                self._theirs_by_definition(theirs)
            return
        self.replay = None
        self.done.method = "extrapolated differences of the function (Ridders)"
        self.done.notes = (self._why_differences(),)
        self._by_differences(theirs)

    def _why_differences(self) -> str:
        subject = self.subject
        if subject.run is None:
            return f"it does not run on Values ({type(subject.refused).__name__})"
        if subject.reads:
            return "it takes numbers out of the graph with .data, which derivatives do not follow"
        return "an operation has no mathematical definition (exact=)"

    # ---------------------------------------------------------------- what is under test

    def _theirs(self) -> list[float]:
        """Return the entries of the gradient under test.

        Raises:
            TypeError: not one number for each number in the arguments.
        """
        assert self.gradient is not None
        subject = self.subject
        got = self.gradient(*subject.args)
        wanted = len(subject.point)
        name = getattr(self.gradient, "__name__", repr(self.gradient))
        parts = list(got) if isinstance(got, (tuple, list)) and len(subject.argnums) > 1 else [got]
        numbers: list[float] = []
        if len(parts) == len(subject.argnums):
            for part in parts:
                part = float(part) if isinstance(part, int) else part
                numbers += [
                    float(x._data if isinstance(x, Node) else x) for x in Structure(part).numbers
                ]
        if len(parts) != len(subject.argnums) or len(numbers) != wanted:
            raise TypeError(
                f"check_gradients: {name} must return one entry per argument, in the argument's "
                f"structure: {len(subject.argnums)} entries holding {wanted} numbers, "
                f"not {got!r}"
            )
        return numbers

    def _first(self) -> dict[str, list[float]]:
        run = self.subject.run
        assert run is not None
        found: dict[str, list[float]] = {}
        n = len(run.inputs)
        for mode in self.modes:
            if mode == "reverse":
                found[mode] = run.reverse([self.out], [1.0], False)
            else:
                found[mode] = [run.forward([self.out], unit, False)[0] for unit in _units(n)]
        return found

    def _second(self) -> dict[str, list[list[float]]]:
        run = self.subject.run
        assert run is not None
        units = _units(len(run.inputs))
        found: dict[str, list[list[float]]] = {}
        for inner in self.modes:
            if inner == "reverse":
                first = run.reverse([self.out], [1.0], True)
            else:
                first = [run.forward([self.out], unit, True)[0] for unit in units]
            for outer in self.modes:
                if outer == "reverse":
                    rows = [run.reverse([g], [1.0], False) for g in first]
                else:
                    columns = [run.forward(first, unit, False) for unit in units]
                    rows = [list(row) for row in zip(*columns, strict=True)]
                found[f"{outer} over {inner}"] = rows
        return found

    # ---------------------------------------------------------------- verdicts

    def _ours(self) -> None:
        jet = None if self.replay is None else self.replay.jet
        paths = self.subject.paths
        for mode, entries in self._first().items():
            for i, analytic in enumerate(entries):
                reference, slack = (
                    (None, None) if jet is None else (jet.first[i], jet.slack_first[i])
                )
                if not self._right(analytic, reference, slack):
                    self._fail(f"first derivative ({mode})", paths[i], analytic, i, None)
        if self.order < 2:
            return
        for mode, rows in self._second().items():
            place = 0
            for i in range(len(paths)):
                for k in range(i + 1):
                    reference, slack = (
                        (None, None)
                        if jet is None
                        else (jet.second[place], jet.slack_second[place])
                    )
                    place += 1
                    for analytic in {rows[i][k], rows[k][i]}:
                        if not self._right(analytic, reference, slack):
                            where = f"{paths[k]} and {paths[i]}" if i != k else f"{paths[i]} twice"
                            self._fail(f"second derivative ({mode})", where, analytic, i, k)

    def _right(self, analytic: float, reference: Mpf | None, slack: Mpf | None) -> bool:
        """Say whether a number may stand, and count it."""
        m = context()
        reference = m.mpf(0) if reference is None else reference
        slack = m.mpf(self.atol) + (m.mpf(0) if slack is None else slack)
        if not (m.isfinite(reference) and m.isfinite(slack)):
            self.done.undecided += 1
            return True
        if _agree(m, analytic, reference, slack):
            self.done.right += 1
            return True
        if self._out_of_range(analytic):
            self.done.undecided += 1
            return True
        return False

    def _out_of_range(self, analytic: float) -> bool:
        """Say whether something along the way was on a jump, or beyond the range of a float."""
        if self.replay is None:
            return False
        if self._peak is None:
            self._peak, self._product = self._sizes(self.replay)
        if self._peak > _RANGE:
            return True
        if any(p != p for step in self.replay.steps for p in step.local.first):
            return True  # exactly on a jump, where rounding often puts a number: no derivative
        if math.isfinite(analytic):
            return False
        # Not a number, and no wonder: a partial along the way is none either, or is infinite.
        rates = [
            p
            for step in self.replay.steps
            for p in (*step.local.first, *(float(p) for _, p in operands_of(step.node)))
        ]
        return bool(self._product > _RANGE or any(p - p != 0 for p in rates))

    @staticmethod
    def _sizes(replay: Replay) -> tuple[Mpf, Mpf]:
        """Return the largest size of anything the reference knows of, and a product of some.

        A sweep multiplies sizes in an order of its own, and may pass the end of the range where
        the result does not: with the four largest, their reciprocals among them, for instance.
        """
        m = replay.m
        sizes = [m.mpf(1)] * 4
        for step in replay.steps:
            rows = [step.local.first, *step.local.second, [p for _, p in operands_of(step.node)]]
            sizes += [m.fabs(x) for row in rows for x in row]
            sizes += [m.fabs(x) for x in (step.node._data, *step.args)]
        peaks = [x for x in sizes if x == x]
        reciprocals = [1 / m.fabs(x) for step in replay.steps for x in step.args if x != 0]
        product = m.fprod(sorted(peaks + reciprocals)[-4:])
        for jet in replay.jets.values():
            peaks += [x for x in (*jet.size_first, *jet.size_second) if x is not None and x == x]
        return max(peaks), product

    def _values(self, replay: Replay) -> None:
        """Hold the value of every operation against its definition."""
        for step in replay.steps:
            text = wrong_value(replay.m, step, self.rtol)
            if text is None:
                self.done.undecided += 1
            elif not text:
                self.done.right += 1
            else:
                value = step.node._data
                self._report(
                    f"value of {_name(step)}",
                    "its operands",
                    value,
                    step.local.value,
                    replay.m.mpf(0),
                    culprit=text,
                    program=_program_of(step),
                )

    def _theirs_by_definition(self, theirs: list[float]) -> None:
        n = len(theirs)
        if self.replay is None:
            firsts: list[Any] = [None] * n
            slacks: list[Any] = [None] * n
        else:
            assert isinstance(self.out, Value)
            assert self.subject.run is not None
            inputs = self.subject.run.inputs
            exact = Replay(self.out, inputs, 1, self.rtol, exact=True)
            firsts, slacks = exact.jet.first, exact.jet.slack_first
        for i, analytic in enumerate(theirs):
            if self._right(analytic, firsts[i], slacks[i]):
                continue
            if self.subject.ties and self._on_another_branch(i, analytic):
                continue
            name = getattr(self.gradient, "__name__", "gradient")
            self._fail(f"derivative from {name}", self.subject.paths[i], analytic, i, None, True)

    def _on_another_branch(self, i: int, analytic: float) -> bool:
        """Say whether the number is between those of the branches of a tied comparison."""
        subject = self.subject
        m = context()
        low = high = m.mpf(self._first()[self.modes[0]][i])
        for at, x in enumerate(subject.point):
            for by in (-max(math.ulp(x), _NUDGE), max(math.ulp(x), _NUDGE)):
                numbers = list(subject.point)
                numbers[at] = x + by
                near = _Subject(subject.f, subject.refill(numbers))
                if near.run is None:
                    continue
                out = near.run.scalar(near.run.out)
                g = slack = m.mpf(0)
                if isinstance(out, Node):
                    jet = Replay(out, near.run.inputs, 1, self.rtol).jet
                    g, slack = jet.first[i] or g, jet.slack_first[i] or slack
                low, high = min(low, g - slack), max(high, g + slack)
        return bool(low <= analytic <= high)

    def _by_differences(self, theirs: list[float] | None) -> None:
        found = self.subject.differences()
        entries: list[tuple[str, list[float]]] = []
        if self.subject.run is not None:
            entries += [(f"first derivative ({mode})", x) for mode, x in self._first().items()]
        if theirs is not None:
            name = getattr(self.gradient, "__name__", "gradient")
            entries.append((f"derivative from {name}", theirs))
        for what, numbers in entries:
            for i, (analytic, reference) in enumerate(zip(numbers, found, strict=True)):
                if not math.isfinite(reference.value):
                    self.done.undecided += 1
                    continue
                slack = reference.error * (1.0 if reference.kink else _DIFFERENCES_SAFETY)
                slack += self.rtol * abs(reference.value) + self.atol
                if abs(analytic - reference.value) <= slack:
                    self.done.right += 1
                    continue
                m = context()
                self._report(
                    what,
                    self.subject.paths[i],
                    analytic,
                    m.mpf(reference.value),
                    m.mpf(slack),
                    error=reference.error,
                    step=reference.step,
                    chain=() if self.out is None else None,
                )

    # ---------------------------------------------------------------- reports

    def _fail(
        self, what: str, where: str, analytic: float, i: int, k: int | None, theirs: bool = False
    ) -> None:
        """Raise the mismatch of the derivative by number `i` (and `k`)."""
        m = context()
        replay = self.replay
        if replay is None:  # the result does not depend on the arguments
            self._report(what, where, analytic, m.mpf(0), m.mpf(0))
            return
        assert isinstance(self.out, Value)
        assert self.subject.run is not None
        inputs = self.subject.run.inputs
        order = 1 if k is None else 2
        true = Replay(self.out, inputs, order, self.rtol, exact=True).jet
        place = 0 if k is None else i * (i + 1) // 2 + k

        def pick(jet: Any, kind: str) -> Mpf:
            entry = (
                getattr(jet, f"{kind}first")[i]
                if k is None
                else (getattr(jet, f"{kind}second")[place])
            )
            return m.mpf(0) if entry is None else entry

        source = true if m.isfinite(pick(true, "")) else replay.jet
        reference = pick(source, "")
        explained = pick(replay.jet, "slack_") + m.fabs(reference - pick(replay.jet, ""))
        if theirs:
            explained = pick(true, "slack_")
        culprit, program = "", ""
        if not theirs:
            for step in replay.steps:
                culprit = wrong_partial(m, step, order, self.rtol)
                if culprit:
                    program = _program_of(step)
                    break
        self._report(
            what,
            where,
            analytic,
            reference,
            explained,
            error=float(pick(source, "size_") * len(replay.steps) * _REFERENCE_ERROR),
            chain=tuple(_chain(replay, {i} if k is None else {i, k})),
            culprit=culprit,
            program=program,
            notes=()
            if culprit or theirs
            else ("every operation agrees with its definition: their combination does not",),
        )

    def _report(
        self,
        what: str,
        where: str,
        analytic: float,
        reference: Mpf,
        explained: Mpf,
        *,
        error: float = 0.0,
        step: float = 10.0**-STEP_DIGITS,
        chain: tuple[str, ...] | None = (),
        culprit: str = "",
        program: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        m = context()
        number = float(reference)
        ulp = math.ulp(number) if math.isfinite(number) else math.inf
        difference = m.fabs(m.mpf(analytic) - reference)
        raise GradientMismatch(
            Mismatch(
                function=self.subject.name,
                what=what,
                argument=where,
                analytic=analytic,
                reference=number,
                reference_error=error,
                ulps=float(difference / ulp),
                explained=float(explained / ulp),
                method=self.done.method,
                step=step,
                chain=chain or (),
                culprit=culprit,
                kinks=self.done.kinks,
                notes=(*self.done.notes, *notes),
                program=program or self._program(),
            )
        )

    def _program(self) -> str:
        """Return one line that checks the same numbers: the function as recorded, if short."""
        subject = self.subject
        imports = ["import autograd as ag", "from autograd.testing import check_gradients"]
        if self.replay is not None and isinstance(self.out, Value) and subject.run is not None:
            e = Expression.of(self.out, subject.run.inputs)
            if len(e) <= _LONG:
                arguments = [repr(e), *map(repr, subject.point)]
                if self.gradient is not None:
                    entries = self._claimed[0] if len(self._claimed) == 1 else tuple(self._claimed)
                    arguments.append(f"gradient=lambda *_: {entries!r}")
                return f"{'; '.join(imports)}; check_gradients({', '.join(arguments)})"
        names = []
        for f in (subject.f, self.gradient):
            name = getattr(f, "__qualname__", "")
            home = getattr(f, "__module__", "")
            if name and "<" not in name and home not in ("", "__main__"):
                imports.append(f"from {home} import {name}")
            names.append(name.split(".")[-1] or repr(f))
        if any(is_array(x) for x in subject.args):
            imports.append("from numpy import array")
        arguments = [names[0], *map(repr, subject.args)]
        if self.gradient is not None:
            arguments.append(f"gradient={names[1]}")
        return f"{'; '.join(imports)}; check_gradients({', '.join(arguments)})"


def _units(n: int) -> list[list[float]]:
    return [[float(i == j) for j in range(n)] for i in range(n)]


def _agree(m: Any, analytic: float, reference: Mpf, slack: Mpf) -> bool:
    if math.isinf(analytic):  # too large for a float, once rounded
        beyond = m.fabs(reference) + slack >= sys.float_info.max
        return bool(beyond and (analytic > 0) == (reference > 0))
    return bool(m.fabs(m.mpf(analytic) - reference) <= slack)  # nan agrees with nothing


# -------------------------------------------------------------------- operations one by one


def _name(step: Step) -> str:
    prim = step.node._prim
    assert prim is not None
    args = ", ".join(repr(float(x)) for x in step.args)
    return f"{prim.name}({args}) (operation {step.number})"


def wrong_value(m: Any, step: Step, rtol: float) -> str | None:
    """Return what is wrong with an operation's value, "" if nothing, None if that is unknown."""
    found = step.local
    value = step.node._data
    if not found.errors or found.kink == 0 or not m.isfinite(found.value):
        return None
    slack = m.fabs(found.value) * rtol + found.errors[0][0] + math.ulp(0.0)
    for at, i in enumerate(step.active):
        slope = m.fabs(found.first[at])
        slack += slope * m.fabs(step.args[i]) * rtol if slope == slope else m.inf
    slack += math.ulp(0.0) * sum(m.fabs(x) for x in step.args)
    if not m.isfinite(slack):
        return None
    if _agree(m, value, found.value, slack):
        return ""
    prim = step.node._prim
    assert prim is not None
    for i, x in enumerate(step.args):  # those that carry no derivative have no slope yet
        if i not in step.active:
            moved = [*step.args[:i], x * (1 + rtol), *step.args[i + 1 :]]
            there = evaluate(m, prim, moved)
            slack += m.fabs(there - found.value) if there == there else 0
    if _agree(m, value, found.value, slack):
        return ""
    return f"{_name(step)} is {value!r}, its definition gives {m.nstr(found.value, 17)}"


def wrong_partial(m: Any, step: Step, order: int, rtol: float) -> str:
    """Return what is wrong with an operation's partials up to `order`, "" if nothing."""
    found = step.local
    if not found.errors:
        return ""
    operands = operands_of(step.node)
    tiny = math.ulp(0.0) * sum((m.fabs(x) for x in step.args), m.mpf(1))
    for at, i in enumerate(step.active):
        p = found.first[at]
        slack = m.fabs(p) * rtol + found.radius[at] + found.errors[1][at] + tiny
        for other, j in enumerate(step.active):
            rate = m.fabs(found.second[at][other])
            if rate == rate:
                slack += rate * m.fabs(step.args[j]) * rtol
        if p == p and not _agree(m, operands[i][1], p, slack):
            return (
                f"{_name(step)}: partial {i + 1} is {operands[i][1]!r}, "
                f"its definition gives {m.nstr(p, 17)}"
            )
    if order < 2:
        return ""
    prim = step.node._prim
    assert prim is not None
    run = _Recording(
        "check",
        _applied(prim, step),
        tuple(range(len(step.active))),
        tuple(float(step.args[i]) for i in step.active),
        {},
    )
    first = run.reverse([run.out], [1.0], True)
    for at, g in enumerate(first):
        row = run.reverse([g], [1.0], False) if isinstance(g, Node) else [0.0] * len(first)
        for other, entry in enumerate(row):
            p = found.second[at][other]
            slack = (m.fabs(p) + m.fabs(found.first[at]) + m.fabs(found.first[other])) * rtol
            slack += found.errors[2][at] + found.errors[2][other] + tiny
            for third, j in enumerate(step.active):
                rate = m.fabs(found.third[at][other][third])
                slack += rate * m.fabs(step.args[j]) * rtol if rate == rate else 0
            if p == p and not _agree(m, entry, p, slack):
                return (
                    f"{_name(step)}: second partial {step.active[at] + 1}, "
                    f"{step.active[other] + 1} is {entry!r}, its definition gives "
                    f"{m.nstr(p, 17)}"
                )
    return ""


def _applied(prim: Any, step: Step) -> Callable[..., Any]:
    """Return the operation of `step` as a function of its active arguments."""

    def operation(*values: Any) -> Any:
        args: list[Any] = [float(x) for x in step.args]
        for i, x in zip(step.active, values, strict=True):
            args[i] = x
        return prim(*args)

    return operation


def _program_of(step: Step) -> str:
    prim = step.node._prim
    assert prim is not None
    operands: list[int | float] = [float(x) for x in step.args]
    active = step.active or list(range(len(operands)))
    for at, i in enumerate(active):
        operands[i] = at
    names = tuple(f"x{i + 1}" for i in range(len(active)))
    e = Expression(names, ((prim, tuple(operands)),))
    point = ", ".join(repr(float(step.args[i])) for i in active)
    return (
        "import autograd as ag; from autograd.testing import check_gradients; "
        f"check_gradients({e!r}, {point})"
    )


def _chain(replay: Replay, wanted: set[int]) -> list[str]:
    """Return the operations that depend on the inputs `wanted`, as text; the middle left out."""
    m = replay.m
    lines = []
    for step in replay.steps:
        node = step.node
        if any(replay.jets[id(node)].first[i] is not None for i in wanted):
            numbers = operands_of(node)
            partials = ", ".join(
                f"{numbers[i][1]!r} ({m.nstr(step.local.first[at], 17)})"
                for at, i in enumerate(step.active)
            )
            lines.append(f"{_name(step)} = {node._data!r}, partials (reference): {partials}")
    if len(lines) > 12:
        lines = [*lines[:6], f"... {len(lines) - 12} more ...", *lines[-6:]]
    return lines


def _kinks(replay: Replay) -> list[tuple[str, float]]:
    """Return the kinks nearer than a thousandth (of the operands, beyond 1), nearest first."""
    found = []
    for step in replay.steps:
        far: Local = step.local
        if far.kink is not None and step.active:
            size = max([1.0, *(abs(float(x)) for x in step.args)])
            if far.kink <= 1e-3 * size:
                found.append((_name(step), float(far.kink)))
    return sorted(found, key=lambda kink: kink[1])[:5]
