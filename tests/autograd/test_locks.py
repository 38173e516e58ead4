"""Locks over forks, and sections that Ctrl-C waits for."""

import gc
import os
import signal
import threading

import pytest

from autograd import Value, _locks, compile
from autograd._locks import interrupts_held, lock


@pytest.fixture
def calls():
    """A handler of the user's own, and what it was called with."""
    before = signal.getsignal(signal.SIGINT)
    found = []

    def handler(number, frame):
        found.append((number, frame.f_code.co_name))

    signal.signal(signal.SIGINT, handler)
    yield found
    assert signal.getsignal(signal.SIGINT) is handler
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end(calls):
    with interrupts_held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert calls == []
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
        assert calls == []
    assert calls == [(signal.SIGINT, "test_an_interrupt_waits_for_the_end")]


def test_keyboard_interrupt_comes_at_the_end():
    reached = []

    def work():
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_no_handler_stays():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_held():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_hold_nothing_back(calls):
    found = []

    def work():
        with interrupts_held():
            found.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]


def test_llvm_is_not_interrupted(monkeypatch, calls):
    """Ctrl-C in the middle of each call into LLVM, and of closing what it made."""
    import llvmlite.binding as llvm

    kernel = compile(lambda x: x * 3.0)
    assert [kernel(1.0), kernel(2.0)] == [3.0, 6.0]
    del kernel
    gc.collect()
    inside = []
    for owner, name in (
        (llvm, "parse_assembly"),
        (llvm, "create_mcjit_compiler"),
        (llvm.ExecutionEngine, "finalize_object"),
        (llvm.ExecutionEngine, "_dispose"),
        (llvm.targets.TargetMachine, "emit_object"),
    ):
        original = getattr(owner, name)

        def interrupted(*args, original=original, name=name, **kwargs):
            signal.raise_signal(signal.SIGINT)
            inside.append((name, len(calls)))
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, interrupted)
    kernel = compile(lambda x: x * 5.0)
    assert [kernel(1.0), kernel(2.0)] == [5.0, 10.0]
    seen = {name for name, _ in inside}
    assert seen >= {"parse_assembly", "emit_object", "finalize_object", "_dispose"}
    # All of one section see the same count: the handler was called between sections only.
    counts = [count for _, count in inside]
    assert counts == sorted(counts)
    assert len(set(counts)) < len(counts)
    assert len(calls) == len(set(counts))


def test_a_child_has_free_locks(monkeypatch):
    held = lock()
    other = threading.Thread(target=held.acquire)  # and never gives it back
    other.start()
    other.join()
    assert not held.acquire(blocking=False)
    monkeypatch.setattr(_locks, "_all", {ref for ref in _locks._all if ref() is held})
    _locks._in_child()
    assert held.acquire(blocking=False)
    held.release()


def test_locks_are_not_kept():
    gc.collect()
    before = len(_locks._all)
    some = [lock() for _ in range(10)]
    assert len(_locks._all) == before + 10
    del some
    assert len(_locks._all) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_waits_for_a_sweep():
    from autograd import _sweep

    order = []
    inside, go = threading.Event(), threading.Event()

    def sweep():
        with _sweep._lock:
            inside.set()
            go.wait(10)
            order.append("swept")

    thread = threading.Thread(target=sweep)
    thread.start()
    inside.wait(10)
    threading.Timer(0.05, go.set).start()
    _locks._before()
    order.append("forked")
    _locks._in_parent()
    thread.join()
    assert order == ["swept", "forked"]
    assert Value(1.0).data == 1.0
