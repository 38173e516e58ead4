"""Locks that outlive a fork, and sections that Ctrl-C waits for. Knows nothing of derivatives.

A child has only the thread that forked. A lock that another thread held would stay held for ever,
so in the child every lock of this house is made anew. What must not be copied half done (LLVM's
memory, gradients in the middle of a sweep) has a lock that a fork *waits* for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final

_all: Final[set[Any]] = set()  # weak references to locks; they remove themselves
_waited_for: Final[list[Any]] = []


def lock(fork_waits: bool = False) -> Any:
    """Return a new re-entrant lock that is free in the child of a fork.

    `fork_waits`: a fork takes it first, so that what it guards is whole in the child. Hold such a
    lock for computations only, never while running a user's code, and take no other inside.
    """
    made = threading.RLock()
    _all.add(weakref.ref(made, _all.discard))
    if fork_waits:
        _waited_for.append(made)
    return made


def after_fork(renew: Callable[[], object]) -> None:
    """Call `renew()` in the child of every fork, after the locks are made anew."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=renew)


def _before() -> None:
    for one in _waited_for:
        one.acquire()


def _in_parent() -> None:
    for one in reversed(_waited_for):
        one.release()


def _in_child() -> None:
    for ref in list(_all):
        one = ref()
        if one is not None:
            one._at_fork_reinit()  # as the standard library does with its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


class interrupts_held:
    """A context that Ctrl-C does not interrupt: the user's handler is called at its end instead.

    Python runs handlers in the main thread, between any two bytecodes; foreign objects that are
    then half made or half closed are freed twice. In other threads, and where Ctrl-C has no
    handler to hold back, it does nothing.
    """

    def __enter__(self) -> None:
        self._before: Any = None
        self._came = False
        if threading.get_ident() == threading.main_thread().ident:
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                try:
                    signal.signal(signal.SIGINT, self._note)
                except ValueError:  # not the main interpreter: it gets no signals
                    self._before = None

    def _note(self, number: int, frame: object) -> None:
        self._came = True

    def __exit__(self, *exc: object) -> None:
        before = self._before
        if before is None:
            return
        signal.signal(signal.SIGINT, before)
        if self._came:
            # Called, not raised again: a wake-up pipe (asyncio's) has seen the signal already.
            before(signal.SIGINT, sys._getframe(1))
