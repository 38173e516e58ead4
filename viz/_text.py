"""Text as pictures show it: labels made printable, numbers made short, widths estimated, escaping.

Must not know graphs: strings and floats in, strings out.
"""

import math
import unicodedata
from html import escape

# Widths of the printable ASCII characters in Helvetica (also Arial, Arimo, Liberation Sans: the
# same metrics), in thousandths of the font size; the Adobe font metrics are their source.
# fmt: off
_ASCII = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722,
    667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
    667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222,
    500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334,
    584,
)
# fmt: on
_OTHER, _WIDE = 640, 1000

LONGEST_LABEL = 40
"""Characters of a label that a card shows; its tooltip has all of it."""

MINUS = "\N{MINUS SIGN}"
NO_NUMBER = "\N{EN DASH}"


def printable(text: str) -> str:
    """`text` with every character that XML cannot carry replaced; other text is unchanged.

    A control character becomes its picture (U+0000 becomes U+2400, and so on), since XML 1.0 has
    no way to write it; surrogates and noncharacters become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0 or code in (0x2028, 0x2029):
        return "␤" if code in (0x85, 0x2028, 0x2029) else "\ufffd"
    if 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code < 0xFDF0:
        return "\ufffd"
    return character


def shortened(text: str) -> str:
    """`text` cut to what a card has room for."""
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def escaped(text: str) -> str:
    """`text` as XML character data or attribute value, also for Graphviz's HTML-like labels."""
    return escape(printable(text), quote=True)


def number(x: float | None, digits: int = 3) -> str:
    """`x` to `digits` significant digits, with a real minus sign; a dash for no number."""
    if x is None:
        return NO_NUMBER
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "∞" if x > 0 else MINUS + "∞"
    return plain_number(x, digits).replace("-", MINUS)


def plain_number(x: float, digits: int) -> str:
    """`x` as Python would read it back, to `digits` significant digits, without needless zeros."""
    if x == 0 or not math.isfinite(x):
        return format(x, "g")
    if 1e-4 <= abs(x) < 1e6:
        whole = len(str(int(abs(x)))) if abs(x) >= 1 else 0
        return format(x, f".{max(digits, whole)}g")
    mantissa, exponent = format(x, f".{digits - 1}e").split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def width(text: str, size: float, bold: bool = False) -> float:
    """The width of `text` in a Helvetica-like font of `size`, a little generous."""
    total = 0
    for character in text:
        code = ord(character)
        if 32 <= code < 127:
            total += _ASCII[code - 32]
        elif unicodedata.combining(character):
            continue
        else:
            total += _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
    return total * size / 1000 * (1.07 if bold else 1.0)
