"""Text as pictures show it: labels made printable, numbers made short, widths estimated, escaping.

Must not know graphs: strings and floats in, strings out.
"""

import json
import math
import re
import unicodedata
from functools import lru_cache
from html import escape

_OTHER, _WIDE = 640, 1000
# Widths of the printable ASCII characters in Helvetica (also Arial, Arimo, Liberation Sans: the
# same metrics), in thousandths of the font size; the Adobe font metrics are their source.
# fmt: off
_PRINTABLE = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722,
    667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
    667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222,
    500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334,
    584,
)
# fmt: on
_ASCII = (*[_OTHER] * 32, *_PRINTABLE, _OTHER)

LONGEST_LABEL = 40
"""Characters of a label that a card shows; its tooltip has all of it."""

MINUS = "\N{MINUS SIGN}"
NO_NUMBER = "\N{EN DASH}"


# Controls, line separators, surrogates, and the noncharacters of all seventeen planes.
_BAD = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef" + "".join(
    chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(17)
)
_UNPRINTABLE = re.compile(f"[{_BAD}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPECIAL = re.compile(f"[{_BAD}&<>\"']")


def printable(text: str) -> str:
    """`text` with every character that XML cannot carry replaced; other text is unchanged.

    A control character becomes its picture (U+0000 becomes U+2400, and so on), since XML 1.0 has
    no way to write it; surrogates and noncharacters become U+FFFD.
    """
    return _UNPRINTABLE.sub(_stand_in, text)


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    return "\N{SYMBOL FOR NEWLINE}" if code in (0x85, 0x2028, 0x2029) else "\ufffd"


def shortened(text: str) -> str:
    """`text` cut to what a card has room for."""
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def json_number(x: float) -> float | str:
    """`x`, or its name where JSON has no number for it: "inf", "-inf", "nan"."""
    return x if math.isfinite(x) else str(x)


def json_text(data: object) -> str:
    """`data` as a JSON file; lone surrogates, which no file can hold, are written as escapes."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n"
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@lru_cache(maxsize=4096)
def escaped(text: str) -> str:
    """`text` as XML character data or attribute value, also for Graphviz's HTML-like labels."""
    return escape(printable(text), quote=True) if _SPECIAL.search(text) else text


def number(x: float | None, digits: int = 3) -> str:
    """`x` to `digits` significant digits, with a real minus sign; a dash for no number."""
    if x is None:
        return NO_NUMBER
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else "∞" if x > 0 else MINUS + "∞"
    return plain_number(x, digits).replace("-", MINUS)


def plain_number(x: float, digits: int) -> str:
    """`x` as Python would read it back, to `digits` significant digits, without needless zeros."""
    size = abs(x)
    if 1e-4 <= size < 1e6:
        whole = len(str(int(size))) if size >= 10 else 1
        return f"{x:.{max(digits, whole)}g}"
    if x == 0 or not math.isfinite(x):
        return format(x, "g")
    mantissa, exponent = format(x, f".{digits - 1}e").split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


@lru_cache(maxsize=4096)
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of `text` in a Helvetica-like font of `size`, a little generous."""
    if text.isascii():
        total = sum(map(_ASCII.__getitem__, text.encode()))
    else:
        total = sum(map(_character_width, text))
    return total * size / 1000 * (1.07 if bold else 1.0)


def _character_width(character: str) -> int:
    code = ord(character)
    if code < 128:
        return _ASCII[code]
    if unicodedata.combining(character):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
