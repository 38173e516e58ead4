"""Results as a Markdown table for people and as JSON for programs. Measures nothing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks._paired import Results, Row, Section


def markdown(results: Results) -> str:
    """Return the results as Markdown: the machine, what was installed, then a table a section."""
    parts = [", ".join(f"{name}: {value}" for name, value in results.machine.items())]
    parts += ["\n".join(f"* {name}: {_about(about)}" for name, about in results.installed.items())]
    for section, rows in results.sections:
        parts += [f"### {section.title} ({section.unit.name})"]
        if section.note:
            parts += [section.note]
        parts += [_table(section, rows)]
    return "\n\n".join(parts)


def save(results: Results, name: str, folder: Path) -> Path:
    """Return the path of the JSON file that now holds all results, every single run included."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = "".join(c for c in results.machine["date"] if c.isdigit())
    path = folder / f"{name}-{stamp}.json"
    content = {
        "benchmark": name,
        "machine": results.machine,
        "installed": results.installed,
        "sections": [
            {"section": asdict(section), "rows": [asdict(row) for row in rows]}
            for section, rows in results.sections
        ],
    }
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(unfinished, path)
    return path


def _about(about: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in about.items()) or "nothing beside Python"


def _table(section: Section, rows: Sequence[Row]) -> str:
    phases = list(dict.fromkeys(phase for row in rows for phase in row.figures))
    phases = [phase for phase in phases if phase != "total"] + ["total"]
    if len(phases) == 2:
        phases = phases[:1]
    lines = [["", *phases, f"{section.ours.label} beside it", "ratio", "target"]]
    for row in rows:
        if row.missing:
            reason = f"not measured: {row.missing}"
            lines.append([row.label, *["-"] * (len(phases) + 2), reason])
            continue
        figures = [_number(row.figures[p]) if p in row.figures else "" for p in phases]
        lines.append([_sized(section, row), *figures, *_verdict(section, row)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:-1]), "-" * widths[-1]]
    return "\n".join(
        "| " + " | ".join(_pad(line, widths)) + " |" for line in [lines[0], rule, *lines[1:]]
    )


def _sized(section: Section, row: Row) -> str:
    """Return the label of a row, with the size of its workload where that was its own."""
    sides = {side.label: side for side in (section.ours, *section.peers)}
    size = sides[row.label].arguments.get("size")
    same = size == section.ours.arguments.get("size")
    return row.label if same else f"{row.label} (size {size:,})"


def _verdict(section: Section, row: Row) -> list[str]:
    """Return the last three cells: ours in the same pairs, the ratio, and whether it is enough."""
    if not row.ratios:
        if not section.limit:
            return ["", "", ""]
        word = "met" if row.ours <= section.limit else "**missed**"
        return ["", "", f"at most {_number(section.limit)}: {word}"]
    ratio = f"{_number(row.ratio)}x ({_number(min(row.ratios))} to {_number(max(row.ratios))})"
    if row.target is None:
        return [_number(row.ours), ratio, ""]
    word = "met" if row.target.met(row.ratio) else "**missed**"
    if row.target.at_most:
        promise = f"ours at most {_number(row.target.at_most)}x, is {_number(1 / row.ratio)}x"
    else:
        promise = f"at least {_number(row.target.at_least)}x"
    return [_number(row.ours), ratio, f"{promise}: {word}"]


def _number(value: float) -> str:
    """Return `value` with three significant digits (two below 1), never in exponent form."""
    if value == 0.0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    digits = max(0, 2 - exponent) if exponent >= 0 else 1 - exponent
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _pad(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the cells at their widths: labels and targets to the left, numbers to the right."""
    last = len(cells) - 1
    return [
        cell.ljust(width) if i in (0, last) else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
