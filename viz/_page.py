"""The page that steps through a picture: one self-contained HTML text.

The picture's SVG, the graph as data, the program that recomputes it, and a fixed script. The
content-security policy names the hashes of the page's own script and styles and forbids all else,
so that nothing is fetched and nothing that came in as data can run.
"""

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from autograd.javascript import FUNCTIONS, emit

from ._figure import Figure
from ._layout import Layout
from ._palette import Theme
from ._snapshot import Node, Snapshot
from ._svg import MARGIN, arrow_points, describe, path_data, stylesheet, write_svg
from ._text import escaped, printable
from ._view import Scope

OPENED_UP_TO = 400
"""Nodes of a collapsed picture up to which its page can open the groups again."""

LARGEST_PAGE = 20_000
"""Nodes of a graph beyond which there is no page."""

_IDENT = "p"

_CONTROLS = """
<button id="reset" title="Home">reset</button>
<button id="back" title="left arrow">← back</button>
<button id="next" title="right arrow">step →</button>
<button id="play" title="space">▶ play</button>
<button id="values">values</button>
<button id="all" title="End">all</button>
<input id="step" type="range" min="0" value="0" aria-label="step">
<span id="where"></span>
<span class="gap"></span>
<input id="search" type="search" placeholder="search ( / )" aria-label="search for a node">
<span id="found" role="status"></span>
<button id="out" aria-label="zoom out">−</button>
<button id="in" aria-label="zoom in">+</button>
<button id="fit">fit</button>
"""

_TRAINING = """
<div id="training" hidden>
<button id="frame-play">▶ play training</button>
<input id="frame" type="range" min="0" value="0" aria-label="training step">
<span id="frame-where"></span>
<svg id="spark" role="img" aria-label="the result over the training steps" viewBox="0 0 300 42">
<polyline id="spark-line" points=""/><circle id="spark-dot" r="4.5" cx="0" cy="0"/></svg>
</div>
"""

_LIVE = """
<aside id="live" aria-label="inputs" tabindex="0">
<h2>Inputs</h2>
<div id="inputs"></div>
<p><button id="restore">restore</button></p>
<p>Change one: the page computes every value and gradient again. It repeats the operations that
were recorded; an if of the original program is not decided anew.</p>
</aside>
"""


def runnable(snapshot: Snapshot) -> bool:
    """Whether a page can recompute this graph: every primitive in it has a line of JavaScript."""
    return all(not node.op or node.op in FUNCTIONS for node in snapshot.nodes)


def _library(snapshot: Snapshot) -> str:
    """JavaScript that defines `F` (values) and `D` (partials) of the primitives in `snapshot`."""
    return emit(sorted({node.op for node in snapshot.nodes if node.op in FUNCTIONS}))


def write_page(
    figure: Figure,
    layout: Layout,
    theme: Theme,
    closed: tuple[Figure, Layout] | None = None,
    frames: Sequence["Frame"] = (),
) -> str:
    """The page of `figure`.

    It begins as the figure `closed`, the same graph with some groups collapsed, if there is one;
    `frames` are named training steps.
    """
    data = graph_data(figure, closed[0].view.collapsed if closed else ())
    if closed and figure.style == "card":
        data["preset"] = _preset(figure, *closed)
    if frames:
        if not data["live"]:
            raise ValueError(
                "a primitive of this graph has no JavaScript line, so no page of steps"
            )
        data["frames"] = frames
    data["legend"] = layout.label
    title = describe(figure)[0]
    code = f"{_library(figure.view.snapshot)}{resource('page.js')}"
    body = (
        f"<header><h1>{escaped(title)}</h1>{_CONTROLS}{_TRAINING}</header>"
        f'<main id="stage">{write_svg(figure, layout, theme, _IDENT, tips=False)}</main>{_LIVE}'
        '<footer><div id="words" aria-live="polite"></div>'
        '<button id="unpin" hidden>unpin (Esc)</button></footer>'
    )
    styles = [resource("page.css"), stylesheet(theme, _IDENT)]
    return assemble(title, body, styles, code, data, theme)


def assemble(
    title: str, body: str, styles: Sequence[str], code: str, data: object, theme: Theme
) -> str:
    """A page with its policy; the first of `styles` goes into the head, others are in `body`."""
    script = f'const DATA=JSON.parse(document.getElementById("data").textContent);\n{code}'
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; "
        f"style-src {' '.join(repr(_hash(style)) for style in styles)}; "
        "base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    mode = "" if theme == "auto" else f' class="{theme}"'
    return (
        f'<!DOCTYPE html>\n<html lang="en"{mode}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{styles[0]}</style>\n</head>\n<body>\n{body}\n"
        f'<script type="application/json" id="data">{printable(text)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def resource(name: str) -> str:
    """The text of a file of `viz/web`, without indentation and comment lines."""
    text = (files("viz") / "web" / name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def script_number(x: float) -> float | int | str:
    """`x` for JSON; what JSON has no number for is spelled as JavaScript's `Number` reads it."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return int(x) if x == int(x) and abs(x) < 2**53 and str(x) != "-0.0" else x


def graph_data(figure: Figure, collapsed: Sequence[Scope] = ()) -> dict[str, Any]:
    """The graph and its picture as the script wants them."""
    view = figure.view
    place = {scope: index for index, scope in enumerate(view.scopes)}

    def home(scope: Scope) -> int:
        while scope and scope not in place:
            scope = scope[:-1]
        return place.get(scope, -1)

    sizes = [0] * len(place)
    for node in view.snapshot.nodes:
        for depth in range(1, len(node.scope) + 1):
            if node.scope[:depth] in place:
                sizes[place[node.scope[:depth]]] += 1
    card_of = {shape.key: shape.card for shape in figure.shapes}
    links: list[tuple[str, str, str, int | None]] = []
    for link in figure.links:
        if link.edge is None:
            key = view.cards[card_of[link.source]].key
            links.append((link.key, key, key, None))
        else:
            edge = view.edges[link.edge]
            links.append((link.key, edge.source, edge.target, edge.place))
    return {
        "nodes": [_row(node, home(node.scope)) for node in view.snapshot.nodes],
        "cards": [(card.key, card.nodes, card.results or card.nodes[:1]) for card in view.cards],
        "home": {card.key: home(card.scope) for card in view.cards},
        "links": links,
        "scopes": [
            (printable(scope[-1]), place.get(scope[:-1], -1), sizes[index])
            for scope, index in place.items()
        ],
        "collapsed": [place[scope] for scope in collapsed if scope in place],
        "direction": figure.direction,
        "circuit": figure.style == "circuit",
        "digits": view.digits,
        "swept": view.snapshot.swept,
        "live": runnable(view.snapshot),
    }


def _preset(figure: Figure, closed: Figure, layout: Layout) -> dict[str, Any]:
    """Where the layout program put everything in `closed`, by the keys of `figure`'s page."""
    place = {scope: index for index, scope in enumerate(figure.view.scopes)}
    cards = closed.view.cards
    key = {card.key: f"c{place[card.group]}" if card.group in place else card.key for card in cards}
    links = []
    for link in closed.links:
        edge = closed.view.edges[link.edge or 0]
        line = layout.lines[link.key]
        ends = (key[edge.source], key[edge.target], edge.place)
        links.append((*ends, path_data(line), arrow_points(link, line), line.label))
    boxes = {
        key[shape.key]: (
            layout.nodes[shape.key][0] - shape.width / 2,
            layout.nodes[shape.key][1] - shape.height / 2,
            shape.width,
        )
        for shape in closed.shapes
    }
    clusters = {
        place[scope]: layout.clusters[f"cluster_{index}"]
        for index, scope in enumerate(closed.view.scopes)
    }
    return {
        "size": (layout.width + 2 * MARGIN, layout.height + 2 * MARGIN),
        "boxes": boxes,
        "links": links,
        "clusters": clusters,
        "legend": layout.label,
    }


def _row(node: Node, home: int) -> list[object]:
    operands = [x if isinstance(x, int) else [script_number(x)] for x in node.operands]
    return [
        printable(node.label),
        node.op,
        node.symbol,
        operands,
        script_number(node.value),
        [script_number(x) for x in node.partials],
        home,
        int(node.selects),
    ]


class Frame(NamedTuple):
    """What one training step changes: the leaves and the constants, in the order of the nodes."""

    name: str
    leaves: list[float | int | str]
    constants: list[float | int | str]


def frame_of(name: str, snapshot: Snapshot) -> Frame:
    """The frame of `snapshot`, called `name`."""
    constants = (x for node in snapshot.nodes for x in node.operands if isinstance(x, float))
    return Frame(
        printable(name),
        [script_number(node.value) for node in snapshot.nodes if not node.op],
        [script_number(x) for x in constants],
    )
