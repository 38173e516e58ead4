"""Which of the two builds is running: compiled by mypyc, or pure Python."""

import sys
import warnings
from pathlib import Path
from typing import Any

from . import _value


def build_info() -> dict[str, Any]:
    """Return which build of the engine is imported.

    Keys: `build` ("compiled" or "pure"), `file` (where `_value` was loaded from), `python`, and
    `stale` (whether a compiled module lies beside a newer source, so that edits have no effect).
    """
    file = Path(_value.__file__)
    return {
        "build": "pure" if file.suffix == ".py" else "compiled",
        "file": str(file),
        "python": sys.version.split()[0],
        "stale": bool(_stale(file)),
    }


def _stale(file: Path) -> list[str]:
    """Return the compiled modules beside `file` that are older than their source."""
    if file.suffix == ".py" or "site-packages" in file.parts:  # installers set their own times
        return []
    modules = {path.name.partition(".")[0]: path for path in file.parent.glob("_*" + file.suffix)}
    return sorted(
        name
        for name, path in modules.items()
        if (source := path.with_name(f"{name}.py")).exists()
        and source.stat().st_mtime > path.stat().st_mtime
    )


def warn_if_stale() -> None:
    """Warn when the imported compiled modules are older than the source beside them."""
    if stale := _stale(Path(_value.__file__)):
        warnings.warn(
            f"autograd: compiled modules older than their source: {', '.join(stale)}; "
            "build again (pip install -e .) or delete the extension files",
            RuntimeWarning,
            stacklevel=3,
        )
