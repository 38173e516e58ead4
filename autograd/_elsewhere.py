"""What other libraries call things, and what they are called here: one table, for messages.

Knows names only.
"""

from __future__ import annotations

import sys
from typing import Final

_HERE: Final[dict[str, str]] = {
    # HIPS autograd
    "elementwise_grad": "grad of the function of one number, or compile(f, in_axes=0).grad(xs)",
    "deriv": "grad(f)",
    "egrad": "grad of the function of one number, or compile(f, in_axes=0).grad(xs)",
    "make_vjp": "vjp(f, *primals)",
    "make_jvp": "jvp(f, primals, tangents)",
    "make_hvp": "hvp(f, primals, tangents)",
    "make_ggnvp": "jvp and vjp, one after the other",
    "grad_and_aux": "grad(f, has_aux=True)",
    "value_and_jacobian": "jacobian(f), and f itself",
    "hessian_vector_product": "hvp(f, primals, tangents)",
    "hessian_tensor_product": "hvp(f, primals, tangents)",
    "vector_jacobian_product": "vjp(f, *primals)",
    "tensor_jacobian_product": "vjp(f, *primals)",
    "multigrad": "grad(f, argnums=(0, 1))",
    "multigrad_dict": "grad(f), whose argument may be a dict",
    "holomorphic_grad": "nothing: numbers are real here",
    "check_grads": "testing.check_gradients(f, *args)",
    "check_vjp": "testing.check_gradients(f, *args)",
    "check_jvp": "testing.check_gradients(f, *args)",
    "numpy": "numpy itself, whose functions work on arrays of Values",
    "defvjp": "primitive(partial, ...) or custom_partials(partial, ...)",
    "defjvp": "primitive(partial, ...) or custom_partials(partial, ...)",
    "extend": "primitive(partial, ...) or custom_partials(partial, ...)",
    # JAX
    "jit": "compile(f)",
    "vmap": "compile(f, in_axes=0), called with arrays of rows",
    "pmap": "compile(f, in_axes=0), called with arrays of rows",
    "jacfwd": 'jacobian(f, mode="forward")',
    "jacrev": 'jacobian(f, mode="reverse")',
    "linearize": "jvp(f, primals, tangents)",
    "linear_transpose": "vjp(f, *primals)",
    "custom_vjp": "custom_partials(partial, ...)",
    "custom_jvp": "custom_partials(partial, ...)",
    "custom_gradient": "custom_partials(partial, ...)",
    "checkpoint": "nothing: a graph keeps 96 bytes a node",
    "remat": "nothing: a graph keeps 96 bytes a node",
    "make_jaxpr": "compile(f), whose kernel prints its program",
    "lax": "ordinary Python: if, for and while",
    "cond": "an if, or where(condition, x, y) for both sides at once",
    "select": "where(condition, x, y)",
    "scan": "a for loop",
    "fori_loop": "a for loop",
    "while_loop": "a while loop",
    "tree_util": "nothing: arguments may be nested",
    "debug_nans": "detect_anomaly()",
    # PyTorch
    "tensor": "Value(2.0), or a plain float given to grad(f)",
    "Tensor": "Value",
    "Variable": "Value",
    "Parameter": "Value",
    "as_tensor": "Value(2.0), or a plain float given to grad(f)",
    "backward": "y.backward()",
    "no_grad": "v.data, the plain number, or stop_gradient(v)",
    "inference_mode": "v.data, the plain number, or stop_gradient(v)",
    "enable_grad": "nothing: operations on Values are always recorded",
    "set_grad_enabled": "nothing: operations on Values are always recorded",
    "detach": "stop_gradient(v)",
    "gradcheck": "testing.check_gradients(f, *args)",
    "gradgradcheck": "testing.check_gradients(f, *args)",
    "set_detect_anomaly": "detect_anomaly()",
    "Function": "primitive(partial, ...) or custom_partials(partial, ...)",
    "functional": "the functions themselves: grad, jvp, vjp, hvp, hessian, jacobian",
    "nn": "a package beside this one: import nn",
    "optim": "in the package nn: nn.SGD, nn.Adam, ...",
    "cross_entropy": "in the package nn: nn.cross_entropy",
    # TensorFlow, micrograd and others
    "GradientTape": "nothing to open: Values record by themselves; y.backward(), or grad(f)",
    "gradients": "differentiate(y, wrt)",
    "gradient": "grad(f)",
    "derivative": "grad(f)",
    "diff": "grad(f)",
    "engine": "this package: from autograd import Value",
    "draw_dot": "viz.draw(y)",
    "MLP": "in the package nn: nn.MLP",
    "Neuron": "in the package nn: nn.Neuron",
    "Layer": "in the package nn: nn.Layer",
    # Functions of numbers
    "betaln": "lgamma(a) + lgamma(b) - lgamma(a + b), which loses digits where a or b is large",
    "sinc": "where(x, div(sin(pi * x), pi * x), 1.0), without derivatives at 0",
    "var": "written with mean: mean([(x - m)**2 for x in xs])",
    "std": "written with mean: sqrt(mean([(x - m)**2 for x in xs]))",
    "square": "x * x",
    "reciprocal": "1.0 / x",
    "max": "maximum(x, y), or Python's max, which chooses a branch",
    "min": "minimum(x, y), or Python's min, which chooses a branch",
    "any": "Python's any",
    "all": "Python's all",
}


def unknown(name: str) -> Exception:
    """Return the error for `autograd.name`, with what stands in its place, if anything does."""
    text = f"module 'autograd' has no attribute {name!r}"
    if name not in _HERE:
        return AttributeError(text, name=name)
    text += f"; here it is {_HERE[name]}"
    # `from autograd import jit` asks by hasattr and would say something of its own.
    if sys._getframe(2).f_globals.get("__name__") == "importlib._bootstrap":
        return ImportError(text, name="autograd")
    return AttributeError(text, name=name)
