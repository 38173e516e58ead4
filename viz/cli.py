"""The command line: `scalar-autograd draw EXPR name=value ... -o FILE`, also explain and quiz.

`check` and `certify` are handed on to `autograd.testing.cli`, loaded when asked for. Every mistake
of the user ends in one line on standard error and exit code 2.
"""

import argparse
import itertools
import json
import re
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

from autograd import Value

from . import _script
from ._explain import explain
from ._expression import ExpressionError, bind, parse, parse_bindings
from ._figure import Direction, Style
from ._layout import LayoutError
from ._palette import Theme
from ._picture import draw, form_of
from ._quiz import as_text, quiz
from ._text import json_number, printable

_PROGRAM = "scalar-autograd"
_SOURCE = 'an expression such as "tanh(w*x + b)", or path/to/script.py:function (which is run)'


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

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, allow_abbrev=False, help=text, description=text)
        added.add_argument("expression", metavar="EXPR", help=_SOURCE)
        added.add_argument("bindings", metavar="NAME=VALUE", nargs="*", help="a value per variable")
        return added

    drawing = command("draw", "values and derivatives, as a table and a picture")
    drawing.add_argument(
        "-o", "--output", metavar="FILE", help="write .svg, .html, .png, .dot or .json"
    )
    drawing.add_argument("--json", action="store_true", help="print JSON instead of a table")
    drawing.add_argument("--style", choices=get_args(Style), default="card")
    drawing.add_argument("--direction", choices=get_args(Direction), default="LR")
    drawing.add_argument("--theme", choices=get_args(Theme), default="auto")
    drawing.add_argument("--open", action="store_true", help="show the result in the browser")
    explaining = command("explain", "the worked chain rule: every path, each factor, the sum")
    explaining.add_argument("--wrt", metavar="NAME", help="the variable (needless if there is one)")
    explaining.add_argument("--format", choices=("text", "markdown", "latex"), default="text")
    asking = command("quiz", "the picture with blanks, to fill in and check")
    asking.add_argument("-o", "--output", metavar="FILE", help="write .html, .svg or .json")
    asking.add_argument("--seed", type=int, default=0, help="another seed asks other questions")
    asking.add_argument("--answers", action="store_true", help="print the answers too")
    asking.add_argument("--open", action="store_true", help="show the page in the browser")
    for name, text in _TESTING.items():  # to be listed; they have a parser of their own
        commands.add_parser(name, help=text)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 after a mistake of the user; of `check` also 1, for wrong."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in _TESTING:
        from autograd.testing.cli import main as testing

        return testing(words)
    options = _arguments().parse_args(_positional_first(words))
    try:
        return _COMMANDS[options.command](options)
    except (ValueError, LayoutError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"cannot write {options.output}: {error.strerror or error}")
    except (MemoryError, RecursionError) as error:
        _fail(f"the computation is too large ({type(error).__name__})")


_TESTING = {
    "check": "are these derivatives right? yours, NumPy's, PyTorch's, JAX's",
    "certify": "how many digits of value and derivatives are right?",
}

_SHORT_OPTIONS = {"-h", "-o"}
_WITH_VALUE = {
    "-o", "--output", "--style", "--direction", "--theme", "--wrt", "--format", "--seed",
}  # fmt: skip
_LONG_OPTION = re.compile("--[a-z][a-z-]+(=.*)?", re.DOTALL)


def _positional_first(words: list[str]) -> list[str]:
    """`words` with the options last, and a space before words that only look like options.

    So an expression may begin with a minus, and options may stand anywhere.
    """
    plain, options = [], []
    rest = iter(words)
    for word in rest:
        if word in _SHORT_OPTIONS or _LONG_OPTION.fullmatch(word):
            options.append(word)
            if word in _WITH_VALUE:
                options += itertools.islice(rest, 1)
        else:
            plain.append(" " + word if word.startswith("-") else word)
    return plain + options


def _evaluate(options: argparse.Namespace) -> tuple[Value, dict[str, Value]]:
    """The result of the expression or script, swept, and its leaves by name."""
    script = _script.split(options.expression)
    if script is not None:
        result, leaves = _script.call(*script, parse_bindings(options.bindings))
    else:
        expression = parse(options.expression)
        leaves = bind(expression, parse_bindings(options.bindings))
        value = expression.evaluate(leaves)
        if not isinstance(value, Value):
            raise ExpressionError("the expression has no variable, so it has no derivatives", 1)
        result = value
    result.label = result.label or "result"
    result.backward()
    return result, leaves


def _draw(options: argparse.Namespace) -> int:
    if options.output is not None:
        form_of(options.output)
    result, leaves = _evaluate(options)
    if options.output is not None or options.open:
        picture = draw(
            result, style=options.style, direction=options.direction, theme=options.theme
        )
        _save_and_open(picture, options)
    print(_as_json(result, leaves) if options.json else _as_table(result, leaves))
    return 0


def _explain(options: argparse.Namespace) -> int:
    result, leaves = _evaluate(options)
    name = options.wrt
    if name is None and len(leaves) == 1:
        (name,) = leaves
    if name not in leaves:
        said = "say which variable: --wrt NAME" if name is None else f"--wrt {name}: no such name"
        raise ExpressionError(f"{said}; there are {', '.join(leaves) or 'none'}")
    print(getattr(explain(result, leaves[name]), options.format), end="")
    return 0


def _quiz(options: argparse.Namespace) -> int:
    result, _ = _evaluate(options)
    asked = quiz(result, seed=options.seed)
    if options.output is not None or options.open:
        _save_and_open(asked, options)
    print(as_text(asked, answers=options.answers))
    return 0


_COMMANDS = {"draw": _draw, "explain": _explain, "quiz": _quiz}


def _save_and_open(thing: Any, options: argparse.Namespace) -> None:
    """Save a picture or quiz; open it, in a page of its own if no file was asked for."""
    path = options.output
    if path is None:
        path = Path(tempfile.mkdtemp(prefix="scalar-autograd-")) / "picture.html"
    saved = thing.save(path)
    if options.open:
        webbrowser.open(saved.as_uri())


def _as_table(result: Value, leaves: dict[str, Value]) -> str:
    rows = [("name", "value", "d result / d name")]
    rows += [(name, repr(leaf.data), repr(leaf.grad)) for name, leaf in leaves.items()]
    rows.append(("result", repr(result.data), repr(1.0)))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{a:<{first}}  {b:>{second}}  {c}" for a, b, c in rows)


def _as_json(result: Value, leaves: dict[str, Value]) -> str:
    content = {
        "result": json_number(result.data),
        "variables": {
            name: {"value": json_number(leaf.data), "derivative": json_number(leaf.grad)}
            for name, leaf in leaves.items()
        },
    }
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)


if __name__ == "__main__":
    raise SystemExit(main())
