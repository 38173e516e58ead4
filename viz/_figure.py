"""A view in one of the styles: shapes with sizes and words, and links between them.

The last step before layout. The DOT text and the SVG are both written from a `Figure`, so they
cannot tell different stories. Knows no DOT and no SVG.
"""

import math
from typing import Literal, NamedTuple

from ._palette import GRADIENT_SCALE, edge_role, gradient_role
from ._text import MINUS, number, shortened, width
from ._view import Card, Edge, Scope, View

Style = Literal["card", "circuit"]
Direction = Literal["LR", "RL", "TB", "BT"]

TEXT = 13
SMALL = 11
ROW = 22
LEGEND_HEIGHT = 26
_PADDING = 7
_CIRCLE = 28


class Cell(NamedTuple):
    """A rectangle of a shape: where it is (from the upper left corner), what it says, its roles.

    `part` is "name", "value" or "gradient"; `fill` and `ink` are palette roles ("" = no fill).
    """

    part: str
    x: int
    y: int
    width: int
    height: int
    text: str
    fill: str
    ink: str
    bold: bool = False


class Shape(NamedTuple):
    """One thing that the layout places. `card` is the index of what it belongs to in the view."""

    key: str
    form: Literal["card", "circle", "wire", "text"]
    card: int
    scope: Scope
    width: int
    height: int
    rows: tuple[tuple[Cell, ...], ...]


class Link(NamedTuple):
    """One line between shapes; `edge` is its index in the view, None for a piece of a wire."""

    key: str
    source: str
    target: str
    edge: int | None
    role: str
    thickness: float
    label: str
    arrow: bool


class Item(NamedTuple):
    """One piece of the legend: a word in a role's colour, or a colour sample."""

    text: str
    ink: str
    fill: str
    width: int


class Figure(NamedTuple):
    """Everything that is laid out and drawn."""

    view: View
    style: Style
    direction: Direction
    shapes: tuple[Shape, ...]
    links: tuple[Link, ...]
    legend: tuple[Item, ...]


def make_figure(view: View, style: Style, direction: Direction) -> Figure:
    """`view` in `style`."""
    if style == "card":
        shapes, links = _cards(view)
    else:
        shapes, links = _circuit(view, upright=direction in ("TB", "BT"))
    return Figure(view, style, direction, shapes, links, _legend(view, style))


def _cards(view: View) -> tuple[tuple[Shape, ...], tuple[Link, ...]]:
    shapes = tuple(_card(place, card, view) for place, card in enumerate(view.cards))
    largest = _largest_contribution(view)
    links = tuple(
        _link(place, edge, edge.source, view, largest) for place, edge in enumerate(view.edges)
    )
    return shapes, links


def _link(place: int, edge: Edge, source: str, view: View, largest: float) -> Link:
    return Link(
        f"e{place}",
        source,
        edge.target,
        place,
        edge_role(edge.contribution),
        _thickness(edge.contribution, largest),
        number(edge.partial, view.digits) if view.labelled and edge.partial is not None else "",
        arrow=True,
    )


def _largest_contribution(view: View) -> float:
    sizes = (abs(edge.contribution) for edge in view.edges if edge.contribution is not None)
    return max((size for size in sizes if math.isfinite(size)), default=0.0)


def _thickness(contribution: float | None, largest: float) -> float:
    if contribution is None or largest == 0 or math.isnan(contribution):
        return 1.0
    return round(0.8 + 2.4 * min(abs(contribution) / largest, 1.0), 2)


def _cell_width(text: str, bold: bool) -> int:
    return max(round(width(text, TEXT, bold) + 2 * _PADDING), 26)


def _number_width(text: str, size: int = TEXT) -> int:
    """A cell for a number: digits are all 0.556 em wide, and nothing in one is much wider."""
    return max(round(0.556 * size * len(text)) + 2 * _PADDING, 26)


def _heading(card: Card) -> str:
    name, operation = shortened(card.name), shortened(card.operation)
    if not name or not operation:
        return name or operation
    if card.kind == "group":
        return f"{name}   {operation}"
    return f"{name} = {operation}"


def _card(place: int, card: Card, view: View) -> Shape:
    """A card: one row for a leaf, otherwise a header above value and gradient."""
    if card.kind == "more":
        return _words(card.key, place, card, card.name, "quiet")
    heading = _heading(card)
    bold = bool(card.name)
    head = _cell_width(heading, bold)
    value, gradient = _number_width(card.value), _number_width(card.gradient)
    grade = gradient_role(card.amount, view.largest)
    if not card.operation:
        row = (
            Cell("name", 0, 0, head, ROW, heading, card.kind, "ink", bold),
            Cell("value", head, 0, value, ROW, card.value, "cell", "value"),
            Cell("gradient", head + value, 0, gradient, ROW, card.gradient, grade, "gradient"),
        )
        return Shape(card.key, "card", place, card.scope, head + value + gradient, ROW, (row,))
    total = max(head, value + gradient)
    value += (total - value - gradient) // 2
    rows = (
        (Cell("name", 0, 0, total, ROW, heading, card.kind, "ink", bold),),
        (
            Cell("value", 0, ROW, value, ROW, card.value, "cell", "value"),
            Cell("gradient", value, ROW, total - value, ROW, card.gradient, grade, "gradient"),
        ),
    )
    return Shape(card.key, "card", place, card.scope, total, 2 * ROW, rows)


def _words(key: str, place: int, card: Card, text: str, ink: str, bold: bool = False) -> Shape:
    size = round(width(text, TEXT, bold) + _PADDING)
    cell = Cell("name", 0, 0, size, ROW, text, "", ink, bold)
    return Shape(key, "text", place, card.scope, size, ROW, ((cell,),))


def _circuit(view: View, upright: bool) -> tuple[tuple[Shape, ...], tuple[Link, ...]]:
    """Gates and named ends; between them wires, whose label the wire runs through."""
    shapes: list[Shape] = []
    links: list[Link] = []
    wired: set[str] = set()
    used = {edge.source for edge in view.edges}
    for place, card in enumerate(view.cards):
        shapes.append(_gate(place, card))
        if card.kind in ("more", "constant") and not card.nodes:
            continue
        if not (card.is_output or card.key in used):
            continue
        wire = f"{card.key}_w"
        wired.add(card.key)
        shapes.append(_wire(wire, place, card, upright))
        links.append(Link(f"{card.key}_a", card.key, wire, None, "neutral", 1.2, "", arrow=False))
        if card.is_output:
            end = f"{card.key}_o"
            name = shortened(view.snapshot.name(view.snapshot.root))
            shapes.append(_words(end, place, card, name, "ink", bold=True)._replace(scope=()))
            links.append(Link(f"{card.key}_z", wire, end, None, "neutral", 1.2, "", arrow=True))
    for place, edge in enumerate(view.edges):
        source = f"{edge.source}_w" if edge.source in wired else edge.source
        links.append(Link(f"e{place}", source, edge.target, place, "neutral", 1.2, "", arrow=True))
    return tuple(shapes), tuple(links)


def _gate(place: int, card: Card) -> Shape:
    if card.kind == "more":
        return _words(card.key, place, card, card.name, "quiet")
    if card.kind == "constant" and not card.nodes:
        return _words(card.key, place, card, card.value, "quiet")
    if card.kind == "group":
        heading = _heading(card)
        size = _cell_width(heading, bool(card.name))
        cell = Cell("name", 0, 0, size, ROW, heading, "group", "ink", bool(card.name))
        return Shape(card.key, "card", place, card.scope, size, ROW, ((cell,),))
    if not card.operation:
        return _words(card.key, place, card, shortened(card.name) or "·", "ink", bold=True)
    text = shortened(card.operation)
    wide = max(_CIRCLE, round(width(text, TEXT) + 2 * _PADDING))
    cell = Cell("name", 0, 0, wide, _CIRCLE, text, card.kind, "ink")
    return Shape(card.key, "circle", place, card.scope, wide, _CIRCLE, ((cell,),))


def _wire(key: str, place: int, card: Card, upright: bool) -> Shape:
    """A stretch of wire with the value on one side of it and the gradient on the other."""
    value, gradient = _number_width(card.value, SMALL), _number_width(card.gradient, SMALL)
    tall = 17
    if upright:
        row = (
            Cell("value", 0, 0, value, tall, card.value, "", "value"),
            Cell("gradient", value, 0, gradient, tall, card.gradient, "", "gradient"),
        )
        # As wide on both sides, so that the wire runs through the middle.
        side = max(value, gradient)
        row = (row[0]._replace(width=side), row[1]._replace(x=side, width=side))
        return Shape(key, "wire", place, card.scope, 2 * side, tall, (row,))
    size = max(value, gradient)
    rows = (
        (Cell("value", 0, 0, size, tall, card.value, "", "value"),),
        (Cell("gradient", 0, tall, size, tall, card.gradient, "", "gradient"),),
    )
    return Shape(key, "wire", place, card.scope, size, 2 * tall, rows)


def _legend(view: View, style: Style) -> tuple[Item, ...]:
    """The legend, from left to right; ∂ is of the picture's output, by its name."""
    root = shortened(view.snapshot.name(view.snapshot.root))
    entries: list[tuple[str, str, str]] = []
    if style == "card":
        entries += [("value", "value", ""), ("|", "quiet", "")]
        entries += [(f"gradient ∂{root}/∂node", "gradient", "")]
        if view.snapshot.swept and view.largest > 0:
            top = number(view.largest, 2)
            entries += [(number(-view.largest, 2), "quiet", "")]
            entries += [("", "", role) for role in GRADIENT_SCALE]
            entries += [(f"+{top}", "quiet", "")]
        if view.labelled and any(edge.partial is not None for edge in view.edges):
            entries.append(("edge: local derivative ∂child/∂parent", "partial", ""))
        if _largest_contribution(view) > 0:
            entries.append(("contribution to the gradient:", "quiet", ""))
            entries.append(("+", "positive", ""))
            entries.append((MINUS, "negative", ""))
            entries.append(("(thicker = larger)", "quiet", ""))
    else:
        entries += [("above a wire: its value", "value", "")]
        entries += [(f"below: its gradient ∂{root}/∂wire", "gradient", "")]
    if any("Σ" in card.gradient for card in view.cards):
        entries.append(("Σ: what .grad has accumulated", "gradient", ""))
    return tuple(
        Item(text, ink, fill, 15 if fill else round(width(text, SMALL) + 12))
        for text, ink, fill in entries
    )
