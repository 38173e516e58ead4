"""Callbacks that come with `nn`: what `fit` calls after every epoch.

What they remember is plain data in attributes, so that it is kept in the run's checkpoint like
anything else a callback holds: a run that goes on, goes on with it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

from autograd import Value
from autograd.files import write_file

from ._history import History
from ._module import Module


class Callback:
    """What `fit` calls after every epoch, and at more moments than a mere function.

    A subclass overrides what it needs. State belongs into attributes, as numbers and containers of
    them; `begin` sets it, so that one object can serve one run after the other.
    """

    def begin(self, model: Module) -> None:
        """Called before the first epoch, and before what a checkpoint holds is put back."""

    def gradient(self, model: Module, parameters: Sequence[Value], numbers: list[float]) -> None:
        """Called after every epoch with the gradient of its last batch, before it was clipped."""

    def __call__(self, model: Module, history: History) -> object:
        """Called after every epoch; a true answer ends the training."""
        return None

    def end(self, model: Module, history: History) -> None:
        """Called when the run is over, after its last checkpoint; not after an exception."""


Mode = Literal["min", "max"]


@dataclass(eq=False)
class _Watching(Callback):
    """What has a column of the history to watch, and its best number so far."""

    monitor: str | None = field(default=None, kw_only=True)
    mode: Mode | None = field(default=None, kw_only=True)
    best_value: float = field(default=math.nan, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.mode not in (None, "min", "max"):
            raise ValueError(f'{self._name}: mode must be "min" or "max", not {self.mode!r}')

    @property
    def _name(self) -> str:
        return type(self).__name__

    def begin(self, model: Module) -> None:
        self.best_value = math.nan

    def _is_better(self, history: History, by: float = 0.0) -> bool:
        """Say whether the epoch was better than the best before by more than `by`; note it if so.

        Raises:
            ValueError: there is no such column, or it is not known which way is better.
        """
        known = history.last()
        name = self.monitor or ("validation" if "validation" in known else "loss")
        if name not in known:
            raise ValueError(f"{self._name}: no {name!r} to monitor; there are {list(known)}")
        mode = self.mode or ("min" if name in ("loss", "validation") else None)
        if mode is None:
            raise ValueError(
                f'{self._name}: say mode="max" if more of {name!r} is better, else mode="min"'
            )
        now, best = known[name], self.best_value
        gain = now - best if mode == "max" else best - now
        # A nan is never better, anything is better than nothing, and inf - inf is no gain.
        if math.isnan(now) or not (math.isnan(best) or (now != best and gain > by)):
            return False
        self.best_value = now
        return True


@dataclass(eq=False)
class EarlyStopping(_Watching):
    """Ends the training after `patience` epochs in a row that were not better than the best.

    Args:
        patience: how many.
        restore_best: whether the model has the parameters of the best epoch when `fit` returns,
            whatever has ended the run. (The checkpoint holds the last, to go on from.)
        min_delta: an epoch is better if it is so by more than this.
        monitor: "loss", "validation" or the name of a metric; by default the validation loss if
            there is one, else the loss.
        mode: whether a metric is better "min" or "max".

    Attributes:
        best_value, best_epoch: the best number, nan before there is one, and its epoch, counted
            from 1.
        weights: the parameters by name as they were then, if they are to be restored.
    """

    patience: int
    restore_best: bool = True
    min_delta: float = 0.0
    best_epoch: int = field(default=0, init=False, repr=False)
    wait: int = field(default=0, init=False, repr=False)
    weights: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_count("EarlyStopping: patience", self.patience)
        if not 0.0 <= self.min_delta < math.inf:
            raise ValueError(
                f"EarlyStopping: min_delta must be in [0, inf), not {self.min_delta!r}"
            )

    def begin(self, model: Module) -> None:
        super().begin(model)
        self.best_epoch, self.wait, self.weights = 0, 0, {}

    def __call__(self, model: Module, history: History) -> bool:
        """Say whether to stop."""
        if self._is_better(history, self.min_delta):
            self.best_epoch, self.wait = len(history), 0
            if self.restore_best:
                self.weights = model.state_dict()
            return False
        self.wait += 1
        return self.wait >= self.patience

    def end(self, model: Module, history: History) -> None:
        if self.weights:
            model.load_state_dict(self.weights)


@dataclass(eq=False)
class ModelCheckpoint(_Watching):
    """Saves the model's parameters to a file (`Module.save`) after every epoch, or the best only.

    For use once trained; to go on with a run there is `fit(checkpoint=...)`.

    Args:
        path: the file, replaced each time.
        best: whether to save only where the monitored number is better than all before.
        monitor, mode: as for `EarlyStopping`.

    Attributes:
        best_value: nan before there is one.
    """

    path: str | PathLike[str]
    best: bool = True

    def begin(self, model: Module) -> None:
        super().begin(model)
        _check_folder(self._name, self.path)

    def __call__(self, model: Module, history: History) -> None:
        if self._is_better(history) or not self.best:
            model.save(self.path)


@dataclass(eq=False)
class CSVLogger(Callback):
    """Writes the history to a CSV file with a line for each epoch, while it grows.

    The columns are epoch, loss, validation (if there is one), the metrics, and seconds; numbers are
    written exactly. After a resumed run the file is as if it had never been stopped.
    """

    path: str | PathLike[str]
    lines: int = field(default=0, init=False, repr=False)
    size: int = field(default=0, init=False, repr=False)

    def begin(self, model: Module) -> None:
        self.lines, self.size = 0, 0
        _check_folder("CSVLogger", self.path)

    def __call__(self, model: Module, history: History) -> None:
        path = Path(self.path)
        names = ["epoch", *history.last(), "seconds"]
        columns = [history.loss, history.validation, *history.metrics.values(), history.seconds]
        rows = list(zip(range(1, len(history) + 1), *(one for one in columns if one), strict=True))
        goes_on = 0 < self.lines == len(history) - 1
        # One line is added to what was written last; a file that is anything else is written anew.
        if goes_on and path.exists() and path.stat().st_size == self.size:
            with open(path, "a", encoding="utf-8", newline="") as file:
                file.write(_text(rows[-1:]))
        else:
            write_file(path, _text([names, *rows]))
        self.lines, self.size = len(history), path.stat().st_size


def _text(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


# How many are in each of equally wide bins from "low" to "high": {"epoch", "low", "high", "counts"}
Counts = dict[str, Any]


@dataclass(eq=False)
class Histograms(Callback):
    """Counts, after every epoch, how large weights and gradients are in each part of the model.

    A part is what has one name up to its number: "layers.0" of an MLP. Gradients are those of the
    epoch's last batch, before clipping; parameters that are not trained have none.

    Args:
        bins: how many, of equal width from the smallest number to the largest of that epoch.

    Attributes:
        weights, gradients: by part, for each epoch a dictionary of "epoch", "low", "high" and
            "counts".
    """

    bins: int = 30
    weights: dict[str, list[Counts]] = field(default_factory=dict, init=False, repr=False)
    gradients: dict[str, list[Counts]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        _check_count("Histograms: bins", self.bins)

    def begin(self, model: Module) -> None:
        self.weights, self.gradients = {}, {}

    def gradient(self, model: Module, parameters: Sequence[Value], numbers: list[float]) -> None:
        of = dict(zip(map(id, parameters), numbers, strict=True))
        found = [(name, of[id(p)]) for name, p in model.named_parameters() if id(p) in of]
        self._count(self.gradients, found)

    def __call__(self, model: Module, history: History) -> None:
        self._count(self.weights, list(model.state_dict().items()))
        for parts in (self.weights, self.gradients):
            for column in parts.values():
                column[-1]["epoch"] = len(history)

    def _count(self, parts: dict[str, list[Counts]], numbers: list[tuple[str, float]]) -> None:
        by_part: dict[str, list[float]] = {}
        for name, number in numbers:
            by_part.setdefault(part_of(name), []).append(number)
        for part, found in by_part.items():
            parts.setdefault(part, []).append(counted(found, self.bins))

    def plot(
        self,
        path: str | PathLike[str] | None = None,
        which: Literal["weights", "gradients"] = "weights",
    ) -> Any:
        """Return a matplotlib figure with the numbers of each part over the epochs; write it to
        `path` if given. The darker, the more of them.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: nothing was counted yet, or `which` is something else.
        """
        if which not in ("weights", "gradients"):
            raise ValueError(f'Histograms: which must be "weights" or "gradients", not {which!r}')
        parts = self.weights if which == "weights" else self.gradients
        if not parts:
            raise ValueError(f"Histograms: no {which} were counted yet; give it to fit first")
        try:
            from matplotlib.figure import Figure
        except ImportError as reason:
            raise ImportError(
                "Histograms.plot needs matplotlib: pip install matplotlib"
            ) from reason
        figure = Figure(figsize=(3.2 * len(parts), 3.0), layout="constrained")
        all_axes = figure.subplots(1, len(parts), squeeze=False)[0]
        for axes, (part, column) in zip(all_axes, parts.items(), strict=True):
            low, high = min(c["low"] for c in column), max(c["high"] for c in column)
            if low == high:
                low, high = low - 0.5, high + 0.5
            axes.imshow(
                list(zip(*(_shades(c, low, high) for c in column), strict=True)),
                extent=(column[0]["epoch"] - 0.5, column[-1]["epoch"] + 0.5, low, high),
                origin="lower", aspect="auto", cmap="Blues", interpolation="nearest",
            )  # fmt: skip
            axes.set(title=part, xlabel="epoch")
        all_axes[0].set_ylabel(which)
        if path is not None:
            figure.savefig(path)
        return figure


def part_of(name: str) -> str:
    """Return which part of a model a parameter of that name is in.

    Up to the first number that something else than a number follows: "layers.0.neurons.1.w.0" is
    in "layers.0"; and if there is none, without the numbers at its end: "w.0" is in "w".
    """
    names = name.split(".")
    while len(names) > 1 and names[-1].isdigit():
        names.pop()
    for i, one in enumerate(names):
        if one.isdigit() and i > 0:
            return ".".join(names[: i + 1])
    return ".".join(names)


def counted(numbers: list[float], bins: int) -> Counts:
    """Return how many numbers are in each of `bins` bins; all in the first if they are equal."""
    low, high = min(numbers), max(numbers)
    counts = [0] * bins
    scale = max(abs(low), abs(high), 1e-300)  # high - low may overflow
    width = high / scale - low / scale
    for x in numbers:
        place = (x / scale - low / scale) / width if width > 0.0 else 0.0
        counts[min(int(place * bins), bins - 1)] += 1
    return {"low": low, "high": high, "counts": counts}


def _shades(column: Counts, low: float, high: float, cells: int = 100) -> list[float]:
    """Return the share of numbers at each of `cells` places from `low` to `high`, 1 the largest."""
    counts, first, last = column["counts"], column["low"], column["high"]
    most = max(counts)
    found = []
    for i in range(cells):
        near, far = low + (high - low) * i / cells, low + (high - low) * (i + 1) / cells
        if first == last:
            found.append(1.0 if near <= first < far or (i == cells - 1 and first == far) else 0.0)
            continue
        place = ((near + far) / 2 - first) / (last - first)
        inside = 0.0 <= place < 1.0
        found.append(counts[int(place * len(counts))] / most if inside else 0.0)
    return found


def _check_count(what: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{what} must be a whole number of at least 1, not {number!r}")


def _check_folder(name: str, path: str | PathLike[str]) -> None:
    """Raise before hours of training rather than after the first epoch."""
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"{name}: there is no folder {fspath(Path(path).parent)!r}")
