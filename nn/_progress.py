"""A bar that shows how far a training is, where somebody watches: in terminals and notebooks.

Drawn by tqdm, if that is installed. Knows nothing of what is trained.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ._history import History


@contextmanager
def progress(done: int, epochs: int, verbose: bool | int) -> Iterator[Callable[[History], None]]:
    """Yield what to call after every epoch; the bar appears after a second."""
    bar = _bar(done, epochs) if verbose and _is_watched() else None

    def report(history: History) -> None:
        if bar is not None:
            bar.set_postfix({name: f"{x:.4g}" for name, x in history.last().items()}, refresh=False)
            bar.update()

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


def _is_watched() -> bool:
    """Say whether standard error goes to a terminal or a notebook, rather than to a file."""
    if sys.stderr is None:
        return False
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return sys.stderr.isatty() or getattr(shell, "kernel", None) is not None


def _bar(done: int, epochs: int) -> Any:
    """Return a bar with the time left, as a widget in a notebook; None without tqdm."""
    try:
        from tqdm import auto
    except ImportError:
        return None
    return auto.tqdm(total=epochs, initial=done, unit="epoch", delay=1.0)
