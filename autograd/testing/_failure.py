"""The report of a number that is wrong: where, by how much, and whose fault it is.

Knows the reference and the function under test; the verdict has been passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .._structure import is_array
from .._value import Value
from ._expression import Expression
from ._operations import chain_of, program_of, wrong_partial
from ._reference import STEP_DIGITS, Mpf, Replay, context
from ._report import Checked, GradientMismatch, Mismatch
from ._subject import Subject

_REFERENCE_ERROR: Final = 1e-18  # of one operation's derivatives, relative
_LONG: Final = 40  # operations; longer programs are not printed


@dataclass
class Failure:
    """What a report of one call is made of."""

    subject: Subject
    out: Any
    gradient: Callable[..., Any] | None
    rtol: float
    done: Checked
    claimed: list[float] = field(default_factory=list)
    replay: Replay | None = None

    def derivative(
        self, what: str, where: str, analytic: float, i: int, k: int | None, theirs: bool = False
    ) -> None:
        """Raise the mismatch of the derivative by number `i` (and `k`)."""
        m = context()
        replay = self.replay
        if replay is None:  # the result does not depend on the arguments
            self.report(what, where, analytic, m.mpf(0), m.mpf(0))
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
                    program = program_of(step)
                    break
        self.report(
            what,
            where,
            analytic,
            reference,
            explained,
            error=float(pick(source, "size_") * len(replay.steps) * _REFERENCE_ERROR),
            chain=tuple(chain_of(replay, {i} if k is None else {i, k})),
            culprit=culprit,
            program=program,
            notes=()
            if culprit or theirs
            else ("every operation agrees with its definition: their combination does not",),
        )

    def report(
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
                    entries = self.claimed[0] if len(self.claimed) == 1 else tuple(self.claimed)
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
