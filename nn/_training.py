"""fit: the training loop, its history, its checkpoints, and what is asked of a trained model.

How a batch becomes a value and a gradient lives in `_objective`, how these become better parameters
in `_optimizers`; the loop between them owns the parameters as one column of numbers and gives them
to the model at the end of every epoch, and whenever it is left.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from random import Random
from typing import Any

from autograd import Value

from ._data import batches, rows
from ._files import read_document, write_document
from ._module import Module
from ._objective import CompiledObjective, Loss, Objective, Penalty, choose, outputs_of, put
from ._optimizers import Column, Optimizer, all_finite

Metric = Callable[[list[Any], list[Any]], float]
# Called after every epoch; a true answer ends the training.
Callback = Callable[[Module, "History"], object]

_CHECKPOINT = "scalar-autograd checkpoint"


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


class NonFiniteLoss(ArithmeticError):
    """A loss or gradient that is nan or infinite; the message says where it came from.

    The model keeps the parameters from before that batch.

    Attributes:
        epoch, batch: where it happened, counted from 1.
    """

    def __init__(self, message: str, epoch: int, batch: int) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.batch = batch


def fit(
    model: Module,
    x: Any,
    y: Any,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    *,
    penalty: Penalty | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    seed: int | None = 0,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int = 1,
    compiled: bool | None = None,
    executor: Any = None,
) -> History:
    """Return the history of training `model` in place.

    Each batch's objective is the mean over its samples of `loss(model(x[i]), y[i])`, plus
    `penalty(model.parameters())`. Ctrl-C (or any exception) leaves the model with the parameters
    after the last whole batch.

    Args:
        x, y: samples and targets, one row each: lists or arrays of numbers.
        optimizer: over exactly `model.parameters()`.
        epochs: how often to go through all samples, those before a resumed checkpoint included.
        batch_size: samples per update; all of them if None.
        validation: a pair (x, y) to evaluate after every epoch.
        metrics: functions of (outputs, targets), such as `nn.accuracy`, by name.
        seed: decides the order of the samples in each epoch; None keeps their order. All samples
            at once are never reordered.
        callbacks: called with (model, history) after each epoch; a true answer ends the training.
        checkpoint: a file to go on from if it exists, replaced atomically after every
            `checkpoint_every` epochs. A run that was killed and goes on ends with the same bits
            as one that was not.
        compiled: True for machine code, False for graph after graph; by default whichever will
            be done first.
        executor: a `concurrent.futures.Executor` that compiled code runs its blocks of rows on.

    Raises:
        NonFiniteLoss: a loss or gradient is nan or infinite: epoch, batch, and the operation.
        ValueError: arguments that do not fit each other, or the checkpoint of another run.
    """
    x, y = _pairs(x, y, "")
    held_out = (x, y) if validation is None else _pairs(*validation, "validation ")
    parameters = model.parameters()
    if list(map(id, optimizer.parameters)) != list(map(id, parameters)):
        raise ValueError("fit: the optimizer is not over this model's parameters()")
    if epochs < 0 or checkpoint_every < 1:
        raise ValueError(f"fit: {epochs=} must be at least 0, {checkpoint_every=} at least 1")
    metrics = metrics or {}
    history = History(metrics={name: [] for name in metrics})
    file = None
    if checkpoint is not None:
        run = {
            # A schedule that is a plain function prints its address, which is another next time.
            "optimizer": re.sub(" at 0x[0-9A-Fa-f]+", "", repr(optimizer)),
            "batch_size": batch_size,
            "seed": seed,
            "data": _digest(x, y),
        }
        file = _Checkpoint(Path(checkpoint), run, model, optimizer)
        compiled = file.resume(history, compiled)
    if len(history) >= epochs:
        return history

    objective = choose(compiled, executor, len(x) * epochs, model, loss, penalty, x, y)
    if file is not None:
        file.run["compiled"] = isinstance(objective, CompiledObjective)
    here = objective.column([parameter.data for parameter in parameters])
    try:
        with _progress(len(history), epochs) as report:
            for epoch in range(len(history) + 1, epochs + 1):
                started = time.perf_counter()
                rng = None if seed is None or batch_size is None else Random(f"{seed}/{epoch}")
                total = 0.0
                for number, batch in enumerate(batches(len(x), batch_size, rng), 1):
                    finite = partial(_finite, objective, batch, epoch, number)
                    here, value = optimizer.advance(here, finite)
                    total += value * len(batch)
                put(parameters, here)
                history.loss.append(total / len(x))
                if validation is not None or metrics:
                    outputs = objective.predict(held_out[0])
                    if validation is not None:
                        history.validation.append(_mean_loss(loss, outputs, held_out[1]))
                    for name, metric in metrics.items():
                        history.metrics[name].append(metric(outputs, held_out[1]))
                history.seconds.append(time.perf_counter() - started)
                report(history.loss[-1])
                if file is not None and (epoch % checkpoint_every == 0 or epoch == epochs):
                    file.write(history)
                answers = [callback(model, history) for callback in callbacks]
                if any(answers):
                    break
    finally:
        put(parameters, here)
    return history


def _pairs(x: Any, y: Any, what: str) -> tuple[list[Any], list[Any]]:
    """Return samples and targets as rows of numbers, one target for each sample."""
    samples, targets = rows(x, f"{what}x"), rows(y, f"{what}y")
    if len(samples) != len(targets):
        raise ValueError(
            f"{what}x has {len(samples)} rows but {what}y has {len(targets)}: one target a sample"
        )
    if not samples:
        raise ValueError(f"{what}x and {what}y are empty")
    return samples, targets


def _finite(
    objective: Objective, batch: list[int], epoch: int, number: int, at: Column
) -> tuple[float, Column]:
    """Return value and gradient of a batch, if they are finite."""
    value, gradient = objective(at, batch)
    if not (math.isfinite(value) and all_finite(gradient)):
        what = f"loss {value!r}" if not math.isfinite(value) else "a gradient that is not finite"
        cause = objective.diagnose(at, batch)
        raise NonFiniteLoss(f"{what} in epoch {epoch}, batch {number}: {cause}", epoch, number)
    return value, gradient


def _mean_loss(loss: Loss, outputs: list[Any], targets: list[Any]) -> float:
    """Return the mean loss of plain outputs."""
    total = 0.0
    for output, target in zip(outputs, targets, strict=True):
        as_values = list(map(Value, output)) if isinstance(output, list) else Value(output)
        total += loss(as_values, target).data
    return total / len(outputs)


@contextmanager
def _progress(done: int, epochs: int) -> Iterator[Callable[[float], None]]:
    """Yield what to call with the loss of each epoch: a bar in a terminal, after a second."""
    bar = None
    if sys.stderr is not None and sys.stderr.isatty():
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            bar = tqdm(total=epochs, initial=done, unit="epoch", delay=1.0)

    def report(loss: float) -> None:
        if bar is not None:
            bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
            bar.update()

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


# --------------------------------------------------------------------------------- checkpoints


def _digest(x: list[Any], y: list[Any]) -> str:
    """Return a fingerprint of the data, so that a run is not resumed on other data."""
    found = hashlib.sha256()
    for samples in (x, y):
        for sample in samples:
            found.update(array("d", sample if isinstance(sample, list) else [sample]).tobytes())
            found.update(b";")
    return found.hexdigest()


@dataclass
class _Checkpoint:
    """The file of an unfinished run: what it is a run of, and how far it has come."""

    path: Path
    run: dict[str, Any]
    model: Module
    optimizer: Optimizer

    def write(self, history: History) -> None:
        state = {
            "run": self.run,
            "parameters": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": asdict(history),
        }
        write_document(self.path, _CHECKPOINT, state)

    def resume(self, history: History, compiled: bool | None) -> bool | None:
        """Set model, optimiser and history from the file, if there is one.

        Returns whether to compile: where that is open, as the run did, for the sake of the bits.

        Raises:
            ValueError: it is damaged or of another run; nothing changes.
        """
        if not self.path.exists():
            return compiled
        state = read_document(self.path, _CHECKPOINT)
        try:
            if compiled is None:
                compiled = bool(state["run"]["compiled"])
            for what, value in {**self.run, "compiled": compiled}.items():
                saved = state["run"][what]
                if saved != value:
                    raise ValueError(f"of another run: {what} was {saved!r} and is {value!r}")
            past = _history_from(state["history"], history)
            parameters, progress = state["parameters"], state["optimizer"]
            before = self.optimizer.state_dict()
            self.optimizer.load_state_dict(progress)
            try:
                self.model.load_state_dict(parameters)
            except (TypeError, ValueError):
                self.optimizer.load_state_dict(before)
                raise
        except (TypeError, KeyError, ValueError, AttributeError) as reason:
            raise ValueError(f"checkpoint {self.path}: {reason}") from None
        vars(history).update(vars(past))
        return compiled


def _history_from(saved: Any, like: History) -> History:
    """Return the saved history, after checking that it is one with the metrics of `like`."""
    past = History(**saved)
    columns = [past.loss, past.seconds, *past.metrics.values()]
    if set(past.metrics) != set(like.metrics):
        raise ValueError(f"of another run: metrics were {sorted(past.metrics)}")
    if any(len(column) != len(past.loss) for column in columns):
        raise ValueError("its history has gaps")
    for column in [*columns, past.validation]:
        if not all(isinstance(number, float) for number in column):
            raise ValueError("its history holds something that is no number")
    return past


# --------------------------------------------------------------------------- a trained model


def predict(model: Module, x: Any) -> list[Any]:
    """Return the model's output for each sample of `x`, as floats or lists of floats."""
    return outputs_of(model, rows(x, "x"))


def evaluate(
    model: Module, x: Any, y: Any, loss: Loss, metrics: Mapping[str, Metric] | None = None
) -> dict[str, float]:
    """Return the mean loss over the samples, as "loss", and each metric by name."""
    samples, targets = _pairs(x, y, "")
    outputs = outputs_of(model, samples)
    found = {"loss": _mean_loss(loss, outputs, targets)}
    return found | {name: metric(outputs, targets) for name, metric in (metrics or {}).items()}


def _classes(
    outputs: Sequence[Any], targets: Sequence[Any], threshold: float
) -> list[tuple[int, int]]:
    """Return for each sample the class it belongs to and the class the output says.

    Several outputs say the class of the largest (the first of equals), and a target is a class or
    one number per class. A single output says 1 above the threshold, else 0, and so does a target.
    """
    if len(outputs) != len(targets):
        raise ValueError(f"{len(outputs)} outputs but {len(targets)} targets")
    if not outputs:
        raise ValueError("no samples to judge")
    found: list[tuple[int, int]] = []
    for output, target in zip(rows(outputs, "outputs"), rows(targets, "targets"), strict=True):
        if isinstance(output, list):
            largest = target.index(max(target)) if isinstance(target, list) else int(target)
            if not 0 <= largest < len(output):
                raise ValueError(f"target {target!r}: there are {len(output)} classes from 0")
            found.append((largest, output.index(max(output))))
        else:
            found.append((int(target > threshold), int(output > threshold)))
    return found


def accuracy(outputs: Sequence[Any], targets: Sequence[Any], threshold: float = 0.0) -> float:
    """Return the fraction of samples whose output says the class of their target.

    Several outputs say the class of the largest; a target is then a class or one number per class.
    A single output says yes above `threshold`, and so does a target: 0 suits logits with targets
    -1 and 1 (or 0 and 1), 0.5 suits probabilities with targets 0 and 1.
    """
    pairs = _classes(outputs, targets, threshold)
    return sum(true == said for true, said in pairs) / len(pairs)


def confusion_matrix(
    outputs: Sequence[Any], targets: Sequence[Any], threshold: float = 0.0
) -> list[list[int]]:
    """Return how many samples of each class (row) were taken for each class (column).

    Classes are found as in `accuracy`; for a single output there are two, no and yes.
    """
    pairs = _classes(outputs, targets, threshold)
    classes = len(outputs[0]) if hasattr(outputs[0], "__len__") else 2
    counts = [[0] * classes for _ in range(classes)]
    for true, said in pairs:
        counts[true][said] += 1
    return counts
