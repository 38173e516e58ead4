"""Every keyword of every public optimiser, schedule and callback does something.

What it does exactly is tested beside its module; here each is given two values, and what comes out
must differ. A keyword without an entry in the table fails.
"""

import inspect

import pytest

import nn
from autograd import Value

START, GRADIENTS = [0.7, -1.3, 2.0], [[0.5, -2.0, 0.1], [0.4, 1.0, -0.2], [-0.3, 0.2, 0.6]]


def public(is_one):
    found = [getattr(nn, name) for name in dir(nn) if not name.startswith("_")]
    return [one for one in found if isinstance(one, type) and is_one(one)]


OPTIMIZERS = public(lambda one: issubclass(one, nn.Optimizer) and one is not nn.Optimizer)
SCHEDULES = public(lambda one: one.__module__ == "nn._schedules")
CALLBACKS = public(lambda one: issubclass(one, nn.Callback) and one is not nn.Callback)


# --------------------------------------------------------------------------------- optimisers


def updated(kind, /, lr=0.1, parameters=3, **keywords):
    optimizer = kind([Value(x) for x in START[:parameters]], lr=lr, **keywords)
    x = START[:parameters]
    for gradient in GRADIENTS:
        x = optimizer.update(x, gradient[:parameters])
    return x


def minimised(kind, /, parameters=3, **keywords):
    pytest.importorskip("scipy")
    values = [Value(x) for x in START[:parameters]]
    optimizer = kind(values, **{"max_iter": 4} | keywords)
    optimizer.step(lambda: sum((i + 1.0) * (x - 1.0) ** 2 + x**4 for i, x in enumerate(values)))
    return [x.data for x in values]


FIRST_ORDER = {
    "parameters": (3, 2),
    "lr": (0.1, nn.Exponential(0.1, 0.5)),
    "weight_decay": (0.0, 0.25),
    "clip_value": (None, 0.15),
    "clip_norm": (None, 0.5),
}
OF_OPTIMIZERS = {
    nn.SGD: {"momentum": (0.0, 0.5), "nesterov": (False, True)},
    nn.Adagrad: {"initial": (0.0, 0.5), "eps": (1e-10, 0.1)},
    nn.RMSProp: {
        "decay": (0.99, 0.5),
        "momentum": (0.0, 0.5),
        "centered": (False, True),
        "eps": (1e-8, 0.1),
    },
    nn.Adam: {
        "beta1": (0.9, 0.5),
        "beta2": (0.999, 0.5),
        "eps": (1e-8, 0.1),
        "amsgrad": (False, True),
    },
    nn.LBFGS: {
        "parameters": (3, 2),
        "max_iter": (4, 1),
        "memory": (10, 1),
        "gtol": (1e-8, 10.0),
        "ftol": (1e-12, 0.5),
    },
}
OF_OPTIMIZERS[nn.AdamW] = OF_OPTIMIZERS[nn.Adam]
# What a keyword needs beside it to make a difference.
BESIDE = {"nesterov": {"momentum": 0.5}, "amsgrad": {"beta2": 0.5}}


def of_optimizer(kind):
    own = OF_OPTIMIZERS.get(kind, {})
    run = minimised if kind is nn.LBFGS else updated
    for keyword, values in ({} if kind is nn.LBFGS else FIRST_ORDER | own).items() | own.items():
        beside = BESIDE.get(keyword, {})
        yield keyword, lambda x, k=keyword, b=beside: run(kind, **{k: x} | b), values


# --------------------------------------------------------------------------------- schedules

OF_SCHEDULES = {
    nn.Linear: {"start": (1.0, 2.0), "stop": (0.0, 0.5), "steps": (4, 6)},
    nn.Cosine: {"start": (1.0, 2.0), "stop": (0.0, 0.5), "steps": (4, 6)},
    nn.Exponential: {"start": (1.0, 2.0), "factor": (0.5, 0.9), "every": (1, 2)},
    nn.Warmup: {"steps": (2, 4), "then": (1.0, nn.Linear(1.0, 0.0, 9))},
}


def of_schedule(kind):
    table = OF_SCHEDULES.get(kind, {})
    defaults = {keyword: values[0] for keyword, values in table.items()}
    for keyword, values in table.items():
        yield (
            keyword,
            lambda x, k=keyword: list(map(kind(**defaults | {k: x}), range(8))),
            values,
        )


# --------------------------------------------------------------------------------- callbacks

LOSS = [5.0, 4.0, 4.5, 3.9, 4.1, 4.2, 4.3, 1.0, 2.0]
ACCURACY = [0.1, 0.2, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]


def called(callback):
    """Return what a callback has done in a run with that history."""
    model = nn.Neuron(1, init=[0.0, 0.0])
    history = nn.History(metrics={"accuracy": []})
    callback.begin(model)
    for i, (loss, accuracy) in enumerate(zip(LOSS, ACCURACY, strict=True)):
        model.w[0].data = float(i)
        history.loss.append(loss)
        history.metrics["accuracy"].append(accuracy)
        history.seconds.append(1.0)
        callback.gradient(model, model.parameters(), [1.0, 2.0])
        if callback(model, history):
            break
    callback.end(model, history)
    return len(history), model.w[0].data


def files(callback, folder):
    """Return the files that a callback leaves."""
    called(callback)
    found = {path.name: path.read_text() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    return found


def of_callback(kind, folder):
    if kind is nn.EarlyStopping:
        table = {
            "patience": (2, 4),
            "restore_best": (True, False),
            "min_delta": (0.0, 0.5),
            "monitor": ("loss", "accuracy"),
            "mode": ("min", "max"),
        }
        beside = {"monitor": {"mode": "min"}, "min_delta": {"patience": 3}}
        for keyword, values in table.items():
            more = {"patience": 2} | beside.get(keyword, {})
            yield keyword, lambda x, k=keyword, m=more: called(kind(**m | {k: x})), values
    elif kind is nn.ModelCheckpoint:
        table = {
            "path": (folder / "a", folder / "b"),
            "best": (True, False),
            "monitor": ("loss", "accuracy"),
            "mode": ("min", "max"),
        }
        for keyword, values in table.items():
            more = {"path": folder / "a", "mode": "max" if keyword == "monitor" else "min"}
            yield keyword, lambda x, k=keyword, m=more: files(kind(**m | {k: x}), folder), values
    elif kind is nn.CSVLogger:
        yield "path", lambda x: files(kind(x), folder), (folder / "a", folder / "b")
    elif kind is nn.Histograms:

        def counts(bins):
            called(callback := kind(bins=bins))
            return callback.weights, callback.gradients

        yield "bins", counts, (30, 3)


# ------------------------------------------------------------------------------------ tests


def table_of(kind, folder):
    if kind in OPTIMIZERS:
        return {} if kind is nn.FirstOrder else {k: (f, v) for k, f, v in of_optimizer(kind)}
    if kind in SCHEDULES:
        return {k: (f, v) for k, f, v in of_schedule(kind)}
    return {k: (f, v) for k, f, v in of_callback(kind, folder)}


@pytest.mark.parametrize(
    "kind", [one for one in OPTIMIZERS + SCHEDULES + CALLBACKS if one is not nn.FirstOrder]
)
def test_every_keyword_makes_a_difference(kind, tmp_path):
    table = table_of(kind, tmp_path)
    assert set(table) == set(inspect.signature(kind).parameters), kind
    for keyword, (outcome, (one, other)) in table.items():
        first = outcome(one)
        assert first == outcome(one), f"{kind.__name__}: {keyword} is not repeatable"
        assert first != outcome(other), f"{kind.__name__} ignores {keyword}"


def test_all_kinds_are_known():
    names = {one.__name__ for one in OPTIMIZERS + SCHEDULES + CALLBACKS}
    assert {"SGD", "LBFGS", "AdamW", "Warmup", "Linear", "EarlyStopping", "Histograms"} <= names
    assert len(names) == 7 + 4 + 4
