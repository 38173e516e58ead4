"""fit: the training loop, its history, its checkpoints, and what is asked of a trained model.

How a batch becomes a value and a gradient lives in `_objective`, how these become better parameters
in `_optimizers`; the loop between them owns the parameters as one column of numbers and gives them
to the model at the end of every epoch, and whenever it is left.
"""

from __future__ import annotations

import contextlib
import copy
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import is_not
from os import PathLike
from pathlib import Path
from random import Random
from typing import Any

from autograd import Value

from ._checkpoint import Checkpoint, digest
from ._data import batches, rows
from ._module import Module
from ._objective import (
    Loss,
    Objective,
    Penalty,
    checked,
    choose,
    fresh,
    is_stale,
    of_code,
    outputs_of,
    put,
)
from ._optimizers import Column, Optimizer, all_finite
from ._state import State, differences

Metric = Callable[[Any, Any], float]
# Called after every epoch; a true answer ends the training.
Callback = Callable[[Module, "History"], object]


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
    """A loss, gradient or update that is nan or infinite; the message says where it came from.

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
    `penalty(model.parameters())`. Ctrl-C (or any exception) leaves model and optimiser as they were
    after the last whole batch; if a callback raises it, with what that has done.

    Args:
        x, y: samples and targets, one row each: lists or arrays of numbers.
        optimizer: over the parameters to train, some or all of `model.parameters()`.
        epochs: how often to go through all samples, those before a resumed checkpoint included.
        batch_size: samples per update; all of them if None.
        validation: a pair (x, y) to evaluate after every epoch.
        metrics: functions of (outputs, targets), such as `nn.accuracy`, by name.
        seed: decides the order of the samples in each epoch; None keeps their order. All samples
            at once are never reordered.
        callbacks: called with (model, history) after each epoch; a true answer ends the training.
            What they change holds: weights, `optimizer.lr`, whatever the code of the run reads.
        checkpoint: a file to go on from if it exists, replaced atomically after the callbacks of
            every `checkpoint_every` epochs, and of the last. A run that was killed and goes on
            ends with the same bits as one that was not; one that a callback has ended stays so.
        compiled: True for machine code, False for graph after graph; by default whichever will
            be done first. The bits are the same. What compiled code can't repeat runs as graphs,
            with a warning.
        executor: a `concurrent.futures.Executor` that compiled code runs its blocks of rows on.

    Raises:
        NonFiniteLoss: a loss or gradient is nan or infinite: epoch, batch, and the operation; or
            an update would make a parameter so.
        ValueError: arguments that do not fit each other, or the checkpoint of another run (the
            message names what is another), or one that can't go on with the same numbers.
    """
    x, y = _pairs(x, y, "")
    metrics, callbacks = _check_functions(loss, penalty, metrics, callbacks)
    _check_numbers(epochs, batch_size, checkpoint_every)
    if validation is not None and not (
        isinstance(validation, (tuple, list)) and len(validation) == 2
    ):
        raise TypeError(f"fit: validation must be a pair (x, y), not {validation!r}")
    held_out = None if validation is None else _pairs(*validation, "validation ")
    _check_optimizer(model, optimizer)
    history = History(metrics={name: [] for name in metrics})
    roots = {"model": model, "loss": loss, "penalty": penalty}
    more = {"metrics": metrics, "callbacks": list(callbacks)}
    graphs = Objective(model, loss, penalty, x, y, list(optimizer.parameters))
    skip = [*graphs.all_parameters, optimizer, history, x, y]
    file = None
    if checkpoint is not None:
        what = {
            "batch_size": batch_size,
            "seed": seed,
            "data": digest(x, y),
            "validation": None if held_out is None else digest(*held_out),
            "trained": _trained(model, optimizer),
        }
        state = State(roots | more, skip)
        file = Checkpoint(Path(checkpoint), what, model, optimizer, state)
        file.resume(history, epochs)
        if file.ended:
            return history
    if len(history) >= epochs:
        return history
    run = _Run(
        history,
        graphs,
        optimizer,
        State(roots | more, skip),
        epochs,
        batch_size,
        seed,
        held_out,
        metrics,
        callbacks,
        file,
        checkpoint_every,
    )
    run.train(compiled, executor)
    return history


def _check_numbers(epochs: int, batch_size: int | None, checkpoint_every: int) -> None:
    """Raise TypeError or ValueError unless these are numbers of epochs, samples and epochs."""
    least = [("epochs", epochs, 0), ("checkpoint_every", checkpoint_every, 1)]
    if batch_size is not None:
        least.append(("batch_size", batch_size, 1))
    for name, number, low in least:
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(f"fit: {name} must be a whole number, not {number!r}")
        if number < low:
            raise ValueError(f"fit: {name} must be at least {low}, not {number!r}")


def _check_functions(
    loss: Any, penalty: Any, metrics: Any, callbacks: Any
) -> tuple[dict[str, Metric], Sequence[Callback]]:
    """Return metrics and callbacks, after checking that all these can be called.

    Raises:
        TypeError: one of them can't; the message names it.
    """
    if not isinstance(metrics or {}, Mapping):
        raise TypeError(f"fit: metrics must be functions by name, not {metrics!r}")
    if callable(callbacks) or not hasattr(callbacks, "__iter__"):
        raise TypeError(f"fit: callbacks must be a list of functions, not {callbacks!r}")
    if not isinstance(callbacks, list):  # a list may grow, by what a callback adds
        callbacks = list(callbacks)
    metrics = dict(metrics or {})
    named = {"loss": loss} | ({} if penalty is None else {"penalty": penalty})
    named |= {f"the metric {name!r}": metric for name, metric in metrics.items()}
    named |= {f"callback {i}": callback for i, callback in enumerate(callbacks)}
    for name, function in named.items():
        if not callable(function):
            raise TypeError(f"fit: {name} must be a function, not {function!r}")
    return metrics, callbacks


def _check_optimizer(model: Module, optimizer: Optimizer) -> None:
    """Raise ValueError if the optimiser has a parameter that the model has not."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit: optimizer must be one of nn's, such as nn.Adam, not {optimizer!r}")
    known = set(map(id, model.parameters()))
    for i, parameter in enumerate(optimizer.parameters):
        if id(parameter) not in known:
            raise ValueError(
                f"fit: the optimizer is not over this model's parameters(): its parameter {i} is "
                f"{parameter!r}"
            )


def _trained(model: Module, optimizer: Optimizer) -> str:
    """Return which parameters the optimiser trains."""
    trained = set(map(id, optimizer.parameters))
    names = [name for name, parameter in model.named_parameters() if id(parameter) in trained]
    frozen = [name for name, parameter in model.named_parameters() if id(parameter) not in trained]
    return " ".join(names) if frozen else "all parameters"


@dataclass
class _Run:
    """Epoch after epoch; what it needs for them, and what it began with."""

    history: History
    graphs: Objective
    optimizer: Optimizer
    state: State
    epochs: int
    batch_size: int | None
    seed: int | None
    held_out: tuple[list[Any], list[Any]] | None
    metrics: dict[str, Metric]
    callbacks: Sequence[Callback]
    file: Checkpoint | None
    checkpoint_every: int
    code: dict[str, Any] = field(default_factory=dict)

    def train(self, compiled: bool | None, executor: Any) -> None:
        """Train to the end, as graphs if compiled code turns out to give other numbers."""
        parameters = self.graphs.all_parameters
        numbers = [parameter.data for parameter in parameters]
        optimizer = dict(vars(self.optimizer))
        past = {name: copy.deepcopy(column) for name, column in vars(self.history).items()}
        samples = len(self.graphs.x) * (self.epochs - len(self.history))
        objective = choose(compiled, executor, samples, self.graphs, self.state)
        if objective.compiled and self.callbacks:
            self.code = of_code(self.state.described())
        try:
            self._epochs(objective)
        except RuntimeError as reason:
            if not (objective.compiled and is_stale(reason)):
                raise
            # Compiled code is checked now and then, so what it gave before may be wrong as well.
            self.state.restore()
            put(parameters, numbers)
            vars(self.optimizer).update(optimizer)
            vars(self.history).update(past)
            warnings.warn(
                "fit: compiled code does not do what the function does, so the run starts "
                f"again from where it began, as graphs: {reason}",
                RuntimeWarning,
                stacklevel=3,
            )
            self._epochs(self.graphs)
        finally:
            for parameter in parameters:
                parameter.grad = 0.0

    def _epochs(self, objective: Objective) -> None:
        """Train until the last epoch, or until a callback ends it."""
        parameters, optimizer, history = objective.parameters, self.optimizer, self.history
        x, model = objective.x, objective.model
        here = objective.column([parameter.data for parameter in parameters])
        ahead = False  # whether `here` is newer than what the model has
        try:
            with _progress(len(history), self.epochs) as report:
                for epoch in range(len(history) + 1, self.epochs + 1):
                    started = time.perf_counter()
                    total = 0.0
                    for number, batch in enumerate(self._batches(len(x), epoch), 1):
                        ahead = True
                        finite = partial(_finite, objective, batch, epoch, number)
                        before = dict(vars(optimizer))
                        try:
                            there, value = optimizer.advance(here, finite)
                            self._refuse_infinite(there, epoch, number)
                        except BaseException:  # then this batch has not happened
                            vars(optimizer).update(before)
                            raise
                        here = there
                        total += value * len(batch)
                    put(parameters, here)
                    ahead = False
                    self._note(objective, total / len(x), started)
                    report(history.loss[-1])
                    ended = self._call_back(model)
                    if self.file is not None:
                        self.file.ended = ended
                        if ended or epoch % self.checkpoint_every == 0 or epoch == self.epochs:
                            self.file.write(history)
                    if ended:
                        return
                    if objective.compiled and objective.runs_eagerly:
                        objective = self.graphs
                    if self.callbacks:
                        objective = self._as_it_is_now(objective)
                    here = objective.column([parameter.data for parameter in parameters])
        finally:
            if ahead:
                put(parameters, here)

    def _refuse_infinite(self, column: Column, epoch: int, number: int) -> None:
        """Raise NonFiniteLoss if an update has made parameters that are not finite."""
        if all_finite(column):
            return
        i, x = next((i, float(x)) for i, x in enumerate(column) if not math.isfinite(x))
        raise NonFiniteLoss(
            f"the update of epoch {epoch}, batch {number} makes parameter {i} of the optimizer "
            f"{x!r}, though loss and gradient are finite: the step is too long",
            epoch,
            number,
        )

    def _batches(self, count: int, epoch: int) -> Iterator[list[int]]:
        shuffled = self.seed is not None and self.batch_size is not None
        rng = Random(f"{self.seed}/{epoch}") if shuffled else None
        return batches(count, self.batch_size, rng)

    def _note(self, objective: Objective, loss: float, started: float) -> None:
        """Add an epoch to the history."""
        history, found = self.history, {}
        validation: list[float] = []
        if self.held_out is not None or self.metrics:
            x, y = self.held_out or (objective.x, objective.y)
            outputs = objective.predict(x)
            if self.held_out is not None:
                validation = [_mean_loss(objective.loss, outputs, y)]
            for name, metric in self.metrics.items():
                found[name] = _number(f"the metric {name!r}", metric(outputs, y))
        history.loss.append(loss)
        history.validation += validation
        for name, value in found.items():
            history.metrics[name].append(value)
        history.seconds.append(time.perf_counter() - started)

    def _call_back(self, model: Module) -> bool:
        """Call every callback; say whether one ends the training."""
        answers = [callback(model, self.history) for callback in self.callbacks]
        return any(answers)

    def _as_it_is_now(self, objective: Objective) -> Objective:
        """Return the objective to go on with after callbacks, which may change anything."""
        _check_optimizer(objective.model, self.optimizer)
        now, trained = self.optimizer.parameters, objective.parameters
        if len(now) != len(trained) or any(map(is_not, now, trained)):
            raise ValueError(
                "fit: a callback changed optimizer.parameters, but what is trained holds for the "
                "run; end it (return True) and call fit again"
            )
        if not objective.compiled:
            return objective
        changed = differences(self.code, of_code(self.state.described()))
        if not changed:
            return objective
        warnings.warn(
            f"fit: a callback changes {changed[0]}, so training goes on as graphs, which follow it",
            RuntimeWarning,
            stacklevel=5,
        )
        return self.graphs


def _number(what: str, value: object) -> float:
    """Return what a metric or a loss returned as a float."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{what} must return a number, not {value!r}") from None


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


def _mean_loss(loss: Loss, outputs: list[Any], targets: Sequence[Any]) -> float:
    """Return the mean loss of plain outputs."""
    total = 0.0
    for output, target in zip(outputs, targets, strict=True):
        total += checked(loss(_as_values(output), fresh(target))).data
    return total / len(outputs)


def _as_values(output: Any) -> Any:
    return list(map(_as_values, output)) if isinstance(output, list) else Value(output)


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
    for name, metric in (metrics or {}).items():
        found[name] = _number(f"the metric {name!r}", metric(outputs, targets))
    return found


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
