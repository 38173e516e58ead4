"""fit: checks what it is given, goes on from a checkpoint if there is one, and runs the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ._callbacks import Callback, EarlyStopping
from ._checkpoint import Checkpoint, digest
from ._evaluation import Metric, pairs
from ._history import History
from ._loop import Run, check_optimizer
from ._module import Module
from ._objective import Loss, Objective, Penalty
from ._optimizers import Optimizer
from ._state import State

# Called after every epoch; a true answer ends the training.
Function = Callable[[Module, History], object]


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
    callbacks: Sequence[Function] = (),
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int = 1,
    compiled: bool | None = None,
    executor: Any = None,
    verbose: bool | int = True,
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
            `nn.Callback` is told of more, `nn.EarlyStopping` and others come with us.
        checkpoint: a file to go on from if it exists, replaced atomically after the callbacks of
            every `checkpoint_every` epochs, and of the last. A run that was killed and goes on
            ends with the same bits as one that was not; one that a callback has ended stays so.
        compiled: True for machine code, False for graph after graph; by default whichever will
            be done first. The bits are the same. What compiled code can't repeat runs as graphs,
            with a warning.
        executor: a `concurrent.futures.Executor` that compiled code runs its blocks of rows on.
        verbose: whether there is a bar with loss, metrics and the time left where somebody watches
            (a terminal, a notebook) when training takes longer than a second; 0 for none.

    Raises:
        NonFiniteLoss: a loss or gradient is nan or infinite: epoch, batch, and the operation; or
            an update would make a parameter so.
        ValueError: arguments that do not fit each other, or the checkpoint of another run (the
            message names what is another), or one that can't go on with the same numbers.
    """
    x, y = pairs(x, y, "")
    metrics, callbacks = _check_functions(loss, penalty, metrics, callbacks)
    _check_numbers(epochs, batch_size, checkpoint_every)
    if verbose not in (0, 1):
        raise ValueError(f"fit: verbose must be 0 (silent) or 1 (a bar), not {verbose!r}")
    if validation is not None and not (
        isinstance(validation, (tuple, list)) and len(validation) == 2
    ):
        raise TypeError(f"fit: validation must be a pair (x, y), not {validation!r}")
    held_out = None if validation is None else pairs(*validation, "validation ")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit: optimizer must be one of nn's, such as nn.Adam, not {optimizer!r}")
    check_optimizer(model, optimizer)
    ours = [callback for callback in callbacks if isinstance(callback, Callback)]
    for callback in ours:
        callback.begin(model)
    history = History(metrics={name: [] for name in metrics})
    code = {"model": model, "loss": loss}
    roots = code | {"penalty": penalty, "metrics": metrics, "callbacks": list(callbacks)}
    graphs = Objective(model, loss, penalty, x, y, list(optimizer.parameters))
    skip = [*graphs.all_parameters, optimizer, history, x, y]
    file = None
    if checkpoint is not None:
        stopping = [repr(one) for one in callbacks if isinstance(one, EarlyStopping)]
        what = {
            "batch_size": batch_size,
            "seed": seed,
            "data": digest(x, y),
            "validation": None if held_out is None else digest(*held_out),
            "trained": _trained(model, optimizer),
            "early stopping": ", ".join(stopping) or None,
        }
        file = Checkpoint(Path(checkpoint), what, model, optimizer, State(roots, skip))
        file.resume(history, epochs)
    if len(history) < epochs and not (file is not None and file.ended):
        run = Run(
            history,
            graphs,
            optimizer,
            State(roots, skip),
            State(code, skip),
            epochs,
            batch_size,
            seed,
            held_out,
            metrics,
            callbacks,
            file,
            checkpoint_every,
            verbose,
        )
        run.train(compiled, executor)
    for callback in ours:
        callback.end(model, history)
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
) -> tuple[dict[str, Metric], Sequence[Function]]:
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


def _trained(model: Module, optimizer: Optimizer) -> str:
    """Return which parameters the optimiser trains, in its order."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    trained = [names[id(parameter)] for parameter in optimizer.parameters]
    return "all parameters" if trained == list(names.values()) else " ".join(trained)
