"""The reference for a whole graph: its operations composed by the chain rule, forwards.

Neither the partials nor the sweeps of the engine are used. Along with each derivative goes what
round-off may have done to it, so that the verdict is about the rest. Knows graphs and the reference
for one operation; knows nothing of whoever made the graph, nor of verdicts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

from .._graph import order_of
from .._primitive import Node, Primitive, operands_of
from .._rules import stop_gradient
from ._reference import Local, Mpf, context, evaluate, kink_distance, local

Entry = Any  # a number of mpmath, or None: zero by structure
Ball = tuple[Mpf, Mpf, Mpf]  # a derivative, its size and its slack

_TINY: Final = math.ulp(0.0)  # the absolute rounding error where numbers underflow
_THIRD_RTOL: Final = 1e-10  # digits of a third derivative, relative to the lower ones


class Jet:
    """A node's value and derivatives by the inputs, and how far round-off may shift each.

    `size_*` are the same sums with every term positive: what cancellation is measured against.
    """

    __slots__ = (
        "error",
        "first",
        "second",
        "size_first",
        "size_second",
        "slack_first",
        "slack_second",
        "third",
        "value",
    )

    def __init__(self, value: Mpf, error: Mpf, n: int) -> None:
        self.value = value
        self.error = error
        self.first: list[Entry] = [None] * n
        self.size_first: list[Entry] = [None] * n
        self.slack_first: list[Entry] = [None] * n
        # Lower triangles, row after row.
        half = n * (n + 1) // 2
        self.second: list[Entry] = [None] * half
        self.size_second: list[Entry] = [None] * half
        self.slack_second: list[Entry] = [None] * half
        # By three inputs in descending order, each as (derivative, size, slack).
        self.third: dict[tuple[int, int, int], Ball] = {}

    def by(self, inputs: Sequence[int]) -> Ball | None:
        """Return the derivative by one, two or three inputs; None where it is zero by structure."""
        if len(inputs) == 1:
            i = inputs[0]
            x, size, slack = self.first[i], self.size_first[i], self.slack_first[i]
        elif len(inputs) == 2:
            at = _place(*inputs)
            x, size, slack = self.second[at], self.size_second[at], self.slack_second[at]
        else:
            i, j, k = sorted(inputs, reverse=True)
            return self.third.get((i, j, k))
        return None if x is None and slack is None else (x or 0, size or 0, slack or 0)


def _place(i: int, k: int) -> int:
    """Return where a lower triangle has the entry of `i` and `k`."""
    return i * (i + 1) // 2 + k if i >= k else k * (k + 1) // 2 + i


class Step:
    """One operation of a graph as the reference saw it; `number` counts operations from 1."""

    __slots__ = ("active", "args", "local", "node", "number")

    def __init__(
        self, number: int, node: Node, args: list[Mpf], active: list[int], found: Local
    ) -> None:
        self.number = number
        self.node = node
        self.args = args
        self.active = active
        self.local = found


def _grow(m: Any, total: Entry, x: Mpf) -> Mpf:
    return x if total is None else total + x


class Replay:
    """A recorded graph replayed in multi-precision arithmetic.

    Recorded values (`exact=False`): every operation is differentiated at the operands it had when
    it was recorded, and `slack` covers the rounding of the derivatives alone. Exact values
    (`exact=True`): values are computed anew from the inputs, so the result is the true derivative;
    `slack` covers what the rounding of a computation in floats, any like this one, may do to it.

    Attributes:
        jet: of the root.
        steps: one per operation, in topological order.
    """

    def __init__(
        self, root: Node, inputs: Sequence[Node], order: int, rtol: float, exact: bool = False
    ) -> None:
        m = self.m = context()
        self.order = order
        self.rtol = m.mpf(rtol)
        self.tiny = m.mpf(_TINY)
        self.exact = exact
        self.steps: list[Step] = []
        n = len(inputs)
        one, zero = m.mpf(1), m.mpf(0)
        jets: dict[int, Jet] = {}
        for i, x in enumerate(inputs):
            jet = jets[id(x)] = Jet(m.mpf(x._data), zero, n)
            jet.first[i] = jet.size_first[i] = one
        for node in order_of([root]):
            if id(node) in jets:
                continue
            prim = node._prim
            if prim is None:
                jets[id(node)] = Jet(m.mpf(node._data), zero, n)
                continue
            parents: list[Jet | None] = []
            args: list[Mpf] = []
            for parent, number in operands_of(node):
                jet_of = None if parent is None else jets[id(parent)]
                parents.append(jet_of)
                args.append(m.mpf(number) if jet_of is None else jet_of.value)
            jets[id(node)] = self._step(node, prim, parents, args, n)
        self.jet = jets[id(root)]
        self.jets = jets

    def _step(
        self, node: Node, prim: Primitive, parents: list[Jet | None], args: list[Mpf], n: int
    ) -> Jet:
        m = self.m
        active = [
            i
            for i, jet in enumerate(parents)
            if jet is not None and any(g is not None for g in jet.first)
        ]
        if prim is stop_gradient:
            active = []
        known = prim.exact is not None and all(m.isfinite(x) or m.isinf(x) for x in args)
        if not math.isfinite(node._data) or not known:
            found = Local(len(active), m.nan)
            found.why = "infinite"
            if known and node._data != node._data:
                there = evaluate(m, prim, args)
                found.outside = there != there
        else:
            blur = sum([parents[i].error for i in active], m.mpf(0))  # type: ignore[union-attr]
            found = local(m, prim, args, active, min(self.order + 1, 3), blur)
        self.steps.append(Step(len(self.steps) + 1, node, args, active, found))
        error = m.mpf(0)
        value = m.mpf(node._data)
        if self.exact and math.isfinite(node._data):
            value = found.value
            if value != value:
                error = m.inf
            elif value != 0 and m.mag(value) < -2000:  # or sums with it would need all that range
                value = m.mpf(0)
            error = error + m.fabs(value) * self.rtol / 4 + self.tiny
            for at, i in enumerate(active):
                error += m.fabs(found.first[at]) * parents[i].error  # type: ignore[union-attr]
        out = Jet(value, error, n)
        chosen = [(at, parents[i], args[i]) for at, i in enumerate(active)]
        for at, jet, _ in chosen:
            assert jet is not None
            self._first(out, found, at, jet, chosen, prim.selects)
        if self.order > 1:
            for at, jet, _ in chosen:
                assert jet is not None
                self._carry(out, found, at, jet)
                for other, twin, _ in chosen:
                    assert twin is not None
                    self._second(out, found, at, other, jet, twin, chosen)
        if self.order > 2:
            self._third(out, prim, found, chosen)
        return out

    def _wobble(self, rates: list[Mpf], chosen: Sequence[tuple[int, Jet | None, Mpf]]) -> Mpf:
        """Return what the rounding of the arguments does to something with these derivatives."""
        m = self.m
        total = m.mpf(0)
        for at, jet, x in chosen:
            assert jet is not None
            rate = m.fabs(rates[at])
            if rate == rate:
                total += rate * (m.fabs(x) * self.rtol + jet.error)
            elif jet.error != 0:
                total = m.inf
        return total

    def _first(
        self,
        out: Jet,
        found: Local,
        at: int,
        jet: Jet,
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
        selects: bool,
    ) -> None:
        m = self.m
        p = found.first[at]
        size = m.fabs(p)
        constant = p == 0 and found.radius[at] == 0 and not any(found.second[at])
        relative = self.rtol + self.tiny / m.fabs(found.value) if found.value else self.rtol
        slack = size * relative + self._wobble(found.second[at], chosen)
        slack += self.tiny * sum((m.fabs(x) for _, _, x in chosen), m.mpf(1))
        slack += found.radius[at] + (found.errors[1][at] if found.errors else 0)
        for i, g in enumerate(jet.first):
            reach = jet.size_first[i] or m.mpf(0)
            if constant and not m.isfinite(reach):
                continue
            blur = jet.slack_first[i] or 0
            if g is None or (constant and selects):  # the result does not follow this input
                more = slack * reach + (size + slack) * blur
                out.slack_first[i] = _grow(m, out.slack_first[i], more)
                continue
            x, more = p * g, slack * reach + (size + slack) * blur
            if found.radius[at] and blur:  # two intervals, whose product is not about their middles
                ends = [(p + s * slack) * (g + t * blur) for s in (-1, 1) for t in (-1, 1)]
                x, more = (max(ends) + min(ends)) / 2, (max(ends) - min(ends)) / 2
            more += self.tiny * (1 + reach)
            out.first[i] = _grow(m, out.first[i], x)
            out.size_first[i] = _grow(m, out.size_first[i], max(size * reach, m.fabs(x)))
            out.slack_first[i] = _grow(m, out.slack_first[i], more)

    def _carry(self, out: Jet, found: Local, at: int, jet: Jet) -> None:
        """Add a parent's Hessian times the partial."""
        m = self.m
        p = found.first[at]
        constant = p == 0 and found.radius[at] == 0
        size = m.fabs(p)
        slack = self._slack_first(found, at)
        for at_h, h in enumerate(jet.second):
            if h is None or (constant and not m.isfinite(jet.size_second[at_h])):
                continue
            out.second[at_h] = _grow(m, out.second[at_h], p * h)
            reach = jet.size_second[at_h]
            out.size_second[at_h] = _grow(m, out.size_second[at_h], size * reach)
            more = slack * reach + self.tiny * (1 + reach)
            more += (size + slack) * jet.slack_second[at_h]
            out.slack_second[at_h] = _grow(m, out.slack_second[at_h], more)

    def _second(
        self,
        out: Jet,
        found: Local,
        at: int,
        other: int,
        jet: Jet,
        twin: Jet,
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
    ) -> None:
        m = self.m
        p = found.second[at][other]
        size = m.fabs(p)
        slack = self._slack_second(found, at, other, chosen)
        constant = size == 0 and not found.first[at] and not found.first[other]
        place = 0
        for i in range(len(jet.first)):
            for k in range(i + 1):
                a, b = jet.first[i], twin.first[k]
                ra, rb = jet.size_first[i], twin.size_first[k]
                if a is not None and b is not None and not (constant and not m.isfinite(ra * rb)):
                    out.second[place] = _grow(m, out.second[place], p * a * b)
                    reach = ra * rb
                    out.size_second[place] = _grow(m, out.size_second[place], size * reach)
                    more = slack * reach + self.tiny * (1 + ra + rb)
                    sa, sb = jet.slack_first[i] or 0, twin.slack_first[k] or 0
                    more += (size + slack) * (ra * sb + rb * sa + sa * sb)
                    out.slack_second[place] = _grow(m, out.slack_second[place], more)
                place += 1

    def _slack_first(self, found: Local, at: int) -> Mpf:
        slack = self.m.fabs(found.first[at]) * self.rtol + found.radius[at]
        return slack + (found.errors[1][at] if found.errors else 0)

    def _slack_second(
        self,
        found: Local,
        at: int,
        other: int,
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
    ) -> Mpf:
        m = self.m
        size = m.fabs(found.second[at][other])
        noise = m.sqrt(found.errors[2][at] * found.errors[2][other]) if found.errors else m.mpf(0)
        wobble = self._wobble(found.third[at][other], chosen)
        # A correct rule for the first derivative, differentiated once more, may lose digits to
        # cancellation and underflow, down to those of the first derivative, on a scale of 1 or of
        # the distance to a kink.
        relative = self.rtol + self.tiny / m.fabs(found.value) if found.value else self.rtol
        slack = size * relative + wobble + noise
        for one, x in ((at, chosen[other][2]), (other, chosen[at][2])):
            scale = max(m.fabs(x), min(1, found.kink or 1))
            slack += m.fabs(found.first[one]) * self.rtol / scale
            slack += self.tiny * (1 + m.fabs(x) + 1 / scale)
        return slack + found.radius_second[at][other]

    def _third(
        self,
        out: Jet,
        prim: Primitive,
        found: Local,
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
    ) -> None:
        """Add the third derivatives: the chain rule's terms with one, two and three parents."""
        parents = [jet for _, jet, _ in chosen if jet is not None]
        each = range(len(parents))
        one = [(found.first[a], self._slack_first(found, a)) for a in each]
        two = {
            (a, b): (found.second[a][b], self._slack_second(found, a, b, chosen))
            for a, b in itertools.product(each, each)
        }
        drift = self._drift(prim, found, chosen)
        three = {
            abc: (found.third[abc[0]][abc[1]][abc[2]], self._slack_third(found, abc, chosen, drift))
            for abc in itertools.product(each, each, each)
        }
        for i in range(len(out.first)):
            for j in range(i + 1):
                for k in range(j + 1):
                    total: Ball | None = None
                    for a, (p, slack) in enumerate(one):
                        total = self._add(total, p, slack, [parents[a].third.get((i, j, k))])
                    for (a, b), (p, slack) in two.items():
                        for pair, left in (((i, j), k), ((i, k), j), ((j, k), i)):
                            terms = [parents[a].by(pair), parents[b].by((left,))]
                            total = self._add(total, p, slack, terms)
                    for abc, (p, slack) in three.items():
                        terms = [parents[x].by((y,)) for x, y in zip(abc, (i, j, k), strict=True)]
                        total = self._add(total, p, slack, terms)
                    if total is not None:
                        out.third[i, j, k] = total

    def _add(
        self, total: Ball | None, p: Mpf, slack: Mpf, terms: Sequence[Ball | None]
    ) -> Ball | None:
        """Add the product of `p` and `terms`, none of which is zero by structure."""
        m = self.m
        x, size, reach = p, m.fabs(p), m.fabs(p) + slack
        for term in terms:
            if term is None:
                return total
            x, size, reach = x * term[0], size * term[1], reach * (term[1] + term[2])
        if p == 0 and not m.isfinite(size):
            return total
        found = x, size, reach - size + self.tiny * (1 + sum(t[1] for t in terms if t is not None))
        if total is None:
            return found
        return total[0] + found[0], total[1] + found[1], total[2] + found[2]

    def _slack_third(
        self,
        found: Local,
        at: tuple[int, int, int],
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
        drift: dict[tuple[int, int, int], Mpf],
    ) -> Mpf:
        """Return what rounding may do: digits relative to the derivative and to the lower ones."""
        m = self.m
        kink = min(1, found.kink or 1)
        scale = [max(m.fabs(x), kink) for _, _, x in chosen]
        size = m.fabs(found.third[at[0]][at[1]][at[2]])
        for a, b, c in itertools.permutations(at):
            size += m.fabs(found.second[a][b]) / scale[c]
            size += m.fabs(found.first[a]) / (scale[b] * scale[c])
        tiny = self.tiny * (1 + sum(m.fabs(x) for _, _, x in chosen)) ** 2
        tiny += self.tiny / min(scale) ** 2
        errors = sum(found.errors[3][a] for a in at) if found.errors else 0
        errors += found.radius_third[at[0]][at[1]][at[2]]
        return size * _THIRD_RTOL + drift.get(at, m.mpf(0)) + errors + tiny

    def _drift(
        self, prim: Primitive, found: Local, chosen: Sequence[tuple[int, Jet | None, Mpf]]
    ) -> dict[tuple[int, int, int], Mpf]:
        """Return by how much the third derivatives change when the arguments are rounded."""
        m = self.m
        total: dict[tuple[int, int, int], Mpf] = {}
        step = self.steps[-1]
        if not found.errors or found.kink == 0:
            return total
        each = range(len(chosen))
        for at, (_, jet, x) in enumerate(chosen):
            assert jet is not None
            by = m.fabs(x) * self.rtol + jet.error
            if by == 0:
                continue
            moved = []
            for sign in (1, -1):  # away from a kink rather than across it
                args = list(step.args)
                args[step.active[at]] = x + sign * by
                moved.append((kink_distance(m, prim, args) or m.inf, sign, args))
            near = local(m, prim, max(moved)[2], step.active, 3)
            for abc in itertools.product(each, each, each):
                a, b, c = abc
                change = m.fabs(near.third[a][b][c] - found.third[a][b][c])
                if m.isfinite(change):
                    total[abc] = total.get(abc, m.mpf(0)) + change
        return total
