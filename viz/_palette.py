"""Colours, by the part they play, for light and dark pictures.

Diverging colours are blue against orange, which the common kinds of colour blindness keep apart.
Every text colour has a contrast of at least 4.5 on every background it is used on; a test holds it.
"""

import math
from typing import Literal

Theme = Literal["auto", "light", "dark"]

LIGHT = {
    "paper": "#ffffff",
    "cell": "#ffffff",
    "ink": "#16202c",
    "quiet": "#4a5668",
    "line": "#5b6b82",
    "strong": "#26364d",
    "value": "#0b5a36",
    "gradient": "#8a1c14",
    "partial": "#5a2bc4",
    "focus": "#7c3aed",
    "leaf": "#e6f1e3",
    "sum": "#e3ebf7",
    "product": "#eee4f6",
    "function": "#fdeeda",
    "constant": "#eceef1",
    "group": "#dde8f2",
    "minus3": "#9dc0e4",
    "minus2": "#c6dbf0",
    "minus1": "#e6eff8",
    "zero": "#ffffff",
    "plus1": "#fdf0e3",
    "plus2": "#fbdcbc",
    "plus3": "#f6bf86",
    "negative": "#1f62ad",
    "positive": "#b8500a",
    "neutral": "#6b7a90",
    "cluster": "#f7f9fc",
    "border": "#b9c4d3",
}

DARK = {
    "paper": "#11161d",
    "cell": "#1a212b",
    "ink": "#eef2f7",
    "quiet": "#b3bfce",
    "line": "#7d8da3",
    "strong": "#dbe4f0",
    "value": "#8fe3b4",
    "gradient": "#ffc2ba",
    "partial": "#cbb5ff",
    "focus": "#b794ff",
    "leaf": "#22392a",
    "sum": "#203450",
    "product": "#39284c",
    "function": "#46331a",
    "constant": "#2b323c",
    "group": "#26384a",
    "minus3": "#2c527c",
    "minus2": "#233f5f",
    "minus1": "#1c2f45",
    "zero": "#1a212b",
    "plus1": "#3a2a1b",
    "plus2": "#54371b",
    "plus3": "#70441a",
    "negative": "#76b0ee",
    "positive": "#f0a05a",
    "neutral": "#8392a8",
    "cluster": "#161d26",
    "border": "#3d4a5c",
}

GRADIENT_SCALE = ("minus3", "minus2", "minus1", "zero", "plus1", "plus2", "plus3")
"""Cell colours from the most negative gradient to the most positive."""

_SUMS = frozenset({"add", "sub", "neg"})
_PRODUCTS = frozenset({"mul", "div", "pow", "strong_mul"})


def kind_of(op: str) -> str:
    """The palette entry for a header: what kind of operation `op` is; "" is a leaf."""
    if not op:
        return "leaf"
    if op in _SUMS:
        return "sum"
    return "product" if op in _PRODUCTS else "function"


def gradient_role(gradient: float | None, largest: float) -> str:
    """The palette entry for a gradient cell: its sign, in three steps of size against `largest`."""
    if gradient is None or gradient == 0 or math.isnan(gradient):
        return "zero"
    size = abs(gradient) / largest if 0 < largest < math.inf else 1.0
    step = 3 if size > 0.5 else 2 if size > 0.1 else 1
    return f"plus{step}" if gradient > 0 else f"minus{step}"


def edge_role(contribution: float | None) -> str:
    """The palette entry for an edge: the sign of what flows back along it."""
    if contribution is None or contribution == 0 or math.isnan(contribution):
        return "neutral"
    return "positive" if contribution > 0 else "negative"
