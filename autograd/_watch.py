"""Who watches what is recorded, and where: observers and derivative calls, each in its own context.

Knows nothing of what a node is.

What is in force belongs to the thread, the task or the generator that began it, and ends with it.
It is never counted up and down: a block in force is a *token*, which only the block itself holds.
However the block is left, also by an interrupt between any two bytecodes, its token dies, and what
asks for the tokens alive gets the truth.
"""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from contextvars import ContextVar
from typing import Any, Final, final

from ._locks import after_fork, lock
from ._mypyc import mypyc_attr

_OBSERVING: Final = 0  # an observer sees what is recorded
_NESTED: Final = 1  # a derivative call is under way
_ON_FLOATS: Final = 2  # within one, numbers are computed that are no part of it

_LEVELS: Final = 2**30  # levels before the numbers start again; a node holds 32 bits

_GENERATOR: Final = 0x20 | 0x200  # code flags of generators and asynchronous generators
# Compiled, a function holds the interpreter from its first line to its last.
_has_gil: Final[Any] = getattr(sys, "_is_gil_enabled", None)
_ALONE: Final[bool] = not __file__.endswith(".py") and (_has_gil is None or _has_gil())
# Whoever runs a generator to *be* a context: suspended, it is still in force.
_DRIVERS: Final = ("contextlib", "_pytest.fixtures")


@mypyc_attr(allow_interpreted_subclasses=True)
class Observer:
    """Someone who wants to see what is recorded; the base class ignores everything."""

    def made(self, node: Any) -> None:
        """`node` has just been recorded."""

    def missed(self, node: Any) -> None:
        """`node` has just been recorded elsewhere: in a thread or task this does not watch."""

    def compared(self, op: str, x: Any, y: object, outcome: bool) -> None:
        """The program asked for `x op y` and will act on `outcome`."""

    def read(self, node: Any, how: str) -> None:
        """The program takes a plain number out of `node`, or changes it; `how` is what it wrote."""

    def freezes(self) -> bool:
        """Say whether a plain number taken meanwhile would be kept for other inputs too."""
        return False

    def wants_all(self) -> bool:
        """Say whether every operation must be recorded meanwhile, none computed by a kernel."""
        return False


@mypyc_attr(native_class=False)
class _Token:
    """Alive as long as the block that holds it."""

    __slots__ = ("__weakref__", "level", "observer", "thread")
    observer: Observer | None
    thread: int
    level: int


@final
class _Link:
    """What one block put in force, as contexts keep it: they must not keep the token alive."""

    def __init__(self, kind: int, observer: Observer | None, token: Any, generator: Any) -> None:
        self.kind = kind
        self.observer = observer
        self.token = token  # a weak reference
        self.generator = generator  # the frame of the generator it belongs to, if any

    def in_force(self) -> bool:
        """Say whether the block is under way, and its generator, if any, is not suspended."""
        if self.token() is None:
            return False
        return self.generator is None or self.generator.f_back is not None


@final
class Watch:
    """Whatever needs more of a new node than recording it; `busy` is the one test all others pay.

    Attributes:
        busy: whether there are observers, or levels to keep, in any thread.
        count: the number of observers in all threads; never less than it is.
        nested: the number of derivative calls under way in all threads; likewise.
    """

    def __init__(self) -> None:
        self.busy = False
        self.count = 0
        self.nested = 0
        self._lock = lock()
        self._here: Any = ContextVar("autograd", default=())  # of links, the outermost first
        # Weak references to the tokens alive, which remove themselves. (By C functions: a handler
        # cannot interrupt them.)
        self._observing: set[Any] = set()
        self._nesting: set[Any] = set()
        self._levels: Any = itertools.count(1)

    def settle(self) -> None:
        """Let `busy`, `count` and `nested` be what the tokens alive say."""
        if _ALONE:
            self._settle()
        else:
            with self._lock:
                self._settle()

    def _settle(self) -> None:
        self.count = len(self._observing)
        self.nested = len(self._nesting)
        self.busy = self.count > 0 or self.nested > 0

    def _alive(self) -> list[_Link]:
        found: list[_Link] = []
        link: _Link
        for link in self._here.get():
            if link.token() is not None:
                found.append(link)
        return found

    def observers(self) -> list[Observer]:
        """Return the observers in force here, the outermost first.

        What a running generator began is inside of what its caller began, be that later.
        """
        found: list[Observer] = []
        inner: list[Observer] = []
        link: _Link
        for link in self._here.get():
            if link.observer is not None and link.in_force():
                if link.generator is None:
                    found.append(link.observer)
                else:
                    inner.append(link.observer)
        return found + inner if inner else found

    def inside(self) -> bool:
        """Say whether a derivative call is under way here, of which a new one would be part."""
        for link in reversed(self._alive()):
            if link.kind != _OBSERVING:
                return link.kind == _NESTED
        return False

    def levels(self) -> set[int]:
        """Return the levels of all derivative calls under way, in every thread."""
        found: set[int] = set()
        for reference in list(self._nesting):
            token = reference()
            if token is not None:
                found.add(token.level)
        return found

    def next_level(self) -> int:
        """Return a level higher than all before."""
        level: int = next(self._levels)
        if level >= _LEVELS and not self._nesting:
            self._levels = itertools.count(2)
            return 1
        return level

    def begin(self, link: _Link) -> None:
        """Put `link` in force here, until its token dies."""
        if link.kind != _ON_FLOATS:
            self.settle()
        alive = self._alive()
        alive.append(link)
        self._here.set(tuple(alive))

    def tidy(self) -> None:
        """Forget what is over."""
        self._here.set(tuple(self._alive()))
        self.settle()

    def made(self, node: Any) -> None:
        """Show a new node to the observers here, and tell the others that they missed it."""
        if self.count != len(self._observing):
            self.settle()
        here = self.observers()
        for observer in here:
            observer.made(node)
        if self.count > len(here):
            for token in list(self._observing):
                found = token()
                if found is not None and found.observer not in here:
                    found.observer.missed(node)

    def compared(self, op: str, x: Any, y: object, outcome: bool) -> None:
        """Tell the observers of a comparison."""
        for observer in self.observers():
            observer.compared(op, x, y, outcome)

    def read(self, node: Any, how: str) -> None:
        """Tell the observers that a plain number is taken, or a node changed."""
        for observer in self.observers():
            observer.read(node, how)

    def freezes(self) -> bool:
        """Say whether plain numbers taken now would be kept for other inputs too."""
        return any(observer.freezes() for observer in self.observers())

    def wants_all(self) -> bool:
        """Say whether every operation must be recorded now, none computed by a kernel."""
        return any(observer.wants_all() for observer in self.observers())

    def forked(self) -> None:
        """Forget what other threads began: in the child of a fork they do not exist."""
        me = _thread()
        for tokens in (self._observing, self._nesting):
            for token in list(tokens):
                found = token()
                if found is None or found.thread != me:
                    tokens.discard(token)
        self.settle()


_thread: Final[Any] = threading.get_ident
_reference: Final[Any] = weakref.ref
watch: Final = Watch()
after_fork(watch.forked)


def _generator() -> Any:
    """Return the frame of the innermost generator that is running here, None if there is none."""
    frame: Any = sys._getframe()
    while frame is not None:
        back = frame.f_back
        is_generator = frame.f_code.co_flags & _GENERATOR and back is not None
        if is_generator and back.f_globals.get("__name__") not in _DRIVERS:
            return frame
        frame = back
    return None


@mypyc_attr(allow_interpreted_subclasses=True)
class watching:
    """A context in which an observer sees what is recorded.

    It belongs to the context that began it (a thread, a task with the tasks it starts). Begun by a
    generator, it is in force only while that generator runs.
    """

    def __init__(self, observer: Observer | None = None, kind: int = _OBSERVING) -> None:
        self._observer = observer
        self._kind = kind
        self._level = 0
        self._held: dict[Any, Any] = {}

    def observer(self) -> Observer | None:
        """Return the observer, asked for whenever the context begins."""
        return self._observer

    def __enter__(self) -> Any:
        kind = self._kind
        observer = self.observer()
        generator = _generator() if kind == _OBSERVING else None
        token: Any = _Token()
        try:
            token.observer = observer
            token.thread = _thread()
            token.level = self._level
            if kind != _ON_FLOATS:
                alive = watch._nesting if kind == _NESTED else watch._observing
                # Made and put into the set by one call, for a handler may run after any.
                alive.update(map(_reference, (token,), (alive.discard,)))
            link = _Link(kind, observer, _reference(token), generator)
            watch.begin(link)
            # Last, because no handler can run between here and the `with` block.
            self._held[link] = token
        except BaseException:
            del token  # the traceback keeps this frame
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        held = self._held
        for link in reversed(watch._alive()):
            if held.pop(link, None) is not None:
                break
        else:  # begun in another context, as by a generator that another thread closes
            if held:
                held.popitem()
        watch.tidy()


@final
class nested(watching):
    """A context in which nodes carry levels, and derivative functions know that they are inside.

    `with nested() as level` gives the level of this recording's inputs, higher than all before:
    what an earlier recording left in somebody's hands does not count as depending on them.
    """

    def __init__(self) -> None:
        super().__init__(None, _NESTED)

    def __enter__(self) -> Any:
        self._level = level = watch.next_level()
        super().__enter__()
        return level


@final
class on_floats(watching):
    """A context that computes a number for a recording under way rather than being part of it.

    Within, a derivative counts as outermost, so floats give floats.
    """

    def __init__(self) -> None:
        super().__init__(None, _ON_FLOATS)
