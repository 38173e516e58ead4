"""What a lint has to say: findings, and the report that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, overload

KINDS: Final = {
    "no-curvature": "a second derivative that is zero on both sides of a kink",
    "jump": "a step whose derivative is dropped",
    "jump-under-mean": "a branch or jump that moves with a parameter, under a mean",
    "where-not-finite": "a branch of `where` that is not chosen and not finite",
    "unreached": "an input that no path reaches",
    "on-boundary": "a branch taken exactly on its boundary",
    "unseen-weight": "a number that enters the result and that no derivative sees",
    "unrepeatable": "a function that does not return the same twice",
}


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes:
        kind: one of `KINDS`, for programs.
        where: "file:line", "" if unknown.
        what: what is wrong, with the numbers that show it.
        way_out: what to do about it.
    """

    kind: str
    where: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where or '?'}: [{self.kind}] {self.what}; {self.way_out}"


class Findings(Sequence[Finding]):
    """What `lint` found, in the order of the rules; empty if there is nothing to say."""

    def __init__(self, found: Sequence[Finding]) -> None:
        self._found = tuple(found)

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        return self._found[at]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<{len(self)} findings: {', '.join(sorted({x.kind for x in self})) or 'none'}>"

    def __str__(self) -> str:
        return "\n".join(map(str, self._found)) or "nothing found"
