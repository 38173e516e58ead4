"""What a check found, for people and for programs: `Checked`, or a `GradientMismatch`.

Data and its words. Knows nothing of how anything was found: no graph, no reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field


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
