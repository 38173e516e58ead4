"""fit: its numbers against NumPy, its errors, its checkpoints, and a run killed again and again."""

import json
import math
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd import Value, log
from autograd.documents import read_document, write_document

ROOT = Path(__file__).parents[2]
CHECKPOINT = "scalar-autograd checkpoint"
MOONS = ROOT.parent / "shared" / "data" / "micrograd_moons_demo.json"


def model_and_data(count=12):
    x, y = nn.two_moons(count, 0.1, random.Random(3))
    return nn.MLP(2, [4, 1], rng=random.Random(2)), x, y


def by_numpy(model, x, y, rate, epochs, batch_size, penalty=0.0, orders=None):
    """Return losses and parameters of a 2-4-1 ReLU network trained on squared error by hand."""
    hidden, output = model.layers
    w = np.array([[p.data for p in n.w] for n in hidden.neurons])
    b = np.array([n.b.data for n in hidden.neurons])
    v = np.array([p.data for p in output.neurons[0].w])
    c = output.neurons[0].b.data
    x, y, losses = np.array(x), np.array(y), []
    for epoch in range(epochs):
        order = orders[epoch] if orders else np.arange(len(x))
        total = 0.0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            z = x[rows] @ w.T + b
            h = np.maximum(z, 0.0)
            e = h @ v + c - y[rows]
            squares = sum(np.sum(p * p) for p in (w, b, v, np.array(c)))
            total += np.sum(e * e) + len(rows) * penalty * squares
            d = 2 * e / len(rows)
            dh = np.outer(d, v) * (z > 0)
            gv, gc = h.T @ d + 2 * penalty * v, d.sum() + 2 * penalty * c
            w, b = (
                w - rate * (dh.T @ x[rows] + 2 * penalty * w),
                b - rate * (dh.sum(axis=0) + 2 * penalty * b),
            )
            v, c = v - rate * gv, c - rate * gc
        losses.append(total / len(x))
    return losses, [*np.column_stack([w, b]).ravel(), *v, c]


@pytest.mark.parametrize(("batch_size", "penalty"), [(12, 0.0), (5, 0.0), (4, 0.01)])
def test_the_numbers_are_those_of_matrices(batch_size, penalty):
    model, x, y = model_and_data()
    want, numbers = by_numpy(model, x, y, 0.05, 6, batch_size, penalty)
    history = nn.fit(
        model,
        x,
        y,
        nn.squared_error,
        nn.SGD(model.parameters(), lr=0.05),
        6,
        batch_size,
        penalty=(lambda p: nn.l2(p, penalty)) if penalty else None,
        seed=None,
    )
    assert history.loss == pytest.approx(want, rel=1e-12)
    assert [p.data for p in model.parameters()] == pytest.approx(numbers, rel=1e-11)
    assert not any(p.grad for p in model.parameters())


def test_a_seed_shuffles_and_repeats():
    def run(seed):
        model, x, y = model_and_data()
        optimizer = nn.SGD(model.parameters(), lr=0.05)
        nn.fit(model, x, y, nn.squared_error, optimizer, 3, 5, seed=seed)
        return [p.data for p in model.parameters()]

    state = random.getstate()
    assert run(1) == run(1)
    assert run(1) != run(2) != run(None)
    assert random.getstate() == state


@pytest.mark.skipif(not MOONS.exists(), reason=f"the published training is not at {MOONS}")
def test_the_published_two_moons_training_replays():
    published = json.loads(MOONS.read_text(encoding="utf-8"))
    x, y = published["X"], published["y"]
    model = nn.MLP(2, [16, 16, 1], rng=random.Random(1337))
    assert [p.data for p in model.parameters()] == published["params0"]
    accuracies = [nn.accuracy(nn.predict(model, x), y)]
    history = nn.fit(
        model,
        x,
        y,
        nn.hinge,
        nn.SGD(model.parameters(), lr=nn.Linear(1.0, 0.1, 100)),
        100,
        penalty=lambda parameters: nn.l2(parameters, 1e-4),
        metrics={"accuracy": nn.accuracy},
        compiled=False,
    )
    accuracies += history.metrics["accuracy"][:-1]
    trace = published["published_loss_accuracy_trace"]
    assert history.loss == pytest.approx([row[1] for row in trace], abs=1e-10)
    assert [100.0 * a for a in accuracies] == [row[2] for row in trace]
    assert [p.data for p in model.parameters()] == pytest.approx(
        published["params_after_100_steps"], abs=1e-10
    )


def test_history_has_validation_metrics_times_and_a_plot(tmp_path):
    model, x, y = model_and_data()
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    seen = []
    history = nn.fit(
        model,
        x,
        y,
        nn.hinge,
        optimizer,
        4,
        5,
        validation=(x[:6], y[:6]),
        metrics={"accuracy": nn.accuracy},
        callbacks=[lambda m, h: seen.append((m.state_dict(), h.validation[-1]))],
    )
    assert len(history) == len(history.seconds) == len(history.metrics["accuracy"]) == 4
    assert all(second > 0.0 for second in history.seconds)
    twin = nn.MLP(2, [4, 1])
    for state, validation in seen:
        twin.load_state_dict(state)
        losses = [nn.hinge(twin(a), b).data for a, b in zip(x[:6], y[:6], strict=True)]
        assert validation == pytest.approx(sum(losses) / 6, rel=1e-14)
    found = nn.evaluate(model, x[:6], y[:6], nn.hinge, {"accuracy": nn.accuracy})
    assert found == {
        "loss": history.validation[-1],
        "accuracy": history.metrics["accuracy"][-1],
    }
    pytest.importorskip("matplotlib")
    figure = history.plot(tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 1000
    lines = [line for axes in figure.axes for line in axes.lines]
    assert [list(line.get_ydata()) for line in lines] == [
        history.loss,
        history.validation,
        history.metrics["accuracy"],
    ]


def test_a_callback_ends_the_training():
    model, x, y = model_and_data()
    optimizer = nn.SGD(model.parameters())
    history = nn.fit(
        model, x, y, nn.hinge, optimizer, 100, callbacks=[lambda m, h: len(h) == 3, lambda m, h: 0]
    )
    assert len(history) == 3


def test_arrays_and_lists_are_the_same_data():
    histories = []
    for convert in (lambda d: d, np.array, lambda d: np.array(d, dtype=object)):
        model, x, y = model_and_data()
        optimizer = nn.SGD(model.parameters())
        histories.append(nn.fit(model, convert(x), convert(y), nn.hinge, optimizer, 2).loss)
    assert histories[0] == histories[1] == histories[2]


def test_lbfgs_trains_in_few_epochs():
    pytest.importorskip("scipy")
    model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
    x, y = nn.xor()
    loss = nn.binary_cross_entropy_with_logits
    history = nn.fit(model, x, y, loss, nn.LBFGS(model.parameters(), max_iter=10), 6)
    assert history.loss[0] > 0.5
    assert nn.evaluate(model, x, y, loss)["loss"] < 1e-3
    assert nn.accuracy(nn.predict(model, x), y) == 1.0


# ---------------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": [[1.0, 2.0]]}, "x has 1 rows but y has 12"),
        ({"x": [], "y": []}, "empty"),
        ({"x": [[1.0, math.nan]] * 12}, "x: row 0 holds nan"),
        ({"y": [1.0] * 11 + [math.inf]}, "y: row 11 is inf"),
        ({"validation": ([[1.0, 2.0]], [1.0, 2.0])}, "validation x has 1 rows"),
        ({"optimizer": nn.SGD([Value(1.0)])}, "not over this model's parameters"),
        ({"x": [[1.0, 10**400]] * 12}, "x: row 0 holds a number too large for a float"),
        ({"y": [10**400] * 12}, "y: row 0 is too large for a float"),
        ({"epochs": -1}, "epochs must be at least 0, not -1"),
        ({"checkpoint_every": 0}, "checkpoint_every must be at least 1, not 0"),
        ({"batch_size": 0}, "size must be at least 1, not 0"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_trained(change, words):
    model, x, y = model_and_data()
    before = model.state_dict()
    arguments = {"x": x, "y": y, "optimizer": nn.SGD(model.parameters()), "epochs": 1} | change
    with pytest.raises(ValueError, match=words):
        nn.fit(model, loss=nn.hinge, **arguments)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 1.0}, r"epochs must be a whole number, not 1\.0"),
        ({"epochs": "1"}, "epochs must be a whole number, not '1'"),
        ({"batch_size": 2.5}, r"batch_size must be a whole number, not 2\.5"),
        ({"batch_size": True}, "batch_size must be a whole number, not True"),
        ({"checkpoint_every": 1.5}, r"checkpoint_every must be a whole number, not 1\.5"),
        ({"loss": None}, "loss must be a function, not None"),
        ({"penalty": 0.1}, r"penalty must be a function, not 0\.1"),
        ({"penalty": lambda p: 0.0}, r"the penalty must be a Value, not 0\.0"),
        ({"metrics": [nn.accuracy]}, "metrics must be functions by name"),
        ({"metrics": {"a": 3}}, "the metric 'a' must be a function, not 3"),
        ({"callbacks": print}, "callbacks must be a list of functions"),
        ({"callbacks": 3}, "callbacks must be a list of functions, not 3"),
        ({"callbacks": [3]}, "callback 0 must be a function, not 3"),
        ({"validation": 3}, r"validation must be a pair \(x, y\), not 3"),
        ({"validation": ([[1.0, 2.0]],)}, "validation must be a pair"),
        ({"optimizer": "adam"}, "optimizer must be one of nn's, such as nn.Adam, not 'adam'"),
        ({"x": [1.0] * 12}, r"takes a list of 2 inputs, not 1\.0"),
    ],
)
def test_wrong_kinds_of_arguments_are_named_and_nothing_is_trained(change, words):
    model, x, y = model_and_data()
    before = model.state_dict()
    arguments = {"x": x, "y": y, "optimizer": nn.SGD(model.parameters()), "epochs": 1}
    with pytest.raises(TypeError, match=words):
        nn.fit(model, **{"loss": nn.hinge} | arguments | change)
    assert model.state_dict() == before


def test_callbacks_from_a_generator_are_called_after_every_epoch():
    model, x, y = model_and_data()
    called = []
    callbacks = (lambda model, history, i=i: called.append(i) for i in range(2))
    nn.fit(model, x, y, nn.hinge, nn.SGD(model.parameters()), 3, callbacks=callbacks)
    assert called == [0, 1] * 3


def test_the_trained_parameters_hold_for_a_run():
    model, x, y = model_and_data()
    optimizer = nn.SGD(model.parameters(), momentum=0.9)
    reverse = lambda model, history: optimizer.parameters.reverse()  # noqa: E731
    with pytest.raises(ValueError, match=r"a callback changed optimizer\.parameters"):
        nn.fit(model, x, y, nn.hinge, optimizer, 3, callbacks=[reverse])


@pytest.mark.parametrize("call", [nn.predict, lambda m, x: nn.evaluate(m, x, [0.0], nn.hinge)])
def test_outputs_that_are_no_numbers_are_named(call):
    class Named(nn.Module):
        def __init__(self):
            self.w = Value(1.0)

        def forward(self, x):
            return {"a": self.w * x[0]}

    with pytest.raises(TypeError, match=r"output must be a number or a list of .* not {'a'"):
        call(Named(), [[1.0]])


def test_outputs_may_be_whole_numbers_and_rows_of_rows():
    class Constant(nn.Module):
        def __init__(self, output):
            self.output = output

        def forward(self, x):
            return self.output

    assert repr(nn.predict(Constant(3), [[1.0]])) == "[3.0]"
    nested = Constant([[Value(1.0), 2], (3.0,)])
    assert nn.predict(nested, [[1.0]]) == [[[1.0, 2.0], [3.0]]]
    loss = lambda output, target: output[0][1] * output[1][0] - target  # noqa: E731
    assert nn.evaluate(nested, [[1.0]], [2.0], loss) == {"loss": 4.0}


def test_a_loss_must_be_a_value():
    model, x, y = model_and_data()
    with pytest.raises(TypeError, match=r"the loss of a sample must be a Value, not 1\.0"):
        nn.fit(model, x, y, lambda o, t: 1.0, nn.SGD(model.parameters()), 1)


# ------------------------------------------------------------------- numbers that are not finite


def test_a_nan_loss_names_epoch_batch_sample_and_operation():
    model = nn.Neuron(1, "identity", bias=False, init=[1.0])
    x, y = [[3.0], [2.0], [0.5], [0.25]], [0.0] * 4

    def loss(output, target):
        return log(output - 0.3)  # the weight falls until 0.25 w is below 0.3

    optimizer = nn.SGD(model.parameters(), lr=0.01)
    with pytest.raises(
        nn.NonFiniteLoss, match=r"loss nan in epoch 1, batch 2: sample 3: log\("
    ) as e:
        nn.fit(model, x, y, loss, optimizer, 5, 2, seed=None, compiled=False)
    assert (e.value.epoch, e.value.batch) == (1, 2)
    w = 1.0 - 0.01 * (3.0 / (3.0 - 0.3) + 2.0 / (2.0 - 0.3)) / 2
    assert model.w[0].data == pytest.approx(w, rel=1e-14)


def test_an_infinite_gradient_of_a_finite_loss_is_found():
    model = nn.Neuron(1, "sqrt", bias=False, init=[1.0])
    with pytest.raises(nn.NonFiniteLoss, match=r"gradient that is not finite .* sqrt"):
        nn.fit(model, [[0.0]], [0.0], lambda o, t: o, nn.SGD(model.parameters()), 1, compiled=False)


def test_a_penalty_that_is_not_finite_is_found():
    model = nn.Neuron(1, "identity", init=[1.0, 0.0])
    optimizer = nn.SGD(model.parameters())
    with pytest.raises(nn.NonFiniteLoss, match=r"penalty: .*log\("):
        nn.fit(model, [[1.0]], [1.0], nn.hinge, optimizer, 1, penalty=lambda p: log(p[1] * 1.0))


def test_diverging_training_stops():
    model, x, y = model_and_data()
    optimizer = nn.SGD(model.parameters(), lr=1e200)
    with pytest.raises(nn.NonFiniteLoss, match=r"epoch [23], batch 1"):
        nn.fit(model, x, y, nn.squared_error, optimizer, 10)
    assert all(math.isfinite(p.data) for p in model.parameters())


# ----------------------------------------------------------------------------------- interrupts


def test_ctrl_c_leaves_the_parameters_of_the_last_whole_batch():
    model, x, y = model_and_data()
    reference, _, _ = model_and_data()
    nn.fit(reference, x, y, nn.hinge, nn.SGD(reference.parameters()), 2, 4)
    calls = 0

    def loss(output, target):
        nonlocal calls
        calls += 1
        if calls == 2 * 12 + 2:
            raise KeyboardInterrupt
        return nn.hinge(output, target)

    with pytest.raises(KeyboardInterrupt):
        nn.fit(model, x, y, loss, nn.SGD(model.parameters()), 100, 4, compiled=False)
    assert model.state_dict() == reference.state_dict()
    assert isinstance(model(x[0]).data, float)


INTERRUPTED = """
import random, sys
import nn
x, y = nn.two_moons(20, 0.1, random.Random(3))
model = nn.MLP(2, [4, 1], rng=random.Random(2))
optimizer = nn.Adam(model.parameters(), lr=0.01)
try:
    print("ready", flush=True)
    nn.fit(model, x, y, nn.hinge, optimizer, 10**9, 5, compiled=False)
except KeyboardInterrupt:
    print(optimizer.steps, *[p.data.hex() for p in model.parameters()])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to a process group there")
def test_a_real_ctrl_c_leaves_the_parameters_of_a_whole_batch():
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        steps, *bits = run.stdout.read().split()
    assert run.returncode == 0
    # Interrupted while it updates, the optimiser has counted an update that the model has not got.
    assert bits in [after_updates(int(steps)), after_updates(int(steps) - 1)]


def after_updates(count):
    """Return the parameters of the run above after so many batches, four to an epoch."""
    x, y = nn.two_moons(20, 0.1, random.Random(3))
    model = nn.MLP(2, [4, 1], rng=random.Random(2))
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    epochs, rest = divmod(count, 4)
    nn.fit(model, x, y, nn.hinge, optimizer, epochs, 5, compiled=False)
    order = list(range(20))
    random.Random(f"0/{epochs + 1}").shuffle(order)
    for start in range(0, 5 * rest, 5):
        batch = order[start : start + 5]
        part = [x[i] for i in batch], [y[i] for i in batch]
        nn.fit(model, *part, nn.hinge, optimizer, 1, compiled=False)
    return [p.data.hex() for p in model.parameters()]


# ---------------------------------------------------------------------------------- checkpoints


def checkpointed(path, epochs, kind=nn.Adam, **keywords):
    model, x, y = model_and_data()
    optimizer = kind(model.parameters(), lr=nn.Cosine(0.05, 0.001, 30))
    history = nn.fit(
        model,
        x,
        y,
        nn.hinge,
        optimizer,
        epochs,
        5,
        metrics={"accuracy": nn.accuracy},
        validation=(x, y),
        checkpoint=path,
        **keywords,
    )
    return model, history


def bits(model, history):
    return (
        [p.data.hex() for p in model.parameters()],
        [number.hex() for number in history.loss + history.validation],
        history.metrics,
    )


@pytest.mark.parametrize("kind", [nn.Adam, nn.RMSProp, nn.SGD])
def test_a_resumed_run_has_the_bits_of_a_whole_one(tmp_path, kind):
    whole = bits(*checkpointed(None, 9, kind))
    for epochs in (2, 5, 5, 9):
        part = checkpointed(tmp_path / "run.json", epochs, kind)
    assert bits(*part) == whole
    assert bits(*checkpointed(tmp_path / "run.json", 9, kind)) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_schedule_that_is_a_function_may_be_another_object_next_time(tmp_path):
    def run(epochs, path):
        model, x, y = model_and_data()
        optimizer = nn.SGD(model.parameters(), lr=lambda k: 0.1 / (k + 1))
        nn.fit(model, x, y, nn.hinge, optimizer, epochs, checkpoint=path)
        return model.state_dict()

    run(2, tmp_path / "run.json")
    assert run(4, tmp_path / "run.json") == run(4, None)


def test_checkpoints_every_so_many_epochs(tmp_path):
    path = tmp_path / "run.json"
    epochs = []

    def note(model, history):
        if path.exists():
            epochs.append((len(history), len(json.loads(path.read_text())["history"]["loss"])))

    checkpointed(path, 8, checkpoint_every=3, callbacks=[note])
    assert epochs == [(4, 3), (5, 3), (6, 3), (7, 6), (8, 6)]  # written after the callbacks
    assert len(json.loads(path.read_text())["history"]["loss"]) == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run": {}}, "batch_size was None and is 5"),
        ({"began": {}}, "'code'"),
        ({"began": {"optimizer": {"kind": "SGD"}, "code": {}}}, "optimizer.kind was 'SGD'"),
        ({"state": []}, "damaged"),
        ({"parameters": {}}, "missing"),
        ({"optimizer": {"kind": "SGD"}}, "SGD"),
        ({"history": {"loss": [1.0]}}, "metrics were"),
        ({"history": {"losses": []}}, "losses"),
    ],
)
def test_a_damaged_checkpoint_is_refused_and_changes_nothing(tmp_path, change, words):
    path = tmp_path / "run.json"
    checkpointed(path, 2)
    write_document(path, CHECKPOINT, 2, read_document(path, CHECKPOINT, 2) | change)
    model, x, y = model_and_data()
    before = model.state_dict()
    optimizer = nn.Adam(model.parameters(), lr=nn.Cosine(0.05, 0.001, 30))
    with pytest.raises(ValueError, match=words):
        nn.fit(
            model,
            x,
            y,
            nn.hinge,
            optimizer,
            4,
            5,
            metrics={"accuracy": nn.accuracy},
            validation=(x, y),
            checkpoint=path,
        )
    assert model.state_dict() == before
    assert optimizer.state_dict() == nn.Adam(model.parameters()).state_dict()


@pytest.mark.parametrize(
    ("format", "version", "words"),
    [
        (CHECKPOINT, 7, "version 7"),
        ("scalar-autograd weights", 2, "not a file of scalar-autograd checkpoint"),
    ],
)
def test_a_checkpoint_of_another_format_or_version_is_refused(tmp_path, format, version, words):
    path = tmp_path / "run.json"
    checkpointed(path, 2)
    write_document(path, format, version, read_document(path, CHECKPOINT, 2))
    with pytest.raises(ValueError, match=words):
        checkpointed(path, 4)


def test_every_flipped_bit_of_a_checkpoint_is_found(tmp_path):
    path = tmp_path / "run.json"
    checkpointed(path, 1)
    whole = path.read_bytes()
    rng = random.Random(1)
    for place in rng.sample(range(len(whole)), 500):
        flipped = bytes([whole[place] ^ (1 << rng.randrange(8))])
        path.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with pytest.raises(ValueError, match=r"run\.json: "):
            read_document(path, CHECKPOINT, 2)
    with pytest.raises(ValueError, match=r"run\.json: "):
        checkpointed(path, 2)


@pytest.mark.parametrize("which", ["x", "y"])
@pytest.mark.parametrize("sample", [0, 7, 11])
def test_a_checkpoint_knows_every_number_of_its_data(tmp_path, which, sample):
    path = tmp_path / "run.json"

    def run(x, y):
        model, _, _ = model_and_data()
        nn.fit(model, x, y, nn.hinge, nn.SGD(model.parameters()), 1, 5, checkpoint=path)

    _, x, y = model_and_data()
    run(x, y)
    run(x, y)  # the same data
    if which == "x":
        x[sample][1] = math.nextafter(x[sample][1], 9.0)
    else:
        y[sample] = -y[sample]
    with pytest.raises(ValueError, match="of another run: data was"):
        run(x, y)


def test_a_checkpoint_of_other_data_or_seed_is_refused(tmp_path):
    path = tmp_path / "run.json"
    checkpointed(path, 2)
    with pytest.raises(ValueError, match="of another run: seed was 0 and is 1"):
        checkpointed(path, 3, seed=1)
    model, x, y = model_and_data()
    x[3][1] += 1e-12
    optimizer = nn.Adam(model.parameters(), lr=nn.Cosine(0.05, 0.001, 30))
    with pytest.raises(ValueError, match="of another run: data was"):
        nn.fit(model, x, y, nn.hinge, optimizer, 3, 5, checkpoint=path)


TRAINING = """
import random, sys
import nn
x, y = nn.two_moons(20, 0.1, random.Random(3))
model = nn.MLP(2, [4, 1], rng=random.Random(2))
print("ready", flush=True)
history = nn.fit(model, x, y, nn.hinge, nn.Adam(model.parameters(), lr=0.01), 60, 5,
                 checkpoint=sys.argv[1], compiled=False)
print(*[p.data.hex() for p in model.parameters()], *[loss.hex() for loss in history.loss])
"""


def start(path):
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_bits(tmp_path):
    rng = random.Random(11)
    with start(tmp_path / "whole.json") as run:
        assert run.stdout.readline() == "ready\n"
        ready = time.perf_counter()
        whole = run.stdout.read()
    assert len(whole.split()) == 17 + 60
    length = time.perf_counter() - ready

    path = tmp_path / "killed.json"
    epochs = []
    for _ in range(20):
        with start(path) as run:
            assert run.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.0, length / 5))
            run.send_signal(signal.SIGKILL)
            run.stdout.read()
        if path.exists():
            epochs.append(len(json.loads(path.read_text())["history"]["loss"]))
            if epochs[-1] == 60:
                path.unlink()  # done before the kill: begin again
    assert any(0 < epoch < 60 for epoch in epochs)
    with start(path) as run:
        run.stdout.readline()
        assert run.stdout.read() == whole


# ------------------------------------------------------------------------------ a trained model


def test_predict_gives_plain_numbers():
    model, x, _ = model_and_data()
    assert nn.predict(model, np.array(x)) == [model(row).data for row in x]
    layer = nn.Layer(2, 3)
    assert nn.predict(layer, x[:1]) == [[y.data for y in layer(x[0])]]


@pytest.mark.parametrize("compiled", [False, True])
def test_an_update_that_overflows_is_no_training(compiled, tmp_path):
    if compiled:
        pytest.importorskip("llvmlite")
    model = nn.Neuron(1, "identity", init=[1.0, 0.0])
    optimizer = nn.SGD(model.parameters(), lr=1e308)
    with pytest.raises(
        nn.NonFiniteLoss, match=r"update of epoch 1, batch 1 makes parameter 0 .*inf"
    ):
        nn.fit(
            model,
            [[30.0]],
            [-1.0],
            nn.hinge,
            optimizer,
            1,
            compiled=compiled,
            checkpoint=tmp_path / "run.json",
        )
    assert model.state_dict() == {"w.0": 1.0, "b": 0.0}
    assert optimizer.steps == 0
