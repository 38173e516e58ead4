"""The worked chain rule in words: every path from an input to the result, each factor a number.

Made from a snapshot; knows nothing of pictures.
"""

import math
import re
from typing import NamedTuple

from autograd import Value

from ._notes import node_formula
from ._snapshot import Snapshot
from ._text import MINUS, number, plain_number, printable

MOST_PATHS = 12
"""Paths that are written out one by one; more are grouped by their first edge."""
MOST_FACTORS = 200
"""Factors that they may have together; with more they are grouped too."""


class Factor(NamedTuple):
    """One derivative in a product: of node `above` with respect to node `below`."""

    above: int
    below: int
    value: float


class Term(NamedTuple):
    """One product of the sum: its route from the input up, its factors from the result down."""

    route: tuple[int, ...]
    factors: tuple[Factor, ...]
    product: float
    paths: int


class Explanation:
    """The derivative of a result with respect to one input, as a sum of products.

    `str()` and `.text`, `.markdown` and `.latex` write it out; `.terms` is the same as data;
    `.gradient` is the number that the reverse sweep gives. `.paths` counts the paths; where there
    are more than 12 of them, or they are very long, the terms are grouped by their first edge.
    """

    def __init__(self, snapshot: Snapshot, target: int, digits: int) -> None:
        self._snapshot = snapshot
        self._target = target
        self._digits = digits
        self.gradient = snapshot.gradients[target]
        counts, factors = _path_counts(snapshot)
        self.paths = counts[target]
        self.grouped = self.paths > MOST_PATHS or factors[target] > MOST_FACTORS
        self.terms = tuple(
            _grouped(snapshot, target, counts) if self.grouped else _single(snapshot, target)
        )

    @property
    def total(self) -> float:
        """The sum of the terms; equal to `.gradient` up to the rounding of the other order."""
        return math.fsum(term.product for term in self.terms)

    @property
    def text(self) -> str:
        """The derivation as plain text."""
        head = f"{self._of(self._snapshot.root, self._target)} = {self._number(self.gradient)}"
        lines = [head, "", *(f"  {line}" for line in self._formulas()), ""]
        lines.append(self._summary() + ":")
        for term in self.terms:
            lines.append(f"  {self._route(term)}:")
            lines.append(f"    {self._product(term)}")
        lines.append(f"{self._of(self._snapshot.root, self._target)} = {self._sum()}")
        return "\n".join(lines) + "\n"

    @property
    def markdown(self) -> str:
        """The derivation as Markdown, with a table of the terms."""
        head = f"{self._of(self._snapshot.root, self._target)} = {self._number(self.gradient)}"
        lines = [f"### {_markdown(head)}", ""]
        lines += [f"- {_markdown(line)}" for line in self._formulas()]
        lines += ["", f"{_markdown(self._summary())}:", "", "| path | product |", "|---|---|"]
        lines += [
            f"| {_markdown(self._route(term))} | {_markdown(self._product(term))} |"
            for term in self.terms
        ]
        derivative = self._of(self._snapshot.root, self._target)
        lines += ["", f"**{_markdown(derivative)}** = {_markdown(self._sum())}"]
        return "\n".join(lines) + "\n"

    @property
    def latex(self) -> str:
        """The derivation as a LaTeX `align*` environment (amsmath)."""

        def of(above: int, below: int) -> str:
            return (
                rf"\frac{{\partial {_latex(self._name(above))}}}"
                rf"{{\partial {_latex(self._name(below))}}}"
            )

        symbols, numbers = [], []
        for term in self.terms:
            symbols.append(r" \cdot ".join(of(f.above, f.below) for f in term.factors))
            numbers.append(
                r" \cdot ".join(_latex_factor(self._digit(f.value)) for f in term.factors)
            )
        head = of(self._snapshot.root, self._target)
        rows = [
            f"{head} &= {' + '.join(symbols) or '1'}",
            f"&= {' + '.join(numbers) or '1'}",
            f"&= {_latex_number(self._digit(self.gradient))}",
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}\n"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        head = f"{self._of(self._snapshot.root, self._target)} = {self._number(self.gradient)}"
        return f"<Explanation of {head}: {self.paths} path{'s' if self.paths != 1 else ''}>"

    def _repr_markdown_(self) -> str:
        return self.markdown

    def _name(self, index: int) -> str:
        return printable(self._snapshot.name(index))

    def _of(self, above: int, below: int) -> str:
        return f"∂{self._name(above)}/∂{self._name(below)}"

    def _digit(self, x: float) -> str:
        return plain_number(x, self._digits)

    def _number(self, x: float) -> str:
        return number(x, self._digits)

    def _factor(self, x: float) -> str:
        text = self._number(x)
        return f"({text})" if text.startswith(MINUS) else text

    def _formulas(self) -> list[str]:
        """The nodes that the terms speak of, each with its operation and value."""
        mentioned = {self._target, self._snapshot.root}
        for term in self.terms:
            mentioned.update(term.route)
        lines = []
        for index in sorted(mentioned):
            node = self._snapshot.nodes[index]
            words = f"{self._name(index)} = "
            if node.op:
                words += f"{printable(node_formula(self._snapshot, index, self._digits))} = "
            lines.append(words + self._number(node.value))
        return lines

    def _summary(self) -> str:
        root, target = self._name(self._snapshot.root), self._name(self._target)
        if self._target == self._snapshot.root:
            return "the derivative of the result with respect to itself"
        count = "1 path" if self.paths == 1 else f"{self.paths:,} paths"
        tail = ", grouped by the first edge" if self.grouped else ""
        return f"{count} from {target} to {root}{tail}"

    def _route(self, term: Term) -> str:
        arrow = " → ".join(self._name(index) for index in term.route)
        return f"{arrow} ({term.paths:,} paths)" if term.paths > 1 else arrow

    def _product(self, term: Term) -> str:
        names = " · ".join(self._of(f.above, f.below) for f in term.factors)
        numbers = " · ".join(self._factor(f.value) for f in term.factors)
        end = f" = {self._number(term.product)}" if len(term.factors) > 1 else ""
        return f"{names} = {numbers}{end}"

    def _sum(self) -> str:
        if len(self.terms) < 2:
            return self._number(self.gradient)
        parts = " + ".join(self._factor(term.product) for term in self.terms)
        return f"{parts} = {self._number(self.gradient)}"


def explain(y: Value, wrt: Value, *, digits: int = 6) -> Explanation:
    """The worked chain rule for ∂y/∂wrt: every path, each factor with its number, the sum.

    Raises:
        TypeError: `y` or `wrt` is not a Value.
        ValueError: `wrt` is not part of the graph of `y`; `digits` is not from 1 to 17.
    """
    if not isinstance(wrt, Value):
        raise TypeError(f"explain: wrt must be a Value of the graph, not {type(wrt).__name__}")
    if not 1 <= digits <= 17:
        raise ValueError(f"explain: digits must be from 1 to 17, not {digits!r}")
    snapshot = Snapshot(y, [wrt])
    return Explanation(snapshot, snapshot.watched[0], digits)


def _path_counts(snapshot: Snapshot) -> tuple[list[int], list[int]]:
    """For every node: how many paths lead from it to the root, and how many edges they have."""
    counts, edges = [0] * len(snapshot.nodes), [0] * len(snapshot.nodes)
    counts[-1] = 1
    for index in range(snapshot.root - 1, -1, -1):
        for child, _ in snapshot.users[index]:
            counts[index] += counts[child]
            edges[index] += edges[child] + counts[child]
    return counts, edges


def _single(snapshot: Snapshot, target: int) -> list[Term]:
    """One term per path; products run from the result down, as the reverse sweep does."""
    terms = []
    stack: list[tuple[tuple[int, int], ...]] = [((target, -1),)]
    while stack:
        path = stack.pop()
        here = path[-1][0]
        if here != snapshot.root:
            stack += [(*path, use) for use in reversed(snapshot.users[here])]
            continue
        product, factors = 1.0, []
        for (child, place), (parent, _) in zip(path[:0:-1], path[-2::-1], strict=True):
            node = snapshot.nodes[child]
            product = node.flow(product, node.partials[place])
            factors.append(Factor(child, parent, node.partials[place]))
        terms.append(Term(tuple(index for index, _ in path), tuple(factors), product, 1))
    return terms if target != snapshot.root else []


def _grouped(snapshot: Snapshot, target: int, counts: list[int]) -> list[Term]:
    """One term per use of the input: the very products that the reverse sweep adds up."""
    terms = []
    for child, place in snapshot.users[target]:
        node, cotangent = snapshot.nodes[child], snapshot.gradients[child]
        factors = (
            Factor(snapshot.root, child, cotangent),
            Factor(child, target, node.partials[place]),
        )
        product = node.flow(cotangent, node.partials[place])
        route = (target, child, snapshot.root)
        terms.append(Term(route, factors, product, counts[child]))
    return terms


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", text)


_LATEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "{}$&#%_"},
        "\\": r"\textbackslash{}",
        "^": r"\^{}",
        "~": r"\~{}",
    }
)


def _latex(name: str) -> str:
    """A node's name: x stays x, w12 is w with an index, anything else is text."""
    if match := re.fullmatch(r"([A-Za-z])_?(\d*)", name):
        letter, index = match.groups()
        return f"{letter}_{{{index}}}" if index else letter
    return r"\text{" + name.translate(_LATEX) + "}"


def _latex_number(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    if text in ("inf", "-inf"):
        return text.replace("inf", r"\infty")
    if text == "nan":
        return r"\text{nan}"
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else text


def _latex_factor(text: str) -> str:
    shown = _latex_number(text)
    return f"({shown})" if shown.startswith("-") or "times" in shown else shown
