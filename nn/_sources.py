"""A trained MLP as a program that needs nothing: a function in Python, or in JavaScript.

The weights are tables, the layers one loop over them, so the text grows with the numbers only.
Nothing of the user's is in it but numbers and the name of the function.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final

from autograd import javascript, plain, primitives

from ._architecture import Architecture, Names

_NAME: Final = re.compile("[A-Za-z][A-Za-z0-9_]*")
_SHORT: Final = 8  # inputs of a network whose test values are written out
# Words of JavaScript that name no function, and the names that the text itself uses.
_RESERVED: Final = """
arguments await break case catch class const continue debugger default delete do else enum
eval export extends false finally for function if implements import in instanceof interface
let new null package private protected public return static super switch this throw true try
typeof var void while with yield undefined NaN Infinity Math Number Array Object Error
TypeError RangeError module exports require globalThis F B LAYERS series tail lnGamma
polyGamma
"""
_WORDS: Final = frozenset(_RESERVED.split())
_TAKEN: Final = frozenset(
    [
        *dir(builtins),
        *keyword.kwlist,
        *keyword.softkwlist,
        "builtins",
        "doctest",
        "inf",
        "math",
        "nan",
    ]
)

_PYTHON: Final = '''
def {name}(inputs):
    """Return {what} for a list of {count} numbers.

{examples}
    """
    x = [float(number) for number in inputs]
    if len(x) != {count}:
        raise ValueError(f"{name} takes {count} numbers, got {{len(x)}}")
    for weights, biases, activations in _LAYERS:
        outputs = []
        for i, row in enumerate(weights):
            {start}
            for w, value in {pairs}:
                total = total + w * value
            if activations[i % len(activations)] is not None:
                total = activations[i % len(activations)](total)
            outputs.append(total)
        x = outputs
    return {result}
'''

_JAVASCRIPT: Final = """
const {name} = (() => {{
"use strict";{library}
const LAYERS = [
{layers}
];
// Returns {what} for an array of {count} numbers.
return inputs => {{
  if (inputs.length !== {count})
    throw new RangeError("{name} takes {count} numbers, got " + inputs.length);
  let x = Array.from(inputs, Number);
  for (const [weights, biases, activations] of LAYERS)
    x = weights.map((row, i) => {{
      {start}
      {loop} total += row[k] * x[k];
      const f = activations[i % activations.length];
      return f === null ? total : f(total);
    }});
  return {result};
}};
}})();
// Inputs and what the network gave for them.
{name}.examples = [
{examples}
];
if (typeof module !== "undefined") module.exports = {name};
"""


def test_inputs(count: int) -> list[list[float]]:
    """Return three rows of inputs to try a network with: tenths, made by exact arithmetic."""
    return [[((k * step + step) % 19 - 9) / 10 for k in range(count)] for step in (7, 3, 12)]


def python(
    network: Architecture,
    numbers: Sequence[float],
    examples: Iterable[tuple[Sequence[float], Any]],
    name: str,
) -> str:
    """Return a module with a function `name` and doctests that it gives the outputs `examples`.

    Raises:
        ValueError: the name is none for a function, or an activation has no text.
    """
    _check_name("to_python", name, _TAKEN)
    used = _used(network)
    if name in {f"value_{one}" for one in used}:
        raise ValueError(f"to_python: the name {name!r} is taken")
    tables = [
        f"    (\n        (\n{_python_rows(rows)}\n        ),\n        {_python_row(biases)},\n"
        f"        ({_functions(names, _in_python)},),\n    ),"
        for (rows, biases), names in zip(network.split(numbers), network.activations, strict=True)
    ]
    tests = "\n".join(
        f"    >>> {name}({_python_inputs(list(inputs))})\n    {output!r}"
        for inputs, output in examples
    )
    several = network.sizes[-1] > 1
    function = _PYTHON.format(
        name=name,
        what=f"the {network.sizes[-1]} outputs" if several else "the output",
        count=network.inputs,
        examples=tests,
        start="total = biases[i]" if network.bias else "total = row[0] * x[0]",
        pairs="zip(row, x)" if network.bias else "zip(row[1:], x[1:])",
        result="x" if several else "x[0]",
    )
    parts = [
        f'"""An MLP {network}, written by scalar-autograd."""\n',
        plain.emit(used),
        "# Of each layer: the weights, a row for each neuron; the biases; the activations.",
        "_LAYERS = (",
        *tables,
        ")\n",
        function.strip("\n"),
        '\n\nif __name__ == "__main__":\n    import doctest\n\n    print(doctest.testmod())\n',
    ]
    return "\n".join(parts)


def in_javascript(
    network: Architecture,
    numbers: Sequence[float],
    examples: Iterable[tuple[Sequence[float], Any]],
    name: str,
) -> str:
    """Return a script that defines a function `name`, with `examples` as its attribute.

    Raises:
        ValueError: the name is none for a function, or an activation has no text.
    """
    _check_name("to_javascript", name, _WORDS)
    used = _used(network)
    for one in used:
        if one not in javascript.FUNCTIONS:
            raise ValueError(f"activation {one!r} has no text in JavaScript")
    layers = ",\n".join(
        f"[[{_lines(f'[{_numbers(row)}]' for row in rows)}],\n[{_numbers(biases)}],\n"
        f"[{_functions(names, _in_javascript)}]]"
        for (rows, biases), names in zip(network.split(numbers), network.activations, strict=True)
    )
    several = network.sizes[-1] > 1
    head = f"// An MLP {network}, written by scalar-autograd."
    return head + _JAVASCRIPT.format(
        name=name,
        library=javascript.emit(used, partials=False) if used else "",
        layers=layers,
        what=f"an array of {network.sizes[-1]} outputs" if several else "the output",
        count=network.inputs,
        start=f"let total = {'biases[i]' if network.bias else 'row[0] * x[0]'};",
        loop=f"for (let k = {0 if network.bias else 1}; k < row.length; k++)",
        result="x" if several else "x[0]",
        examples=",\n".join(
            f"[[{_numbers(inputs)}],{_javascript_output(output)}]" for inputs, output in examples
        ),
    )


def _check_name(where: str, name: str, taken: frozenset[str]) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in taken:
        raise ValueError(f"{where}: name must be one for a function, not {name!r}")


def _used(network: Architecture) -> list[str]:
    """Return the names of the activations that compute something."""
    names = {x for one in network.activations for x in ([one] if isinstance(one, str) else one)}
    return sorted(names - {"identity"})


def _functions(names: Names, spelled: Callable[[str], str]) -> str:
    """Return the activations of a layer: one, or one for each neuron."""
    return ", ".join(map(spelled, [names] if isinstance(names, str) else names))


def _in_python(name: str) -> str:
    return "None" if name == "identity" else f"value_{name}"


def _in_javascript(name: str) -> str:
    if name == "identity":
        return "null"
    defaults = primitives()[name].defaults
    given = ",".join(["x", *map(javascript.javascript_number, defaults)])
    return f"x=>F.{name}({given})" if defaults else f"F.{name}"


def _python_inputs(inputs: list[float]) -> str:
    if len(inputs) <= _SHORT or inputs not in test_inputs(len(inputs)):
        return repr(inputs)
    step = (7, 3, 12)[test_inputs(len(inputs)).index(inputs)]
    return f"[((k * {step} + {step}) % 19 - 9) / 10 for k in range({len(inputs)})]"


def _python_rows(rows: list[list[float]]) -> str:
    return "\n".join(f"            {_python_row(row, 16)}," for row in rows)


def _python_row(numbers: list[float], indent: int = 12) -> str:
    """Return a tuple, some numbers to a line."""
    if not numbers:
        return "()"
    if len(numbers) <= 4:
        return f"({', '.join(map(repr, numbers))},)"
    lines = "\n".join(f"{' ' * indent}{', '.join(part)}," for part in _chunks(map(repr, numbers)))
    return f"(\n{lines}\n{' ' * (indent - 4)})"


def _chunks(words: Iterable[str]) -> Iterable[list[str]]:
    source = iter(words)
    while part := list(islice(source, 4)):
        yield part


def _numbers(numbers: Sequence[float]) -> str:
    """Return numbers as JavaScript has them, some to a line."""
    words = (repr(float(number)) for number in numbers)
    return ",\n".join(", ".join(part) for part in _chunks(words))


def _lines(rows: Iterable[str]) -> str:
    return ",\n".join(rows)


def _javascript_output(output: Any) -> str:
    if isinstance(output, list):
        return f"[{', '.join(map(javascript.javascript_number, output))}]"
    return javascript.javascript_number(output)
