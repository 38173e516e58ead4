"""Epoch after epoch: the loop of a training, and what ends it.

Owns the parameters as one column of numbers and gives them to the model at the end of every epoch,
and whenever it is left. Files, bars and callbacks are told of each epoch; what they do, they know.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import is_not
from random import Random
from typing import Any

from ._callbacks import Callback
from ._checkpoint import Checkpoint
from ._evaluation import Metric, mean_loss, number
from ._history import History
from ._module import Module
from ._objective import Objective, choose, is_stale, of_code, put
from ._optimizers import Column, Optimizer, all_finite
from ._progress import progress
from ._split import batches
from ._state import State, differences


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


@dataclass
class Run:
    """A training under way; what it needs for its epochs, and what it began with.

    `state` is all that the code of the run can reach, `code` what model and loss can.
    """

    history: History
    graphs: Objective
    optimizer: Optimizer
    state: State
    code: State
    epochs: int
    batch_size: int | None
    seed: int | None
    held_out: tuple[list[Any], list[Any]] | None
    metrics: dict[str, Metric]
    callbacks: Sequence[Callable[[Module, History], object]]
    file: Checkpoint | None
    checkpoint_every: int
    verbose: bool | int
    _code_before: dict[str, Any] = field(default_factory=dict)
    _gradient: Column = ()

    def train(self, compiled: bool | None, executor: Any) -> None:
        """Train to the end, as graphs if compiled code turns out to give other numbers."""
        parameters = self.graphs.all_parameters
        numbers = [parameter.data for parameter in parameters]
        optimizer, past = self.optimizer.snapshot(), self.history.copy()
        samples = len(self.graphs.x) * (self.epochs - len(self.history))
        objective = choose(compiled, executor, samples, self.graphs, self.state)
        if objective.compiled and self.callbacks:
            self._code_before = of_code(self.code.described())
        try:
            self._epochs(objective)
        except RuntimeError as reason:
            if not (objective.compiled and is_stale(reason)):
                raise
            # Compiled code is checked now and then, so what it gave before may be wrong as well.
            self.state.restore()
            put(parameters, numbers)
            self.optimizer.restore(optimizer)
            vars(self.history).update(vars(past))
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
        with progress(len(self.history), self.epochs, self.verbose) as report:
            for epoch in range(len(self.history) + 1, self.epochs + 1):
                started = time.perf_counter()
                loss = self._epoch(objective, epoch)
                self._note(objective, loss, started)
                report(self.history)
                ended = self._call_back(objective)
                self._keep(epoch, ended)
                if ended:
                    return
                if objective.compiled and objective.runs_eagerly:
                    objective = self.graphs
                if self.callbacks:
                    objective = self._as_it_is_now(objective)

    def _epoch(self, objective: Objective, epoch: int) -> float:
        """Give the model the parameters after an epoch; return the mean loss in it.

        Whatever comes in between, the model has those after the last whole batch.
        """
        here = objective.column([parameter.data for parameter in objective.parameters])
        total = 0.0
        try:
            for number, batch in enumerate(self._batches(len(objective.x), epoch), 1):
                finite = partial(self._finite, objective, batch, epoch, number)
                before = self.optimizer.snapshot()
                try:
                    there, value = self.optimizer.advance(here, finite)
                    _refuse_infinite(there, epoch, number)
                except BaseException:  # then this batch has not happened
                    self.optimizer.restore(before)
                    raise
                here = there
                total += value * len(batch)
        finally:
            put(objective.parameters, here)
        return total / len(objective.x)

    def _batches(self, count: int, epoch: int) -> Iterator[list[int]]:
        shuffled = self.seed is not None and self.batch_size is not None
        rng = Random(f"{self.seed}/{epoch}") if shuffled else None
        return batches(count, self.batch_size, rng)

    def _finite(
        self, objective: Objective, batch: list[int], epoch: int, number: int, at: Column
    ) -> tuple[float, Column]:
        """Return value and gradient of a batch, if they are finite."""
        value, gradient = objective(at, batch)
        if not (math.isfinite(value) and all_finite(gradient)):
            finite = math.isfinite(value)
            what = "a gradient that is not finite" if finite else f"loss {value!r}"
            cause = objective.diagnose(at, batch)
            raise NonFiniteLoss(f"{what} in epoch {epoch}, batch {number}: {cause}", epoch, number)
        self._gradient = gradient
        return value, gradient

    def _note(self, objective: Objective, loss: float, started: float) -> None:
        """Add an epoch to the history."""
        history, found = self.history, {}
        validation: list[float] = []
        if self.held_out is not None or self.metrics:
            x, y = self.held_out or (objective.x, objective.y)
            outputs = objective.predict(x)
            if self.held_out is not None:
                validation = [mean_loss(objective.loss, outputs, y)]
            for name, metric in self.metrics.items():
                found[name] = number(f"the metric {name!r}", metric(outputs, y))
        history.loss.append(loss)
        history.validation += validation
        for name, value in found.items():
            history.metrics[name].append(value)
        history.seconds.append(time.perf_counter() - started)

    def _call_back(self, objective: Objective) -> bool:
        """Call every callback; say whether one ends the training."""
        model = objective.model
        if any(isinstance(callback, Callback) for callback in self.callbacks):
            gradient = list(map(float, self._gradient))
            for callback in self.callbacks:
                if isinstance(callback, Callback):
                    callback.gradient(model, objective.parameters, gradient)
        answers = [callback(model, self.history) for callback in self.callbacks]
        return any(answers)

    def _keep(self, epoch: int, ended: bool) -> None:
        """Write the checkpoint, if there is one and it is time."""
        if self.file is None:
            return
        self.file.ended = ended
        if ended or epoch % self.checkpoint_every == 0 or epoch == self.epochs:
            self.file.write(self.history)

    def _as_it_is_now(self, objective: Objective) -> Objective:
        """Return the objective to go on with after callbacks, which may change anything."""
        check_optimizer(objective.model, self.optimizer)
        now, trained = self.optimizer.parameters, objective.parameters
        if len(now) != len(trained) or any(map(is_not, now, trained)):
            raise ValueError(
                "fit: a callback changed optimizer.parameters, but what is trained holds for the "
                "run; end it (return True) and call fit again"
            )
        if not objective.compiled:
            return objective
        changed = differences(self._code_before, of_code(self.code.described()))
        if not changed:
            return objective
        warnings.warn(
            f"fit: a callback changes {changed[0]}, so training goes on as graphs, which follow it",
            RuntimeWarning,
            stacklevel=5,
        )
        return self.graphs


def check_optimizer(model: Module, optimizer: Optimizer) -> None:
    """Raise ValueError if the optimiser has a parameter that the model has not."""
    known = set(map(id, model.parameters()))
    for i, parameter in enumerate(optimizer.parameters):
        if id(parameter) not in known:
            raise ValueError(
                f"fit: the optimizer is not over this model's parameters(): its parameter {i} is "
                f"{parameter!r}"
            )


def _refuse_infinite(column: Column, epoch: int, number: int) -> None:
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
