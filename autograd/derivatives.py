"""Derivatives as functions of functions: grad, jacobian, hessian, jvp, vjp, hvp, of any order.

Each call records `f` once on fresh inputs of its own nesting level, then sweeps. At the outermost
level the sweep runs on floats and floats come back; inside another derivative, or when given
`Value`s, it runs as graph and `Value`s come back, which the outer one differentiates in turn. An
inner input is a node of its own, so derivatives with respect to different variables never mix.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

from ._dropped import note
from ._primitive import Node, as_float, is_number
from ._rules import identity
from ._structure import Structure, brief, holds_values, is_array, strip, values_in
from ._sweep import cotangents, levels_below, pull_graph, push_graph, tangents
from ._value import Value
from ._watch import nested, watch

Argnums = int | tuple[int, ...]
Mode = Literal["auto", "forward", "reverse"]


class _Recording:
    """One run of `f` on fresh inputs.

    Attributes:
        primals: the differentiated arguments.
        structures: the shape of each of them.
        inputs: the fresh `Value`s, all arguments one after the other.
        out: what `f` returned.
        level: the nesting level of the inputs.
        as_graph: whether derivatives are to be `Value`s.
    """

    def __init__(
        self,
        what: str,
        f: Callable[..., Any],
        argnums: tuple[int, ...],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.what = what
        self.f = f
        self.primals = [args[i] for i in argnums]
        self.structures = [Structure(primal) for primal in self.primals]
        for i, structure in zip(argnums, self.structures, strict=True):
            structure.refuse_hidden(f"{what}: argument {i}")
            if not structure.numbers and not structure.empty:
                raise TypeError(
                    f"{what}: argument {i} is {brief(args[i])}, which holds no float to "
                    "differentiate with respect to; pass floats (3.0, not 3)"
                )
        others = [x for i, x in enumerate(args) if i not in argnums]
        self.as_graph = (
            watch.inside()
            or any(isinstance(x, Node) for structure in self.structures for x in structure.numbers)
            or holds_values((others, kwargs))
        )
        with nested() as level:
            self.level = level
            self.inputs: list[Value] = []
            filled = list(args)
            for i, structure in zip(argnums, self.structures, strict=True):
                fresh = [fresh_input(x, level) for x in structure.numbers]
                self.inputs += fresh
                filled[i] = structure.fill(fresh)
            self.out = f(*filled, **kwargs)
            if not self.as_graph and watch.nested > 1:
                self.as_graph = self._is_inside_elsewhere()

    def _is_inside_elsewhere(self) -> bool:
        """Say whether the result depends on an input of a derivative call that is under way in
        another thread, which handed this one its work."""
        others = watch.levels() - {self.level}
        return bool(others and others & levels_below(list(values_in(self.out))))

    def scalar(self, out: Any) -> Any:
        """Return the output `out` as a `Value` or float.

        Raises:
            TypeError: it is something else.
        """
        if isinstance(out, Node):
            return out
        if is_array(out) and out.shape == ():
            return self.scalar(out.item())
        if is_number(out):
            return as_float(out, f"{self.what}: the result of {_name(self.f)}")
        raise TypeError(
            f"{self.what} needs a scalar output, but {_name(self.f)} returned {brief(out)}; "
            "for several outputs use jacobian"
        )

    def value(self, out: Any) -> Any:
        """Return an output as the caller is to see it: a float, or a `Value` inside a graph."""
        return out if self.as_graph else strip(out)

    def reverse(self, roots: list[Any], seeds: list[Any], as_graph: bool) -> list[Any]:
        """Return the derivative of the seeded sum of `roots` with respect to each input."""
        kept = [(r, s) for r, s in zip(roots, seeds, strict=True) if isinstance(r, Node)]
        nodes, weights = [r for r, _ in kept], [s for _, s in kept]
        if as_graph:
            with nested():  # so that the graph's nodes carry levels, for the next sweep
                return pull_graph(nodes, weights, list(self.inputs), self.level)
        closed_over: list[Node] = []
        found = cotangents(nodes, weights, list(self.inputs), self.level, closed_over)
        if closed_over and closed_over[0]._level == 0 and not watch.inside():
            frame = sys._getframe(_stack_level() - 1)
            note(self.what, closed_over[0], f"{frame.f_code.co_filename}:{frame.f_lineno}")
        return found

    def forward(self, roots: list[Any], directions: list[Any], as_graph: bool) -> list[Any]:
        """Return the derivative of each of `roots` along `directions`."""
        nodes = [r for r in roots if isinstance(r, Node)]
        if as_graph:
            with nested():
                found = iter(push_graph(nodes, list(self.inputs), directions, self.level))
        else:
            found = iter(tangents(nodes, list(self.inputs), directions, self.level))
        return [next(found) if isinstance(r, Node) else 0.0 for r in roots]

    def warn_if_independent(self, outs: Sequence[Any]) -> None:
        if getattr(self.f, "is_derivative", False):
            return  # a constant derivative is nothing to be warned of
        dependent = any(isinstance(out, Node) and out._level >= self.level for out in outs)
        if self.inputs and outs and not dependent:
            warnings.warn(
                f"{self.what}: the result of {_name(self.f)} does not depend on the "
                "argument it is differentiated by; the derivative is zero",
                stacklevel=_stack_level(),
            )

    def split(self, numbers: Sequence[Any]) -> list[Any]:
        """Return one entry per input in the structures of the arguments, one per argument."""
        results: list[Any] = []
        at = 0
        for structure in self.structures:
            n = len(structure.numbers)
            results.append(structure.result(numbers[at : at + n]))
            at += n
        return results


def _stack_level() -> int:
    """Return the `stacklevel` of the first caller outside this module."""
    level = 2
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
        frame = frame.f_back
        level += 1
    return level


def fresh_input(x: Any, level: int) -> Value:
    """Return an input of a recording at this level: a node of its own, for a float or a `Value`."""
    node: Value = identity(x) if isinstance(x, Node) else Value(x)
    node._level = level
    return node


def _wraps(what: str, f: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that gives a derivative function the name and signature of `f`.

    Raises:
        TypeError: `f` is no function.
    """
    if not callable(f):
        raise TypeError(f"{what}: the first argument must be a function, not {brief(f)}")

    def decorate(derivative: Any) -> Any:
        functools.update_wrapper(derivative, f)
        derivative.is_derivative = True
        return derivative

    return decorate


def _name(f: Callable[..., Any]) -> str:
    while isinstance(f, functools.partial):
        f = f.func
    return getattr(f, "__qualname__", None) or repr(f)


def _argnums(what: str, argnums: Argnums, args: tuple[Any, ...]) -> tuple[int, ...]:
    """Return `argnums` as a tuple of indices into `args`, counted from 0."""
    many = argnums if isinstance(argnums, tuple) else (argnums,)
    found: list[int] = []
    for i in many:
        if isinstance(i, bool) or not isinstance(i, int):
            raise TypeError(f"{what}: argnums must be an int or a tuple of ints, not {argnums!r}")
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"{what}: argnums={argnums!r}, but the function was called with "
                f"{len(args)} positional argument{'' if len(args) == 1 else 's'} (keyword "
                "arguments are passed through, not differentiated)"
            )
        found.append(i % len(args))
    if len(set(found)) < len(found) or not found:
        raise ValueError(f"{what}: argnums={argnums!r} must name at least one argument, each once")
    return tuple(found)


def _split_aux(what: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(
            f"{what}: with has_aux=True the function must return (output, auxiliary), "
            f"not {brief(out)}"
        )
    return out


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the value of `f` and its gradient in one recording.

    It takes the arguments of `f` and returns `(value, gradient)`, or `((value, aux), gradient)`
    with `has_aux`. See `grad`.
    """

    @_wraps("value_and_grad", f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        run, out, aux, gradient = _gradient("value_and_grad", f, argnums, has_aux, args, kwargs)
        value = run.value(out)
        return ((value, run.value(aux)), gradient) if has_aux else (value, gradient)

    return value_and_gradient


def grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return the gradient function of `f`, a function with a scalar result.

    The gradient function takes the arguments of `f` and returns the derivative with respect to
    argument `argnums`, in that argument's structure: a float for a float, a float64 array for an
    array (`f` then gets an object array of `Value`s), the same nested tuples, lists, dicts or
    dataclasses otherwise; integers, strings, booleans and None in them are left alone. For a tuple
    of argument numbers it returns a tuple. With `has_aux`, `f` returns `(output, aux)` and the
    gradient function `(gradient, aux)`.

    Floats come back at the outermost level; inside another derivative, or when an argument holds
    `Value`s, `Value`s that can be differentiated again.

    Raises:
        TypeError: the argument holds no float, or the output is not a scalar.
        ValueError: `argnums` names no positional argument.
    Warns:
        UserWarning: the output does not depend on the argument; the gradient is zero.
    """

    @_wraps("grad", f)
    def gradient_function(*args: Any, **kwargs: Any) -> Any:
        run, _, aux, gradient = _gradient("grad", f, argnums, has_aux, args, kwargs)
        return (gradient, run.value(aux)) if has_aux else gradient

    return gradient_function


def _gradient(
    what: str,
    f: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[_Recording, Any, Any, Any]:
    run = _Recording(what, f, _argnums(what, argnums, args), args, kwargs)
    out, aux = _split_aux(what, run.out, has_aux)
    out = run.scalar(out)
    run.warn_if_independent([out])
    parts = run.split(run.reverse([out], [1.0], run.as_graph))
    return run, out, aux, tuple(parts) if isinstance(argnums, tuple) else parts[0]


def _outputs(run: _Recording, what: str) -> Structure:
    """Return the structure of the outputs of a run; its numbers are the outputs."""
    outputs = Structure(run.out, integers=True)
    outputs.refuse_hidden(f"{what}: the result of {_name(run.f)}")
    if not outputs.numbers and not outputs.empty:
        raise TypeError(f"{what}: {_name(run.f)} returned {brief(run.out)}, which holds no number")
    run.warn_if_independent(outputs.numbers)
    return outputs


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, mode: Mode = "auto"
) -> Callable[..., Any]:
    """Return the Jacobian function of `f`: all outputs by all inputs.

    Its result has the structure of the output, with the argument's structure in place of each
    number; an array by an array gives one float64 array of both shapes joined. `mode` is "forward"
    (one sweep per input), "reverse" (one per output) or "auto", whichever is fewer.

    Raises:
        ValueError: `mode` is anything else. Otherwise as `grad`.
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian: mode must be 'auto', 'forward' or 'reverse', not {mode!r}")

    @_wraps("jacobian", f)
    def jacobian_function(*args: Any, **kwargs: Any) -> Any:
        run = _Recording("jacobian", f, _argnums("jacobian", argnums, args), args, kwargs)
        outputs = _outputs(run, "jacobian")
        ys = outputs.numbers
        n = len(run.inputs)
        if mode == "forward" or (mode == "auto" and n < len(ys)):
            columns = [
                run.forward(ys, [float(i == j) for j in range(n)], run.as_graph) for i in range(n)
            ]
            rows: list[Any] = [list(row) for row in zip(*columns, strict=True)]
            rows = rows or [[] for _ in ys]
        else:
            rows = [run.reverse([y], [1.0], run.as_graph) for y in ys]
        return outputs.block(rows, run.structures, not isinstance(argnums, tuple))

    return jacobian_function


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the Hessian function of `f`, a function with a scalar result.

    Its result is the argument's structure within the argument's structure; for an array argument
    of shape s it is a float64 array of shape s + s. The gradient is recorded once as graph, then
    swept once per input, each sweep visiting only what that entry depends on.

    Raises:
        As `grad`.
    """

    @_wraps("hessian", f)
    def hessian_function(*args: Any, **kwargs: Any) -> Any:
        run = _Recording("hessian", f, _argnums("hessian", argnums, args), args, kwargs)
        out = run.scalar(run.out)
        run.warn_if_independent([out])
        first = run.reverse([out], [1.0], True)
        rows = [run.reverse([g], [1.0], run.as_graph) for g in first]
        single = not isinstance(argnums, tuple)
        blocks: list[Any] = []
        at = 0
        for structure in run.structures:
            n = len(structure.numbers)
            blocks.append(structure.block(rows[at : at + n], run.structures, single))
            at += n
        return blocks[0] if single else tuple(blocks)

    return hessian_function


def _primals(what: str, f: Callable[..., Any], primals: Any) -> _Recording:
    if not isinstance(primals, (tuple, list)):
        raise TypeError(f"{what}: primals must be a tuple of arguments, not {brief(primals)}")
    return _Recording(what, f, tuple(range(len(primals))), tuple(primals), {})


def _directions(what: str, run: _Recording, tangents: Any) -> list[Any]:
    """Return the numbers of `tangents`, which must match the primals of `run`."""
    if not isinstance(tangents, (tuple, list)) or len(tangents) != len(run.structures):
        raise TypeError(
            f"{what}: tangents must be a tuple of {len(run.structures)}, one per primal, "
            f"not {brief(tangents)}"
        )
    found: list[Any] = []
    for i, (structure, tangent) in enumerate(zip(run.structures, tangents, strict=True)):
        numbers = structure.match(tangent)
        if numbers is None:
            raise ValueError(
                f"{what}: tangent {i}, {brief(tangent)}, has another structure than its primal, "
                f"{brief(run.primals[i])}"
            )
        found += numbers
    return found


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return `(f(*primals), its derivative along tangents)`, by one forward sweep.

    `tangents` has one entry per primal, in the primal's structure; the derivative has the
    structure of the output.

    Raises:
        TypeError, ValueError: `primals` or `tangents` are no tuples, or do not match.
    """
    run = _primals("jvp", f, primals)
    directions = _directions("jvp", run, tangents)
    as_graph = run.as_graph or any(isinstance(t, Node) for t in directions)
    outputs = _outputs(run, "jvp")
    found = run.forward(outputs.numbers, directions, as_graph)
    return run.value(run.out), outputs.result(found)


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return `(f(*primals), pullback)`.

    `pullback(cotangent)` takes a cotangent in the structure of the output and returns a tuple: the
    derivative of its product with the output, by each primal, in the primal's structure. It may be
    called any number of times.

    Raises:
        TypeError, ValueError: (by the pullback) the cotangent does not match the output.
    """
    run = _primals("vjp", f, primals)
    outputs = _outputs(run, "vjp")

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        seeds = outputs.match(cotangent)
        if seeds is None:
            raise ValueError(
                f"pullback: the cotangent, {brief(cotangent)}, has another structure than what "
                f"{_name(f)} returned, {brief(value)}"
            )
        as_graph = run.as_graph or any(isinstance(s, Node) for s in seeds)
        return tuple(run.split(run.reverse(outputs.numbers, seeds, as_graph)))

    value = run.value(run.out)
    return value, pullback


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """Return the Hessian of `f` at `primals` times `tangents`, forward over reverse.

    The cost is a few evaluations of `f`, whatever the number of inputs. The result has the
    structure of the primal if there is one, else it is a tuple with one entry per primal.

    Raises:
        As `jvp` and `grad`.
    """
    run = _primals("hvp", f, primals)
    directions = _directions("hvp", run, tangents)
    out = run.scalar(run.out)
    run.warn_if_independent([out])
    as_graph = run.as_graph or any(isinstance(t, Node) for t in directions)
    first = run.reverse([out], [1.0], True)
    parts = run.split(run.forward(first, directions, as_graph))
    return parts[0] if len(parts) == 1 else tuple(parts)


def differentiate(y: Value, wrt: Sequence[Value]) -> list[Value]:
    """Return the derivatives of `y` with respect to each of `wrt`, as graph.

    Each is a `Value` recorded from the rules of the operations between, so it can be
    differentiated again; a constant derivative is a leaf. `.grad` is not touched.

    Raises:
        TypeError: `y`, or an entry of `wrt`, is no `Value`.
    """
    if not isinstance(y, Value):
        raise TypeError(f"differentiate: y must be a Value, not {brief(y)}")
    if not isinstance(wrt, (list, tuple)) or not all(isinstance(x, Value) for x in wrt):
        raise TypeError(f"differentiate: wrt must be a list of Values, not {brief(wrt)}")
    found = pull_graph([y], [1.0], list(wrt))
    return [x if isinstance(x, Value) else Value(x) for x in found]
