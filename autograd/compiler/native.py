"""Program -> LLVM IR -> machine code -> a function on memory.

Rows are computed eight at a time, in tiles of a few groups; a long program is cut into functions
of about five hundred instructions (code generation is superlinear in the length of a function), and
what one function computes for another lies in a scratch memory that stays in the cache. Knows
nothing of arguments, branches that fail, arrays or threads.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from .._locks import interrupts_held, lock
from ._lowering import LIBM, LIBMVEC, LOWERINGS, Builder, Module
from .program import Guard, Program

LANES: Final = 8  # rows per vector, whatever the processor: so sums are the same bits everywhere
_CHUNK: Final = 500  # instructions per function
_GROUPS: Final = 16  # vectors per tile, at most
_TILE_BYTES: Final = 262_144  # what a tile's scratch may take
_FCMP: Final = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}


def _operands(guards: Iterable[Guard]) -> list[int]:
    return [i for _, x, y, _ in guards for i in (x, y)]


class NoLowering(Exception):
    """A primitive of the program has no lowering; the message names it."""


@dataclass(frozen=True)
class Layout:
    """Which inputs differ from row to row, and which outputs are added up over the rows.

    `point`: there are no rows at all; every input is one number, every output too.
    """

    rows: tuple[bool, ...]
    sums: tuple[bool, ...]
    point: bool = False


@dataclass(frozen=True)
class Target:
    """What code is generated for; empty strings mean this machine. `vector` names the instruction
    set of libmvec's functions and how many numbers one takes."""

    triple: str = ""
    cpu: str = ""
    features: str = ""
    vector: tuple[str, int] | None = None


@dataclass(frozen=True)
class Source:
    """A program as LLVM IR, and the memory it needs.

    Attributes:
        text: the IR.
        scratch: bytes of scratch memory.
        symbols: functions that it calls from outside.
        sums: the number of outputs added up.
        columns: the number of other outputs.
    """

    text: str
    scratch: int
    symbols: tuple[str, ...]
    sums: int
    columns: int


# ----------------------------------------------------------------------------------- IR


def lower(
    program: Program, layout: Layout, fast: bool = False, target: Target = Target()
) -> Source:
    """Return the LLVM IR of a program.

    Raises:
        NoLowering: a primitive is the user's own and has none.
    """
    for op, _ in program.code:
        if op not in LOWERINGS:
            raise NoLowering(
                f"no code can be generated for the {op} primitive, only for autograd's"
            )
    return _Lowering(program, layout, fast, target).source()


class _Lowering:
    """The working state of `lower`."""

    def __init__(self, program: Program, layout: Layout, fast: bool, target: Target) -> None:
        self.program = program
        self.layout = layout
        self.lanes = 1 if layout.point else LANES
        self.module = Module(self.lanes, fast, target.vector if fast else None)
        self.bytes = 8 * self.lanes
        # Where numbers that are the same for all rows lie: shared inputs, then constants.
        self.shared: dict[int, int] = {}
        self.slot: dict[int, int] = {}
        for i in range(program.inputs):
            home = self.slot if layout.rows[i] else self.shared
            home[i] = len(home)
        for i in range(program.inputs, program.first):
            self.shared[i] = len(self.shared)
        self.inputs = len(self.slot)
        self.number = dict(
            zip(range(program.inputs, program.first), program.constants, strict=True)
        )
        self.end = program.first + len(program.code)  # guard k is value `end + k`
        self.column: dict[int, int] = {}
        self.sum: dict[int, int] = {}
        for k, added in enumerate(layout.sums):
            place = self.sum if added else self.column
            place[k] = len(place)
        # Sums start at +0, so adding 0 to a term beforehand changes nothing.
        self.results = list(program.outputs)
        for k in self.sum:
            self.results[k] = self._without_zero(self.results[k])
        self.needed = self._reached([*self.results, *_operands(program.guards)])
        self.chunks = self._cut()
        self._assign_slots()

    def _reached(self, values: Iterable[int]) -> bytearray:
        """Return a flag per instruction: whether one of `values` is made of it."""
        first, code = self.program.first, self.program.code
        found = bytearray(len(code))
        for i in values:
            if i >= first:
                found[i - first] = 1
        for n in range(len(code) - 1, -1, -1):
            if found[n]:
                for i in code[n][1]:
                    if i >= first:
                        found[i - first] = 1
        return found

    def _without_zero(self, i: int) -> int:
        if i >= self.program.first:
            op, args = self.program.code[i - self.program.first]
            if op == "add" and self.number.get(args[1]) == 0.0:
                return args[0]
        return i

    # -------------------------------------------------------------------- order and memory

    def _schedule(self) -> Iterator[tuple[str, int]]:
        """Yield ("code", n), ("guard", k) and ("out", k): guards as early as can be, because the
        sums need to know which rows count."""
        program = self.program
        first, code = program.first, program.code
        early = self._reached(_operands(program.guards))
        # Results leave as soon as they are known, also those with a last touch (`+ 0`) to come.
        outputs: dict[int, list[int]] = {}
        for k, i in enumerate(self.results):
            outputs.setdefault(i, []).append(k)
        late: dict[int, list[int]] = {}
        done = bytearray(early[n] or not need for n, need in enumerate(self.needed))
        for i in outputs:
            if i >= first and not done[i - first]:
                made = [a for a in code[i - first][1] if a not in self.number]
                if len(made) == 1 and made[0] >= first:
                    late.setdefault(made[0], []).append(i)
                    done[i - first] = 1

        def follow(i: int) -> Iterator[tuple[str, int]]:
            waiting = [i]
            while waiting:
                at = waiting.pop()
                for k in outputs.get(at, ()):
                    yield "out", k
                for user in reversed(late.get(at, ())):
                    yield "code", user - first
                    waiting.append(user)

        for n in range(len(code)):
            if early[n]:
                yield "code", n
        for k in range(len(program.guards)):
            yield "guard", k
        for i in range(first):
            yield from follow(i)
        for n in range(len(code)):
            if early[n]:
                yield from follow(first + n)
        for n in range(len(code)):
            if not done[n]:
                yield "code", n
                yield from follow(first + n)

    def _cut(self) -> list[list[tuple[str, int]]]:
        chunks: list[list[tuple[str, int]]] = [[]]
        for item in self._schedule():
            if len(chunks[-1]) >= _CHUNK:
                chunks.append([])
            chunks[-1].append(item)
        return chunks

    def _uses(self, item: tuple[str, int]) -> tuple[int, ...]:
        """Return the values an item reads."""
        kind, n = item
        if kind == "code":
            return self.program.code[n][1]
        if kind == "guard":
            _, x, y, _ = self.program.guards[n]
            return (x, y) if n == 0 else (x, y, self.end + n - 1)
        ok = (self.end + len(self.program.guards) - 1,) if self._masked(n) else ()
        return (self.results[n], *ok)

    def _masked(self, output: int) -> bool:
        return output in self.sum and bool(self.program.guards)

    def _value(self, item: tuple[str, int]) -> int | None:
        """Return the value an item makes."""
        kind, n = item
        return None if kind == "out" else n + (self.program.first if kind == "code" else self.end)

    def _assign_slots(self) -> None:
        """Give every value that another chunk reads a place in the scratch memory."""
        born: dict[int, int] = {}
        last: dict[int, int] = {}
        for c, chunk in enumerate(self.chunks):
            for item in chunk:
                for i in self._uses(item):
                    if i in born and born[i] != c:
                        last[i] = c
                made = self._value(item)
                if made is not None:
                    born[made] = c
        self.slots = self.inputs
        free: list[int] = []
        dying: dict[int, list[int]] = {}
        for c, chunk in enumerate(self.chunks):
            for item in chunk:
                made = self._value(item)
                if made is not None and made in last:
                    if free:
                        self.slot[made] = free.pop()
                    else:
                        self.slot[made] = self.slots
                        self.slots += 1
                    dying.setdefault(last[made], []).append(self.slot[made])
            free += dying.pop(c, [])
        room = _TILE_BYTES // (max(1, self.slots) * self.bytes)
        self.groups = 1 if self.layout.point else max(1, min(_GROUPS, room))

    # --------------------------------------------------------------------------- functions

    def source(self) -> Source:
        bodies = [self._chunk(c, chunk) for c, chunk in enumerate(self.chunks)]
        entry = self._point() if self.layout.point else self._rows()
        module = self.module
        text = "\n".join([*module.declarations(), *module.functions, *bodies, entry]) + "\n"
        tile = self.groups * self.slots * self.bytes
        scratch = max(64, tile + len(self.sum) * self.bytes)
        return Source(text, scratch, tuple(module.symbols()), len(self.sum), len(self.column))

    def _chunk(self, c: int, chunk: list[tuple[str, int]]) -> str:
        """Return the function of one chunk. Rows: it loops over the groups of a tile."""
        b = Builder(self.module)
        b.block = "body"
        names: dict[int, str] = {}
        for item in chunk:
            kind, n = item
            args = [self._load(b, names, i) for i in self._uses(item)]
            if kind == "out":
                self._store_output(b, n, args)
                continue
            if kind == "guard":
                op, _, _, outcome = self.program.guards[n]
                mask = b.compare(_FCMP[op], args[0], args[1])
                if not outcome:
                    mask = b.emit(f"xor {b.mask} {mask}, {self._all_true()}")
                if n:
                    mask = b.both(mask, b.nonzero(args[2]))
                out = b.flag(mask)
                if n == len(self.program.guards) - 1:
                    self._store_ok(b, mask)
            else:
                op, indices = self.program.code[n]
                for name, i in zip(args, indices, strict=True):
                    if i in self.number:
                        b.constants[name] = self.number[i]
                out = LOWERINGS[op](b, *args)
            made = self._value(item)
            assert made is not None
            names[made] = out
            if made in self.slot:
                at = b.emit(f"getelementptr i8, ptr %base, i64 {self.slot[made] * self.bytes}")
                b.lines.append(f"  store {b.kind} {out}, ptr {at}, align {self.bytes}")
        if self.layout.point:
            return "\n".join(
                [
                    (
                        f"define internal void @chunk{c}(ptr %base, ptr %shared, ptr %out) "
                        "noinline nounwind {\nbody:"
                    ),
                    *b.lines,
                    "  ret void\n}",
                ]
            )
        return "\n".join(
            [
                (
                    f"define internal void @chunk{c}(ptr %tile, ptr %shared, ptr %out, i64 %pitch, "
                    "ptr %sums, ptr %ok, i64 %first, i64 %end) noinline nounwind {\nentry:"
                ),
                "  br label %body\nbody:",
                f"  %row = phi i64 [ %first, %entry ], [ %next, %{b.block} ]",
                f"  %base = phi ptr [ %tile, %entry ], [ %nextbase, %{b.block} ]",
                *b.lines,
                f"  %next = add i64 %row, {LANES}",
                f"  %nextbase = getelementptr i8, ptr %base, i64 {self.slots * self.bytes}",
                "  %more = icmp slt i64 %next, %end",
                f"  %past = add i64 %first, {LANES * self.groups}",
                "  %inside = icmp slt i64 %next, %past",
                "  %again = and i1 %more, %inside",
                "  br i1 %again, label %body, label %done\ndone:",
                "  ret void\n}",
            ]
        )

    def _all_true(self) -> str:
        return "true" if self.lanes == 1 else "<" + ", ".join(["i1 true"] * self.lanes) + ">"

    def _load(self, b: Builder, names: dict[int, str], i: int) -> str:
        """Return the name of value `i`, fetched from memory at its first use in a chunk."""
        name = names.get(i)
        if name is not None:
            return name
        if i in self.shared:
            at = b.emit(f"getelementptr i8, ptr %shared, i64 {8 * self.shared[i]}")
            name = b.emit(f"load double, ptr {at}, align 8")
            if self.lanes > 1:
                name = b.emit(f"insertelement {b.kind} poison, double {name}, i32 0")
                name = b.emit(
                    f"shufflevector {b.kind} {name}, {b.kind} poison, "
                    f"<{self.lanes} x i32> zeroinitializer"
                )
        else:
            at = b.emit(f"getelementptr i8, ptr %base, i64 {self.slot[i] * self.bytes}")
            name = b.emit(f"load {b.kind}, ptr {at}, align {self.bytes}")
        names[i] = name
        return name

    def _store_output(self, b: Builder, k: int, args: list[str]) -> None:
        if self.layout.point:
            at = b.emit(f"getelementptr double, ptr %out, i64 {self.column[k]}")
            b.lines.append(f"  store double {args[0]}, ptr {at}, align 8")
            return
        if k in self.column:
            start = b.emit(f"mul i64 %pitch, {self.column[k]}")
            index = b.emit(f"add i64 {start}, %row")
            at = b.emit(f"getelementptr double, ptr %out, i64 {index}")
            b.lines.append(f"  store {b.kind} {args[0]}, ptr {at}, align 8")
            return
        at = b.emit(f"getelementptr i8, ptr %sums, i64 {self.sum[k] * self.bytes}")
        old = b.emit(f"load {b.kind}, ptr {at}, align {self.bytes}")
        new = b.add_product(old, args[0])
        if len(args) > 1:
            new = b.select(b.nonzero(args[1]), new, old)
        b.lines.append(f"  store {b.kind} {new}, ptr {at}, align {self.bytes}")

    def _store_ok(self, b: Builder, mask: str) -> None:
        if self.layout.point:
            at = b.emit(f"getelementptr double, ptr %out, i64 {len(self.column)}")
            b.lines.append(f"  store double {b.flag(mask)}, ptr {at}, align 8")
            return
        bits = b.emit(f"bitcast {b.mask} {mask} to i{LANES}")
        at = b.emit(f"lshr i64 %row, {LANES.bit_length() - 1}")
        at = b.emit(f"getelementptr i8, ptr %ok, i64 {at}")
        b.lines.append(f"  store i{LANES} {bits}, ptr {at}, align 1")

    def _point(self) -> str:
        calls = [
            f"  call void @chunk{c}(ptr %scratch, ptr %shared, ptr %out)"
            for c in range(len(self.chunks))
        ]
        end = ["  ret i32 1"]
        if self.program.guards:
            end = [
                f"  %flagat = getelementptr double, ptr %out, i64 {len(self.column)}",
                "  %flag = load double, ptr %flagat",
                "  %result = fptosi double %flag to i32",
                "  ret i32 %result",
            ]
        return "\n".join(
            ["define i32 @run(ptr %shared, ptr %out, ptr %scratch) nounwind {", *calls, *end, "}"]
        )

    def _rows(self) -> str:
        """Return the entry function: for each tile, gather its inputs and run the chunks."""
        calls = "\n".join(
            f"  call void @chunk{c}(ptr %scratch, ptr %shared, ptr %out, i64 %pitch, ptr %acc, "
            "ptr %ok, i64 %row, i64 %limit)"
            for c in range(len(self.chunks))
        )
        tile = self.groups * self.slots * self.bytes
        return _ROWS.format(
            calls=calls,
            lanes=LANES,
            step=LANES * self.groups,
            group=self.slots * self.bytes,
            inputs=self.inputs,
            tile=tile,
            sums=len(self.sum),
        )


# Rows [first, end) with `first` a multiple of the lanes. Inputs are columns with a stride in bytes;
# behind the last row it is repeated. An incomplete group goes first, and what its empty lanes added
# is wiped out; accumulators are added up lane by lane at the end.
_ROWS: Final = """
define internal void @gather(ptr %scratch, ptr %columns, ptr %strides, i64 %row, i64 %end)
    nounwind {{
entry:
  %any = icmp sgt i64 {inputs}, 0
  br i1 %any, label %input, label %done
input:
  %k = phi i64 [ 0, %entry ], [ %k1, %nextinput ]
  %columnat = getelementptr ptr, ptr %columns, i64 %k
  %column = load ptr, ptr %columnat
  %strideat = getelementptr i64, ptr %strides, i64 %k
  %stride = load i64, ptr %strideat
  %slot = mul i64 %k, {lanes}
  %target = getelementptr double, ptr %scratch, i64 %slot
  %dense = icmp eq i64 %stride, 8
  %pastrow = add i64 %row, {step}
  %short = icmp slt i64 %end, %pastrow
  %stop = select i1 %short, i64 %end, i64 %pastrow
  br label %group
group:
  %r = phi i64 [ %row, %input ], [ %r1, %nextgroup ]
  %to = phi ptr [ %target, %input ], [ %to1, %nextgroup ]
  %r1 = add i64 %r, {lanes}
  %full = icmp sle i64 %r1, %end
  %quick = and i1 %dense, %full
  br i1 %quick, label %copy, label %slow
copy:
  %from = getelementptr double, ptr %column, i64 %r
  %whole = load <{lanes} x double>, ptr %from, align 8
  store <{lanes} x double> %whole, ptr %to, align 64
  br label %nextgroup
slow:
  %last = sub i64 %end, 1
  br label %lane
lane:
  %l = phi i64 [ 0, %slow ], [ %l1, %lane ]
  %at = add i64 %r, %l
  %beyond = icmp sgt i64 %at, %last
  %index = select i1 %beyond, i64 %last, i64 %at
  %offset = mul i64 %index, %stride
  %source = getelementptr i8, ptr %column, i64 %offset
  %one = load double, ptr %source, align 8
  %place = getelementptr double, ptr %to, i64 %l
  store double %one, ptr %place, align 8
  %l1 = add i64 %l, 1
  %morelanes = icmp slt i64 %l1, {lanes}
  br i1 %morelanes, label %lane, label %nextgroup
nextgroup:
  %to1 = getelementptr i8, ptr %to, i64 {group}
  %moregroups = icmp slt i64 %r1, %stop
  br i1 %moregroups, label %group, label %nextinput
nextinput:
  %k1 = add i64 %k, 1
  %moreinputs = icmp slt i64 %k1, {inputs}
  br i1 %moreinputs, label %input, label %done
done:
  ret void
}}

define i32 @run(ptr %shared, ptr %columns, ptr %strides, ptr %out, i64 %pitch, ptr %sums, ptr %ok,
                ptr %scratch, i64 %first, i64 %end) nounwind {{
entry:
  %acc = getelementptr i8, ptr %scratch, i64 {tile}
  br label %clearing
clearing:
  %c = phi i64 [ 0, %entry ], [ %c1, %clear ]
  %clearmore = icmp slt i64 %c, {sums}
  br i1 %clearmore, label %clear, label %begin
clear:
  %clearslot = mul i64 %c, {lanes}
  %clearat = getelementptr double, ptr %acc, i64 %clearslot
  store <{lanes} x double> zeroinitializer, ptr %clearat, align 64
  %c1 = add i64 %c, 1
  br label %clearing
begin:
  %count = sub i64 %end, %first
  %rest = srem i64 %count, {lanes}
  %whole = sub i64 %end, %rest
  %incomplete = icmp ne i64 %rest, 0
  br i1 %incomplete, label %tile, label %tiles
tiles:
  %start = phi i64 [ %first, %begin ], [ %first, %wiping ], [ %row1, %tile ]
  %rowsleft = icmp slt i64 %start, %whole
  br i1 %rowsleft, label %tile, label %summing
tile:
  %row = phi i64 [ %whole, %begin ], [ %start, %tiles ]
  %limit = phi i64 [ %end, %begin ], [ %whole, %tiles ]
  call void @gather(ptr %scratch, ptr %columns, ptr %strides, i64 %row, i64 %limit)
{calls}
  %row1 = add i64 %row, {step}
  %first_of_all = icmp sgt i64 %limit, %whole
  br i1 %first_of_all, label %wiping, label %tiles
wiping:
  %w = phi i64 [ 0, %tile ], [ %w1, %wipenext ]
  %wipemore = icmp slt i64 %w, {sums}
  br i1 %wipemore, label %wipe, label %tiles
wipe:
  %wipelane = phi i64 [ %rest, %wiping ], [ %wipelane1, %wipe ]
  %wipeslot = mul i64 %w, {lanes}
  %wipeindex = add i64 %wipeslot, %wipelane
  %wipeat = getelementptr double, ptr %acc, i64 %wipeindex
  store double 0.0, ptr %wipeat
  %wipelane1 = add i64 %wipelane, 1
  %wipeagain = icmp slt i64 %wipelane1, {lanes}
  br i1 %wipeagain, label %wipe, label %wipenext
wipenext:
  %w1 = add i64 %w, 1
  br label %wiping
summing:
  %s = phi i64 [ 0, %tiles ], [ %s1, %lanesdone ]
  %summore = icmp slt i64 %s, {sums}
  br i1 %summore, label %sum, label %done
sum:
  %sumslot = mul i64 %s, {lanes}
  %sumfrom = getelementptr double, ptr %acc, i64 %sumslot
  br label %adding
adding:
  %a = phi i64 [ 0, %sum ], [ %a1, %adding ]
  %total = phi double [ 0.0, %sum ], [ %total1, %adding ]
  %termat = getelementptr double, ptr %sumfrom, i64 %a
  %term = load double, ptr %termat
  %total1 = fadd double %total, %term
  %a1 = add i64 %a, 1
  %addmore = icmp slt i64 %a1, {lanes}
  br i1 %addmore, label %adding, label %lanesdone
lanesdone:
  %sumto = getelementptr double, ptr %sums, i64 %s
  store double %total1, ptr %sumto
  %s1 = add i64 %s, 1
  br label %summing
done:
  ret i32 1
}}
"""

# --------------------------------------------------------------------------------- machine code

# LLVM's global context is shared by all threads, and must not be copied half done by a fork. Every
# call into LLVM runs with this lock and with interrupts held: llvmlite's objects, interrupted
# between two bytecodes, are freed twice.
_lock: Final = lock(fork_waits=True)


def _llvm() -> Any:
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise ImportError(
            "autograd.compile needs llvmlite and numpy: pip install scalar-autograd[compile]"
        ) from None
    return llvm


_machines: Final[dict[tuple[Target, int], Any]] = {}


def _machine(target: Target, opt: int) -> Any:
    """Return LLVM's target machine; call it with the lock held."""
    found = _machines.get((target, opt))
    if found is None:
        llvm = _llvm()
        if target.triple:
            llvm.initialize_all_targets()
            llvm.initialize_all_asmprinters()
            which = llvm.Target.from_triple(target.triple)
            cpu, features = target.cpu, target.features
        else:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
            which = llvm.Target.from_default_triple()
            cpu, features = target.cpu or llvm.get_host_cpu_name(), target.features or host()
        # MCJIT asks for the memory of code and of constants one after the other, and in a process
        # full of libraries they come gigabytes apart; what "small" code then does is to abort.
        far = which.name == "x86-64" and sys.platform.startswith("linux")
        reloc, model = ("static", "large") if far else ("pic", "small")
        found = _machines[target, opt] = which.create_target_machine(
            cpu=cpu, features=features, opt=opt, reloc=reloc, codemodel=model
        )
    return found


def host() -> str:
    """Return the features of this processor, as LLVM lists them."""
    with _lock, interrupts_held():
        features: str = _llvm().get_host_cpu_features().flatten()
        return features


def processor() -> str:
    """Return what code for this machine depends on: the processor, and LLVM's version."""
    llvm = _llvm()
    with _lock, interrupts_held():
        version = ".".join(map(str, llvm.llvm_version_info))
        return f"{llvm.get_default_triple()} {llvm.get_host_cpu_name()} {host()} {version}"


def _parse(source: Source, machine: Any) -> Any:
    module = _llvm().parse_assembly(source.text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    return module


def assembly(source: Source, target: Target = Target(), opt: int = 2) -> str:
    """Return the assembly text of `source` for `target`."""
    with _lock, interrupts_held():
        machine = _machine(target, opt)
        text: str = machine.emit_assembly(_parse(source, machine))
        return text


def machine_code(source: Source, target: Target = Target(), opt: int = 2) -> bytes:
    """Return the object file of `source` for `target`."""
    with _lock, interrupts_held():
        machine = _machine(target, opt)
        code: bytes = machine.emit_object(_parse(source, machine))
        return code


_C_LIBRARIES: Final = {"linux": "libm.so.6", "darwin": "libSystem.dylib", "win32": "ucrtbase.dll"}
_addresses: Final[dict[str, int]] = {}
_libraries: Final[dict[str, Any]] = {}


def _library(name: str) -> Any:
    if name not in _libraries:
        try:
            _libraries[name] = ctypes.CDLL(name or None)
        except OSError:
            _libraries[name] = None
    return _libraries[name]


def address_of(symbol: str) -> int:
    """Return where a function of the C library, or of glibc's vector mathematics, is.

    Raises:
        LookupError: it is not to be found.
    """
    if symbol not in _addresses:
        vector = symbol.startswith("_ZGV")
        names = ("libmvec.so.1",) if vector else (_C_LIBRARIES.get(sys.platform, ""), "")
        for name in names:
            library = _library(name)
            if library is not None and hasattr(library, symbol):
                found = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value
                if found:
                    _addresses[symbol] = found
                    break
        else:
            raise LookupError(f"function {symbol!r} is in none of {names}")
    return _addresses[symbol]


def vector_functions() -> tuple[str, int] | None:
    """Return libmvec's letter and width for this processor's widest vectors; None without it."""
    if not sys.platform.startswith("linux") or _library("libmvec.so.1") is None:
        return None
    with _lock, interrupts_held():
        features = _llvm().get_host_cpu_features()
    isa = ("e", 8) if features.get("avx512f") else ("d", 4) if features.get("avx2") else ("b", 2)
    try:
        for name, arity in LIBM.items():
            if name in LIBMVEC:
                address_of(f"_ZGV{isa[0]}N{isa[1]}{'v' * arity}_{name}")
    except LookupError:  # another architecture, or an older glibc
        return None
    return isa


# Engines by a weak reference to the `Native` that needs them. What died waits in `_dead` to be
# closed: where objects die, interrupts cannot be held back, nor a lock be waited for.
_engines: Final[dict[Any, Any]] = {}
_dead: Final[deque[Any]] = deque()


class Native:
    """Machine code in memory, freed after this object, when the next is made.

    Attributes:
        source: the memory it needs.
    """

    def __init__(self, code: bytes, source: Source, point: bool) -> None:
        for symbol in source.symbols:
            address_of(symbol)
        with _lock, interrupts_held():
            while _dead:
                _engines.pop(_dead.popleft()).close()
            engine, address = _load(code, source)
            _engines[weakref.ref(self, _dead.append)] = engine
        pointer, integer = ctypes.c_void_p, ctypes.c_int64
        kinds: list[Any] = [pointer] * 3
        if not point:
            kinds = [pointer] * 4 + [integer] + [pointer] * 3 + [integer] * 2
        self._run = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(address)
        self._point = point
        self.source = source

    @property
    def at_point(self) -> Any:
        """The entry function, to be called with addresses; see `_Lowering._point`."""
        if not self._point:
            raise RuntimeError("code for rows can't be run at one point")
        return self._run

    @property
    def over_rows(self) -> Any:
        """The entry function, to be called with addresses and numbers; see `_Lowering._rows`."""
        if self._point:
            raise RuntimeError("code for one point can't be run over rows")
        return self._run


def _load(code: bytes, source: Source) -> tuple[Any, int]:
    """Return an engine that holds `code`, and where its entry function is.

    A function of its own, so that all else it makes is closed when it returns, within the lock.
    """
    llvm = _llvm()
    _machine(Target(), 0)  # so that LLVM is ready
    for symbol in source.symbols:
        llvm.add_symbol(symbol, address_of(symbol))
    # MCJIT rather than ORC: an ORC library leaves 9 KB behind when it is dropped.
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, engine.get_function_address("run")
