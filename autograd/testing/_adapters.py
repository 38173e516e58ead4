"""check_numpy, check_torch, check_jax: other people's gradients under our check, one call each.

Knows what a case is and which library it is of; the rest is in `_case` and `_libraries`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._case import Case
from ._libraries import Jax, NumPy, Torch
from ._report import Checked


def check_numpy(
    f: Callable[..., Any],
    df: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
) -> Checked:
    """Return what was checked, if `df` is the gradient of `f` at `args`: floats and NumPy arrays.

    `df` takes the same arguments and returns an entry for each that holds floats, in its shape, or
    the entry itself if there is one. Where `f` returns an array, `df` returns Jacobians: the shape
    of the output, then that of the argument. The truth comes from `f` itself, exactly if it runs on
    arrays of `Value`s (arithmetic and NumPy's elementwise functions do), else from `reference`, the
    same function written with this library's operations, else from differences of `f`. float32 is
    judged at its own precision, and integers are constants.

    Raises:
        GradientMismatch: an entry is wrong.
        TypeError: no argument holds floats; an entry has another shape than its argument.
        ValueError: `reference` has another value than `f`; `f` or `df` is not deterministic.
    """
    __tracebackhide__ = True

    def entries(leaves: list[Any]) -> list[Any]:
        got = df(*case.rebuilt(leaves))
        parts = list(got) if isinstance(got, (tuple, list)) and len(leaves) > 1 else [got]
        if len(parts) != len(leaves):
            raise TypeError(
                f"check_numpy: {who} must return one entry per argument that holds floats: "
                f"{len(leaves)} entries, not {got!r}"
            )
        return parts

    who = getattr(df, "__name__", repr(df))
    library = NumPy(entries, who)
    case = Case(library, f, args, reference or f, compared=reference is not None)
    return case.check(("reverse",), 1, rtol, atol)


def check_torch(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = ("reverse", "forward"),
    reference: Callable[..., Any] | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
) -> Checked:
    """Return what was checked, if PyTorch's derivatives of `f` at `args` are right.

    `f` takes tensors (floats become float64 tensors; all else is passed on) and returns one. Its
    derivatives by each number in them are those of `torch.autograd.grad`, through your
    `torch.autograd.Function`s, and of `torch.func.jvp` where `f` supports it; at order 2 also of
    the double backward pass. The truth comes from `reference`, the same function on `Value`s, and
    is then exact; without it, from extrapolated differences of `f`, for which tensors must be
    float64. With it, float32 and narrower ones are judged at their own precision.

    Raises:
        GradientMismatch: a derivative is wrong.
        ImportError: PyTorch is missing.
        TypeError: no argument holds floats; they are not float64 and there is no `reference`; `f`
            does not return a tensor.
        ValueError: `reference` has another value than `f`; `f` is not deterministic; `order` or
            `modes` out of range.
    """
    __tracebackhide__ = True
    return Case(Torch(), f, args, reference).check(modes, order, rtol, atol)


def check_jax(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = ("reverse", "forward"),
    reference: Callable[..., Any] | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
) -> Checked:
    """Return what was checked, if JAX's derivatives of `f` at `args` are right.

    As `check_torch`, with `jax.grad` and `jax.jvp`, through your `custom_vjp` and `custom_jvp`; at
    order 2 the derivatives of `jax.grad`. JAX computes in float32 unless it is told otherwise:
    `jax.config.update("jax_enable_x64", True)`, or give a `reference`.

    Raises:
        GradientMismatch: a derivative is wrong.
        ImportError: JAX is missing.
        TypeError: no argument holds floats; they are not float64 and there is no `reference`; `f`
            does not return an array.
        ValueError: `reference` has another value than `f`; `f` is not deterministic; `order` or
            `modes` out of range.
    """
    __tracebackhide__ = True
    return Case(Jax(), f, args, reference).check(modes, order, rtol, atol)
