"""Who watches, and where: threads, tasks, generators and blocks that are left in odd ways."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import gc
import threading

import pytest

import autograd as ag
from autograd import Value, compile, detect_anomaly, grad, profile, scope
from autograd._watch import Observer, nested, on_floats, watch, watching
from autograd.anomaly import AnomalyError


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    gc.collect()
    watch.settle()
    assert (watch.busy, watch.count, watch.nested) == (False, 0, 0)
    assert watch.observers() == []


def scoped():
    return Value(1.0).scope


def fails():
    """Say whether anomalies are detected here."""
    try:
        ag.log(Value(0.0))
    except AnomalyError:
        return True
    return False


# --------------------------------------------------------------------------------- generators


def test_a_suspended_generator_keeps_its_scope_to_itself():
    def generate(name):
        with scope(name):
            while True:
                yield scoped()

    a, b = generate("a"), generate("b")
    assert next(a) == ("a",)
    assert scoped() == ()
    assert next(b) == ("b",)
    with scope("outer"):
        assert scoped() == ("outer",)
        assert next(a) == ("a",)  # it began outside
        c = generate("c")
        assert next(c) == ("outer", "c")
        assert scoped() == ("outer",)
    assert next(c) == ("outer", "c")
    a.close()
    assert next(b) == ("b",)
    b.close()
    assert scoped() == ()
    del c  # never closed by hand


def test_a_generator_left_in_a_cycle_ends_with_it():
    def generate(held):
        with scope("lost"), detect_anomaly():
            held.append(scoped())
            yield

    held = []
    held.append(generate(held))
    next(held[0])
    assert held[1] == ("lost",)
    assert scoped() == ()
    assert not fails()
    del held
    gc.collect()
    assert (Value(2.0) * 3.0).data == 6.0
    assert watch.busy is False


def test_a_generator_that_another_generator_delegates_to():
    def inner():
        with scope("inner"):
            yield scoped()
            yield scoped()

    def outer():
        with scope("outer"):
            yield from inner()
            yield scoped()

    g = outer()
    assert next(g) == ("outer", "inner")
    assert scoped() == ()
    assert next(g) == ("outer", "inner")
    assert next(g) == ("outer",)
    g.close()


def test_a_helper_that_enters_for_a_generator():
    @contextlib.contextmanager
    def both():
        with scope("a"), detect_anomaly():
            yield

    class Held:
        def __enter__(self):
            self.block = scope("b")
            self.block.__enter__()

        def __exit__(self, *exc):
            self.block.__exit__(*exc)

    def generate():
        with both(), Held(), contextlib.ExitStack() as stack:
            stack.enter_context(scope("c"))
            yield scoped(), fails()
            yield scoped(), fails()

    with both():  # a generator that *is* a context stays in force
        assert scoped() == ("a",)
        assert fails()
    g = generate()
    assert next(g) == (("a", "b", "c"), True)
    assert scoped() == ()
    assert not fails()
    assert next(g) == (("a", "b", "c"), True)
    g.close()


@pytest.fixture
def in_scope():
    with scope("fixture"):
        yield


def test_a_fixture_is_in_force(in_scope):
    assert scoped() == ("fixture",)


# --------------------------------------------------------------------------------- decorators


def test_decorators_watch_bodies():
    @detect_anomaly()
    def generator(x):
        """Yields."""
        got = yield fails()
        try:
            yield got
        except KeyError:
            yield fails()
        return 7

    assert generator.__doc__ == "Yields."
    g = generator(1.0)
    assert next(g) is True
    assert not fails()
    assert g.send("sent") == "sent"
    assert g.throw(KeyError()) is True
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value == 7

    @detect_anomaly()
    async def coroutine():
        await asyncio.sleep(0)
        return fails()

    @scope("body")
    @detect_anomaly()
    async def async_generator():
        try:
            got = yield fails(), scoped()
            yield got
        except KeyError:
            await asyncio.sleep(0)
            yield fails(), scoped()

    async def main():
        assert await coroutine()
        assert not fails()
        g = async_generator()
        assert await anext(g) == (True, ("body",))
        assert not fails()
        assert scoped() == ()
        assert await g.asend("sent") == "sent"
        assert await g.athrow(KeyError()) == (True, ("body",))
        with pytest.raises(StopAsyncIteration):
            await anext(g)
        half = async_generator()
        await anext(half)
        await half.aclose()
        assert [x async for x in async_generator()] == [(True, ("body",)), None]

    asyncio.run(main())

    @scope("f")
    def f():
        return scoped()

    assert [f(), f()] == [("f",), ("f",)]


def test_one_block_may_be_entered_again():
    block, name = detect_anomaly(), scope("a")
    for _ in range(2):
        with block, name:
            with block, name:
                assert scoped() == ("a", "a")
            assert fails()
            assert scoped() == ("a",)
        assert not fails()


# ---------------------------------------------------------------------------- tasks and threads


def test_tasks_have_their_own():
    seen = {}

    async def work(name, watched):
        with scope(name), contextlib.ExitStack() as stack:
            if watched:
                stack.enter_context(detect_anomaly())
            for _ in range(5):
                await asyncio.sleep(0)
                seen.setdefault(name, set()).add((scoped(), fails(), grad(lambda x: x * x)(3.0)))

    async def child():
        return scoped()

    async def main():
        tasks = [asyncio.create_task(work(name, name == "b")) for name in "abc"]
        for _ in range(3):
            await asyncio.sleep(0)
            assert scoped() == ()
            assert not fails()
        await asyncio.gather(*tasks)
        with scope("parent"):  # tasks begun inside are inside
            assert await asyncio.gather(child(), child()) == [("parent",), ("parent",)]

    asyncio.run(main())
    assert seen == {name: {((name,), name == "b", 6.0)} for name in "abc"}


def test_threads_have_their_own():
    started, done = threading.Event(), threading.Event()
    seen = []

    def work():
        started.wait(10)
        seen.append((scoped(), fails(), type(grad(lambda x: x * x)(3.0)), profile(scoped).nodes))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()

    def f(x):
        started.set()
        done.wait(10)
        return x * x

    with scope("mine"), detect_anomaly():
        assert grad(f)(3.0) == 6.0
    thread.join()
    assert seen == [((), False, float, 1)]


def test_a_context_that_ends_elsewhere():
    """As a block of an asynchronous generator that the event loop closes in a task of its own."""
    block = scope("a")
    context = contextvars.copy_context()
    context.run(block.__enter__)
    assert context.run(scoped) == ("a",)
    assert scoped() == ()
    block.__exit__()
    assert context.run(scoped) == ()


# ------------------------------------------------------------------------------- what is held


def test_a_block_that_is_dropped_is_over():
    """An interrupt may come after `__enter__` and before the `with` block is set up."""
    for make in (
        nested,
        on_floats,
        detect_anomaly,
        lambda: scope("a"),
        lambda: watching(Observer()),
    ):
        block = make()
        block.__enter__()
        assert watch.inside() == isinstance(block, nested)
        del block
        assert watch.inside() is False
        assert watch.observers() == []
        assert type(grad(lambda x: x * x)(3.0)) is float
        assert scoped() == ()
        assert watch.busy is False


def test_busy_heals_when_a_node_is_made():
    for block in (nested(), detect_anomaly()):
        block.__enter__()
        held = block._held
        assert watch.busy
        held.clear()  # the token dies, nobody says so
        assert (Value(2.0) * 3.0)._level == 0
        assert watch.busy is False


def test_inside_and_on_floats():
    assert not watch.inside()
    with nested() as first:
        assert watch.inside()
        with on_floats():
            assert not watch.inside()
            with nested() as second:
                assert watch.inside()
        assert watch.inside()
    assert not watch.inside()
    assert second > first


# ------------------------------------------------------------------------ recorded elsewhere


def in_thread(f):
    found = []
    thread = threading.Thread(target=lambda: found.append(f()))
    thread.start()
    thread.join()
    return found[0]


def test_a_kernel_refuses_what_another_thread_made():
    w = Value(3.0)
    for f in (
        lambda x: in_thread(lambda: x * 2.0) + x,  # depends on the input
        lambda x: in_thread(lambda: w * 2.0) * x,  # does not, but was made meanwhile
        lambda x: in_thread(lambda: Value(2.0)) * x,
    ):
        with pytest.raises(TypeError, match=r"made in another thread .* own thread"):
            compile(f)(1.0)
    assert compile(lambda x: x * w)(2.0) == 6.0


def test_a_kernel_sees_what_a_task_made():
    async def double(x):
        await asyncio.sleep(0)
        return x * 2.0

    def f(x):
        async def main():
            return sum(await asyncio.gather(double(x), double(x + 1.0)))

        return asyncio.run(main())

    kernel = compile(f)
    assert kernel(3.0) == 14.0
    assert kernel(4.0) == 18.0
    assert kernel.grad(4.0) == 4.0


def test_two_kernels_recorded_at_once_do_not_mix():
    barrier = threading.Barrier(2, timeout=10)
    found = {}

    def work(c):
        def f(x):
            y = x * c
            barrier.wait()
            y = y + Value(c)
            barrier.wait()
            return y * y

        kernel = compile(f)
        found[c] = kernel(1.0)

    threads = [threading.Thread(target=work, args=(c,)) for c in (2.0, 3.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {2.0: 16.0, 3.0: 36.0}


# ------------------------------------------------------- a derivative inside, in another thread


def in_pool(f):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return pool.submit(f).result()


def in_two_threads(f):
    return in_thread(lambda: in_thread(f))


def in_task(f):
    async def work():
        async def task():
            return f()

        return await asyncio.create_task(task())

    return asyncio.run(work())


def in_to_thread(f):
    async def work():
        return await asyncio.to_thread(f)

    return asyncio.run(work())


def in_executor(f):
    async def work():
        return await asyncio.get_running_loop().run_in_executor(None, f)

    return asyncio.run(work())


def in_generator(f):
    def generate():
        yield f()

    return next(generate())


ELSEWHERE = [in_thread, in_pool, in_two_threads, in_task, in_to_thread, in_executor, in_generator]


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=lambda f: f.__name__)
def test_an_inner_derivative_elsewhere_knows_that_it_is_inside(elsewhere):
    def f(x, y):
        return x * y * y + x * x * y

    inner = {
        "grad": lambda x: ag.grad(lambda y: f(x, y))(2.0),
        "value_and_grad": lambda x: ag.value_and_grad(lambda y: f(x, y))(2.0)[1],
        "value": lambda x: ag.value_and_grad(lambda y: x * 4.0 + x * x * y)(2.0)[0],
        "aux": lambda x: ag.grad(lambda y: (y * 1.0, {"x": [x * x * x]}), has_aux=True)(2.0)[1][
            "x"
        ][0],
        "argument": lambda x: ag.grad(lambda y: f(y, y))(x),
        "jvp": lambda x: ag.jvp(lambda y: f(x, y), (2.0,), (1.0,))[1],
        "vjp": lambda x: ag.vjp(lambda y: f(x, y), 2.0)[1](1.0)[0],
        "forward": lambda x: ag.jacobian(lambda y: f(x, y), mode="forward")(2.0),
        "hessian": lambda x: ag.hessian(lambda y: f(x, y) * y)(2.0),
        "hvp": lambda x: ag.hvp(lambda y: f(x, y) * y, (2.0,), (1.0,)),
        "twice": lambda x: ag.grad(ag.grad(lambda y: f(x, y)))(2.0),
        "differentiate": lambda x: ag.differentiate(f(x, x), [x])[0],
        "kernel": lambda x: ag.compile(lambda y: f(x, y)).grad(2.0),
    }
    for name, g in inner.items():
        want = ag.grad(g)(3.0)
        assert ag.grad(lambda x, g=g: elsewhere(lambda: g(x)))(3.0) == want, name
        assert ag.jvp(lambda x, g=g: elsewhere(lambda: g(x)), (3.0,), (1.0,))[1] == want, name
        if name != "kernel":
            assert ag.hessian(lambda x, g=g: elsewhere(lambda: g(x)))(3.0) == ag.hessian(g)(3.0)


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=lambda f: f.__name__)
def test_one_that_depends_on_nothing_outside_gives_floats(elsewhere):
    found = []

    def f(x):
        found.append(elsewhere(lambda: ag.grad(lambda y: y * y)(2.0)))
        return x * found[0]

    assert ag.grad(f)(3.0) == 4.0
    if elsewhere not in (in_task, in_to_thread, in_generator):  # those are inside anyway
        assert type(found[0]) is float
    kept = []
    ag.grad(lambda x: kept.append(x) or x * x)(3.0)
    # What an earlier call left behind is a constant.
    assert ag.grad(lambda x: x * elsewhere(lambda: ag.grad(lambda y: kept[0] * y)(2.0)))(1.0) == 3.0


def test_primitives_that_close_over_an_input_are_refused():
    """Their function sees floats only, so the dependence would be lost."""

    def f(x):
        @ag.custom_partials(lambda out, y: 1.0)
        def inner(y):
            return ag.grad(lambda z: x * z)(y)

        return inner(x)

    with pytest.raises(TypeError, match="primitive inner: fn of floats must return a real number"):
        ag.grad(f)(3.0)
