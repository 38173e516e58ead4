"""`draw` and what it returns.

Puts the steps together: snapshot, view, figure, DOT, layout, SVG. Each later form of the picture
is made when it is first asked for.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from autograd import Value
from autograd.files import write_file

from ._dot import write_dot
from ._figure import Direction, Figure, Style, make_figure
from ._layout import Layout, lay_out, run_program
from ._page import LARGEST_PAGE, OPENED_UP_TO, Frame, write_page
from ._palette import Theme
from ._snapshot import Snapshot
from ._svg import describe, write_svg
from ._text import json_text
from ._tree import graph_as_data, write_tree
from ._view import Collapse, View, make_view, with_names

_shown = itertools.count(1)


class Picture:
    """A picture of a graph as it was when it was drawn; later changes of the graph leave it alone.

    `.svg`, `.dot`, `.text`, `.json` and `.html()` are texts, the same from run to run; `.png` is
    bytes; `.save(path)` writes any of them. A notebook shows the SVG.
    """

    def __init__(self, figure: Figure, theme: Theme, opened: Callable[[], View]) -> None:
        self._figure = figure
        self._theme = theme
        self._opened = opened

    @property
    def snapshot(self) -> Snapshot:
        """The frozen graph behind the picture."""
        return self._figure.view.snapshot

    @property
    def title(self) -> str:
        """A one-line title in words."""
        return describe(self._figure)[0]

    @cached_property
    def dot(self) -> str:
        """The picture as DOT text; needs no layout program."""
        return write_dot(self._figure, self._theme)

    @cached_property
    def _layout(self) -> Layout:
        return lay_out(self.dot)

    @cached_property
    def _ident(self) -> str:
        return "p" + hashlib.sha256(self.dot.encode()).hexdigest()[:8]

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text.

        Raises:
            LayoutError: there is no layout program, or it failed; the error has the DOT text.
        """
        return write_svg(self._figure, self._layout, self._theme, self._ident)

    def html(self) -> str:
        """The picture as one self-contained page that steps through it; needs no network.

        It walks forward and backward through the graph, explains each gradient as a sum over
        paths, opens and closes groups, and recomputes everything when an input is changed.

        Raises:
            LayoutError: there is no layout program, or it failed; the error has the DOT text.
            ValueError: the graph has more than 20,000 nodes.
        """
        return self.page()

    def page(self, frames: Sequence[Frame] = ()) -> str:
        """The page of `.html()`, scrubbable over `frames` (see `viz.training`)."""
        view = self._figure.view
        if (count := len(view.snapshot.nodes)) > LARGEST_PAGE:
            raise ValueError(
                f"a page carries the whole graph, and {count:,} nodes are more than a browser "
                f"walks through with ease ({LARGEST_PAGE:,}); save the picture as .svg"
            )
        first = self._laid_out(view)
        if view.collapsed and len(view.snapshot.nodes) <= OPENED_UP_TO:
            return write_page(*self._laid_out(self._opened()), self._theme, first, frames)
        return write_page(*first, self._theme, frames=frames)

    def _laid_out(self, view: View) -> tuple[Figure, Layout]:
        """`view` as a page shows it, every node with a name."""
        figure = make_figure(with_names(view), self._figure.style, self._figure.direction)
        return figure, lay_out(write_dot(figure, self._theme))

    @property
    def png(self) -> bytes:
        """The picture as PNG bytes, drawn by the layout program itself.

        Raises:
            LayoutError: there is no layout program, or it failed; the error has the DOT text.
        """
        return run_program(self.dot, "png", "-Gdpi=144")

    @cached_property
    def text(self) -> str:
        """The picture as a readable tree of lines."""
        return write_tree(self._figure.view)

    @cached_property
    def json(self) -> str:
        """The whole graph as JSON: nodes, operands, local derivatives, gradients."""
        return json_text(graph_as_data(self._figure.view.snapshot))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """The path written to; its suffix says in which form.

        Raises:
            ValueError: an unknown suffix.
            LayoutError: this form needs a layout program, and there is none.
            OSError: the file cannot be written; no half-written file is left.
        """
        return write_file(path, _FORMS[form_of(path)](self))

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """What a notebook shows: the SVG in a box that scrolls, with ids of this display only."""
        ident = f"{self._ident}-{next(_shown)}"
        svg = write_svg(self._figure, self._layout, self._theme, ident)
        html = f'<div style="overflow:auto;max-width:100%">{svg}</div>'
        return {"text/html": html, "image/svg+xml": self.svg, "text/plain": self.text}

    def __repr__(self) -> str:
        view = self._figure.view
        return f"<{self.title}: {len(view.snapshot.nodes)} nodes, {len(view.cards)} cards>"


_FORMS: dict[str, Callable[[Picture], str | bytes]] = {
    ".svg": lambda picture: picture.svg,
    ".png": lambda picture: picture.png,
    ".dot": lambda picture: picture.dot,
    ".html": lambda picture: picture.html(),
    ".json": lambda picture: picture.json,
}


def form_of(path: str | os.PathLike[str]) -> str:
    """The suffix of `path`, if pictures can be saved in that form.

    Raises:
        ValueError: they cannot.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMS:
        raise ValueError(
            f"cannot save a picture as {os.fspath(path)!r}: the name must end in one of "
            f"{', '.join(_FORMS)}"
        )
    return suffix


def draw(
    y: Value,
    *,
    style: Style = "card",
    direction: Direction = "LR",
    wrt: Value | Sequence[Value] = (),
    collapse: Collapse | Collection[str] = "auto",
    focus: Value | None = None,
    hops: int = 2,
    constants: Literal["inline", "show"] = "inline",
    digits: int = 3,
    theme: Theme = "auto",
) -> Picture:
    """The picture of the graph below `y`: values, gradients of `y`, local derivatives on edges.

    Gradients come from the picture's own reverse sweep, so that cards, edges and sums agree; they
    read as a dash before `backward()` has run. Where a leaf's accumulated `.grad` is another
    number, the card shows it too, marked Σ.

    Args:
        y: the result that is differentiated.
        style: "card" (name, value and gradient in a box, local derivatives on edges) or "circuit"
            (gates and wires, value above and gradient below each wire).
        direction: where the graph flows: "LR", "RL", "TB" or "BT".
        wrt: show only what depends on these; other operands appear as constants.
        collapse: "auto" (inner scopes first, when there are more than 150 cards), "none", "all"
            (every outermost scope), or names of scopes ("layer1", "layer1/neuron2").
        focus, hops: show only the nodes at most `hops` edges from `focus`.
        constants: "inline" (in the header of the operation) or "show" (a card each).
        digits: significant digits of the numbers; tooltips have all of them.
        theme: "auto" (follows the reader's light or dark mode), "light" or "dark".

    Raises:
        TypeError: `y` is not a Value.
        ValueError: an unknown option; a node that is not in the graph.
        GraphTooLarge: more than 2,000 cards would be visible.
    """
    for argument, value, choices in (
        ("style", style, get_args(Style)),
        ("direction", direction, get_args(Direction)),
        ("constants", constants, ("inline", "show")),
        ("theme", theme, get_args(Theme)),
    ):
        if value not in choices:
            raise ValueError(f"draw: {argument} must be one of {choices}, not {value!r}")
    if not 1 <= digits <= 17:
        raise ValueError(f"draw: digits must be from 1 to 17, not {digits!r}")
    if hops < 0:
        raise ValueError(f"draw: hops must not be negative, not {hops!r}")
    leaves = [wrt] if isinstance(wrt, Value) else list(wrt)
    snapshot = Snapshot(y, [*leaves, *([] if focus is None else [focus])])

    def view(collapse: Collapse | Collection[str]) -> View:
        return make_view(
            snapshot,
            wrt=snapshot.watched[: len(leaves)],
            collapse=collapse,
            focus=None if focus is None else snapshot.watched[-1],
            hops=hops,
            constants=constants,
            digits=digits,
        )

    figure = make_figure(view(collapse), style, direction)
    return Picture(figure, theme, lambda: view("none"))
