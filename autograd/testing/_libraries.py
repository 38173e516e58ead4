"""What the check needs of other libraries: their arrays as NumPy's, and the derivatives they give.

A library is imported when its class is made, never before. Knows nothing of references, verdicts
and reports.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

Leaves = list[Any]  # arrays of the library, those under test
Flat = Callable[[Leaves], Any]  # the user's function of them
Entry = tuple[int, int]  # of a gradient: which leaf, which number in it


class Unsupported(Exception):
    """A library cannot differentiate this function in this mode."""


class Library(Protocol):
    """What differs between libraries."""

    name: str
    call: str  # our function for it
    way_out: str  # from a narrow type
    plain_outputs: bool  # Python's numbers may come out

    def is_array(self, x: Any) -> bool:
        """Say whether `x` is an array of this library."""

    def precision(self, x: Any) -> tuple[str, float] | None:
        """Return the name and the epsilon of the type of an array; None if it holds no floats."""

    def numbers(self, x: Any) -> Any:
        """Return the numbers of an array, as a float64 array of NumPy's, in own memory."""

    def array(self, numbers: Any, like: Any) -> Any:
        """Return an array of the type of `like`, or of the library's own choice for a float."""

    def first(self, f: Flat, leaves: Leaves, mode: str) -> tuple[str, list[Any]]:
        """Return who computed the gradient of `f`, and its entries, for each leaf an array.

        Raises:
            Unsupported: nobody can, in this mode.
        """

    def second(self, f: Flat, leaves: Leaves, entry: Entry) -> tuple[str, list[Any]]:
        """Return the same of one entry of the gradient."""


def weights(n: int) -> list[float]:
    """Return what the entries of an output are multiplied by before they are added up."""
    return [math.cos(i) for i in range(n)]


class NumPy:
    """Functions of arrays and floats, and gradients by hand: `df` of the same leaves."""

    name = "NumPy"
    call = "check_numpy"
    plain_outputs = True
    way_out = "pass x.astype(float)"

    def __init__(self, df: Callable[[Leaves], list[Any]], who: str) -> None:
        self.np = _module("numpy", "check_numpy", "NumPy")
        self.df = df
        self.who = who

    def is_array(self, x: Any) -> bool:
        return isinstance(x, (self.np.ndarray, self.np.generic))

    def precision(self, x: Any) -> tuple[str, float] | None:
        if self.np.result_type(x).kind != "f":
            return None
        return str(self.np.result_type(x)), float(self.np.finfo(self.np.result_type(x)).eps)

    def numbers(self, x: Any) -> Any:
        return self.np.array(x, dtype=float)

    def array(self, numbers: Any, like: Any) -> Any:
        if isinstance(like, float) and not isinstance(like, self.np.generic):
            return float(numbers)
        return self.np.array(numbers, dtype=like.dtype)

    def first(self, f: Flat, leaves: Leaves, mode: str) -> tuple[str, list[Any]]:
        np = self.np
        out = np.asarray(f(leaves))
        entries = [np.asarray(entry, dtype=float) for entry in self.df(leaves)]
        if out.size != 1:  # Jacobians: the output's axes come first
            w = np.array(weights(out.size))
            for i, (entry, leaf) in enumerate(zip(entries, leaves, strict=True)):
                wanted = (*out.shape, *np.shape(leaf))
                if entry.shape != wanted:
                    raise TypeError(
                        f"check_numpy: {self.who} gave shape {entry.shape} where the output has "
                        f"shape {out.shape} and the argument {np.shape(leaf)}: a Jacobian has "
                        f"shape {wanted}"
                    )
                entries[i] = np.tensordot(w, entry.reshape(out.size, *np.shape(leaf)), 1)
        return self.who, entries

    def second(self, f: Flat, leaves: Leaves, entry: Entry) -> tuple[str, list[Any]]:
        raise NotImplementedError  # a Hessian by hand is checked as gradients of a gradient


_BLIND: Final = "PyTorch, which sees no dependence on the arguments"


class Torch:
    """PyTorch: autograd.grad, func.jvp, the double backward pass."""

    name = "PyTorch"
    call = "check_torch"
    plain_outputs = False
    way_out = "pass x.double(), and model.double()"

    def __init__(self) -> None:
        self.torch = _module("torch", "check_torch", "PyTorch")
        _module("numpy", "check_torch", "NumPy")

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.torch.Tensor)

    def precision(self, x: Any) -> tuple[str, float] | None:
        if x.is_complex():
            raise TypeError("check_torch: complex tensors are not checked; pass real and imag")
        if not x.is_floating_point():
            return None
        return str(x.dtype), float(self.torch.finfo(x.dtype).eps)

    def numbers(self, x: Any) -> Any:
        return x.detach().double().numpy(force=True).copy()  # zeros may be symbolic

    def array(self, numbers: Any, like: Any) -> Any:
        if isinstance(like, float):
            return self.torch.tensor(float(numbers), dtype=self.torch.float64)
        return self.torch.tensor(numbers, dtype=like.dtype, device=like.device)

    def _sum(self, out: Any) -> Any:
        if out.numel() == 1:
            return out.reshape(())
        w = self.torch.tensor(weights(out.numel()), dtype=out.dtype, device=out.device)
        return (out.reshape(-1) * w).sum()

    def _gradient(self, f: Flat, leaves: Leaves, again: bool) -> tuple[Leaves, list[Any] | None]:
        """Return the leaves that the gradient is by, and its entries; None if there is no graph."""
        leaves = [x.detach().clone().requires_grad_(True) for x in leaves]
        with self.torch.enable_grad():
            out = self._sum(f(leaves))
            if not out.requires_grad:
                return leaves, None
            return leaves, self._grad(out, leaves, again)

    def _grad(self, out: Any, leaves: Leaves, again: bool) -> list[Any]:
        found = self.torch.autograd.grad(out, leaves, create_graph=again, allow_unused=True)
        pairs = zip(found, leaves, strict=True)
        return [self.torch.zeros_like(x) if g is None else g for g, x in pairs]

    def first(self, f: Flat, leaves: Leaves, mode: str) -> tuple[str, list[Any]]:
        if mode == "reverse":
            _, entries = self._gradient(f, leaves, False)
            if entries is None:
                return _BLIND, [0.0 * self.numbers(x) for x in leaves]
            return "torch.autograd.grad", [self.numbers(g) for g in entries]
        torch = self.torch
        with warnings.catch_warnings():  # of its own making, when it is first used
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.func.jvp(torch.sin, (torch.zeros(()),), (torch.ones(()),))
        found = []
        try:
            for i, leaf in enumerate(leaves):
                rates = torch.zeros_like(leaf)
                for j in range(leaf.numel()):
                    tangents = [torch.zeros_like(x) for x in leaves]
                    tangents[i].view(-1)[j] = 1.0
                    _, rate = torch.func.jvp(
                        lambda *xs: self._sum(f(list(xs))), tuple(leaves), tuple(tangents)
                    )
                    rates.view(-1)[j] = rate.detach()
                found.append(self.numbers(rates))
        except (RuntimeError, NotImplementedError) as reason:
            raise Unsupported(_line(reason)) from reason
        return "torch.func.jvp", found

    def second(self, f: Flat, leaves: Leaves, entry: Entry) -> tuple[str, list[Any]]:
        leaves, gradient = self._gradient(f, leaves, True)
        if gradient is None:
            return _BLIND, [0.0 * self.numbers(x) for x in leaves]
        chosen = gradient[entry[0]].reshape(-1)[entry[1]]
        if not chosen.requires_grad:
            return "torch.autograd.grad, twice", [0.0 * self.numbers(x) for x in leaves]
        rows = self._grad(chosen, leaves, False)
        return "torch.autograd.grad, twice", [self.numbers(g) for g in rows]


class Jax:
    """JAX: grad, jvp, the gradient of an entry of the gradient."""

    name = "JAX"
    call = "check_jax"
    plain_outputs = False
    way_out = 'jax.config.update("jax_enable_x64", True)'

    def __init__(self) -> None:
        self.jax = _module("jax", "check_jax", "JAX")
        self.jnp = importlib.import_module("jax.numpy")
        self.np = importlib.import_module("numpy")

    def is_array(self, x: Any) -> bool:
        return isinstance(x, (self.jax.Array, self.np.ndarray, self.np.generic))

    def precision(self, x: Any) -> tuple[str, float] | None:
        if self.jnp.issubdtype(x.dtype, self.jnp.complexfloating):
            raise TypeError("check_jax: complex arrays are not checked; pass real and imag")
        if not self.jnp.issubdtype(x.dtype, self.jnp.floating):
            return None
        return str(x.dtype), float(self.jnp.finfo(x.dtype).eps)

    def numbers(self, x: Any) -> Any:
        return self.np.array(x, dtype=float)

    def array(self, numbers: Any, like: Any) -> Any:
        if isinstance(like, float):
            return self.jnp.asarray(float(numbers))
        kind = self.jax.dtypes.canonicalize_dtype(like.dtype)  # without a warning
        return self.jnp.asarray(self.np.asarray(numbers, dtype=kind))

    def _sum(self, f: Flat) -> Callable[..., Any]:
        def total(*leaves: Any) -> Any:
            out = self.jnp.asarray(f(list(leaves)))
            if out.size == 1:
                return out.reshape(())
            return (out.reshape(-1) * self.jnp.asarray(weights(out.size), dtype=out.dtype)).sum()

        return total

    def first(self, f: Flat, leaves: Leaves, mode: str) -> tuple[str, list[Any]]:
        total = self._sum(f)
        everything = tuple(range(len(leaves)))
        try:
            if mode == "reverse":
                entries = self.jax.grad(total, argnums=everything)(*leaves)
                return "jax.grad", [self.numbers(g) for g in entries]
            found = []
            for i, leaf in enumerate(leaves):
                rates = []
                for j in range(leaf.size):
                    tangents = [self.jnp.zeros_like(x) for x in leaves]
                    unit = self.np.zeros(leaf.size)
                    unit[j] = 1.0
                    tangents[i] = self.jnp.asarray(unit.reshape(leaf.shape), dtype=leaf.dtype)
                    _, rate = self.jax.jvp(total, tuple(leaves), tuple(tangents))
                    rates.append(float(rate))
                found.append(self.np.array(rates).reshape(leaf.shape))
            return "jax.jvp", found
        except (TypeError, ValueError, NotImplementedError) as reason:
            if "forward-mode" in str(reason) or "Reverse-mode" in str(reason):
                raise Unsupported(_line(reason)) from reason
            raise

    def second(self, f: Flat, leaves: Leaves, entry: Entry) -> tuple[str, list[Any]]:
        everything = tuple(range(len(leaves)))
        gradient = self.jax.grad(self._sum(f), argnums=everything)

        def one(*xs: Any) -> Any:
            return gradient(*xs)[entry[0]].reshape(-1)[entry[1]]

        rows = self.jax.grad(one, argnums=everything)(*leaves)
        return "jax.grad, twice", [self.numbers(g) for g in rows]


def _module(name: str, call: str, said: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ImportError(f"{call} needs {said}: pip install {name}") from None


def _line(reason: BaseException) -> str:
    text = " ".join(str(reason).split())
    return text if len(text) <= 160 else text[:159] + "…"


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of a NumPy array, () of a float."""
    return tuple(getattr(x, "shape", ()))


def index_of(place: int, shape: Sequence[int]) -> str:
    """Return the index of a place in a flattened array, as Python writes it; "" of a number."""
    indices: list[int] = []
    for size in reversed(shape):
        place, i = divmod(place, size)
        indices.append(i)
    return f"[{', '.join(map(str, reversed(indices)))}]" if shape else ""
