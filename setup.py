"""Compile the engine's hot modules with mypyc; without a C compiler they stay plain Python.

`SCALAR_AUTOGRAD_PURE=1` skips compilation, `SCALAR_AUTOGRAD_REQUIRE_COMPILED=1` makes a failure to
compile an error instead of a fall-back. Everything else is in `pyproject.toml`.
"""

import os
import sys

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
# so the memory in front of them is overwritten. This is the same idea, with the queue linked
# through the dead objects' own vtable field.
DEALLOC = """\
static void
{dealloc}({struct} *self)
{{
#ifdef _MSC_VER
    static __declspec(thread) {struct} *queue = NULL;
    static __declspec(thread) int depth = 0;
#else
    static __thread {struct} *queue = NULL;
    static __thread int depth = 0;
#endif
    if (depth >= 50) {{
        *({struct} **)&self->vtable = queue;
        queue = self;
        return;
    }}
    depth++;
    {clear}((PyObject *)self);
    Py_TYPE(self)->tp_free((PyObject *)self);
    while (depth == 1 && queue != NULL) {{
        {struct} *next = queue;
        queue = *({struct} **)&next->vtable;
        {clear}((PyObject *)next);
        Py_TYPE(next)->tp_free((PyObject *)next);
    }}
    depth--;
}}
"""


def extensions():
    """Return the extension modules to build, none where mypyc is not wanted."""
    if os.environ.get("SCALAR_AUTOGRAD_PURE"):
        return []
    from mypyc.build import mypycify
    from mypyc.codegen import emitclass

    emit_general = emitclass.generate_dealloc_for_class

    def emit_dealloc(cl, dealloc, clear, has_finalizer, emitter):
        if not cl.is_acyclic:
            emit_general(cl, dealloc, clear, has_finalizer, emitter)
            return
        if has_finalizer or cl.reuse_freed_instance or cl.builtin_base:
            raise NotImplementedError(f"{cl.name}: acyclic together with a finalizer or a base")
        text = DEALLOC.format(dealloc=dealloc, clear=clear, struct=cl.struct_name(emitter.names))
        for line in text.splitlines():
            emitter.emit_line(line)

    emitclass.generate_dealloc_for_class = emit_dealloc
    modules = mypycify(HOT_MODULES, opt_level="3", debug_level="0")
    for module in modules:
        module.optional = not os.environ.get("SCALAR_AUTOGRAD_REQUIRE_COMPILED")
        if sys.platform != "win32":
            # No contraction: a fused multiply-add would give other bits than Python's floats.
            module.extra_compile_args += ["-ffp-contract=off", "-fno-semantic-interposition"]
    return modules


setup(ext_modules=extensions())
