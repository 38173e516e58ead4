"""Compile the engine's hot modules with mypyc; without a C compiler they stay plain Python.

`SCALAR_AUTOGRAD_PURE=1` skips compilation, `SCALAR_AUTOGRAD_REQUIRE_COMPILED=1` makes a failure to
compile an error instead of a fall-back. Everything else is in `pyproject.toml`.
"""

import os
import re
import sys
from pathlib import Path

from setuptools import setup

# In the order in which they import each other.
HOT_MODULES = [
    "autograd/_primitive.py",
    "autograd/_special.py",
    "autograd/_rules.py",
    "autograd/_graph.py",
    "autograd/_sweep.py",
    "autograd/_value.py",
]

# What mypyc 2.4.1 emits to free an object of an `acyclic` class enters CPython's trashcan, which
# queues objects nested 50 deep by writing into their collector header. Acyclic objects have none,
# so the memory in front of them is overwritten.
UNSOUND_DEALLOC = re.compile(
    r"""
    (?P<name>\w+_dealloc)\((?P<struct>\w+)\ \*self\)\s*
    \{\s*
        CPy_TRASHCAN_BEGIN\(self,\ (?P=name)\)\s*
        (?P<clear>\w+)\(\(PyObject\ \*\)self\);\s*
        Py_TYPE\(self\)->tp_free\(\(PyObject\ \*\)self\);\s*
        CPy_TRASHCAN_END\(self\)\s*
        done:\ ;\s*
    \}
    """,
    re.VERBOSE,
)
# The same idea without a header: the queue is linked through the dead objects' own vtable field.
DEALLOC = r"""\g<name>(\g<struct> *self)
{
#ifndef Py_GIL_DISABLED
    static \g<struct> *queue = NULL;
    static int depth = 0;
#else
    static _Thread_local \g<struct> *queue = NULL;
    static _Thread_local int depth = 0;
#endif
    if (depth >= 50) {
        self->vtable = (CPyVTableItem *)queue;
        queue = self;
        return;
    }
    depth++;
    \g<clear>((PyObject *)self);
    Py_TYPE(self)->tp_free((PyObject *)self);
    while (depth == 1 && queue != NULL) {
        \g<struct> *next = queue;
        queue = (\g<struct> *)next->vtable;
        \g<clear>((PyObject *)next);
        Py_TYPE(next)->tp_free((PyObject *)next);
    }
    depth--;
}"""
ACYCLIC_CLASSES = 3  # Extra, Node, Value


def make_freeing_sound(sources):
    """Replace the deallocators of acyclic classes in the generated C files."""
    replaced = 0
    for source in map(Path, sources):
        text, count = UNSOUND_DEALLOC.subn(DEALLOC, source.read_text(encoding="utf-8"))
        replaced += count
        if count:
            source.write_text(text, encoding="utf-8")
    if replaced != ACYCLIC_CLASSES:
        raise RuntimeError(
            f"expected {ACYCLIC_CLASSES} deallocators to replace, found {replaced}: "
            "mypyc writes them differently now; see UNSOUND_DEALLOC in setup.py"
        )


def extensions():
    """Return the extension modules to build, none where mypyc is not wanted."""
    if os.environ.get("SCALAR_AUTOGRAD_PURE"):
        return []
    from mypyc.build import mypycify

    modules = mypycify(HOT_MODULES, opt_level="3", debug_level="0")
    make_freeing_sound({source for module in modules for source in module.sources})
    for module in modules:
        module.optional = not os.environ.get("SCALAR_AUTOGRAD_REQUIRE_COMPILED")
        if sys.platform != "win32":
            # No contraction: a fused multiply-add would give other bits than Python's floats.
            module.extra_compile_args = [
                *module.extra_compile_args,
                "-ffp-contract=off",
                "-fvisibility=hidden",
            ]
    return modules


setup(ext_modules=extensions())
