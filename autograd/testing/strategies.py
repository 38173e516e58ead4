"""Hypothesis strategies for derivatives: expressions, graphs, points, hard floats, structures.

Needs Hypothesis; the rest of `autograd.testing` does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

try:
    from hypothesis import strategies as st
except ImportError:
    raise ImportError(
        "autograd.testing.strategies needs Hypothesis: pip install 'scalar-autograd[testing]'"
    ) from None

from .._primitive import Primitive
from ._expression import HARD_FLOATS, Expression, Gene, express, usable

__all__ = ["expressions", "graphs", "hard_floats", "points", "structures_of"]


def hard_floats() -> st.SearchStrategy[float]:
    """Return a strategy of finite floats, hard ones often: kinks, denormals, huge ones, -0.0."""
    return st.one_of(
        st.integers(-8, 8).map(float),
        st.floats(-4.0, 4.0, allow_subnormal=False),
        st.sampled_from(HARD_FLOATS),
        st.floats(allow_nan=False, allow_infinity=False),
    )


def points(primitive: Primitive) -> st.SearchStrategy[tuple[float, ...]]:
    """Return a strategy of arguments in the domain of `primitive`, and its finite special ones."""
    inside = st.tuples(*[st.floats(low, high) for low, high in primitive.domain])
    special = [args for args, _, _ in primitive.special if all(map(math.isfinite, args))]
    return st.one_of(inside, st.sampled_from(special)) if special else inside


def _genes(prims: Sequence[Primitive], max_size: int) -> st.SearchStrategy[list[Gene]]:
    # Number 0 is no operation, so that shrinking one number takes an operation out, wherever it is.
    code = st.integers(0, 11)
    gene = st.tuples(st.integers(0, len(prims)), st.tuples(code, code, code), hard_floats())
    return st.lists(gene, min_size=1, max_size=max_size).map(
        lambda genes: [(number - 1, codes, x) for number, codes, x in genes if number]
    )


def _grown(
    variables: int, primitives: Sequence[Primitive] | None, max_size: int, shared: bool
) -> st.SearchStrategy[Expression]:
    if variables < 1:
        raise ValueError(f"expressions: variables must be at least 1, not {variables}")
    if max_size < 1:
        raise ValueError(f"expressions: max_size must be at least 1, not {max_size}")
    prims = tuple(primitives or usable())
    return st.builds(
        lambda genes, point: express(genes, point, prims, shared),
        _genes(prims, max_size),
        st.tuples(*[hard_floats()] * variables),
    )


def expressions(
    variables: int = 2, primitives: Sequence[Primitive] | None = None, max_size: int = 20
) -> st.SearchStrategy[Expression]:
    """Return a strategy of expressions without shared parts, of about `max_size` operations.

    They print as Python, can be called with floats, `Value`s and mpmath numbers, and shrink to few
    operations. `.point` holds arguments at which every operation has a finite value.
    """
    return _grown(variables, primitives, max_size, shared=False)


def graphs(
    variables: int = 2, primitives: Sequence[Primitive] | None = None, max_size: int = 20
) -> st.SearchStrategy[Expression]:
    """Return a strategy like `expressions`, in which results are used more than once."""
    return _grown(variables, primitives, max_size, shared=True)


def structures_of(leaves: st.SearchStrategy[Any], max_leaves: int = 6) -> st.SearchStrategy[Any]:
    """Return a strategy of `leaves` in nested tuples, lists and dicts, at least one of them."""

    def nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            st.lists(inner, min_size=1, max_size=3),
            st.lists(inner, min_size=1, max_size=3).map(tuple),
            st.dictionaries(st.sampled_from(["a", "b", "w"]), inner, min_size=1, max_size=3),
        )

    return st.recursive(leaves, nest, max_leaves=max_leaves)
