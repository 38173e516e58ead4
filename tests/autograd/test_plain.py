"""Values of primitives as plain Python: the same bits, on every row of the table."""

import math
import random
import subprocess
import sys

import pytest

from autograd import Primitive, plain, primitives, register
from autograd._primitive import unregister


def points(primitive, numbers):
    for point, *_ in primitive.special:
        yield point
    for _ in range(40):
        yield tuple(numbers.uniform(low, high) for low, high in primitive.domain)
    for point in ((0.0,), (-0.0,), (1e308,), (-1e308,), (5e-324,), (math.inf,), (math.nan,)):
        yield point * primitive.arity


@pytest.mark.parametrize("name", primitives())
def test_the_text_gives_the_bits_of_the_row(name):
    primitive = primitives()[name]
    text = plain.emit([name])
    defined = {}
    exec(text, defined)  # our own text, which is what is tested
    function = defined[f"value_{name}"]
    for point in points(primitive, random.Random(name)):
        got, wanted = function(*point), primitive(*point)
        assert got.hex() == wanted.hex(), (point, text)
    if primitive.defaults:
        short = point = (0.3,) * (primitive.arity - len(primitive.defaults))
        assert function(*short).hex() == primitive(*point).hex()


def test_all_rows_together_need_the_standard_library_only():
    text = plain.emit(primitives())
    assert text.count("\ndef _ieee(") == 1
    assert all(
        line in ("import math", "import builtins", "from math import inf, nan")
        for line in text.splitlines()
        if "import" in line
    )
    check = f"{text}\nimport sys\nassert 'autograd' not in sys.modules\nprint(value_silu(1.5))"
    ran = subprocess.run([sys.executable, "-I", "-c", check], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (f"{primitives()['silu'](1.5)!r}\n", "")


def test_one_name_brings_what_it_needs_and_no_more():
    assert plain.emit(["tanh"]) == "import math\n\nvalue_tanh = math.tanh\n"
    assert plain.emit(["relu", "relu"]).splitlines()[-1] == "value_relu = _relu"
    assert "_ieee" not in plain.emit(["relu"])


def test_a_primitive_of_a_user_is_refused():
    register(Primitive("doubled", lambda x: 2.0 * x, (lambda out, x: 2.0,), domain=((0.0, 1.0),)))
    try:
        with pytest.raises(ValueError, match="'doubled' has no text"):
            plain.emit(["doubled"])
    finally:
        unregister("doubled")
    with pytest.raises(ValueError, match="'none' has no text"):
        plain.emit(["none"])


def test_without_the_source_it_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(plain, "__file__", str(tmp_path / "plain.py"))
    for cached in (plain._tree, plain._rows, plain._definitions):
        cached.cache_clear()
    try:
        with pytest.raises(ValueError, match="can't be read as text"):
            plain.emit(["relu"])
    finally:
        monkeypatch.undo()
        plain._tree.cache_clear()
