"""The report of a number that is wrong: where, by how much, and whose fault it is.

Knows the reference and the function under test; the verdict has been passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from .._structure import is_array
from .._value import Value
from ._expression import Expression
from ._operations import chain_of, program_of, wrong_partial
from ._reference import STEP_DIGITS, Mpf, context
from ._replay import Replay
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
        self, what: str, by: tuple[int, ...], analytic: float, theirs: bool = False
    ) -> NoReturn:
        """Raise the mismatch of the derivative by the inputs `by`.

        Raises:
            GradientMismatch: always.
        """
        m = context()
        replay = self.replay
        where = self.where(by)
        if replay is None:  # the result does not depend on the arguments
            self.report(what, where, analytic, m.mpf(0), m.mpf(0))
        assert isinstance(self.out, Value)
        assert self.subject.run is not None
        inputs = self.subject.run.inputs
        order = len(by)
        nothing = (m.mpf(0),) * 3
        true = Replay(self.out, inputs, order, self.rtol, exact=True).jet.by(by) or nothing
        recorded = replay.jet.by(by) or nothing
        source = true if m.isfinite(true[0]) else recorded
        explained = true[2] if theirs else recorded[2] + m.fabs(source[0] - recorded[0])
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
            source[0],
            explained,
            error=float(source[1] * len(replay.steps) * _REFERENCE_ERROR),
            chain=tuple(chain_of(replay, set(by))),
            culprit=culprit,
            program=program,
            notes=()
            if culprit or theirs
            else ("every operation agrees with its definition: their combination does not",),
        )

    def where(self, by: tuple[int, ...]) -> str:
        """Return the arguments that a derivative is by, as text."""
        paths = self.subject.paths
        times = ("", "", " twice", " three times")
        found = [f"{paths[i]}{times[by.count(i)]}" for i in sorted(set(by))]
        return " and ".join(found) if len(found) < 3 else f"{found[0]}, {found[1]} and {found[2]}"

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
        chain: tuple[str, ...] = (),
        culprit: str = "",
        program: str = "",
        notes: tuple[str, ...] = (),
    ) -> NoReturn:
        """Raise a mismatch.

        Raises:
            GradientMismatch: always.
        """
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
                chain=chain,
                culprit=culprit,
                kinks=self.done.kinks,
                ties=self.done.ties,
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
