"""Where things go: runs a Graphviz program over DOT text and reads positions back.

The program is looked for inside the installed `graphviz-pure` wheel first, then on PATH. It runs
without a shell, with a timeout, fed through a pipe. Must not know what the DOT text is about.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
from functools import cache
from typing import Any, NamedTuple

TIMEOUT = 60.0
"""Seconds after which a layout is given up."""

Point = tuple[float, float]


class LayoutError(RuntimeError):
    """No layout: no program, or it failed, or it took too long. `.dot` is the DOT text."""

    def __init__(self, message: str, dot: str) -> None:
        self.dot = dot
        super().__init__(message)


class Line(NamedTuple):
    """A spline (one point, then three for each piece), the arrow's tip, the label's middle."""

    points: tuple[Point, ...]
    tip: Point | None
    label: Point | None


class Area(NamedTuple):
    """A cluster's rectangle."""

    left: float
    top: float
    width: float
    height: float


class Layout(NamedTuple):
    """Positions, y downwards: middles of nodes by name, lines by `id`, clusters by name."""

    width: float
    height: float
    nodes: dict[str, Point]
    lines: dict[str, Line]
    clusters: dict[str, Area]
    label: Point | None


@cache
def layout_program() -> str | None:
    """The path of the layout program, or None: from the wheel, else from PATH (`dot`)."""
    try:
        files = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("graphviz-pure", "graphviz-pure.exe"):
            path = os.path.realpath(str(file.locate()))
            if os.access(path, os.X_OK):
                return path
    return shutil.which("graphviz-pure") or shutil.which("dot")


def run_program(dot: str, output: str, *options: str, timeout: float | None = None) -> bytes:
    """What the layout program makes of `dot` in the format `output` ("json0", "png").

    Raises:
        LayoutError: there is no program, it failed, or it took longer than `timeout` seconds.
    """
    program = layout_program()
    if program is None:
        raise LayoutError(
            "no layout program: install the graphviz-pure package or put Graphviz's dot on PATH; "
            'the DOT text is at hand as picture.dot and picture.save("picture.dot")',
            dot,
        )
    limit = TIMEOUT if timeout is None else timeout
    try:
        done = subprocess.run(
            [program, f"-T{output}", *options],
            input=dot.encode("utf-8"),
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LayoutError(
            f"the layout took longer than {limit:g} s and was stopped; draw less of the graph "
            "(collapse=, focus=, wrt=) or lay out the DOT text (picture.dot) elsewhere",
            dot,
        ) from None
    except OSError as error:
        raise LayoutError(f"cannot run {program}: {error}", dot) from error
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise LayoutError(
            f"{program} failed (exit code {done.returncode}): {said[0]}; "
            "the DOT text is at hand as picture.dot",
            dot,
        )
    return done.stdout


def lay_out(dot: str) -> Layout:
    """The layout of `dot`.

    Raises:
        LayoutError: see `run_program`.
    """
    result: dict[str, Any] = json.loads(run_program(dot, "json0"))
    _, _, width, height = _numbers(result["bb"])

    def point(text: str) -> Point:
        x, y = _numbers(text)
        return x, height - y

    nodes: dict[str, Point] = {}
    clusters: dict[str, Area] = {}
    for thing in result.get("objects", []):
        if "pos" in thing:
            nodes[thing["name"]] = point(thing["pos"])
        elif "bb" in thing:
            left, bottom, right, top = _numbers(thing["bb"])
            clusters[thing["name"]] = Area(left, height - top, right - left, top - bottom)
    lines: dict[str, Line] = {}
    for edge in result.get("edges", []):
        tip, points = None, []
        for word in edge["pos"].split():
            if word.startswith("e,"):
                tip = point(word[2:])
            elif not word.startswith("s,"):
                points.append(point(word))
        label = point(edge["lp"]) if "lp" in edge else None
        lines[edge["id"]] = Line(tuple(points), tip, label)
    label = point(result["lp"]) if "lp" in result else None
    return Layout(width, height, nodes, lines, clusters, label)


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]
