"""Callbacks that come with us: what they do, and that a run that goes on does the same."""

import csv
import math
import random

import pytest

import nn
from autograd import Value
from nn._callbacks import counted, part_of

EPOCHS = 12


def data():
    return nn.two_moons(24, 0.2, random.Random(1))


def model():
    return nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(2))


def run(callbacks, epochs=EPOCHS, net=None, checkpoint=None, **keywords):
    """Return model and history after a training that gets better and worse by its rate."""
    x, y = data()
    net = net or model()
    optimizer = nn.SGD(net.parameters(), lr=lambda k: [0.2, 0.1, 0.5, 2.5][k % 4])
    defaults = {
        "validation": (x[:8], y[:8]),
        "metrics": {"accuracy": nn.accuracy},
        "compiled": False,
    }
    history = nn.fit(
        net,
        x,
        y,
        nn.squared_error,
        optimizer,
        epochs,
        callbacks=callbacks,
        checkpoint=checkpoint,
        **defaults | keywords,
    )
    return net, history


def weights_by_epoch(epochs=EPOCHS):
    found = []
    _, history = run([lambda m, h: found.append(m.state_dict())], epochs)
    return found, history


class Fed(nn.Callback):
    """A history given by hand, for callbacks alone."""

    def __init__(self, numbers, name="loss"):
        self.numbers, self.name = numbers, name

    def ends_after(self, callback):
        net = nn.Neuron(1, init=[0.0, 0.0])
        history = nn.History(metrics={} if self.name in ("loss", "validation") else {self.name: []})
        callback.begin(net)
        for i, number in enumerate(self.numbers, 1):
            net.w[0].data = float(i)
            history.loss.append(number if self.name == "loss" else 0.0)
            if self.name == "validation":
                history.validation.append(number)
            if self.name in history.metrics:
                history.metrics[self.name].append(number)
            if callback(net, history):
                break
        callback.end(net, history)
        return len(history), net.w[0].data


# ----------------------------------------------------------------------------- early stopping


def test_early_stopping_ends_and_restores_the_best():
    weights, history = weights_by_epoch()
    stopping = nn.EarlyStopping(patience=2)
    net, shorter = run([stopping])
    best = min(range(EPOCHS), key=history.validation.__getitem__)
    validation = history.validation
    until = next(
        n
        for n in range(1, EPOCHS + 1)
        if n - 1 - min(range(n), key=validation.__getitem__) == 2 or n == EPOCHS
    )
    assert len(shorter) == until < EPOCHS
    best = min(range(until), key=validation.__getitem__)
    assert net.state_dict() == weights[best]
    assert (stopping.best_value, stopping.best_epoch) == (validation[best], best + 1)


def test_patience_counts_epochs_in_a_row():
    numbers = [5.0, 4.0, 4.5, 3.0, 3.5, 3.2, 3.1, 1.0]
    assert [Fed(numbers).ends_after(nn.EarlyStopping(n)) for n in (1, 2, 3, 4)] == [
        (3, 2.0),
        (6, 4.0),
        (7, 4.0),
        (8, 8.0),
    ]


def test_restore_best_false_keeps_the_last():
    assert Fed([1.0, 2.0, 3.0]).ends_after(nn.EarlyStopping(2, restore_best=False)) == (3, 3.0)


def test_min_delta_is_how_much_better_an_epoch_must_be():
    numbers = [1.0, 0.9, 0.8, 0.7, 0.6]
    assert Fed(numbers).ends_after(nn.EarlyStopping(2, min_delta=0.05)) == (5, 5.0)
    assert Fed(numbers).ends_after(nn.EarlyStopping(2, min_delta=0.5)) == (3, 1.0)
    assert Fed([1.0, 0.5, 0.5]).ends_after(nn.EarlyStopping(1, min_delta=0.5)) == (2, 1.0)


def test_monitor_and_mode():
    up = Fed([0.5, 0.6, 0.7, 0.1, 0.2], "accuracy")
    assert up.ends_after(nn.EarlyStopping(2, monitor="accuracy", mode="max")) == (5, 3.0)
    assert up.ends_after(nn.EarlyStopping(2, monitor="accuracy", mode="min")) == (3, 1.0)
    assert up.ends_after(nn.EarlyStopping(4, monitor="loss")) == (5, 1.0)
    down = Fed([3.0, 2.0, 1.0], "validation")
    assert down.ends_after(nn.EarlyStopping(1)) == (3, 3.0)
    assert down.ends_after(nn.EarlyStopping(1, monitor="loss")) == (2, 1.0)
    assert down.ends_after(nn.EarlyStopping(1, mode="max")) == (2, 1.0)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_nan_and_infinity_are_never_better(mode):
    sign = 1.0 if mode == "min" else -1.0
    stopping = nn.EarlyStopping(3, mode=mode)
    assert Fed([math.nan] * 5).ends_after(stopping) == (3, 3.0)
    inf = sign * math.inf
    assert Fed([inf, inf, inf, inf, inf]).ends_after(stopping) == (4, 1.0)
    assert Fed([inf, 2.0 * sign, sign, math.nan]).ends_after(stopping) == (4, 3.0)
    assert Fed([math.nan, sign, 2.0 * sign, math.nan, inf]).ends_after(stopping) == (5, 2.0)


def test_the_best_is_restored_however_the_run_ends():
    weights, history = weights_by_epoch(7)
    best = min(range(7), key=history.validation.__getitem__)
    assert best != 6
    assert run([nn.EarlyStopping(100)], 7)[0].state_dict() == weights[best]
    callbacks = [nn.EarlyStopping(100), lambda m, h: len(h) == 7]
    assert run(callbacks)[0].state_dict() == weights[best]


def test_an_exception_leaves_the_last_weights():
    weights, _ = weights_by_epoch(7)
    net = model()

    def interrupt(net, history):
        if len(history) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([nn.EarlyStopping(100), interrupt], net=net)
    assert net.state_dict() == weights[6]


def test_one_object_serves_one_run_after_the_other():
    stopping = nn.EarlyStopping(2)
    results = [[p.data for p in run([stopping])[0].parameters()] for _ in range(2)]
    assert results[0] == results[1]
    assert results[0] == [p.data for p in run([nn.EarlyStopping(2)])[0].parameters()]
    net, history = run([stopping], 0)
    assert len(history) == 0
    assert net.state_dict() == model().state_dict()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.EarlyStopping(0), "patience must be a whole number of at least 1, not 0"),
        (lambda: nn.EarlyStopping(True), "patience must be a whole number"),
        (lambda: nn.EarlyStopping(2.5), "patience must be a whole number"),
        (lambda: nn.EarlyStopping(1, min_delta=-0.1), r"min_delta must be in \[0, inf\), not -0.1"),
        (lambda: nn.EarlyStopping(1, min_delta=math.nan), "min_delta must be"),
        (lambda: nn.EarlyStopping(1, mode="up"), 'mode must be "min" or "max", not \'up\''),
        (lambda: nn.ModelCheckpoint("a", mode=1), 'ModelCheckpoint: mode must be "min" or "max"'),
        (lambda: nn.Histograms(0), "Histograms: bins must be a whole number of at least 1, not 0"),
        (lambda: run([nn.EarlyStopping(1, monitor="acc")]), r"no 'acc' to monitor; there are"),
        (lambda: run([nn.EarlyStopping(1, monitor="accuracy")]), 'say mode="max" if more of'),
    ],
)
def test_wrong_settings_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# --------------------------------------------------------------------- going on from a checkpoint


def all_callbacks(folder):
    return [
        nn.EarlyStopping(4, min_delta=1e-3),
        nn.ModelCheckpoint(folder / "best.json"),
        nn.CSVLogger(folder / "log.csv"),
        nn.Histograms(5),
    ]


def results(net, history, callbacks, folder):
    """Return all that a run leaves but the times it took."""
    twin = model()
    twin.load(folder / "best.json")
    with open(folder / "log.csv", newline="") as file:
        lines = [line[:-1] for line in csv.reader(file)]
    kept = [vars(callback) for callback in callbacks if not isinstance(callback, nn.CSVLogger)]
    kept = [{k: x for k, x in one.items() if k != "path"} for one in kept]
    numbers = [history.loss, history.validation, history.metrics]
    return net.state_dict(), twin.state_dict(), lines, kept, numbers


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("every", [1, 2])
def test_callbacks_survive(tmp_path, every, compiled):
    if compiled:
        pytest.importorskip("llvmlite")

    def part(folder, epochs, checkpoint=None):
        callbacks = all_callbacks(folder)
        keywords = {"compiled": compiled, "checkpoint_every": every, "batch_size": 7}
        net, history = run(callbacks, epochs, checkpoint=checkpoint, **keywords)
        return results(net, history, callbacks, folder)

    (tmp_path / "whole").mkdir()
    want = part(tmp_path / "whole", EPOCHS)
    length = len(want[4][0])
    assert 4 < length < EPOCHS
    for stop in range(1, length + 1):
        folder = tmp_path / str(stop)
        folder.mkdir()
        part(folder, stop, folder / "run.json")
        for _ in range(3):  # on the way to its end, and twice after it
            assert part(folder, EPOCHS, folder / "run.json") == want
    assert len(want[2]) == length + 1


def test_weights_restored_in_the_end_are_not_those_to_go_on_from(tmp_path):
    want = run([nn.EarlyStopping(100)])[0].state_dict()
    run([nn.EarlyStopping(100)], 7, checkpoint=tmp_path / "run.json")
    found = run([nn.EarlyStopping(100)], checkpoint=tmp_path / "run.json")[0].state_dict()
    assert found == want


def test_another_patience_is_another_run(tmp_path):
    path = tmp_path / "run.json"
    run([nn.EarlyStopping(2)], checkpoint=path)
    for other in ([nn.EarlyStopping(3)], [], [nn.EarlyStopping(2, min_delta=0.1)]):
        with pytest.raises(ValueError, match=r"another run: early stopping was 'EarlyStopping\("):
            run(other, checkpoint=path)


def test_callbacks_begin_anew_where_compiled_code_turns_out_stale(tmp_path, monkeypatch):
    pytest.importorskip("llvmlite")
    callbacks = all_callbacks(tmp_path)
    want = results(*run(callbacks, 4), callbacks, tmp_path)
    calls = []
    real = nn._objective.CompiledObjective.__call__

    def stale(self, at, indices):
        calls.append(1)
        if len(calls) == 3:
            raise nn._objective.autograd.StaleKernel("found out")
        return real(self, at, indices)

    monkeypatch.setattr(nn._objective.CompiledObjective, "__call__", stale)
    with pytest.warns(RuntimeWarning, match="starts again from where it began"):
        found = run(callbacks, 4, compiled=True)
    assert results(*found, callbacks, tmp_path) == want


# ------------------------------------------------------------------------------- files


def test_model_checkpoint_saves_the_best_or_the_last(tmp_path):
    weights, history = weights_by_epoch()
    best = min(range(EPOCHS), key=history.validation.__getitem__)
    assert best != EPOCHS - 1
    cases = [
        ({}, best),
        ({"best": False}, EPOCHS - 1),
        ({"monitor": "loss"}, min(range(EPOCHS), key=history.loss.__getitem__)),
        (
            {"monitor": "accuracy", "mode": "max"},
            max(range(EPOCHS), key=history.metrics["accuracy"].__getitem__),
        ),
        ({"mode": "max"}, max(range(EPOCHS), key=history.validation.__getitem__)),
    ]
    for keywords, epoch in cases:
        run([nn.ModelCheckpoint(tmp_path / "w.json", **keywords)])
        net = model()
        net.load(tmp_path / "w.json")
        assert net.state_dict() == weights[epoch], keywords


def test_csv_logger_writes_the_history_exactly(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("of another run\n" * 3)
    seen = []
    _, history = run([nn.CSVLogger(path), lambda m, h: seen.append(path.read_text())], 3)
    lines = list(csv.reader(seen[-1].splitlines()))
    assert lines[0] == ["epoch", "loss", "validation", "accuracy", "seconds"]
    columns = [
        history.loss,
        history.validation,
        history.metrics["accuracy"],
        history.seconds,
    ]
    for i in range(3):
        assert lines[i + 1][0] == str(i + 1)
        assert list(map(float, lines[i + 1][1:])) == [column[i] for column in columns]
        assert seen[i] == seen[-1][: len(seen[i])]
    run([nn.CSVLogger(path)], 2, validation=None, metrics={'a,"b"': nn.accuracy})
    assert next(csv.reader(path.read_text().splitlines())) == ["epoch", "loss", 'a,"b"', "seconds"]


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("x"), lambda path: path.unlink()])
def test_a_log_that_somebody_changed_is_written_anew(spoil, tmp_path):
    path = tmp_path / "log.csv"
    run([nn.CSVLogger(path), lambda m, h: len(h) == 2 and spoil(path) and None], 3)
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == ["epoch", *"123"]


@pytest.mark.parametrize("kind", [nn.CSVLogger, nn.ModelCheckpoint])
def test_a_folder_that_is_not_there_is_said_before_training(kind, tmp_path):
    net = model()
    with pytest.raises(FileNotFoundError, match=f"{kind.__name__}: there is no folder"):
        run([kind(tmp_path / "none" / "file")], net=net)
    assert net.state_dict() == model().state_dict()


# --------------------------------------------------------------------------- histograms


def test_histograms_count_weights_and_gradients():
    weights, _ = weights_by_epoch(3)
    histograms = nn.Histograms(bins=4)
    gradients = []

    class Keep(nn.Callback):
        def gradient(self, model, parameters, numbers):
            names = [name for name, _ in model.named_parameters()]
            gradients.append(dict(zip(names, numbers, strict=True)))

    run([histograms, Keep()], 3)
    assert set(histograms.weights) == set(histograms.gradients) == {"layers.0", "layers.1"}
    for found, numbers in ((histograms.weights, weights), (histograms.gradients, gradients)):
        for part, column in found.items():
            for i, entry in enumerate(column):
                inside = [x for name, x in numbers[i].items() if name.startswith(part)]
                assert entry == counted(inside, 4) | {"epoch": i + 1}
                assert sum(entry["counts"]) == len(inside) == (12 if part == "layers.0" else 5)


def test_the_gradient_is_that_of_the_last_batch():
    x, y = data()
    before, found = [model().state_dict()], []

    class Keep(nn.Callback):
        def gradient(self, model, parameters, numbers):
            before.append(model.state_dict())
            found.append(numbers)

    for compiled in (False, True):
        run([Keep()], 2, compiled=compiled)
    net = model()
    for i in (0, 1):
        net.load_state_dict(before[i])
        net.zero_grad()
        losses = [nn.squared_error(net(a), b) for a, b in zip(x, y, strict=True)]
        (sum(losses) / len(losses)).backward()
        assert found[i] == pytest.approx([p.grad for p in net.parameters()], rel=1e-12)
    assert found[:2] == found[2:]


def test_frozen_parameters_have_no_gradients_to_count():
    net = model()
    x, y = data()
    histograms = nn.Histograms()
    optimizer = nn.SGD(net.layers[1].parameters())
    nn.fit(net, x, y, nn.squared_error, optimizer, 2, callbacks=[histograms])
    assert list(histograms.gradients) == ["layers.1"]
    assert list(histograms.weights) == ["layers.0", "layers.1"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("layers.0.neurons.1.w.0", "layers.0"),
        ("net.layers.2.neurons.1.b", "net.layers.2"),
        ("w.0", "w"),
        ("table.3.4", "table"),
        ("b", "b"),
        ("head.w.12", "head.w"),
        ("0.w.1", "0.w"),
    ],
)
def test_parts_of_a_model(name, part):
    assert part_of(name) == part


def test_counts_at_the_edges():
    assert counted([0.0, 0.25, 0.5, 1.0], 2) == {"low": 0.0, "high": 1.0, "counts": [2, 2]}
    assert counted([3.0] * 5, 3)["counts"] == [5, 0, 0]
    assert counted([0.0], 1)["counts"] == [1]
    assert counted([-1.7e308, 0.0, 1.7e308], 3)["counts"] == [1, 1, 1]


def test_histograms_plot(tmp_path):
    pytest.importorskip("matplotlib")
    histograms = nn.Histograms()
    with pytest.raises(ValueError, match="no weights were counted yet"):
        histograms.plot()
    run([histograms], 3)
    with pytest.raises(ValueError, match='which must be "weights" or "gradients"'):
        histograms.plot(which="biases")
    for which in ("weights", "gradients"):
        figure = histograms.plot(tmp_path / "h.png", which)
        assert (tmp_path / "h.png").stat().st_size > 1000
        assert [axes.get_title() for axes in figure.axes] == ["layers.0", "layers.1"]
        image = figure.axes[0].images[0].get_array()
        assert image.shape == (100, 3)
        assert [max(image[:, i]) for i in range(3)] == [1.0] * 3


def test_what_a_callback_of_ones_own_is_told(tmp_path):
    told = []

    class Mine(nn.Callback):
        def begin(self, model):
            told.append("begin")

        def gradient(self, model, parameters, numbers):
            assert all(isinstance(p, Value) for p in parameters)
            told.append(len(numbers))

        def __call__(self, model, history):
            told.append("call")
            return len(history) == 2

        def end(self, model, history):
            told.append("end")

    run([Mine(), nn.Callback()], checkpoint=tmp_path / "run.json")
    assert told == ["begin", 17, "call", 17, "call", "end"]
    run([Mine()], 0)
    assert told[6:] == ["begin", "end"]
