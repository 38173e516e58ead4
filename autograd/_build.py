"""Which of the two builds is running: compiled by mypyc, or pure Python."""

import os
import sys
import warnings
from typing import Any

from . import _value


def build_info() -> dict[str, Any]:
    """Return which build of the engine is imported.

    Keys: `build` ("compiled" or "pure"), `file` (where `_value` was loaded from), `python`, and
    `stale` (whether the sources beside a compiled engine are newer, so that edits have no effect).
    """
    return {
        "build": "pure" if _value.__file__.endswith(".py") else "compiled",
        "file": _value.__file__,
        "python": sys.version.split()[0],
        "stale": bool(_stale(_value.__file__)),
    }


def _stale(file: str) -> list[str]:
    """Return the sources beside `file` that are newer than what was compiled from them."""
    folder = os.path.dirname(file)
    if file.endswith(".py") or "site-packages" in folder:  # installers set their own times
        return []
    # The modules' own extension files are shims around one library beside the package.
    above = os.path.dirname(folder)
    libraries = [os.path.join(above, n) for n in os.listdir(above) if "__mypyc." in n]
    built = max((os.path.getmtime(path) for path in libraries), default=0.0)
    names = {n.partition(".")[0] + ".py" for n in os.listdir(folder) if not n.endswith(".py")}
    sources = [os.path.join(folder, name) for name in sorted(names)]
    return [s for s in sources if os.path.exists(s) and os.path.getmtime(s) > built]


def warn_if_stale() -> None:
    """Warn when the imported compiled engine is older than the sources beside it."""
    if stale := _stale(_value.__file__):
        warnings.warn(
            f"autograd: sources newer than what was compiled from them: {', '.join(stale)}; "
            "build again (pip install -e .) or delete the extension files",
            RuntimeWarning,
            stacklevel=3,
        )
