import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz import _text


@given(st.text())
def test_printable_text_survives_xml(text):
    shown = _text.printable(text)
    assert len(shown) == len(text)
    element = ET.fromstring(f'<a b="{_text.escaped(text)}">{_text.escaped(text)}</a>')
    assert element.text == (shown or None)
    assert element.get("b") == shown


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"])))
def test_ordinary_text_is_left_alone(text):
    assert _text.printable(text) == text


@given(st.text())
def test_printable_twice_is_printable_once(text):
    assert _text.printable(_text.printable(text)) == _text.printable(text)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "−0"),
        (6.0, "6"),
        (-1.0, "−1"),
        (0.04382, "0.0438"),
        (-0.0876, "−0.0876"),
        (2.0 / 3.0, "0.667"),
        (1234.0, "1234"),
        (1234567.0, "1.23e6"),
        (-1.5e-7, "−1.5e−7"),
        (1e300, "1e300"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
    ],
)
def test_number(x, text):
    assert _text.number(x) == text


@given(st.floats(-1e300, 1e300), st.integers(1, 17))
def test_numbers_read_back_to_their_digits(x, digits):
    text = _text.plain_number(x, digits)
    assert float(text) == pytest.approx(x, rel=0.51 * 10.0 ** (1 - digits), abs=0)
    if digits == 17:
        assert float(text) == x


def test_width_grows_with_text_and_counts_marks_once():
    assert _text.width("mm", 10) == 2 * _text.width("m", 10)
    assert _text.width("e\u0301", 10) == _text.width("e", 10)
    assert _text.width("漢", 10) == 10
    assert _text.width("m", 10, bold=True) > _text.width("m", 10)


def test_long_labels_are_shortened():
    assert _text.shortened("x" * 40) == "x" * 40
    assert _text.shortened("x" * 41) == "x" * 39 + "…"
