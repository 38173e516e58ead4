"""SVG text for a figure that has been laid out.

Written here rather than by the layout program so that every cell is an element of its own (the
page fills them in), colours follow the reader's theme, and labels are text and nothing else.
"""

import math

from ._figure import SMALL, TEXT, Cell, Figure, Link, Shape
from ._layout import Layout, Line, Point
from ._notes import card_note, edge_note
from ._palette import DARK, LIGHT, Theme
from ._text import escaped, shortened

MARGIN = 8.0
_STROKES = ("line", "strong", "negative", "positive", "neutral", "border")


def write_svg(figure: Figure, layout: Layout, theme: Theme, ident: str, tips: bool = True) -> str:
    """The SVG text of `figure`; `ident` begins every id in it and scopes its style.

    Without `tips` its cards and edges say nothing when asked: pages have their own words for them.
    """
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    title, description = describe(figure)
    size = f'width="{width:g}" height="{height:g}"'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{ident}" class="autograd-picture" {size} '
        f'viewBox="0 0 {width:g} {height:g}" role="group" '
        f'aria-labelledby="{ident}-title {ident}-desc">'
    )
    lines = [
        opening,
        f'<title id="{ident}-title">{escaped(title)}</title>',
        f'<desc id="{ident}-desc">{escaped(description)}</desc>',
        f"<style>{stylesheet(theme, ident)}</style>",
        f'<rect class="paper" {size}/>',
        f'<g class="scene" transform="translate({MARGIN:g} {MARGIN:g})">',
    ]
    for place, scope in enumerate(figure.view.scopes):
        area = layout.clusters[f"cluster_{place}"]
        lines.append(
            f'<g id="{ident}-c{place}" class="cluster-box"><rect class="cluster s-border" '
            f'x="{area.left:g}" y="{area.top:g}" width="{area.width:g}" height="{area.height:g}" '
            f'rx="10"/><text class="quiet" x="{area.left + 10:g}" y="{area.top + 17:g}">'
            f"{escaped(shortened(scope[-1]))}</text></g>"
        )
    for link in figure.links:
        lines.append(_link(link, layout.lines[link.key], figure, ident, tips))
    for shape in figure.shapes:
        lines.append(_shape(shape, layout.nodes[shape.key], figure, ident, tips))
    if layout.label is not None:
        lines.append(_legend(figure, layout.label))
    lines.append("</g></svg>\n")
    return "\n".join(lines)


def describe(figure: Figure) -> tuple[str, str]:
    """A title and a description in words, for readers who cannot see the picture."""
    view = figure.view
    snapshot = view.snapshot
    root = snapshot.name(snapshot.root)
    title = f"Computation graph of {root}"
    size = len(snapshot.nodes)
    words = f"{size} node{'s' if size != 1 else ''}, {len(view.cards)} shown. "
    words += f"{root} = {snapshot.nodes[snapshot.root].value!r}."
    inputs = [card for card in view.cards if card.kind == "leaf" and card.name]
    if inputs:
        parts = [f"{card.name} = {card.value}" for card in inputs[:12]]
        if snapshot.swept:
            parts = [
                f"{word}, gradient {card.gradient}"
                for word, card in zip(parts, inputs[:12], strict=True)
            ]
        words += f" Inputs: {'; '.join(parts)}{'; …' if len(inputs) > 12 else ''}."
    return title, words


def stylesheet(theme: Theme, ident: str) -> str:
    """The style of a picture, in plain rules that every SVG reader knows."""
    scope = f"#{ident}"
    rules = (
        f"{scope}{{font-family:Helvetica,Arial,'Liberation Sans',sans-serif;font-size:{TEXT}px}}"
        f"{scope} text{{text-anchor:middle;white-space:pre;unicode-bidi:isolate}}"
        f"{scope} .cluster-box text,{scope} .legend text{{text-anchor:start}}"
        f"{scope} .small,{scope} .legend text,{scope} .link text{{font-size:{SMALL}px}}"
        f"{scope} .bold{{font-weight:bold}}"
        f"{scope} .frame,{scope} .link path{{fill:none}}"
        f"{scope} .card rect{{stroke-width:.8}}"
        f"{scope} .frame,{scope} .card .frame{{stroke-width:1.2}}"
        f"{scope} .output .frame{{stroke-width:2.8}}"
        f"{scope} .card:focus{{outline:none}}"
    )
    if theme == "auto":
        dark = _colours(DARK, scope)
        return f"{rules}{_colours(LIGHT, scope)}@media (prefers-color-scheme:dark){{{dark}}}"
    return rules + _colours(DARK if theme == "dark" else LIGHT, scope)


def _colours(colour: dict[str, str], scope: str) -> str:
    fills = "".join(f"{scope} .{role}{{fill:{code}}}" for role, code in colour.items())
    strokes = "".join(f"{scope} .s-{role}{{stroke:{colour[role]}}}" for role in _STROKES)
    focus = f"{scope} .card:focus-visible .frame{{stroke:{colour['focus']};stroke-width:3.5}}"
    return fills + strokes + focus


def _shape(shape: Shape, middle: Point, figure: Figure, ident: str, tips: bool) -> str:
    card = figure.view.cards[shape.card]
    x, y = middle[0] - shape.width / 2, middle[1] - shape.height / 2
    place = f'transform="translate({x:.1f} {y:.1f})"'
    if shape.key == card.key:
        output = " output" if card.is_output else ""
        reach = ' tabindex="0" role="img"' if tips else ""
        parts = [f'<g id="{ident}-{shape.key}" class="card{output}"{reach} {place}>']
        if tips:
            parts.append(f"<title>{escaped(card_note(figure.view, card))}</title>")
    else:
        parts = [f'<g id="{ident}-{shape.key}" class="{shape.form}" {place}>']
    if shape.form == "wire":
        parts.append(_through(shape, figure))
    stroke = "strong" if card.is_output else "line"
    if shape.form == "circle":
        cell = shape.rows[0][0]
        parts.append(
            f'<ellipse class="{cell.fill}" cx="{shape.width / 2:g}" cy="{shape.height / 2:g}" '
            f'rx="{shape.width / 2:g}" ry="{shape.height / 2:g}"/>'
        )
    for row in shape.rows:
        for cell in row:
            parts.append(_cell(cell, boxed=shape.form == "card"))
    if shape.form == "circle":
        parts.append(
            f'<ellipse class="frame s-{stroke}" cx="{shape.width / 2:g}" '
            f'cy="{shape.height / 2:g}" rx="{shape.width / 2:g}" ry="{shape.height / 2:g}"/>'
        )
    elif shape.form == "card":
        parts.append(
            f'<rect class="frame s-{stroke}" width="{shape.width}" height="{shape.height}" rx="3"/>'
        )
    parts.append("</g>")
    return "".join(parts)


def _cell(cell: Cell, boxed: bool) -> str:
    back = ""
    if boxed and cell.fill:
        back = (
            f'<rect class="{cell.fill} s-line" x="{cell.x}" y="{cell.y}" '
            f'width="{cell.width}" height="{cell.height}"/>'
        )
    classes = cell.ink
    size = TEXT
    if cell.bold:
        classes += " bold"
    if cell.height < 20:
        classes += " small"
        size = SMALL
    baseline = cell.y + cell.height / 2 + size * 0.36
    return (
        f'{back}<text class="{classes}" x="{cell.x + cell.width / 2:g}" y="{baseline:.1f}">'
        f"{escaped(cell.text)}</text>"
    )


def _through(shape: Shape, figure: Figure) -> str:
    """The stretch of wire below a wire's label."""
    if figure.direction in ("LR", "RL"):
        path = f"M0,{shape.height / 2:g}H{shape.width}"
    else:
        path = f"M{shape.width / 2:g},0V{shape.height}"
    return f'<path class="frame s-neutral" d="{path}"/>'


def _link(link: Link, line: Line, figure: Figure, ident: str, tips: bool) -> str:
    arrow = ""
    if points := arrow_points(link, line):
        arrow = f'<polygon class="{link.role}" points="{points}"/>'
    label = ""
    if link.label and line.label is not None:
        x, y = line.label
        label = (
            f'<text class="partial" x="{x:g}" y="{y + SMALL * 0.36:.1f}">'
            f"{escaped(link.label)}</text>"
        )
    tip = ""
    if tips and link.edge is not None:
        tip = f"<title>{escaped(edge_note(figure.view.edges[link.edge]))}</title>"
    return (
        f'<g id="{ident}-{link.key}" class="link">{tip}'
        f'<path class="s-{link.role}" stroke-width="{link.thickness:g}" d="{path_data(line)}"/>'
        f"{arrow}{label}</g>"
    )


def path_data(line: Line) -> str:
    """The `d` of a path along `line`."""
    start, *rest = line.points
    pieces = (rest[place : place + 3] for place in range(0, len(rest), 3))
    return f"M{_xy(start)}" + "".join("C" + " ".join(map(_xy, piece)) for piece in pieces)


def arrow_points(link: Link, line: Line) -> str:
    """The `points` of the arrowhead at the end of `line`, "" if there is none."""
    if not link.arrow or line.tip is None:
        return ""
    end, tip = line.points[-1], line.tip
    dx, dy = tip[0] - end[0], tip[1] - end[1]
    length = math.hypot(dx, dy) or 1.0
    half = (2.6 + 0.7 * link.thickness) / length
    left = (end[0] - dy * half, end[1] + dx * half)
    right = (end[0] + dy * half, end[1] - dx * half)
    return f"{_xy(left)} {_xy(tip)} {_xy(right)}"


def _xy(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _legend(figure: Figure, middle: Point) -> str:
    x = middle[0] - sum(item.width for item in figure.legend) / 2
    parts = ['<g class="legend">']
    for item in figure.legend:
        if item.fill:
            parts.append(
                f'<rect class="{item.fill} s-border" x="{x:.2f}" y="{middle[1] - 7:.2f}" '
                f'width="{item.width}" height="14" stroke-width="0.6"/>'
            )
        else:
            parts.append(
                f'<text class="{item.ink}" x="{x + 6:.2f}" y="{middle[1] + SMALL * 0.36:.2f}">'
                f"{escaped(item.text)}</text>"
            )
        x += item.width
    parts.append("</g>")
    return "".join(parts)
