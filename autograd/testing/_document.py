"""What a check found as a JSON document; the schema is in docs/checking.md.

Knows reports; knows nothing of how they were found, nor of files and terminals.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from ._report import Mismatch


def json_number(x: float) -> float | str:
    """Return a number as JSON has it; what is not finite as "inf", "-inf" or "nan"."""
    return x if math.isfinite(x) else str(x)


def plain(x: Any) -> Any:
    """Return `x` with lists for sequences, and strings for numbers that are not finite."""
    if isinstance(x, float):
        return json_number(float(x))
    if isinstance(x, dict):
        return {str(key): plain(entry) for key, entry in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(entry) for entry in x]
    return x


def mismatch_document(found: Mismatch) -> dict[str, Any]:
    """Return the fields of a mismatch; kinks and ties are objects."""
    fields = {f.name: plain(getattr(found, f.name)) for f in dataclasses.fields(found)}
    fields["kinks"] = kinks_document(found.kinks)
    fields["ties"] = ties_document(found.ties)
    return fields


def ties_document(ties: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    """Return comparisons of equal numbers as objects."""
    return [{"comparison": text, "line": line} for text, line in ties]


def kinks_document(kinks: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
    """Return kinks as objects."""
    return [{"operation": name, "distance": json_number(far)} for name, far in kinks]
