"""check_gradients: are these derivatives right?

One call, from the function to what was found; each part is a module of its own. Knows no test
framework.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from .._primitive import Node
from .._value import Value
from ._agreement import disagreement, refuse_chance
from ._claims import Mode, name_of_gradient, ours, theirs
from ._failure import Failure
from ._kinks import kinks_of
from ._operations import name_of, program_of, wrong_value
from ._reference import context
from ._replay import Ball, Replay
from ._report import Checked, GradientMismatch
from ._subject import Subject
from ._ties import Sides, Ties
from ._verdict import RTOL, Judge

_DIFFERENCES_SAFETY: Final = 8.0
_SINGLE_POINT: Final = (
    "this is the derivative of a branch taken on a single point: beside it, on both sides, the "
    "function takes another one, whose derivative is the reference"
)
_OTHER_ON_FLOATS: Final = (
    "on plain floats the function is another one than on Values: it asks for types, or looks "
    "numbers up in a dict or set, where a Value is found by identity only"
)


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: Sequence[Mode] = ("reverse", "forward"),
    gradient: Callable[..., Any] | None = None,
    rtol: float = RTOL,
    atol: float = 0.0,
    exact: bool = False,
) -> Checked:
    """Return what was checked, if the derivatives of `f` at `args` are right.

    `f` takes floats, or nested structures and arrays of them, and returns a scalar; it is called
    several times, and must do the same each time. Derivatives are computed up to `order`, in each
    of `modes` over each, and held against a reference: `f` is recorded, and every operation
    differentiated from its mathematical definition in multi-precision arithmetic. Where that is not
    possible (`f` does not run on `Value`s, takes numbers out of the graph, or uses an operation
    without `exact`), the reference are extrapolated differences of `f`, for first derivatives only,
    and the result says so (`Checked.exact`); with `exact`, that is an error.

    With `gradient`, a function of the same arguments that returns one entry per argument as
    `grad` would, that function is checked too.

    On a kink any value between the one-sided derivatives is right. Where numbers that were
    compared are equal, the function is differentiated beside the point too: if both sides agree,
    theirs is the right derivative, and if they differ, nobody can tell. `rtol` is
    relative to the sum of magnitudes that a derivative is composed of, so that correct derivatives
    pass however much they cancel; the default is 256 ulps. `atol` is added.

    Raises:
        GradientMismatch: one is wrong.
        TypeError: no argument holds a float; a number is of less than a float's precision; `f`
            does not run on `Value`s and there is no `gradient`; `gradient` does not return one
            entry per argument; there is no exact reference, and `exact` asked for one.
        ValueError: `order` or `modes` out of range; `f` or `gradient` is not deterministic.
    """
    __tracebackhide__ = True
    if order not in (1, 2, 3):
        raise ValueError(f"check_gradients: order must be 1, 2 or 3, not {order!r}")
    if not modes or any(mode not in ("reverse", "forward") for mode in modes):
        raise ValueError(f"check_gradients: modes must be of 'reverse', 'forward', not {modes!r}")
    subject = Subject(f, args)
    if subject.run is None and gradient is None:
        raise TypeError(
            f"check_gradients: {subject.name} does not run on Values "
            f"({type(subject.refused).__name__}: {subject.refused}); write it with autograd's "
            "functions, or give gradient= to have a gradient function checked"
        ) from subject.refused
    check = _Check(subject, order, modes, gradient, rtol, atol)
    try:
        check.run(exact)
    except GradientMismatch as found:
        mismatch = found
    else:
        return check.done
    raise mismatch.with_traceback(None)  # where in here it was found is nobody's concern


class _Check:
    """One call of check_gradients."""

    def __init__(
        self,
        subject: Subject,
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
        run = subject.run
        self.out = None if run is None else run.scalar(run.out)
        self.judge = Judge(None, atol, self.done)
        self.failure = Failure(subject, self.out, gradient, rtol, self.done)

    def run(self, exact: bool) -> None:
        """Check everything; the counts are in `done`."""
        __tracebackhide__ = True
        subject, done = self.subject, self.done
        claimed = None if self.gradient is None else theirs(subject, self.gradient)
        refuse_chance(subject, self.gradient, claimed or [])
        self.failure.claimed = claimed or []
        done.notes = (subject.held,) if subject.held else ()
        done.ties = subject.ties
        replay: Replay | None = None
        if isinstance(self.out, Value) and subject.reads == 0:
            assert subject.run is not None
            replay = Replay(self.out, subject.run.inputs, self.order, self.rtol)
        why = self._why_differences(replay)
        if why and exact:
            raise TypeError(
                f"check_gradients: there is no exact reference for {subject.name}, since {why}; "
                "without exact=True it is held against differences"
            )
        done.exact = not why
        if why:
            done.method = "extrapolated differences of the function (Ridders)"
            done.notes = (why, *done.notes)
            done.kinks = kinks_of(subject, None)
            self._by_differences(claimed)
            return
        done.method = "the operations' definitions in multi-precision arithmetic"
        done.kinks = kinks_of(subject, replay)
        self.judge.replay = self.failure.replay = replay
        if replay is not None:
            self._values(replay)
        self._on_floats(replay)
        ties = None
        if subject.ties:
            ties = Ties(subject, replay, _number(self.out), self.rtol)
        self._ours(replay, ties)
        if claimed is not None:
            self._theirs(replay, ties, claimed)

    def _why_differences(self, replay: Replay | None) -> str:
        """Return why there is no exact reference, "" if there is one."""
        subject = self.subject
        if subject.run is None:
            return f"it does not run on Values ({type(subject.refused).__name__})"
        if subject.reads:
            return "it takes numbers out of the graph with .data, which derivatives do not follow"
        steps = () if replay is None else replay.steps
        for step in steps:
            prim = step.node._prim
            if prim is not None and prim.exact is None:
                return f"the operation {prim.name} has no mathematical definition (exact=)"
        return ""

    # ---------------------------------------------------------------- by definition

    def _values(self, replay: Replay) -> None:
        """Hold the value of every operation against its definition."""
        for step in replay.steps:
            text = wrong_value(replay.m, step, self.rtol)
            if text is None:
                self.done.undecide(step.local.why or "rounding")
            elif not text:
                self.done.right += 1
            else:
                self.failure.report(
                    f"value of {name_of(step)}",
                    "its operands",
                    step.node._data,
                    step.local.value,
                    replay.m.mpf(0),
                    culprit=text,
                    program=program_of(step),
                )

    def _on_floats(self, replay: Replay | None) -> None:
        """Hold the recorded value against that of the function on plain floats."""
        subject = self.subject
        value = _number(self.out)
        try:
            plain = subject.at(subject.point)
        except Exception:
            return  # it needs Values, or its arithmetic raises where ours gives infinities
        if plain == value or not (math.isfinite(plain) and math.isfinite(value)):
            return
        m = context()
        slack = m.mpf(self.atol)
        if replay is not None:
            assert subject.run is not None
            assert isinstance(self.out, Value)
            slack += Replay(self.out, subject.run.inputs, 1, self.rtol, exact=True).jet.error * 8
        if m.fabs(m.mpf(plain) - value) <= slack:
            return
        self.failure.report(
            "value",
            "its arguments",
            value,
            m.mpf(plain),
            slack,
            notes=(_OTHER_ON_FLOATS,),
        )

    def _ours(self, replay: Replay | None, ties: Ties | None) -> None:
        run = self.subject.run
        assert run is not None
        jet = None if replay is None else replay.jet
        firsts: dict[str, list[float]] = {}
        for claim in ours(run, self.out, self.order, self.modes):
            reference = None if jet is None else jet.by(claim.by)
            if len(claim.by) == 1:
                firsts.setdefault(claim.what, []).append(claim.number)
            if ties is not None and self._tied(ties, claim.what, claim.by, claim.number, reference):
                continue
            if not self.judge.right(claim.number, reference, len(claim.by)):
                self.failure.derivative(claim.what, claim.by, claim.number)
        if self.done.undecided:
            self._against_each_other(list(firsts.values()))

    def _tied(
        self,
        ties: Ties,
        what: str,
        by: tuple[int, ...],
        number: float,
        reference: Ball | None,
    ) -> bool:
        """Judge one of our derivatives at a tie; say whether that is all there is to say.

        What is no derivative of the branch taken is wrong whatever the sides are.
        """
        found = [ties.sides(i) for i in sorted(set(by))]
        kinds = {kind for kind, _, _ in found}
        if self.judge.verdict(number, reference, len(by)) is None:
            return False
        if len(by) == 1 and Sides.POINT in kinds:
            self._single_point(what, by, number, found[0][1], found[0][2])
        if len(by) > 1 and kinds == {Sides.SAME}:
            m = context()
            same = len(by) == 2 and ties.same(by[0], by[1], reference or (m.mpf(0),) * 3)
            if same or all(ties.pairs[i] is None for i in by):
                return False
        elif kinds == {Sides.SAME}:
            return False
        self.done.undecide("jump" if Sides.JUMP in kinds else "tie")
        return True

    def _single_point(
        self, what: str, by: tuple[int, ...], number: float, reference: Any, slack: Any
    ) -> None:
        where = self.failure.where(by)
        self.failure.report(what, where, number, reference, slack, notes=(_SINGLE_POINT,))

    def _against_each_other(self, firsts: list[list[float]]) -> None:
        """Hold forward mode against reverse, where there is no better reference."""
        if len(firsts) < 2:
            return
        run = self.subject.run
        assert run is not None
        found = disagreement(run, self.out, firsts[0], firsts[1], self.rtol)
        if found is not None:
            i, slack = found
            m = context()
            self.failure.report(
                f"first derivative ({self.modes[0]} against {self.modes[1]})",
                self.subject.paths[i],
                firsts[0][i],
                m.mpf(firsts[1][i]),
                m.mpf(slack),
                notes=("the reference is that of the other mode: the two disagree",),
            )

    def _theirs(self, replay: Replay | None, ties: Ties | None, claimed: list[float]) -> None:
        jet = None
        if replay is not None:
            assert self.subject.run is not None
            assert isinstance(self.out, Value)
            jet = Replay(self.out, self.subject.run.inputs, 1, self.rtol, exact=True).jet
        assert self.gradient is not None
        what = f"derivative from {name_of_gradient(self.gradient)}"
        for i, number in enumerate(claimed):
            reference = None if jet is None else jet.by((i,))
            kind, other, slack = (Sides.SAME, 0, 0) if ties is None else ties.sides(i)
            if kind is Sides.POINT:
                if not self.judge.right(number, (other, other, slack)):
                    self._single_point(what, (i,), number, other, slack)
                continue
            wrong = self.judge.verdict(number, reference) is None
            if ties is not None and (wrong or kind is not Sides.SAME):
                low, high = ties.range(i)
                if low - self.atol <= number <= high + self.atol:
                    self.done.undecide("jump" if kind is Sides.JUMP else "tie")
                    continue
            if not self.judge.right(number, reference):
                self.failure.derivative(what, (i,), number, theirs=True)

    # ---------------------------------------------------------------- by differences

    def _by_differences(self, claimed: list[float] | None) -> None:
        run = self.subject.run
        found = self.subject.differences()
        entries: dict[str, list[float]] = {}
        if run is not None:
            for claim in ours(run, self.out, 1, self.modes):
                entries.setdefault(claim.what, []).append(claim.number)
            self._against_each_other(list(entries.values()))
        if claimed is not None:
            assert self.gradient is not None
            entries[f"derivative from {name_of_gradient(self.gradient)}"] = claimed
        m = context()
        for what, numbers in entries.items():
            for i, (analytic, reference) in enumerate(zip(numbers, found, strict=True)):
                if not math.isfinite(reference.value):
                    self.done.undecide("differences")
                    continue
                slack = reference.error * (1.0 if reference.kink else _DIFFERENCES_SAFETY)
                slack += self.rtol * abs(reference.value) + self.atol
                if abs(analytic - reference.value) <= slack:
                    self.done.right += 1
                    unseen = slack / abs(reference.value) if reference.value else slack
                    self.done.unseen = max(self.done.unseen, unseen)
                    continue
                self.failure.report(
                    what,
                    self.subject.paths[i],
                    analytic,
                    m.mpf(reference.value),
                    m.mpf(slack),
                    error=reference.error,
                    step=reference.step,
                )


def _number(x: Any) -> float:
    return float(x._data if isinstance(x, Node) else x)
