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
    """Return the sources beside `file` that are newer than what was compiled from them."""
    if file.suffix == ".py" or "site-packages" in file.parts:  # installers set their own times
        return []
    # The modules' own extension files are shims around one library beside the package.
    libraries = file.parent.parent.glob(f"*__mypyc*{file.suffix}")
    built = max((path.stat().st_mtime for path in libraries), default=0.0)
    return sorted(
        source.name
        for shim in file.parent.glob(f"_*{file.suffix}")
        if (source := shim.with_name(shim.name.partition(".")[0] + ".py")).exists()
        and source.stat().st_mtime > built
    )


def warn_if_stale() -> None:
    """Warn when the imported compiled modules are older than the sources beside them."""
    if stale := _stale(Path(_value.__file__)):
        warnings.warn(
            f"autograd: sources newer than what was compiled from them: {', '.join(stale)}; "
            "build again (pip install -e .) or delete the extension files",
            RuntimeWarning,
            stacklevel=3,
        )
