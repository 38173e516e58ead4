"""DOT text for a figure.

Every string that a user chose stands in an HTML-like label, escaped as XML, so that Graphviz's
own escapes (backslashes, entities, a label that begins with "<") have no meaning in it; everything
else is ours. The text is complete: any Graphviz draws the same picture from it.

The `graphviz` package writes the graph, its attributes and clusters. Nodes and edges, of which
there may be thousands, go into its body as lines: quoting each of their attributes again would
cost more than all the rest.
"""

from functools import lru_cache

from ._figure import LEGEND_HEIGHT, ROW, SMALL, TEXT, Cell, Figure, Item, Link, Shape
from ._palette import DARK, LIGHT, Theme
from ._text import escaped, shortened, width
from ._view import Scope

FONT = "Helvetica,Arial,sans-serif"
_LEAVES = {"LR": ("e", "w"), "RL": ("w", "e"), "TB": ("s", "n"), "BT": ("n", "s")}


def write_dot(figure: Figure, theme: Theme) -> str:
    """The DOT text of `figure`; the same bytes from run to run."""
    from graphviz import Digraph

    colour = DARK if theme == "dark" else LIGHT
    graph = Digraph(
        graph_attr={
            "rankdir": figure.direction,
            "bgcolor": colour["paper"],
            "fontname": FONT,
            "fontcolor": colour["quiet"],
            "fontsize": str(TEXT),
            "nodesep": "0.12" if figure.style == "circuit" else "0.24",
            "ranksep": _rank_gap(figure),
            "pad": "0.12",
            "labelloc": "b",
            "label": f"<{_legend(figure.legend, colour)}>",
        },
        node_attr={
            "shape": "plain",
            "fontname": FONT,
            "fontsize": str(TEXT),
            "fontcolor": colour["ink"],
        },
        edge_attr={
            "fontname": FONT,
            "fontsize": str(SMALL),
            "fontcolor": colour["partial"],
            "arrowsize": "0.7",
        },
    )
    clusters = {
        scope: Digraph(name=f"cluster_{place}", graph_attr=_cluster(scope, colour))
        for place, scope in enumerate(figure.view.scopes)
    }
    for shape in figure.shapes:
        clusters.get(shape.scope, graph).body.append(_shape(shape, figure, colour))
    # A cluster is complete when the deeper ones are in it; siblings keep their order.
    for scope in sorted(figure.view.scopes, key=len, reverse=True):
        clusters.get(scope[:-1], graph).subgraph(clusters[scope])
    ported = _ported(figure)
    graph.body += [_link(link, figure.direction, ported, colour) for link in figure.links]
    return str(graph.source)


def _cluster(scope: Scope, colour: dict[str, str]) -> dict[str, str]:
    return {
        "label": f"<{escaped(shortened(scope[-1])) or ' '}>",
        "labeljust": "l",
        "labelloc": "t",
        "style": "rounded,filled",
        "fillcolor": colour["cluster"],
        "color": colour["border"],
        "margin": "10",
    }


def _rank_gap(figure: Figure) -> str:
    """Inches between ranks: edge labels and wires bring length of their own."""
    if figure.style == "circuit":
        return "0.2"
    return "0.4" if _has_labels(figure) else "1.1"


def _has_labels(figure: Figure) -> bool:
    return any(link.label for link in figure.links)


def _ported(figure: Figure) -> set[str]:
    """The shapes whose lines begin and end in the middle of a side.

    Wires, so that they run through; and cards without edge labels, whose lines then keep clear of
    the names of groups.
    """
    every = figure.style == "card" and not _has_labels(figure)
    return {shape.key for shape in figure.shapes if every or shape.form == "wire"}


def _clusters(figure: Figure, inside: dict[Scope, list[str]], colour: dict[str, str]) -> list[str]:
    scopes = figure.view.scopes
    children: dict[Scope, list[Scope]] = {}
    for inner in scopes:
        children.setdefault(inner[:-1], []).append(inner)
    place = {scope: index for index, scope in enumerate(scopes)}
    lines = []
    stack: list[Scope | None] = list(reversed(children.get((), [])))
    while stack:
        scope = stack.pop()
        if scope is None:
            lines.append("}")
            continue
        lines.append(f"subgraph cluster_{place[scope]} {{")
        lines.append(
            f"graph [label=<{escaped(shortened(scope[-1])) or ' '}> labeljust=l labelloc=t "
            f'style="rounded,filled" fillcolor="{colour["cluster"]}" color="{colour["border"]}" '
            "margin=10]"
        )
        lines += inside.get(scope, [])
        stack.append(None)
        stack += reversed(children.get(scope, []))
    return lines


def _shape(shape: Shape, figure: Figure, colour: dict[str, str]) -> str:
    card = figure.view.cards[shape.card]
    if shape.form == "circle":
        cell = shape.rows[0][0]
        return (
            f"\t{shape.key} [shape=ellipse fixedsize=true width={shape.width / 72:.4f} "
            f'height={shape.height / 72:.4f} style=filled fillcolor="{colour[cell.fill]}" '
            f'color="{colour["line"]}" label=<{_words(cell, colour)}>]\n'
        )
    rows = ""
    for row in shape.rows:
        span = 2 if shape.form == "card" and len(row) < len(shape.rows) else 1
        cells = "".join([_cell(cell, colour, span) for cell in row])
        rows += f"<TR>{cells}</TR>"
    frame = 'BORDER="0" CELLBORDER="0"'
    if shape.form == "card":
        frame = f'BORDER="1" CELLBORDER="1" COLOR="{colour["line"]}"'
        if card.is_output:
            frame = f'BORDER="3" CELLBORDER="1" COLOR="{colour["strong"]}"'
    table = f'<TABLE {frame} CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>'
    return f"\t{shape.key} [label=<{table}>]\n"


def _cell(cell: Cell, colour: dict[str, str], span: int) -> str:
    fill = colour[cell.fill] if cell.fill else ""
    return f"{_opening(cell.width, cell.height, fill, span)}{_words(cell, colour)}</TD>"


@lru_cache(maxsize=4096)
def _opening(width: int, height: int, fill: str, span: int) -> str:
    ground = f' BGCOLOR="{fill}"' if fill else ""
    wide = f' COLSPAN="{span}"' if span > 1 else ""
    return f'<TD WIDTH="{width}" HEIGHT="{height}"{wide}{ground}>'


def _words(cell: Cell, colour: dict[str, str]) -> str:
    text = escaped(cell.text) or " "
    if cell.bold:
        text = f"<B>{text}</B>"
    if cell.height < ROW:
        return f'<FONT COLOR="{colour[cell.ink]}" POINT-SIZE="{SMALL}">{text}</FONT>'
    return f'<FONT COLOR="{colour[cell.ink]}">{text}</FONT>'


def _link(link: Link, direction: str, ported: set[str], colour: dict[str, str]) -> str:
    tail, head = link.source, link.target
    out, into = _LEAVES[direction]
    if tail in ported:
        tail += f":{out}"
    if head in ported:
        head += f":{into}"
    attributes = f'id={link.key} color="{colour[link.role]}" penwidth={link.thickness:g}'
    if not link.arrow:
        attributes += " arrowhead=none weight=20"
    if link.label:
        attributes += f" label=<{_edge_label(link.label)}>"
    return f"\t{tail} -> {head} [{attributes}]\n"


def _edge_label(text: str) -> str:
    """A label with a fixed least size, so that every layout program leaves the same room for it."""
    return (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>'
        f'<TD WIDTH="{round(width(text, SMALL)) + 8}" HEIGHT="{SMALL + 4}">{escaped(text)}</TD>'
        "</TR></TABLE>"
    )


def _legend(items: tuple[Item, ...], colour: dict[str, str]) -> str:
    cells = ""
    for item in items:
        ink, size, text = colour[item.fill or item.ink], SMALL, escaped(item.text)
        if item.fill:
            size, text = 16, "■"
        cells += (
            f'<TD WIDTH="{item.width}" HEIGHT="{LEGEND_HEIGHT}">'
            f'<FONT COLOR="{ink}" POINT-SIZE="{size}">{text}</FONT></TD>'
        )
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cells}</TR></TABLE>'
    )
