"""The history of a training: columns with a number per epoch. Knows not how they came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import Any


@dataclass
class History:
    """What happened, one entry per epoch.

    Attributes:
        loss: the mean loss over the epoch's samples, each taken before the update by its batch, and
            the penalty.
        validation: the mean loss of the validation samples after the epoch, if there are any.
        metrics: by name, each metric after the epoch, on the validation samples if there are any.
        seconds: how long the epoch took.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.loss)

    def copy(self) -> History:
        """Return the same with columns of its own."""
        metrics = {name: list(numbers) for name, numbers in self.metrics.items()}
        return History(list(self.loss), list(self.validation), metrics, list(self.seconds))

    def last(self) -> dict[str, float]:
        """Return the numbers of the last epoch by name: loss, validation if any, metrics."""
        found = {"loss": self.loss[-1]}
        if self.validation:
            found["validation"] = self.validation[-1]
        return found | {name: numbers[-1] for name, numbers in self.metrics.items()}

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """Return a matplotlib figure of losses and metrics; write it to `path` if given.

        Raises:
            ImportError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as reason:
            raise ImportError("History.plot needs matplotlib: pip install matplotlib") from reason
        figure = Figure(figsize=(6.0, 4.0), layout="constrained")
        axes = figure.add_subplot(xlabel="epoch", ylabel="loss")
        epochs = range(1, len(self) + 1)
        axes.plot(epochs, self.loss, label="loss")
        if self.validation:
            axes.plot(epochs, self.validation, label="validation")
        if self.metrics:
            beside = axes.twinx()
            beside.set_ylabel("metrics")
            for name, numbers in self.metrics.items():
                beside.plot(epochs, numbers, linestyle="--", label=name)
        figure.legend(loc="outside upper center", ncols=4)
        if path is not None:
            figure.savefig(path)
        return figure
