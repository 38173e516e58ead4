"""Runs a program over numbers: compiles it when it must, cuts rows into blocks, hands them out.

Block results are combined in the order of the rows, so the bits do not depend on who computed
which block. Knows nothing of functions, arguments or branches.
"""

from __future__ import annotations

import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from .._locks import after_fork, interrupts_held, lock
from . import _cache, native
from .arguments import Rows
from .forms import Array
from .native import LANES, Layout, Native, Source, Target
from .program import Program
from .trace import collector_paused

BLOCK: Final = 4096  # rows whose sums are formed in one go; a multiple of the lanes
_TASK: Final = 16 * BLOCK  # rows per task of an executor
_LONG: Final = 20_000  # instructions from where quick code generation matters more than its result
_ALIGNED: Final = 64
_FLOAT64: Final = np.dtype(np.float64)


@dataclass(frozen=True)
class Options:
    """How code is made and run; see `compile`."""

    fast: bool = False
    threads: int = 1
    executor: Any = None
    cache: str | None = None


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _memory(count: int) -> tuple[Any, int]:
    """Return `count` bytes of memory, aligned for vectors: what owns it, and its address."""
    raw = np.empty(count + _ALIGNED, dtype=np.uint8)
    address = _address(raw)
    return raw, address + -address % _ALIGNED


@dataclass
class Code:
    """A program in one layout, compiled when it is first needed, once.

    Attributes:
        arranged: the layout, or what makes it: it is as large as the arguments, which a file's
            program may not have yet.
        milliseconds: what code generation took.
    """

    program: Program
    arranged: Layout | Callable[[], Layout]
    fast: bool = False
    cache: str | None = None
    milliseconds: float = 0.0
    _native: Native | None = None
    _lock: Any = field(default_factory=lock)
    _scratch: list[tuple[Any, int]] = field(default_factory=list)
    _kept: list[Any] = field(default_factory=list)

    @cached_property
    def layout(self) -> Layout:
        """Which inputs and outputs are rows."""
        return self.arranged if isinstance(self.arranged, Layout) else self.arranged()

    @cached_property
    def mapped(self) -> int:
        """How many inputs differ from row to row."""
        return sum(self.layout.rows)

    @cached_property
    def constants(self) -> Array:
        """The program's constants as an array."""
        return np.array(self.program.constants, dtype=np.float64)

    @cached_property
    def sums(self) -> Any:
        """Which outputs are added up over the rows, as an array."""
        return np.array(self.layout.sums, dtype=bool)

    @property
    def native(self) -> Native:
        """The machine code.

        Raises:
            NoLowering: a primitive has none.
        """
        found = self._native
        if found is None:
            with self._lock:
                found = self._native
                if found is None:
                    started = time.perf_counter()
                    found = self._native = self._compile()
                    self.milliseconds = 1e3 * (time.perf_counter() - started)
        return found

    @property
    def ready(self) -> bool:
        """Whether there is machine code."""
        return self._native is not None

    @property
    def effort(self) -> int:
        """LLVM's optimisation level."""
        return 1 if len(self.program.code) < _LONG else 0

    def source(self) -> Source:
        """Return the program as LLVM IR for this machine."""
        target = Target(vector=native.vector_functions() if self.fast else None)
        with collector_paused():
            return native.lower(self.program, self.layout, self.fast, target)

    def _compile(self) -> Native:
        source = self.source()
        code = _cache.fetch(
            self.cache, source, lambda: native.machine_code(source, opt=self.effort)
        )
        return Native(code, source, self.layout.point)

    def scratch(self) -> tuple[Any, int]:
        """Return scratch memory nobody else uses; give it back with `done`."""
        try:
            return self._scratch.pop()
        except IndexError:
            return _memory(self.native.source.scratch)

    def done(self, memory: tuple[Any, int]) -> None:
        self._scratch.append(memory)

    # ------------------------------------------------------------------------------- rows

    def run(self, shared: Array, rows: Rows, options: Options) -> tuple[Array, Array, Any]:
        """Return (columns, sums, held): one row of `columns` per output that differs from row to
        row, one row of `sums` per block, and for each row whether the guards held (or None)."""
        n = rows.count
        executor = options.executor
        mapped = rows.table.shape[1]
        if mapped != self.mapped or mapped + len(shared) != self.program.inputs:
            raise ValueError(
                f"a program of {self.program.inputs} inputs, {self.mapped} of them by rows, was "
                f"given {mapped + len(shared)}, {mapped} of them by rows"
            )
        if executor is not None and n > _TASK:
            return self._distribute(shared, rows, executor)
        source, run = self.native.source, self.native.over_rows
        at = _address(rows.table)
        rows_at = at, at + 8 * rows.table.shape[1]
        if n <= BLOCK and not source.columns and not self.program.guards:
            return np.empty((0, n)), self._sum_block(shared, rows_at, n), None
        shared = np.concatenate([shared, self.constants])
        padded = -(-n // LANES) * LANES
        columns = np.empty((source.columns, padded))
        blocks = -(-n // BLOCK)
        sums = np.zeros((blocks, source.sums))
        held = np.empty(padded // LANES, dtype=np.uint8)
        addresses = (
            _address(shared),
            *rows_at,
            _address(columns),
            padded,
        )

        arrays = shared, rows, columns, sums, held

        def work(first: int, end: int) -> None:
            """Compute blocks `first` to `end`."""
            # Should another block fail and this thread be left behind, its memory stays meanwhile.
            memory, _ = self.scratch(), arrays
            step = BLOCK if source.sums else (end - first) * BLOCK
            for row in range(first * BLOCK, min(end * BLOCK, n), step or 1):
                run(
                    *addresses,
                    _address(sums) + 8 * source.sums * (row // BLOCK),
                    _address(held),
                    memory[1],
                    row,
                    min(row + step, end * BLOCK, n),
                )
            self.done(memory)

        threads = min(options.threads, blocks)
        if threads > 1:
            cuts = [blocks * i // threads for i in range(threads + 1)]
            with interrupts_held():  # the locks of a pool do not survive them
                list(_threads(threads).map(work, cuts[:-1], cuts[1:]))
        elif n:
            work(0, blocks)
        ok = None
        if self.program.guards:
            ok = np.unpackbits(held, bitorder="little", count=n).astype(bool)
        return columns[:, :n], sums, ok

    def _sum_block(self, shared: Array, rows_at: tuple[int, int], n: int) -> Array:
        """Return the sums over one block, in memory kept from the call before: small batches are
        many, and making arrays takes longer than computing on them."""
        try:
            kept = self._kept.pop()
        except IndexError:
            source = self.native.source
            given, sums = np.concatenate([shared, self.constants]), np.empty((1, source.sums))
            kept = given, sums, _memory(source.scratch), _address(given), _address(sums)
        given, sums, scratch, given_at, sums_at = kept
        given[: len(shared)] = shared
        self.native.over_rows(given_at, *rows_at, 0, 0, sums_at, 0, scratch[1], 0, n)
        found: Array = sums.copy()
        self._kept.append(kept)
        return found

    def _distribute(
        self, shared: Array, rows: Rows, executor: Executor
    ) -> tuple[Array, Array, Any]:
        """The same by the workers of an executor, in tasks of whole blocks."""
        futures = []
        payload = (json.dumps(self.program.to_json()), self.layout, self.fast, self.program.digest)
        for first in range(0, rows.count, _TASK):
            part = rows.take(slice(first, min(first + _TASK, rows.count)))
            blocks = [np.ascontiguousarray(block) for block in part.blocks]
            futures.append(executor.submit(run_task, payload, shared, blocks, part.count))
        done = [future.result() for future in futures]
        columns = np.concatenate([one[0] for one in done], axis=1)
        sums = np.concatenate([one[1] for one in done])
        ok = np.concatenate([one[2] for one in done]) if self.program.guards else None
        return columns, sums, ok


def total(parts: Array) -> Array:
    """Return the sum of the rows of `parts`, first to last."""
    out = np.zeros(parts.shape[1])
    for part in parts:
        out += part
    return out


_pools: Final[dict[int, ThreadPoolExecutor]] = {}
_pools_lock: Final = lock()
after_fork(_pools.clear)  # their threads are not in the child


def _threads(count: int) -> ThreadPoolExecutor:
    with _pools_lock:
        if count not in _pools:
            _pools[count] = ThreadPoolExecutor(count, thread_name_prefix="autograd-kernel")
        return _pools[count]


# ------------------------------------------------------------------------- in a worker process

_KEPT: Final = 64
_codes: Final[OrderedDict[Any, Code]] = OrderedDict()
_codes_lock: Final = lock()


def run_task(
    payload: tuple[str, Layout, bool, str], shared: Array, blocks: list[Array], count: int
) -> tuple[Array, Array, Any]:
    """Return what `Code.run` returns; the program travels, the code is generated here, once."""
    text, layout, fast, digest = payload
    key = (digest, layout, fast)
    with _codes_lock:
        code = _codes.get(key)
        if code is None:
            code = _codes[key] = Code(Program.from_json(json.loads(text)), layout, fast)
        _codes.move_to_end(key)
        while len(_codes) > _KEPT:
            _codes.popitem(last=False)
    return code.run(shared, Rows(blocks, count), Options())


# -------------------------------------------------------------------------------- small batches


class Batch:
    """Sums over one batch after another of the same shapes, in memory that is kept.

    A batch of a hundred rows takes ten microseconds to compute; looking at its arguments in the
    general way would take longer.
    """

    def __init__(self, code: Code, args: tuple[Any, ...], axes: tuple[int | None, ...]) -> None:
        self._code = code
        self._plan: list[Any] = []
        shared = columns = 0
        strides: list[int] = []
        for x, axis in zip(args, axes, strict=True):
            if axis is None:
                self._plan.append((None, x.shape, None, slice(shared, shared + x.size), None))
                shared += x.size
                continue
            width = x.size // x.shape[0]
            across = x.strides[1] if x.ndim == 2 else 0
            place = slice(columns, columns + width)
            self._plan.append((0, x.shape[1:], x.strides, place, across * np.arange(width)))
            strides += [x.strides[0]] * width
            columns += width
        self._given = np.concatenate([np.empty(shared), code.constants])
        self._table = np.array([[0] * columns, strides], dtype=np.int64)
        self._sums = np.empty(code.native.source.sums)
        self._scratch = _memory(code.native.source.scratch)
        table = _address(self._table)
        self._addresses = (_address(self._given), table, table + 8 * columns, 0, 0)
        self._more = (_address(self._sums), 0, self._scratch[1], 0)
        self._run = code.native.over_rows

    @staticmethod
    def suits(code: Code, args: tuple[Any, ...], axes: tuple[int | None, ...]) -> bool:
        """Say whether this is a case for a batch: sums only, no guard, plain arrays."""
        return (
            bool(code.sums.all())
            and not code.program.guards
            and all(
                type(x) is np.ndarray
                and x.dtype is _FLOAT64
                and (axis is None or (axis == 0 and x.ndim in (1, 2) and x.size > 0))
                for x, axis in zip(args, axes, strict=True)
            )
        )

    def run(self, args: tuple[Any, ...]) -> tuple[Array | None, int]:
        """Return the sums, and the number of rows; None if the arguments are not of this kind."""
        count = 0
        if len(args) != len(self._plan):
            return None, 0
        for x, (axis, shape, strides, place, offsets) in zip(args, self._plan, strict=True):
            if type(x) is not np.ndarray or x.dtype is not _FLOAT64:
                return None, 0
            if axis is None:
                if x.shape != shape:
                    return None, 0
                self._given[place] = x.ravel()
                continue
            rows = x.shape[0]
            if x.shape[1:] != shape or x.strides != strides or (count and count != rows):
                return None, 0
            if not 0 < rows <= BLOCK or not x.flags.aligned:
                return None, 0
            count = rows
            self._table[0, place] = offsets + _address(x)
        self._run(*self._addresses, *self._more, count)
        return self._sums.copy(), count


# ----------------------------------------------------------------------------------- one point


class Point:
    """Memory for calls at one point: where the inputs go, and where the results appear.

    Attributes:
        given: the first inputs as an array of the shape that was asked for.
        gradient: the outputs behind the first, in that shape if there are as many.
    """

    def __init__(self, code: Code, shape: tuple[int, ...] | None = None) -> None:
        self.code = code
        program = code.program
        self.inputs = np.empty(max(1, program.first))
        self.inputs[program.inputs : program.first] = program.constants
        self.outputs = np.empty(len(program.outputs) + 1)
        self.results = self.outputs[:-1]
        shape = () if shape is None else shape
        size = math.prod(shape)
        self.given = self.inputs[:size].reshape(shape)
        self.gradient = self.outputs[1 : 1 + size]
        if len(self.gradient) == size:
            self.gradient = self.gradient.reshape(shape)
        self._scratch = _memory(code.native.source.scratch)
        self._addresses = (_address(self.inputs), _address(self.outputs), self._scratch[1])
        self._run: Callable[[int, int, int], int] = code.native.at_point

    def run(self) -> bool:
        """Compute the results from the inputs; say whether all guards held."""
        return self._run(*self._addresses) != 0
