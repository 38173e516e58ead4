"""The values of primitives as plain Python text, for programs that run without this package.

Nothing is written twice: the text is that of the rows themselves, read from the source beside the
compiled modules, without annotations. Knows nothing of derivatives.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from ._primitive import primitives

_MODULES: Final = {"_rules": "", "_special": "special_"}
_PYTHONS_OWN: Final = ("math", "builtins")
_CONSTANTS: Final = ("inf", "nan")


def emit(names: Iterable[str]) -> str:
    """Return Python that defines, for each primitive of `names`, a function `value_<name>`.

    It takes floats (those with a default may be left out) and returns the same bits as the
    primitive, given the same mathematical library. All other names it defines begin with `_`.

    Raises:
        ValueError: a primitive has no such text: it is a user's own, or the source is not there.
    """
    table = primitives()
    written = _Text()
    values = []
    for name in dict.fromkeys(names):
        row = _rows().get(name)
        if row is None or name not in table:
            raise ValueError(
                f"primitive {name!r} has no text in plain Python: it is no row of ours"
            )
        text = written.expression(row, "_rules")
        defaults = table[name].defaults
        if defaults:
            free = [f"x{i}" for i in range(table[name].arity - len(defaults))]
            given = [f"y{i}={default!r}" for i, default in enumerate(defaults)]
            called = ", ".join([*free, *[f"y{i}" for i in range(len(defaults))]])
            values.append(
                f"def value_{name}({', '.join(free + given)}):\n    return {text}({called})\n"
            )
        else:
            values.append(f"value_{name} = {text}\n")
    parts = [*written.heads(), *written.definitions, *values]
    return "\n".join(parts)


class _Text(ast.NodeTransformer):
    """Definitions that expressions of the rows lean on, renamed, in the order of need."""

    def __init__(self) -> None:
        self.definitions: list[str] = []
        self._done: set[tuple[str, str]] = set()
        self._imports: set[str] = set()
        self._module = ""
        self._needed: list[tuple[str, str]] = []

    def heads(self) -> list[str]:
        """Return the imports, as text."""
        lines = [f"import {name}" for name in _PYTHONS_OWN if name in self._imports]
        constants = [name for name in _CONSTANTS if name in self._imports]
        if constants:
            lines.append(f"from math import {', '.join(constants)}")
        return ["\n".join(lines) + "\n"] if lines else []

    def expression(self, expression: ast.expr, module: str) -> str:
        """Return the text of an expression of a module; what it needs is written first."""
        text, needed = self._renamed(expression, module)
        # What a definition needs stands before it, as far as it runs when it is read.
        stack = [(one, False) for one in reversed(needed)]
        while stack:
            (place, name), ready = stack.pop()
            if ready:
                self.definitions.append(self._text(place, name)[0])
            elif (place, name) not in self._done:
                self._done.add((place, name))
                stack.append(((place, name), True))
                stack += [(one, False) for one in reversed(self._text(place, name)[1])]
        return text

    def _text(self, module: str, name: str) -> tuple[str, list[tuple[str, str]]]:
        definition = _definitions(module)[name]
        if isinstance(definition, ast.FunctionDef):
            text, needed = self._renamed(definition, module)
            return f"\n{text}\n", needed
        text, needed = self._renamed(definition, module)
        return f"{_name(module, name)} = {text}\n", needed

    def _renamed(self, tree: ast.AST, module: str) -> tuple[str, list[tuple[str, str]]]:
        """Return the text of a part of a module's source, and which definitions it needs."""
        self._module, self._needed = module, []
        copied = ast.parse(ast.unparse(tree)).body[0]
        return ast.unparse(self.visit(copied)), self._needed

    def _use(self, module: str, name: str) -> str:
        self._needed.append((module, name))
        return _name(module, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in _definitions(self._module):
            return ast.Name(self._use(self._module, node.id), node.ctx)
        if node.id in (*_PYTHONS_OWN, *_CONSTANTS):
            self._imports.add(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in _MODULES:
            return ast.Name(self._use(node.value.id, node.attr), node.ctx)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name in _definitions(self._module):  # not one inside another
            node.name = _name(self._module, node.name)
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        assert node.value is not None
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))


def _name(module: str, name: str) -> str:
    return f"_{_MODULES[module]}{name.lstrip('_')}"


@cache
def _tree(module: str) -> ast.Module:
    path = Path(__file__).with_name(f"{module}.py")
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise ValueError(f"the values of primitives can't be read as text: {reason}") from None


@cache
def _definitions(module: str) -> dict[str, ast.FunctionDef | ast.expr]:
    """Return the functions and constants of a module by name; rows are neither."""
    found: dict[str, ast.FunctionDef | ast.expr] = {}
    for one in _tree(module).body:
        if isinstance(one, ast.FunctionDef):
            found[one.name] = one
        elif isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None:
            target = one.target if isinstance(one, ast.AnnAssign) else one.targets[0]
            if isinstance(target, ast.Name) and not _row_name(one.value):
                found[target.id] = one.value
    return found


@cache
def _rows() -> dict[str, ast.expr]:
    """Return the value of each row of the table, as an expression, by the row's name."""
    found = {}
    for one in ast.walk(_tree("_rules")):
        if isinstance(one, ast.Call) and (name := _row_name(one)):
            keywords = {keyword.arg: keyword.value for keyword in one.keywords}
            found[name] = one.args[1] if len(one.args) > 1 else keywords["fn"]
    return found


def _row_name(call: ast.expr) -> str:
    """Return the name of the row that a call makes, "" for any other expression."""
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        return ""
    first = call.args[0] if call.args else None
    if call.func.id != "_row" or not isinstance(first, ast.Constant):
        return ""
    return str(first.value)
