"""Blocks that watch: a `with` block, or as a decorator the body of a function.

Stays plain Python when the engine is compiled: a generator is known by its frame, which compiled
functions have none of.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar, cast

from ._watch import watching

F = TypeVar("F", bound=Callable[..., Any])


def refuse_unstarted(what: str, result: Any) -> None:
    """Raise TypeError if `result` is a body that has not run: there was nothing to watch yet."""
    if inspect.iscoroutine(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()  # or Python would warn that nobody awaited it
        raise TypeError(
            f"{what}: the function returned {result!r}, whose body has not run yet; pass a "
            "function that runs it to its end (lambda x: list(f(x)), or asyncio.run(f(x)))"
        )


class Block(watching):
    """A context that is a decorator too.

    On a generator or coroutine function it watches the *body*, whenever that runs, rather than the
    call that merely makes a generator or coroutine.
    """

    def again(self) -> Block:
        """Return another context like this one, for one call of a decorated function."""
        raise NotImplementedError

    def __call__(self, f: F) -> F:
        """Return `f` such that its body runs in a context like this one."""
        around: Any
        if inspect.isasyncgenfunction(f):
            around = self._around_async_generator(f)
        elif inspect.iscoroutinefunction(f):

            async def around(*args: Any, **kwargs: Any) -> Any:
                with self.again():
                    return await f(*args, **kwargs)

        elif inspect.isgeneratorfunction(f):

            def around(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                with self.again():
                    return (yield from f(*args, **kwargs))

        else:

            def around(*args: Any, **kwargs: Any) -> Any:
                with self.again():
                    return f(*args, **kwargs)

        return cast(F, functools.update_wrapper(around, f))

    def _around_async_generator(
        self, f: Callable[..., AsyncGenerator[Any, Any]]
    ) -> Callable[..., AsyncGenerator[Any, Any]]:
        async def around(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            inner = f(*args, **kwargs)
            with self.again():
                try:
                    item = await anext(inner)
                    while True:
                        try:
                            sent = yield item
                        except GeneratorExit:
                            raise
                        except BaseException as error:
                            item = await inner.athrow(error)
                        else:
                            item = await inner.asend(sent)
                except StopAsyncIteration:
                    return
                finally:
                    await inner.aclose()

        return around
