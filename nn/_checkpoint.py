"""The file of an unfinished run: what it is a run of, and everything needed to go on with it."""

from __future__ import annotations

import hashlib
import json
import warnings
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ._files import read_document, write_document
from ._module import Module
from ._optimizers import Optimizer
from ._state import NotPlain, State, decoded, differences, encoded, is_random

_FORMAT = "scalar-autograd checkpoint"


def digest(*columns: Sequence[Any]) -> str:
    """Return a fingerprint of samples and targets, so that a run is not resumed on others."""
    found = hashlib.sha256()
    for samples in columns:
        found.update(b"%d rows;" % len(samples))
        for sample in samples:
            found.update(array("d", sample if isinstance(sample, list) else [sample]).tobytes())
            found.update(b";")
    return found.hexdigest()


@dataclass
class Checkpoint:
    """The file of a run.

    Attributes:
        run: what it is a run of, by name; another value is another run.
        state: what the code can reach: model, loss, penalty, callbacks.
        ended: whether a callback has ended the run.
    """

    path: Path
    run: dict[str, Any]
    model: Module
    optimizer: Optimizer
    state: State
    ended: bool = False
    _settings: dict[str, Any] = field(default_factory=dict)
    _began: dict[str, Any] = field(default_factory=dict)
    _code: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._settings = _settings(self.optimizer)
        self._began = self.state.described()
        self._code = _compared(self._began)

    def write(self, history: Any) -> None:
        """Replace the file by one that says how far the run has come."""
        now = self.state.described()
        now |= {name: {"is": "an iterator at another place"} for name in self.state.iterators()}
        settings = _settings(self.optimizer)
        content = {
            "run": self.run,
            "began": {"optimizer": self._settings, "code": self._code},
            "ended": self.ended,
            "parameters": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "settings": {key: settings[key] for key in differences(self._settings, settings)},
            "state": {name: now.get(name) for name in differences(self._began, now)},
            "history": encoded_history(history),
        }
        write_document(self.path, _FORMAT, content)

    def resume(self, history: Any, epochs: int) -> None:
        """Set model, optimiser, state and history from the file, if there is one.

        Raises:
            ValueError: it is damaged or of another run; nothing changes.
        """
        if not self.path.exists():
            return
        content = read_document(self.path, _FORMAT)
        try:
            self._compare(content)
            past = _history_from(content["history"], history)
            ended = bool(content["ended"])
            going_on = not ended and len(past) < epochs
            if going_on:
                _refuse_lost(content["settings"], "optimizer.")
                _refuse_lost(
                    {k: x for k, x in content["state"].items() if not k.startswith("callbacks")}
                )
            settings = {k: decoded(x) for k, x in content["settings"].items() if not _is_lost(x)}
            before = self.optimizer.state_dict(), self.state.copy()
            try:
                self.optimizer.load_state_dict(content["optimizer"])
                self._put_state(content["state"], going_on)
                self.model.load_state_dict(content["parameters"])
            except BaseException:
                self.optimizer.load_state_dict(before[0])
                before[1].restore()
                raise
            for key, value in settings.items():
                self.optimizer.set(key, value)
        except (TypeError, KeyError, ValueError, AttributeError) as reason:
            raise ValueError(f"checkpoint {self.path}: {reason}") from None
        self.ended = ended
        vars(history).update(vars(past))

    def _put_state(self, kept: Mapping[str, Any], going_on: bool) -> None:
        """Set what is no parameter; say what of it could not be set."""
        left = self.state.put(kept)
        if not left or not going_on:
            return
        text = f"{left[0]} is not as it was in the run, and can't be set from a file"
        if not all(name.startswith("callbacks") for name in left):
            raise ValueError(text)
        warnings.warn(f"checkpoint {self.path}: {text}", RuntimeWarning, stacklevel=4)

    def _compare(self, content: Mapping[str, Any]) -> None:
        """Raise ValueError if the file is of another run."""
        began = content["began"]
        changed = set(content["state"])
        before = {name: x for name, x in began["code"].items() if name not in changed}
        now = {name: x for name, x in self._code.items() if name not in changed}
        for saved, given in [
            (content["run"], self.run),
            (_named("optimizer", began["optimizer"]), _named("optimizer", self._settings)),
            (before, now),
        ]:
            for name in differences(saved, given):
                was, is_now = (_told(one.get(name)) for one in (saved, given))
                raise ValueError(f"of another run: {name} was {was} and is {is_now}")


def _named(prefix: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{key}": value for key, value in settings.items()}


def _compared(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a description that must be the same when a run goes on."""
    return {
        name: _short(x)
        for name, x in description.items()
        if name.partition(".")[0] in ("model", "loss", "penalty") and not is_random(x)
    }


def _short(description: Any) -> Any:
    """Return a description, or its hash if it is long: tables are only compared."""
    text = json.dumps(description)
    if len(text) < 1000:
        return description
    return {"is": f"numbers with hash {hashlib.sha256(text.encode()).hexdigest()[:12]}"}


def _told(description: Any) -> str:
    told = description["is"] if _is_lost(description) else repr(description)
    return told if len(told) < 80 else told[:77] + "..."


def _is_lost(description: Any) -> bool:
    """Say whether this is a text about something that a file can't hold."""
    return isinstance(description, dict) and "is" in description


def _refuse_lost(changed: Mapping[str, Any], prefix: str = "") -> None:
    for name, x in changed.items():
        if _is_lost(x):
            raise ValueError(
                f"{prefix}{name} changed during the run to {_told(x)}, which a file can't hold, "
                "so the run can't go on with the same numbers"
            )


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """Return the keywords of an optimiser, as plain data where they are numbers."""
    found: dict[str, Any] = {"kind": type(optimizer).__name__}
    for name, value in optimizer.settings().items():
        try:
            found[name] = encoded(value)
        except NotPlain:
            found[name] = {"is": _schedule(value)}
    return found


def _schedule(value: Any) -> str:
    described = State({"lr": value}).described()
    return f"{value!r}" if " at 0x" not in repr(value) else str(described["lr"])


def encoded_history(history: Any) -> dict[str, Any]:
    """Return a history as plain data."""
    return {
        name: {key: encoded(x) for key, x in column.items()}
        if isinstance(column, dict)
        else encoded(column)
        for name, column in asdict(history).items()
    }


def _history_from(saved: Any, like: Any) -> Any:
    """Return the saved history, after checking that it is one with the metrics of `like`."""
    parts = {
        name: {key: decoded(x) for key, x in column.items()}
        if isinstance(column, dict)
        else decoded(column)
        for name, column in saved.items()
    }
    past = type(like)(**parts)
    columns = [past.loss, past.seconds, *past.metrics.values()]
    if set(past.metrics) != set(like.metrics):
        raise ValueError(f"of another run: metrics were {sorted(past.metrics)}")
    if past.validation:
        columns.append(past.validation)
    if any(len(column) != len(past.loss) for column in columns):
        raise ValueError("its history has gaps")
    for column in [*columns, past.validation]:
        if not all(isinstance(number, float) for number in column):
            raise ValueError("its history holds something that is no number")
    return past
