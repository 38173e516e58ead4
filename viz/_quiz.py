"""A picture with blanks, the answers to them, and a checker that says which factor is wrong."""

import math
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from autograd import Value
from autograd.files import write_file

from ._dot import write_dot
from ._figure import Figure, make_figure
from ._layout import lay_out
from ._notes import node_formula
from ._page import assemble, resource, script_number
from ._palette import Theme
from ._snapshot import Snapshot
from ._svg import stylesheet, write_svg
from ._text import escaped, json_text, plain_number, printable
from ._view import View, make_view, with_names

TOLERANCE = 0.005
"""How far an answer may be off, against its size: three digits are enough."""


class Pitfall(NamedTuple):
    """A wrong answer that says what went wrong."""

    value: float
    hint: str


class Question(NamedTuple):
    """One blank. `place` is the key of the card or edge in the picture that it stands in."""

    key: str
    kind: str
    prompt: str
    answer: float
    place: str
    pitfalls: tuple[Pitfall, ...]
    hint: str


class Verdict(NamedTuple):
    """What the checker says to one answer."""

    key: str
    right: bool
    hint: str


def same(got: float, wanted: float) -> bool:
    """Whether `got` is `wanted` to three digits (inf and nan must be said as such)."""
    if math.isnan(wanted) or math.isinf(wanted):
        return got == wanted or (math.isnan(got) and math.isnan(wanted))
    return abs(got - wanted) <= TOLERANCE * abs(wanted) + 1e-12


class Quiz:
    """A picture with blanks. `.questions` asks, `.answers` is the key, `.check(...)` judges.

    `.svg` and `.html()` show it; the page checks answers itself. `.data` is the same for JSON.
    """

    def __init__(self, view: View, questions: tuple[Question, ...], theme: Theme) -> None:
        self.questions = questions
        self._theme = theme
        self._figure = _with_blanks(make_figure(view, "card", "LR"), questions)
        self._title = f"Quiz: {printable(view.snapshot.name(view.snapshot.root))}"

    @property
    def answers(self) -> dict[str, float]:
        """The answer key."""
        return {question.key: question.answer for question in self.questions}

    def check(self, answers: Mapping[str, float]) -> list[Verdict]:
        """A verdict on every question; a wrong answer is told which factor is wrong.

        Raises:
            KeyError: an answer to a question that was not asked.
        """
        if unknown := answers.keys() - self.answers.keys():
            raise KeyError(f"no question {min(unknown)!r}; there are {', '.join(self.answers)}")
        return [_judge(question, answers.get(question.key)) for question in self.questions]

    @property
    def svg(self) -> str:
        """The picture with its blanks."""
        return self._svg("quiz")

    def _svg(self, ident: str) -> str:
        layout = lay_out(write_dot(self._figure, self._theme))
        return write_svg(self._figure, layout, self._theme, ident, tips=False)

    @property
    def data(self) -> dict[str, Any]:
        """Questions, answers and hints as plain data."""
        return {
            "title": self._title,
            "tolerance": TOLERANCE,
            "questions": [
                {
                    **question._asdict(),
                    "answer": script_number(question.answer),
                    "pitfalls": [(script_number(p.value), p.hint) for p in question.pitfalls],
                }
                for question in self.questions
            ],
        }

    def html(self) -> str:
        """One self-contained page with the picture, a field per blank, and the checker."""
        rows = "".join(
            f'<li><label for="{q.key}"><b>{q.key}</b> {escaped(q.prompt)}</label> '
            f'<input id="{q.key}" inputmode="text" autocomplete="off" size="9"> '
            f'<span id="{q.key}-said" role="status"></span></li>'
            for q in self.questions
        )
        body = (
            f"<main><h1>{escaped(self._title)}</h1><div class=picture tabindex=0 "
            f'aria-label="picture">{self._svg("p")}</div><ol>{rows}</ol>'
            '<p><button id="check">check</button> <button id="reveal">show the answers</button> '
            '<span id="score" role="status"></span></p></main>'
        )
        styles = [resource("quiz.css"), stylesheet(self._theme, "p")]
        return assemble(self._title, body, styles, resource("quiz.js"), self.data, self._theme)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """The path written to: `.html`, `.svg` or `.json`.

        Raises:
            ValueError: another suffix.
        """
        suffix = Path(path).suffix.lower()
        if suffix == ".html":
            content = self.html()
        elif suffix == ".svg":
            content = self.svg
        elif suffix == ".json":
            content = json_text(self.data)
        else:
            raise ValueError(f"cannot save a quiz as {os.fspath(path)!r}: .html, .svg or .json")
        return write_file(path, content)

    def __repr__(self) -> str:
        return f"<{self._title}, {len(self.questions)} questions>"


def quiz(y: Value, *, count: int = 6, seed: int = 0, theme: Theme = "auto") -> Quiz:
    """The picture of `y` with up to `count` blanks, about half of each kind, chosen by `seed`.

    Blanks are local derivatives on edges and gradients of nodes.

    Raises:
        TypeError: `y` is not a Value.
        ValueError: `y` is a leaf, so that there is nothing to ask.
        GraphTooLarge: more than 2,000 cards would be visible.
    """
    snapshot = Snapshot(y)
    if snapshot.root == 0:
        raise ValueError("quiz: a leaf has no derivatives to ask for")
    snapshot.swept = True
    view = with_names(make_view(snapshot, collapse="none"))
    # Widths and colours of edges would give answers away.
    view = view._replace(edges=tuple(edge._replace(contribution=None) for edge in view.edges))
    numbers = random.Random(seed)
    local = list(_local_questions(view))
    whole = list(_gradient_questions(snapshot))
    chosen = numbers.sample(local, min(len(local), count - count // 2))
    chosen += numbers.sample(whole, min(len(whole), count - len(chosen)))
    asked = tuple(question._replace(key=f"q{place}") for place, question in enumerate(chosen, 1))
    return Quiz(view, asked, theme)


def _local_questions(view: View) -> list[Question]:
    snapshot, found = view.snapshot, []
    for place, edge in enumerate(view.edges):
        if edge.partial is None:
            continue
        child, parent = int(edge.target[1:]), int(edge.source[1:])
        node = snapshot.nodes[child]
        names = snapshot.name(child), snapshot.name(parent)
        formula = f"{names[0]} = {node_formula(snapshot, child)}"
        pitfalls = [Pitfall(-edge.partial, "the sign is wrong")]
        for other, partial in zip(node.parents, node.partials, strict=True):
            if other != parent:
                pitfalls.append(Pitfall(partial, f"that is ∂{names[0]}/∂{snapshot.name(other)}"))
        pitfalls.append(Pitfall(snapshot.nodes[parent].value, f"that is {names[1]} itself"))
        pitfalls.append(Pitfall(node.value, f"that is {names[0]} itself"))
        found.append(
            Question(
                "",
                "local derivative",
                f"local derivative ∂{names[0]}/∂{names[1]}",
                edge.partial,
                f"e{place}",
                tuple(pitfalls),
                f"differentiate {formula} with the others held fixed",
            )
        )
    return found


def _gradient_questions(snapshot: Snapshot) -> list[Question]:
    root = snapshot.name(snapshot.root)
    found = []
    for index, uses in enumerate(snapshot.users[:-1]):
        edges = [(child, snapshot.nodes[child].partials[place]) for child, place in uses]
        name, answer = snapshot.name(index), snapshot.gradients[index]
        pitfalls = [Pitfall(-answer, "the sign is wrong")]
        terms = []
        for child, partial in edges:
            above, up = snapshot.name(child), snapshot.gradients[child]
            part = snapshot.nodes[child].flow(up, partial)
            terms.append(f"∂{root}/∂{above} · ∂{above}/∂{name}")
            if len(edges) > 1:
                hint = f"that is the part through {above} alone; add the other edges"
                pitfalls.append(Pitfall(part, hint))
            pitfalls.append(Pitfall(up, f"the factor ∂{above}/∂{name} is missing or wrong"))
            pitfalls.append(Pitfall(partial, f"the factor ∂{root}/∂{above} is missing or wrong"))
        found.append(
            Question(
                "",
                "gradient",
                f"gradient ∂{root}/∂{name}",
                answer,
                f"n{index}",
                tuple(pitfalls),
                f"it is {' + '.join(terms[:6])}{' + …' if len(terms) > 6 else ''}",
            )
        )
    return found


def _judge(question: Question, answer: float | None) -> Verdict:
    if answer is None:
        return Verdict(question.key, False, "no answer")
    if same(answer, question.answer):
        return Verdict(question.key, True, "")
    for pitfall in question.pitfalls:
        if same(answer, pitfall.value):
            return Verdict(question.key, False, f"{pitfall.hint}; {question.hint}")
    return Verdict(question.key, False, question.hint)


def _with_blanks(figure: Figure, questions: tuple[Question, ...]) -> Figure:
    blank = {question.place: f"{question.key} ?" for question in questions}
    shapes = tuple(
        shape._replace(
            rows=tuple(
                tuple(
                    cell._replace(text=blank[shape.key], fill="zero")
                    if cell.part == "gradient" and shape.key in blank
                    else cell
                    for cell in row
                )
                for row in shape.rows
            )
        )
        for shape in figure.shapes
    )
    links = tuple(link._replace(label=blank.get(link.key, link.label)) for link in figure.links)
    return figure._replace(shapes=shapes, links=links)


def as_text(quiz: Quiz, answers: bool) -> str:
    """The questions, one a line, with the answers if wanted."""
    lines = []
    for question in quiz.questions:
        line = f"{question.key}  {printable(question.prompt)}"
        lines.append(line + (f" = {plain_number(question.answer, 6)}" if answers else " = ?"))
    return "\n".join(lines)
