"""Plots on matplotlib, which is imported when a plot is drawn: loss, decision boundary, gradients.

Each function draws into `ax` (a new figure without one) and returns it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Value

from ._palette import LIGHT
from ._snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "viz.plot needs matplotlib: pip install 'scalar-autograd[plot]'"
        ) from error
    return pyplot.subplots()[1]


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


def loss_curve(losses: Sequence[Value | float], ax: Axes | None = None) -> Axes:
    """The axes with the loss over the steps, on a logarithmic scale if all losses are positive.

    Raises:
        ImportError: matplotlib is not installed.
    """
    ax = _axes(ax)
    numbers = [_number(loss) for loss in losses]
    ax.plot(range(len(numbers)), numbers, color=LIGHT["negative"])
    if numbers and min(numbers) > 0:
        ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    ax.set_title("loss")
    return ax


def decision_boundary(
    predict: Callable[[float, float], Any],
    points: Sequence[Sequence[float]],
    labels: Sequence[float],
    *,
    level: float = 0.0,
    steps: int = 60,
    ax: Axes | None = None,
) -> Axes:
    """The axes with `predict(x, y)` as colours, its contour at `level`, and labelled points.

    `predict` is called steps * steps times on floats; it may return a float or a Value. Points
    with a label above `level` are orange discs, the others blue squares.

    Raises:
        ValueError: there are no points, or not as many labels as points.
        ImportError: matplotlib is not installed.
    """
    if not points or len(points) != len(labels):
        raise ValueError(
            f"decision_boundary: {len(points)} points and {len(labels)} labels; "
            "give at least one point and a label for each"
        )
    ax = _axes(ax)
    xs, ys = (_ticks([point[axis] for point in points], steps) for axis in (0, 1))
    heights = [[_number(predict(x, y)) for x in xs] for y in ys]
    reach = max((abs(h - level) for row in heights for h in row if math.isfinite(h)), default=1.0)
    reach = reach or 1.0
    shades = [level + reach * k / 8 for k in range(-8, 9)]
    ax.contourf(xs, ys, heights, levels=shades, cmap="PuOr_r", alpha=0.6)
    if min(map(min, heights)) < level < max(map(max, heights)):
        ax.contour(xs, ys, heights, levels=[level], colors=[LIGHT["ink"]])
    for above, marker, colour in ((True, "o", "positive"), (False, "s", "negative")):
        chosen = [p for p, label in zip(points, labels, strict=True) if (label > level) is above]
        if chosen:
            ax.scatter(
                [p[0] for p in chosen], [p[1] for p in chosen], marker=marker, s=30,
                color=LIGHT[colour], edgecolors="white", linewidths=0.6,
            )  # fmt: skip
    ax.set_title("decision boundary")
    return ax


def _ticks(numbers: Sequence[float], steps: int) -> list[float]:
    low, high = min(numbers), max(numbers)
    margin = 0.15 * (high - low) or 1.0
    low, high = low - margin, high + margin
    return [low + (high - low) * k / (steps - 1) for k in range(steps)]


def gradient_histogram(y: Value, *, bins: int = 30, ax: Axes | None = None) -> Axes:
    """The axes with a histogram of |∂y/∂leaf| per layer (outermost scope), on a logarithmic axis.

    Zeros have no place on such an axis; the legend counts them.

    Raises:
        TypeError: `y` is not a Value.
        ImportError: matplotlib is not installed.
    """
    snapshot = Snapshot(y)
    layers: dict[str, list[float]] = {}
    for node, gradient in zip(snapshot.nodes, snapshot.gradients, strict=True):
        if not node.op:
            layers.setdefault(node.scope[0] if node.scope else "(no scope)", []).append(gradient)
    ax = _axes(ax)
    sizes = {
        layer: [math.log10(abs(g)) for g in gradients if g != 0 and math.isfinite(g)]
        for layer, gradients in layers.items()
    }
    everything = [size for found in sizes.values() for size in found] or [0.0]
    low, high = min(everything), max(everything) + 1e-9
    edges = [low + (high - low) * k / bins for k in range(bins + 1)]
    for layer, found in sorted(sizes.items()):
        zeros = len(layers[layer]) - len(found)
        text = f"{layer} ({len(layers[layer])}{f', {zeros} zero or not finite' if zeros else ''})"
        ax.hist(found, bins=edges, histtype="step", linewidth=1.8, label=text)
    ax.set_xlabel("log10 |gradient|")
    ax.set_ylabel("leaves")
    ax.set_title("gradients per layer")
    ax.legend()
    return ax
