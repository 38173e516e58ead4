"""Bulk naming."""

from collections.abc import Iterator

from autograd import Value


def name(**values: object) -> None:
    """Label every `Value` among `values` that has no label yet by its keyword.

    Lists, tuples and dicts are entered: `name(w=[u, v])` gives "w[0]" and "w[1]". Anything else is
    passed over, so that `viz.name(**locals())` names the variables of a function.
    """
    for label, value in _inside(values):
        if not value.label:
            value.label = label


def _inside(values: dict[str, object]) -> Iterator[tuple[str, Value]]:
    stack = list(reversed(values.items()))
    entered: set[int] = set()
    while stack:
        label, thing = stack.pop()
        if isinstance(thing, Value):
            yield label, thing
        elif isinstance(thing, (list, tuple, dict)) and id(thing) not in entered:
            entered.add(id(thing))
            items = thing.items() if isinstance(thing, dict) else enumerate(thing)
            stack += [(f"{label}[{key!r}]", inner) for key, inner in items][::-1]
