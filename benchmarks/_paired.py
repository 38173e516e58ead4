"""Paired runs: ours and a peer measured in turn, A B A B ..., each time in a fresh process.

Absolute times drift by a factor of two within the hour on a shared machine; the ratio of two runs
made one right after the other does not. So a ratio is taken pair by pair, from the best repetition
of each run, and the median over the pairs is what counts.
Knows nothing of workloads: a task is a name the worker looks up and its arguments.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks._environments import Cache, Environment, Unavailable, worker_environment

_WORKER_SECONDS = 900


@dataclass(frozen=True)
class Unit:
    """What a figure is given in: its name, and how many of what the task returns make one."""

    name: str
    size: float = 1.0


@dataclass(frozen=True)
class Target:
    """What is promised: a ratio of `at_least` times faster, or `at_most` times slower."""

    at_least: float = 0.0
    at_most: float = 0.0

    def met(self, ratio: float) -> bool:
        """Return whether `ratio` (the peer's figure by ours) keeps the promise."""
        return ratio >= (self.at_least or 1.0 / self.at_most)


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: label, environment, and the task's arguments there."""

    label: str
    environment: Environment
    arguments: dict[str, Any] = field(default_factory=dict)
    target: Target | None = None


@dataclass(frozen=True)
class Section:
    """A workload and those who run it: one table of the report.

    `task` is "module:function" of a function that returns a `Measurement` (see `_worker.py`);
    `limit` is the most that our total may be, in `unit`; `rounds`, if given, is the most pairs that
    are run, for workloads that take a peer minutes; `note` says what the figures mean.
    """

    title: str
    task: str
    unit: Unit
    ours: Side
    peers: tuple[Side, ...] = ()
    limit: float = 0.0
    rounds: int = 0
    note: str = ""


@dataclass
class Row:
    """One line of a table: the figures of a side, and how it compares with ours.

    `figures` and `ours` hold the median over all runs, by phase and per item of the workload;
    `ratios` has one entry a pair (the peer's total by ours), `count` the items in one repetition.
    """

    label: str
    count: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    ours: float = 0.0
    ratios: list[float] = field(default_factory=list)
    target: Target | None = None
    missing: str = ""
    runs: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median over the pairs."""
        return statistics.median(self.ratios)


@dataclass
class Results:
    """Everything a report needs: the machine, what was installed, and the rows of each section."""

    machine: dict[str, str]
    installed: dict[str, dict[str, Any]]
    sections: list[tuple[Section, list[Row]]]


def measure(sections: Sequence[Section], cache: Cache, rounds: int, only: str = "") -> Results:
    """Return the results of all sections; what cannot be measured is a row with the reason."""
    cache.copy_checkout()
    machine = about_machine()
    installed: dict[str, dict[str, Any]] = {}
    measured: list[tuple[Section, list[Row]]] = []
    for section in sections:
        sides = [s for s in (section.ours, *section.peers) if only in f"{section.title}: {s.label}"]
        if not sides:
            continue
        rows: list[Row] = []
        for side in sides:
            _say(f"{section.title}: {side.label} ")
            row = Row(side.label, target=side.target)
            try:
                for one in (section.ours.environment, side.environment):
                    installed[one.name] = cache.prepare(one)
                for _ in range(min(rounds, section.rounds or rounds)):
                    pair = [section.ours] if side is section.ours else [section.ours, side]
                    row.runs.append([_run(section, one, cache) for one in pair])
                    _say(".")
                _summarise(row, section.unit)
            except Unavailable as reason:
                row.missing = str(reason)
            _say("\n")
            rows.append(row)
        measured.append((section, rows))
    return Results(machine, installed, measured)


def _summarise(row: Row, unit: Unit) -> None:
    """Fill in the figures of `row` from its runs."""
    own = [pair[-1] for pair in row.runs]
    row.count = own[0]["count"]
    best = [_best(run) for run in own]
    for phase in own[0]["phases"]:
        row.figures[phase] = statistics.median(figures[phase] / unit.size for figures in best)
    row.figures["total"] = statistics.median(_total(run) / unit.size for run in own)
    row.ours = statistics.median(_total(pair[0]) / unit.size for pair in row.runs)
    if len(row.runs[0]) == 2:
        row.ratios = [_total(peer) / _total(ours) for ours, peer in row.runs]


def _best(run: dict[str, Any]) -> dict[str, float]:
    """Return the phases, per item, of the repetition of the run that took least in all."""
    repetitions = zip(*run["phases"].values(), strict=True)
    best = [figure / run["count"] for figure in min(repetitions, key=sum)]
    return dict(zip(run["phases"], best, strict=True))


def _total(run: dict[str, Any]) -> float:
    return sum(_best(run).values())


def _run(section: Section, side: Side, cache: Cache) -> dict[str, Any]:
    """Return what the task measures in a fresh process; Unavailable with the reason if it fails."""
    request = json.dumps({"task": section.task, "arguments": side.arguments})
    command = [str(cache.python(side.environment)), "-m", "benchmarks._worker", request]
    try:
        done = subprocess.run(
            command,
            cwd=cache.stage,
            env=worker_environment(),
            capture_output=True,
            text=True,
            timeout=_WORKER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{side.label} gave no answer in {_WORKER_SECONDS} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unavailable(f"{side.label} ended with exit code {done.returncode}: {last}")
    reply: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "error" in reply:
        raise Unavailable(f"{side.label}: {reply['error']}")
    return reply


def about_machine() -> dict[str, str]:
    """Return what the figures depend on: processor, cores, system, Python, and how busy it is."""
    about = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    if hasattr(os, "getloadavg"):
        about["load at the start"] = f"{os.getloadavg()[0]:.1f}"
    return about


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
