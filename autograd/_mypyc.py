"""The two names the hot modules need from mypyc, and stand-ins so that running needs neither.

This module itself is never compiled: a type checker (and through it mypyc) sees the real names,
a running program sees plain Python.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_extensions import i32 as i32
    from mypy_extensions import mypyc_attr as mypyc_attr
else:
    i32 = int

    def mypyc_attr(**_flags):
        """Return a class decorator that changes nothing."""
        return lambda cls: cls
