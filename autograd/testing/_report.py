"""What a check found, for people and for programs: `Checked`, or a `GradientMismatch`.

Data and its words. Knows nothing of how anything was found: no graph, no reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# Why a number could not be judged, in the words of a report.
REASONS: Final = {
    "tie": "at comparisons of equal numbers, whose sides differ",
    "kink": "where a derivative jumps and its sides have no limits",
    "jump": "where the function, or an operation in it, jumps",
    "infinite": "at infinities, and where a derivative is infinite",
    "pole": "where an operation's definition has no derivative that could be computed",
    "range": "beyond the range of a float on the way",
    "rounding": "where rounding explains anything",
    "differences": "where differences of the function do not converge",
}


@dataclass(frozen=True)
class Mismatch:
    """What is wrong, in a form that a program can use; `str` is for people.

    Attributes:
        function: its name.
        what: "value", "first derivative" to "third derivative", and how it was computed.
        argument: where in the arguments, as Python would write it; several for higher derivatives.
        analytic: the number under test.
        reference: what it should be.
        reference_error: how far the reference itself may be off.
        ulps: the difference, in units in the last place of the reference.
        explained: how many ulps rounding explains.
        method: how the reference was found.
        step: the step of the differences; relative, for the definitions.
        chain: the operations between argument and result, one line each.
        culprit: the first operation that disagrees with its definition, "" if none does.
        kinks: nearby kinks, each as (operation or comparison, distance).
        ties: comparisons of equal numbers, each as (comparison, line).
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
    ties: tuple[tuple[str, str], ...] = ()
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
        if self.ties:
            lines.append("  comparisons of equal numbers:")
            lines += [f"    {text}  {line}" for text, line in self.ties]
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
    """How many numbers were found right, and how many could not be decided; `str` says it all.

    Attributes:
        right: numbers that agree with the reference: values of operations, and derivatives in every
            mode and order.
        undecided_by: how many numbers could not be judged, by reason; the reasons are "tie",
            "kink", "jump", "infinite", "pole", "range", "rounding" and "differences".
        method: how the reference was found.
        exact: whether that was by definitions, so that rounding is all that may have gone unseen.
        unseen: otherwise, the largest error that might have gone unseen, relative.
        kinks: kinks nearby, each as (operation or comparison, distance), nearest first.
        ties: comparisons of equal numbers, each as (comparison, line).
        notes: what else there is to know.
    """

    right: int = 0
    undecided_by: dict[str, int] = field(default_factory=dict)
    method: str = ""
    exact: bool = True
    unseen: float = 0.0
    kinks: tuple[tuple[str, float], ...] = ()
    ties: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def undecided(self) -> int:
        """How many numbers could not be judged."""
        return sum(self.undecided_by.values())

    def undecide(self, reason: str, count: int = 1) -> None:
        """Count numbers that could not be judged."""
        self.undecided_by[reason] = self.undecided_by.get(reason, 0) + count

    def add(self, other: Checked) -> None:
        """Add what another check of the same thing has found."""
        self.right += other.right
        for reason, count in other.undecided_by.items():
            self.undecide(reason, count)
        self.method = other.method
        self.exact = self.exact and other.exact
        self.unseen = max(self.unseen, other.unseen)

    def __str__(self) -> str:
        lines = [f"{self.right} numbers right, {self.undecided} undecided, by {self.method}"]
        if not self.exact:
            lines.append(
                "  approximate: first derivatives only, and an error of "
                f"{self.unseen:.1g} of a derivative would have gone unseen"
            )
        lines += [f"  undecided: {n} {REASONS[why]}" for why, n in self.undecided_by.items()]
        lines += [f"  kink nearby: {name} at a distance of {far:.3g}" for name, far in self.kinks]
        lines += [f"  equal numbers were compared: {text}  {line}" for text, line in self.ties]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])
