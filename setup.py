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
    "autograd/_watch.py",
    "autograd/_primitive.py",
    "autograd/_special.py",
    "autograd/_rules.py",
    "autograd/_graph.py",
    "autograd/_sweep.py",
    "autograd/_value.py",
    "autograd/compiler/_still.py",
]

# What mypyc 2.4.1 emits to free an object of an `acyclic` class enters CPython's trashcan, which
# queues objects nested 50 deep by writing into their collector header. Acyclic objects have none,
# so the memory in front of them is overwritten.
UNSOUND_DEALLOC = re.compile(
    r"""
    static\ void\s*
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
# And a list of spares, linked likewise: graphs come and go by the million, and handing their memory
# back to the system each time costs more than a tenth of a training step. (The interpreter's lock
# guards both; without it each thread has its own queue, and there are no spares.)
DEALLOC = r"""
#ifdef Py_GIL_DISABLED
enum { \g<struct>_most_spares = 0 };
#define LOCAL static _Thread_local
#else
enum { \g<struct>_most_spares = 65536 };
#define LOCAL static
#endif
LOCAL \g<struct> *\g<struct>_spare = NULL;
LOCAL int \g<struct>_spares = 0;
LOCAL \g<struct> *\g<struct>_queue = NULL;
LOCAL int \g<struct>_depth = 0;
#undef LOCAL

static void
\g<name>_now(\g<struct> *self)
{
    \g<clear>((PyObject *)self);
    if (\g<struct>_spares < \g<struct>_most_spares) {
        self->vtable = (CPyVTableItem *)\g<struct>_spare;
        \g<struct>_spare = self;
        \g<struct>_spares++;
    } else {
        Py_TYPE(self)->tp_free((PyObject *)self);
    }
}

static void
\g<name>(\g<struct> *self)
{
    if (\g<struct>_depth >= 50) {
        self->vtable = (CPyVTableItem *)\g<struct>_queue;
        \g<struct>_queue = self;
        return;
    }
    \g<struct>_depth++;
    \g<name>_now(self);
    while (\g<struct>_depth == 1 && \g<struct>_queue != NULL) {
        \g<struct> *next = \g<struct>_queue;
        \g<struct>_queue = (\g<struct> *)next->vtable;
        \g<name>_now(next);
    }
    \g<struct>_depth--;
}
"""
ALLOC = "self = ({struct} *)type->tp_alloc(type, 0);"
ALLOC_SPARE = """\
if ({struct}_spare != NULL) {{
    self = {struct}_spare;
    {struct}_spare = ({struct} *)self->vtable;
    {struct}_spares--;
    Py_SET_REFCNT((PyObject *)self, 1);
}} else
    """
ACYCLIC_CLASSES = 3  # Extra, Node, Value


def make_freeing_sound(sources):
    """Replace how objects of acyclic classes are freed (and made again) in the generated C."""
    replaced = 0
    for source in map(Path, sources):
        text = source.read_text(encoding="utf-8")
        for match in UNSOUND_DEALLOC.finditer(text):
            alloc = ALLOC.format(struct=match["struct"])
            if text.count(alloc) == 1:
                spare = ALLOC_SPARE.format(struct=match["struct"])
                text = text.replace(alloc, spare + alloc)
                replaced += 1
        source.write_text(UNSOUND_DEALLOC.sub(DEALLOC, text), encoding="utf-8")
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

    # What the hot modules lead to is followed for its types only: it may need absent libraries.
    options = ["--follow-imports=silent", *HOT_MODULES]
    modules = mypycify(options, opt_level="3", debug_level="0")
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
