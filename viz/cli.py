"""The command line: `scalar-autograd draw EXPR name=value ... -o FILE`.

Every mistake of the user ends in one line on standard error and exit code 2.
"""

import argparse
import itertools
import json
import math
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from autograd import Value

from ._expression import ExpressionError, bind, parse, parse_bindings
from ._layout import LayoutError
from ._picture import draw, form_of
from ._text import printable
from ._view import GraphTooLarge

_PROGRAM = "scalar-autograd"


class _Parser(argparse.ArgumentParser):
    """Argparse with one-line errors."""

    def error(self, message: str) -> NoReturn:
        _fail(message)


def _fail(message: str) -> NoReturn:
    line = printable(message)
    print(f"{_PROGRAM}: error: {line if len(line) <= 400 else line[:399] + '…'}", file=sys.stderr)
    raise SystemExit(2)


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(prog=_PROGRAM, description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser(
        "draw",
        allow_abbrev=False,
        help="values and derivatives of an expression, as a table and a picture",
        description="Evaluates EXPR, differentiates it, prints a table, writes a picture.",
    )
    drawing.add_argument("expression", metavar="EXPR", help='for example "tanh(w*x + b)"')
    drawing.add_argument("bindings", metavar="NAME=VALUE", nargs="*", help="a value per variable")
    drawing.add_argument("-o", "--output", metavar="FILE", help="picture: .svg, .png or .dot")
    drawing.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 after a mistake of the user."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _arguments().parse_args(_positional_first(words))
    try:
        return _draw(options)
    except (ExpressionError, GraphTooLarge, LayoutError, ValueError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"cannot write {options.output}: {error.strerror or error}")
    except MemoryError:
        _fail("out of memory")


_FLAGS = {"-h"}
_LONG_OPTION = re.compile("--[a-z][a-z-]+(=.*)?", re.DOTALL)
_WITH_VALUE = {"-o", "--output"}


def _positional_first(words: list[str]) -> list[str]:
    """`words` with the options last, and a space before words that only look like options.

    So an expression may begin with a minus, and options may stand anywhere.
    """
    plain, options = [], []
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            options += [word, *itertools.islice(rest, 1)]
        elif word in _FLAGS or _LONG_OPTION.fullmatch(word):
            options.append(word)
        else:
            plain.append(" " + word if word.startswith("-") else word)
    return plain + options


def _draw(options: argparse.Namespace) -> int:
    if options.output is not None:
        form_of(options.output)
    expression = parse(options.expression)
    leaves = bind(expression, parse_bindings(options.bindings))
    result = expression.evaluate(leaves)
    if not isinstance(result, Value):
        raise ExpressionError("the expression has no variable, so it has no derivatives", 1)
    result.label = result.label or "result"
    result.backward()
    picture = draw(result) if options.output is not None else None
    if picture is not None:
        picture.save(options.output)
    print(_as_json(result, leaves) if options.json else _as_table(result, leaves))
    return 0


def _as_table(result: Value, leaves: dict[str, Value]) -> str:
    rows = [("name", "value", "d result / d name")]
    rows += [(name, repr(leaf.data), repr(leaf.grad)) for name, leaf in leaves.items()]
    rows.append(("result", repr(result.data), repr(1.0)))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{a:<{first}}  {b:>{second}}  {c}" for a, b, c in rows)


def _as_json(result: Value, leaves: dict[str, Value]) -> str:
    content = {
        "result": _json_number(result.data),
        "variables": {
            name: {"value": _json_number(leaf.data), "derivative": _json_number(leaf.grad)}
            for name, leaf in leaves.items()
        },
    }
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)


def _json_number(x: float) -> float | str:
    """`x`, or its name where JSON has no number for it: "inf", "-inf", "nan"."""
    return x if math.isfinite(x) else str(x)


if __name__ == "__main__":
    raise SystemExit(main())
