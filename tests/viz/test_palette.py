import math

import pytest

from viz import _palette

BACKGROUNDS = {
    "ink": ["leaf", "sum", "product", "function", "constant", "group", "paper", "cluster"],
    "quiet": ["paper", "cluster"],
    "value": ["cell", "paper", "cluster"],
    "gradient": [*_palette.GRADIENT_SCALE, "paper", "cluster"],
    "partial": ["paper", "cluster"],
}


def luminance(code):
    channels = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [_palette.LIGHT, _palette.DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_background_it_stands_on(colour):
    for ink, fills in BACKGROUNDS.items():
        for fill in fills:
            assert contrast(colour[ink], colour[fill]) >= 4.5, (ink, fill)


@pytest.mark.parametrize("colour", [_palette.LIGHT, _palette.DARK], ids=["light", "dark"])
def test_lines_stand_out(colour):
    for stroke in ("line", "strong", "negative", "positive", "neutral", "focus"):
        for ground in ("paper", "cluster"):
            assert contrast(colour[stroke], colour[ground]) >= 3, stroke


def test_the_themes_have_the_same_roles():
    assert _palette.LIGHT.keys() == _palette.DARK.keys()


@pytest.mark.parametrize(
    ("gradient", "role"),
    [(None, "zero"), (0.0, "zero"), (math.nan, "zero"), (5.0, "plus3"), (-5.0, "minus3"),
     (1.0, "plus2"), (-0.01, "minus1"), (math.inf, "plus3")],
)  # fmt: skip
def test_gradient_cells_show_sign_and_size(gradient, role):
    assert _palette.gradient_role(gradient, 5.0) == role


def test_signs_keep_apart_for_the_colour_blind():
    # Blue against orange: the difference lies on the yellow-blue axis, and in lightness.
    for colour in (_palette.LIGHT, _palette.DARK):
        for step in (2, 3):
            minus, plus = colour[f"minus{step}"], colour[f"plus{step}"]
            blue, orange = (int(code[5:7], 16) - int(code[1:3], 16) for code in (minus, plus))
            assert blue > 0 > orange
