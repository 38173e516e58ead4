"""check_gradients: are these derivatives right?

One call, from the function to what was found; each part is a module of its own. Knows no test
framework.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from .._value import Value
from ._claims import Mode, first, second, theirs
from ._failure import Failure
from ._kinks import kinks_of, on_another_branch
from ._operations import name_of, program_of, wrong_value
from ._reference import Replay, context
from ._report import Checked
from ._subject import Subject
from ._verdict import RTOL, Judge

_DIFFERENCES_SAFETY: Final = 8.0


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
    subject = Subject(f, args)
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

    def run(self) -> None:
        """Check everything; the counts are in `done`."""
        subject = self.subject
        claimed = None if self.gradient is None else theirs(subject, self.gradient)
        self.failure.claimed = claimed or []
        by_definition = subject.run is not None and subject.reads == 0
        replay: Replay | None = None
        if by_definition and isinstance(self.out, Value):
            assert subject.run is not None
            replay = Replay(self.out, subject.run.inputs, self.order, self.rtol)
            by_definition = all(
                step.node._prim is None or step.node._prim.exact is not None
                for step in replay.steps
            )
        if not by_definition:
            self.done.method = "extrapolated differences of the function (Ridders)"
            self.done.notes = (self._why_differences(),)
            self._by_differences(claimed)
            return
        self.done.method = "the operations' definitions in multi-precision arithmetic"
        self.judge.replay = self.failure.replay = replay
        if replay is not None:
            self.done.kinks = tuple(kinks_of(replay))
            self._values(replay)
        self._ours(replay)
        if claimed is not None:
            self._theirs_by_definition(replay, claimed)

    def _why_differences(self) -> str:
        subject = self.subject
        if subject.run is None:
            return f"it does not run on Values ({type(subject.refused).__name__})"
        if subject.reads:
            return "it takes numbers out of the graph with .data, which derivatives do not follow"
        return "an operation has no mathematical definition (exact=)"

    def _ours(self, replay: Replay | None) -> None:
        run = self.subject.run
        assert run is not None
        jet = None if replay is None else replay.jet
        paths = self.subject.paths
        for mode, entries in first(run, self.out, self.modes).items():
            for i, analytic in enumerate(entries):
                reference, slack = (
                    (None, None) if jet is None else (jet.first[i], jet.slack_first[i])
                )
                if not self.judge.right(analytic, reference, slack):
                    self.failure.derivative(
                        f"first derivative ({mode})", paths[i], analytic, i, None
                    )
        if self.order < 2:
            return
        for mode, rows in second(run, self.out, self.modes).items():
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
                        if not self.judge.right(analytic, reference, slack):
                            where = f"{paths[k]} and {paths[i]}" if i != k else f"{paths[i]} twice"
                            self.failure.derivative(
                                f"second derivative ({mode})", where, analytic, i, k
                            )

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
                self.failure.report(
                    f"value of {name_of(step)}",
                    "its operands",
                    value,
                    step.local.value,
                    replay.m.mpf(0),
                    culprit=text,
                    program=program_of(step),
                )

    def _theirs_by_definition(self, replay: Replay | None, claimed: list[float]) -> None:
        n = len(claimed)
        if replay is None:
            firsts: list[Any] = [None] * n
            slacks: list[Any] = [None] * n
        else:
            assert isinstance(self.out, Value)
            assert self.subject.run is not None
            inputs = self.subject.run.inputs
            exact = Replay(self.out, inputs, 1, self.rtol, exact=True)
            firsts, slacks = exact.jet.first, exact.jet.slack_first
        for i, analytic in enumerate(claimed):
            if self.judge.right(analytic, firsts[i], slacks[i]):
                continue
            if self.subject.ties and self._on_another_branch(i, analytic):
                continue
            name = getattr(self.gradient, "__name__", "gradient")
            self.failure.derivative(
                f"derivative from {name}", self.subject.paths[i], analytic, i, None, True
            )

    def _on_another_branch(self, i: int, analytic: float) -> bool:
        run = self.subject.run
        assert run is not None
        taken = first(run, self.out, self.modes)[self.modes[0]][i]
        return on_another_branch(self.subject, i, analytic, taken, self.rtol)

    def _by_differences(self, claimed: list[float] | None) -> None:
        run = self.subject.run
        found = self.subject.differences()
        entries: list[tuple[str, list[float]]] = []
        if run is not None:
            entries += [
                (f"first derivative ({mode})", x)
                for mode, x in first(run, self.out, self.modes).items()
            ]
        if claimed is not None:
            name = getattr(self.gradient, "__name__", "gradient")
            entries.append((f"derivative from {name}", claimed))
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
                self.failure.report(
                    what,
                    self.subject.paths[i],
                    analytic,
                    m.mpf(reference.value),
                    m.mpf(slack),
                    error=reference.error,
                    step=reference.step,
                    chain=() if self.out is None else None,
                )
