"""Arithmetic from untrusted text: parsed with `ast`, walked against an allow-list, never `eval`.

The language: numbers, names, `+ - * / **`, unary `-` and `+`, parentheses, and every primitive by
name. No comparisons, no attributes, no strings. The walk is iterative.
"""

import ast
import unicodedata
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

from autograd import Primitive, Value, primitives

LONGEST = 50_000
"""Characters of an expression; a longer one is refused before it is parsed."""

DEEPEST = 90
"""Brackets within brackets; Python's own parser stops at a few more."""

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
}
_WAYS_OUT: dict[type[ast.AST], str] = {
    ast.BitXor: "^ is written ** (a power)",
    ast.MatMult: "@ needs matrices; here numbers are scalars",
    ast.Compare: "comparisons are not part of the language; use maximum, minimum, where",
    ast.Attribute: "attributes are not part of the language",
    ast.IfExp: "if is not part of the language; use where(condition, x, y)",
    ast.Lambda: "lambda is not part of the language",
    ast.Subscript: "indexing is not part of the language",
    ast.Tuple: "a comma belongs between the arguments of a function only",
}


class ExpressionError(ValueError):
    """Text that is not in the language; `.column` counts from 1, 0 if no place is to blame."""

    def __init__(self, message: str, column: int = 0) -> None:
        self.column = column
        super().__init__(f"column {column}: {message}" if column else message)


class Operation(NamedTuple):
    """Apply the primitive `name` to `arity` results on the stack."""

    name: str
    arity: int


class Expression(NamedTuple):
    """A parsed expression: its variables with the column of their first use, and its steps.

    The steps are in postfix order: a number, the name of a variable, or an operation.
    """

    variables: dict[str, int]
    steps: tuple[float | str | Operation, ...]

    def evaluate(self, leaves: Mapping[str, Value]) -> Value | float:
        """The result on `leaves`, by the engine's own primitives (IEEE; no exception)."""
        table = primitives()
        stack: list[Value | float] = []
        for step in self.steps:
            if isinstance(step, Operation):
                arguments = stack[len(stack) - step.arity :]
                del stack[len(stack) - step.arity :]
                stack.append(table[step.name](*arguments))
            else:
                stack.append(leaves[step] if isinstance(step, str) else step)
        return stack.pop()


def parse(text: str) -> Expression:
    """The expression that `text` says.

    Raises:
        ExpressionError: it says none.
    """
    if len(text) > LONGEST:
        raise ExpressionError(
            f"the expression has {len(text):,} characters, the most is {LONGEST:,}", LONGEST + 1
        )
    if not text.strip():
        raise ExpressionError("the expression is empty", 1)
    _check_characters(text)
    steps: list[float | str | Operation] = []
    variables: dict[str, int] = {}
    # A reversed pre-order that visits the last operand first is, read backwards, postfix order.
    stack: list[ast.expr] = [_syntax_tree(text)]
    table = primitives()
    while stack:
        node = stack.pop()
        column = _column(text, node.col_offset)
        if isinstance(node, ast.Constant):
            steps.append(_constant(node, column))
        elif isinstance(node, ast.Name):
            if node.id in table:
                raise ExpressionError(f"{node.id} is a function: {_usage(node.id)}", column)
            variables[node.id] = column
            steps.append(node.id)
        elif isinstance(node, ast.BinOp):
            name = _OPERATORS.get(type(node.op))
            if name is None:
                raise ExpressionError(_refusal(node.op), _after(text, node.left))
            steps.append(Operation(name, 2))
            stack += (node.left, node.right)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
            stack.append(node.operand)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            if isinstance(node.operand, ast.Constant):
                steps.append(-_constant(node.operand, column))
            else:
                steps.append(Operation("neg", 1))
                stack.append(node.operand)
        elif isinstance(node, ast.Call):
            steps.append(_call(node, column, table))
            stack += node.args
        elif isinstance(node, ast.Compare):
            raise ExpressionError(_refusal(node), _after(text, node.left))
        elif isinstance(node, ast.Attribute):
            raise ExpressionError(_refusal(node), _after(text, node.value))
        else:
            raise ExpressionError(_refusal(node), column)
    return Expression(variables, tuple(reversed(steps)))


def _check_characters(text: str) -> None:
    depth = 0
    for place, character in enumerate(text, 1):
        if character in "([{":
            depth += 1
            if depth > DEEPEST:
                raise ExpressionError(f"brackets are nested deeper than {DEEPEST}", place)
        elif character in ")]}":
            depth -= 1
        elif character in "'\"#\\":
            raise ExpressionError(f"{character} is not part of the language", place)
        elif character in "\r\n\f" or not (character.isprintable() or character == "\t"):
            raise ExpressionError(f"character U+{ord(character):04X} is not allowed", place)


def _syntax_tree(text: str) -> ast.expr:
    indent = len(text) - len(text.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text[indent:], mode="eval").body
    except SyntaxError as error:
        # Python points at line 2, or at nothing, where the text ends too early.
        column = (error.offset or 0) + indent if error.lineno == 1 else len(text) + 1
        reason = error.msg or "invalid syntax"
        if "limit" in reason:
            column, reason = max(column, 1), "an integer with too many digits"
        elif not error.offset or column > len(text.rstrip()):
            column, reason = len(text.rstrip()) + 1, "the expression ends too early"
        raise ExpressionError(reason, column) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("operations are nested too deeply", indent + 1) from None
    except ValueError as error:
        raise ExpressionError(f"not readable: {error}", indent + 1) from None


def _column(text: str, offset: int) -> int:
    """The column, in characters from 1, of a byte offset of `ast` (which saw no indentation)."""
    stripped = text.lstrip()
    if not text.isascii():
        offset = len(stripped.encode()[:offset].decode())
    return len(text) - len(stripped) + offset + 1


def _after(text: str, node: ast.expr) -> int:
    """The column of what follows `node`: an operator, after spaces and closing brackets."""
    column = _column(text, node.end_col_offset or node.col_offset)
    while text[column - 1 : column] in (" ", "\t", ")"):
        column += 1
    return column


def _constant(node: ast.Constant, column: int) -> float:
    if type(node.value) not in (int, float):
        raise ExpressionError(f"{str(node.value)[:20]} is not a real number", column)
    try:
        return float(node.value)  # type: ignore[arg-type]
    except OverflowError:
        raise ExpressionError("an integer beyond the range of floats", column) from None


def _call(node: ast.Call, column: int, table: Mapping[str, Primitive]) -> Operation:
    if not isinstance(node.func, ast.Name):
        raise ExpressionError("only functions can be called, by name", column)
    name = node.func.id
    if name not in table:
        raise ExpressionError(f"unknown function {name}{_similar(name, list(table))}", column)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError(f"{_usage(name)}: plain arguments only", column)
    most = table[name].arity
    if not most - len(table[name].defaults) <= len(node.args) <= most:
        raise ExpressionError(f"{_usage(name)}, not {len(node.args)}", column)
    return Operation(name, len(node.args))


def _usage(name: str) -> str:
    primitive = primitives()[name]
    most = primitive.arity
    least = most - len(primitive.defaults)
    count = f"{least}" if least == most else f"{least} to {most}"
    return f"{name} takes {count} argument{'s' if most > 1 else ''}"


def _similar(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else f"; there are {', '.join(sorted(known))}"


def _refusal(node: ast.AST) -> str:
    return _WAYS_OUT.get(type(node), "this is not part of the language (arithmetic and functions)")


def parse_bindings(words: list[str]) -> dict[str, float]:
    """The numbers given as `name=value`.

    Raises:
        ExpressionError: a word is not of that form, or a name comes twice.
    """
    bindings: dict[str, float] = {}
    for word in words:
        name, equals, value = word.partition("=")
        # Python reads identifiers in this normal form, so the expression's names are in it too.
        name = unicodedata.normalize("NFKC", name.strip())
        shown = word if len(word) <= 40 else word[:39] + "…"
        if not equals or not name.isidentifier():
            raise ExpressionError(f"expected name=value, found {shown!r}")
        if name in bindings:
            raise ExpressionError(f"{name} is given twice")
        try:
            bindings[name] = float(value)
        except ValueError:
            raise ExpressionError(f"{shown!r}: the value is not a number") from None
    return bindings


def bind(expression: Expression, bindings: Mapping[str, float]) -> dict[str, Value]:
    """A labelled leaf for every variable, in the order given.

    Raises:
        ExpressionError: a variable has no value, a value has no variable.
    """
    for name, column in sorted(expression.variables.items(), key=lambda item: item[1]):
        if name not in bindings:
            raise ExpressionError(f"{name} has no value: add {name}=NUMBER", column)
    for name in bindings:
        if name not in expression.variables:
            raise ExpressionError(f"{name} is given but the expression does not use it")
    return {name: Value(x, name) for name, x in bindings.items()}
