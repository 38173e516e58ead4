"""Runs that go on from a file: the same bits, or a sentence that says what is another."""

import functools
import json
import math
import random

import pytest

import nn
from autograd import Value

np = pytest.importorskip("numpy")


def data(count=12):
    return nn.two_moons(count, 0.1, random.Random(3))


def neuron():
    return nn.Neuron(2, "tanh", rng=random.Random(1))


def bits(model, history):
    columns = [history.loss, history.validation, *history.metrics.values()]
    return [p.data.hex() for p in model.parameters()], [[x.hex() for x in c] for c in columns]


def fitted(make, epochs, checkpoint=None, **keywords):
    """Return model and history of a fresh run of what `make` makes."""
    model, loss, more = make()
    x, y = data()
    optimizer = more.pop("optimizer", None) or nn.Adam(model.parameters(), lr=0.05)
    more = {"compiled": False, "batch_size": 5} | more | keywords
    history = nn.fit(model, x, y, loss, optimizer, epochs, checkpoint=checkpoint, **more)
    return model, history


# ------------------------------------------------------------------------------- callbacks


@pytest.mark.parametrize("compiled", [False, True])
def test_weights_restored_by_a_callback_stay(compiled, tmp_path):
    if compiled:
        pytest.importorskip("llvmlite")
    states = []

    def make():
        def best(model, history):
            states.append(model.state_dict())
            if len(history) == 4:
                model.load_state_dict(states[1])
                return True
            return False

        return neuron(), nn.squared_error, {"callbacks": [best], "compiled": compiled}

    model, history = fitted(make, 10, tmp_path / "run.json")
    assert len(history) == 4
    assert states[1] != states[3]
    assert model.state_dict() == states[1]
    again, history = fitted(make, 10, tmp_path / "run.json")
    assert len(history) == 4
    assert again.state_dict() == states[1]


def test_weights_changed_by_a_callback_are_trained_on():
    def make():
        def freeze(model, history):
            model.b.data = 0.25
            model.w[0].data *= 0.5

        return neuron(), nn.squared_error, {"callbacks": [freeze]}

    model, _ = fitted(make, 3)
    twin = neuron()
    optimizer = nn.Adam(twin.parameters(), lr=0.05)
    x, y = data()
    for epoch in range(3):
        order = list(range(12))
        random.Random(f"0/{epoch + 1}").shuffle(order)
        for start in range(0, 12, 5):
            rows = order[start : start + 5]
            part = [x[i] for i in rows], [y[i] for i in rows]
            nn.fit(twin, *part, nn.squared_error, optimizer, 1, compiled=False)
        twin.b.data = 0.25
        twin.w[0].data *= 0.5
    assert model.state_dict() == twin.state_dict()


def test_a_run_ended_by_a_callback_stays_ended(tmp_path):
    calls = []

    def make():
        def stop(model, history):
            calls.append(len(history))
            return len(history) >= 4

        return neuron(), nn.squared_error, {"callbacks": [stop], "checkpoint_every": 3}

    first = bits(*fitted(make, 10, tmp_path / "run.json"))
    for epochs in (10, 10, 20):
        assert bits(*fitted(make, epochs, tmp_path / "run.json")) == first
    assert calls == [1, 2, 3, 4]


def test_a_callback_that_raises_keeps_what_it_did():
    def make():
        def restore(model, history):
            model.w[0].data = 0.125
            raise KeyboardInterrupt

        models.append(neuron())
        return models[-1], nn.squared_error, {"callbacks": [restore]}

    models = []
    with pytest.raises(KeyboardInterrupt):
        fitted(make, 3)
    assert models[0].w[0].data == 0.125
    assert not any(p.grad for p in models[0].parameters())


def test_a_callback_may_not_replace_parameters():
    def make():
        def replace(model, history):
            model.w[0] = Value(1.0)

        return neuron(), nn.squared_error, {"callbacks": [replace]}

    with pytest.raises(ValueError, match="not over this model's parameters"):
        fitted(make, 3)


# --------------------------------------------------------- state that is no parameter


def rate_by_callback():
    model = neuron()
    optimizer = nn.Adam(model.parameters(), lr=0.1)

    def slower(model, history):
        optimizer.lr *= 0.7

    return model, nn.squared_error, {"callbacks": [slower], "optimizer": optimizer}


def own_generator():
    class Dropout(nn.Module):
        def __init__(self):
            self.neuron = neuron()
            self.rng = random.Random(5)

        def forward(self, x):
            return self.neuron([0.0 if self.rng.random() < 0.3 else one for one in x])

    return Dropout(), nn.squared_error, {}


def shared_generator():
    random.seed(4)
    return neuron(), lambda o, t: (o - t + 0.1 * random.random()) ** 2, {}


def generator_of_numpy():
    rng = np.random.default_rng(4)
    return neuron(), lambda o, t: (o - t + rng.normal()) ** 2, {}


def shared_generator_of_numpy():
    np.random.seed(4)
    return neuron(), lambda o, t: (o - t + np.random.normal()) ** 2, {}


def counter_and_statistics():
    class Counting(nn.Module):
        def __init__(self):
            self.neuron = neuron()
            self.count = 0
            self.seen = {"mean": [0.0, (1, 2.5)], "array": np.zeros(2)}

        def forward(self, x):
            self.count += 1
            self.seen["mean"][0] += x[0]
            self.seen["array"][1] += x[1]
            size = self.seen["mean"][0] + self.seen["array"][1].item()
            return self.neuron(x) * (1.0 + size / self.count)

    return Counting(), nn.squared_error, {}


def annealed():
    weight = 1.0

    def anneal(model, history):
        nonlocal weight
        weight *= 1.5

    return neuron(), lambda o, t: weight * (o - t) ** 2, {"callbacks": [anneal]}


def moving_target():
    slow = Value(0.5)

    def follow(model, history):
        slow.data = 0.9 * slow.data + 0.1 * model.w[0].data

    return neuron(), lambda o, t: (o - t - slow) ** 2, {"callbacks": [follow]}


def early_stopping():
    class Patience:
        best = math.inf
        kept = None
        wait = 0

        def __call__(self, model, history):
            if history.loss[-1] < self.best - 0.01:
                self.best, self.wait = history.loss[-1], 0
                self.kept = model.state_dict()
            self.wait += 1
            if self.wait == 3:
                model.load_state_dict(self.kept)
            return self.wait == 3

    return neuron(), nn.squared_error, {"callbacks": [Patience()]}


STATES = [
    rate_by_callback,
    own_generator,
    shared_generator,
    generator_of_numpy,
    shared_generator_of_numpy,
    counter_and_statistics,
    annealed,
    moving_target,
    early_stopping,
]


@pytest.mark.parametrize("make", STATES)
def test_what_is_no_parameter_goes_on_as_well(make, tmp_path):
    state = random.getstate(), np.random.get_state()
    whole = bits(*fitted(make, 7))
    for epochs in (3, 4, 7, 7):
        part = bits(*fitted(make, epochs, tmp_path / "run.json"))
    assert part == whole
    random.setstate(state[0])
    np.random.set_state(state[1])


def test_an_untouched_shared_generator_is_left_alone(tmp_path):
    def make():
        return neuron(), lambda o, t: (o - t) ** 2 * (2.0 if random is None else 1.0), {}

    fitted(make, 2, tmp_path / "run.json")
    random.seed(5)
    state = random.getstate()
    fitted(make, 4, tmp_path / "run.json")
    assert random.getstate() == state


def test_what_a_file_cannot_hold_is_said(tmp_path):
    def make():
        kept = [neuron()]

        def loss(output, target):
            kept.append(neuron())
            return (output - target) ** 2 / len(kept)

        return neuron(), loss, {}

    fitted(make, 2, tmp_path / "run.json")
    with pytest.raises(ValueError, match=r"run\.json: loss\.kept.* can't hold"):
        fitted(make, 4, tmp_path / "run.json")


def test_what_a_callback_keeps_and_a_file_cannot_is_said(tmp_path):
    def make():
        kept = [neuron()]
        return neuron(), nn.squared_error, {"callbacks": [lambda m, h: kept.append(neuron())]}

    fitted(make, 2, tmp_path / "run.json")
    with pytest.warns(RuntimeWarning, match=r"run\.json: callbacks\.0\.kept.* can't be set"):
        fitted(make, 4, tmp_path / "run.json")
    fitted(make, 4, tmp_path / "run.json")  # there is nothing to go on with


def test_an_iterator_cannot_go_on(tmp_path):
    def make():
        noise = iter([0.1, 0.2] * 100)
        return neuron(), lambda o, t: (o - t - next(noise)) ** 2, {}

    fitted(make, 2, tmp_path / "run.json")
    with pytest.raises(ValueError, match=r"loss\.noise changed .* an iterator .* can't hold"):
        fitted(make, 4, tmp_path / "run.json")
    assert len(fitted(make, 2, tmp_path / "run.json")[1]) == 2  # there is nothing to go on with


# ---------------------------------------------------------------------------- another run


def scaled(scale):
    return lambda output, target: scale * (output - target) ** 2


class Weighted:
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, output, target):
        return self.weight * (output - target) ** 2


STRENGTH = 0.01


def by_global(parameters):
    return nn.l2(parameters, STRENGTH)


class Settings(nn.Module):
    def __init__(self, scale, activation):
        self.neuron = nn.Neuron(2, activation, rng=random.Random(1))
        self.scale = scale

    def forward(self, x):
        return self.neuron([self.scale * one for one in x])


OTHER_RUNS = {
    "the loss": (
        {"loss": nn.squared_error},
        {"loss": nn.huber},
        r"loss was nn\._losses\.squared_error and is nn\._losses\.huber",
    ),
    "the code of the loss": (
        {"loss": lambda o, t: (o - t) ** 2},
        {"loss": lambda o, t: (o - t) ** 4},
        "loss was .*lambda.* with code",
    ),
    "a number in the loss": (
        {"loss": scaled(2.0)},
        {"loss": scaled(3.0)},
        r"loss\.scale was 2\.0 and is 3\.0",
    ),
    "an attribute of the loss": (
        {"loss": Weighted(2.0)},
        {"loss": Weighted(3.0)},
        r"loss\.weight was 2\.0 and is 3\.0",
    ),
    "a keyword of the loss": (
        {"loss": functools.partial(nn.huber, delta=2.0)},
        {"loss": functools.partial(nn.huber, delta=1.0)},
        r"loss\.keywords was .*2\.0.* and is .*1\.0",
    ),
    "the penalty": ({"penalty": None}, {"penalty": by_global}, "penalty was None and is .*by_glob"),
    "the activation": (
        {"model": lambda: Settings(1.0, "tanh")},
        {"model": lambda: Settings(1.0, "relu")},
        r"model\.neuron\.activation was Primitive tanh and is Primitive relu",
    ),
    "a number in the model": (
        {"model": lambda: Settings(1.0, "tanh")},
        {"model": lambda: Settings(2.0, "tanh")},
        r"model\.scale was 1\.0 and is 2\.0",
    ),
    "the validation set": (
        {"validation": None},
        {"validation": data(5)},
        "validation was None and is",
    ),
    "validation targets": (
        {"validation": data(5)},
        {"validation": (data(5)[0], [1.0] * 5)},
        "validation was",
    ),
    "the metrics": ({"metrics": {}}, {"metrics": {"a": nn.accuracy}}, "metrics were"),
    "the batch size": ({"batch_size": 5}, {"batch_size": 6}, "batch_size was 5 and is 6"),
    "the seed": ({"seed": 1}, {"seed": 2}, "seed was 1 and is 2"),
    "the rate": ({"lr": 0.1}, {"lr": 0.2}, r"optimizer\.lr was 0\.1 and is 0\.2"),
    "the schedule": (
        {"lr": nn.Linear(0.1, 0.01, 5)},
        {"lr": nn.Linear(0.1, 0.01, 6)},
        "optimizer.lr was Linear",
    ),
    "a schedule of one's own": (
        {"lr": lambda k: 0.1 / (k + 1)},
        {"lr": lambda k: 0.1 / (k + 2)},
        "optimizer.lr was",
    ),
}


def run_of(path, epochs, model=neuron, loss=nn.squared_error, lr=0.1, x=None, y=None, **keywords):
    net = model()
    points, labels = data()
    keywords = {"batch_size": 5, "compiled": False} | keywords
    optimizer = nn.SGD(net.parameters(), lr=lr)
    x, y = points if x is None else x, labels if y is None else y
    return nn.fit(net, x, y, loss, optimizer, epochs, checkpoint=path, **keywords)


@pytest.mark.parametrize("what", OTHER_RUNS)
def test_another_run_is_refused_by_name(what, tmp_path):
    first, second, words = OTHER_RUNS[what]
    run_of(tmp_path / "run.json", 2, **first)
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(ValueError, match=f"run.json: of another run: {words}"):
        run_of(tmp_path / "run.json", 3, **second)
    assert (tmp_path / "run.json").read_bytes() == before
    assert len(run_of(tmp_path / "run.json", 3, **first)) == 3


def test_a_global_of_the_penalty_is_part_of_the_run(tmp_path, monkeypatch):
    run_of(tmp_path / "run.json", 2, penalty=by_global)
    monkeypatch.setitem(globals(), "STRENGTH", 0.02)
    with pytest.raises(ValueError, match=r"penalty\.STRENGTH was 0\.01 and is 0\.02"):
        run_of(tmp_path / "run.json", 3, penalty=by_global)


@pytest.mark.parametrize("which", ["x", "y"])
def test_every_number_of_the_data_is_part_of_the_run(which, tmp_path):
    run_of(tmp_path / "run.json", 2)
    x, y = data()
    if which == "x":
        x[7][1] = math.nextafter(x[7][1], 9.0)
    else:
        y[7] = math.nextafter(y[7], 9.0)
    with pytest.raises(ValueError, match="of another run: data was"):
        run_of(tmp_path / "run.json", 3, **{which: x if which == "x" else y})


def test_the_same_functions_made_anew_are_the_same_run(tmp_path):
    for epochs in (2, 4):
        history = run_of(
            tmp_path / "run.json",
            epochs,
            model=lambda: Settings(1.0, lambda z: z * z),
            loss=scaled(2.0),
            penalty=by_global,
            lr=lambda k: 0.1 / (k + 1),
            metrics={"none": lambda o, t: 0},
        )
    assert len(history) == 4


# -------------------------------------------------------------------------------- metrics


@pytest.mark.parametrize("value", [3, np.float32(0.1), math.nan, math.inf, True, np.int64(2)])
def test_a_metric_is_a_float_once(value, tmp_path):
    keywords = {"metrics": {"odd": lambda outputs, targets: value}, "validation": data(4)}
    for epochs in (2, 4):
        history = run_of(tmp_path / "run.json", epochs, **keywords)
    numbers = history.metrics["odd"]
    assert [type(number) for number in numbers] == [float] * 4
    assert repr(numbers) == repr([float(value)] * 4)
    json.loads((tmp_path / "run.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize("value", [None, "high", [0.5]])
def test_a_metric_that_is_no_number_is_named(value):
    with pytest.raises(TypeError, match="metric 'odd' must return a number, not "):
        run_of(None, 2, metrics={"odd": lambda outputs, targets: value})


# ----------------------------------------------------------------------------- interrupts


def test_an_interrupted_batch_has_not_happened():
    x, y = data()
    calls = 0

    def loss(output, target):
        nonlocal calls
        calls += 1
        if calls == 30:
            raise KeyboardInterrupt
        return nn.squared_error(output, target)

    model = neuron()
    optimizer = nn.Adam(model.parameters(), lr=0.05)
    with pytest.raises(KeyboardInterrupt):
        nn.fit(model, x, y, loss, optimizer, 9, 4, compiled=False)
    twin = neuron()
    other = nn.Adam(twin.parameters(), lr=0.05)
    nn.fit(twin, x, y, nn.squared_error, other, 2, 4, compiled=False)
    order = list(range(12))
    random.Random("0/3").shuffle(order)
    part = [x[i] for i in order[:4]], [y[i] for i in order[:4]]
    nn.fit(twin, *part, nn.squared_error, other, 1, compiled=False)
    assert model.state_dict() == twin.state_dict()
    assert optimizer.state_dict() == other.state_dict()


def test_an_interrupted_update_has_not_happened():
    class Interrupted(nn.Adam):
        def _rule(self, rate, x, g, *state):
            if self.steps == 4:
                raise KeyboardInterrupt
            return super()._rule(rate, x, g, *state)

    x, y = data()
    model, twin = neuron(), neuron()
    optimizer, other = Interrupted(model.parameters()), nn.Adam(twin.parameters())
    with pytest.raises(KeyboardInterrupt):
        nn.fit(model, x, y, nn.squared_error, optimizer, 9, 4, compiled=False)
    nn.fit(twin, x, y, nn.squared_error, other, 1, 4, compiled=False)
    assert model.state_dict() == twin.state_dict()
    assert optimizer.state_dict() == other.state_dict() | {"kind": "Interrupted"}


def test_other_parameters_are_another_run(tmp_path):
    x, y = data()
    for layer, words in ((0, None), (0, None), (1, "trained was 'layers.0"), (None, "trained was")):
        model = nn.MLP(2, [1, 1], rng=random.Random(1))
        part = model if layer is None else model.layers[layer]
        arguments = (model, x, y, nn.squared_error, nn.SGD(part.parameters()), 2)
        if words is None:
            nn.fit(*arguments, checkpoint=tmp_path / "run.json")
            continue
        with pytest.raises(ValueError, match=words):
            nn.fit(*arguments, checkpoint=tmp_path / "run.json")


def in_groups(second=2, callbacks=(), **own):
    """Return a run of two groups, the first with keywords of its own."""
    model = nn.MLP(2, [2, 1], activation="tanh", rng=random.Random(1))
    own = {"lr": nn.Cosine(0.1, 0.01, 9), "beta1": 0.5, "amsgrad": True} | own
    parameters = model.parameters()[::-1]
    groups = [{"params": parameters[second:]} | own, {"params": parameters[:second]}]
    optimizer = nn.Adam(groups, lr=0.02)

    def tune(model, history):
        optimizer.groups[1]["lr"] = 0.05 / len(history)
        optimizer.groups[0]["beta1"] *= 0.9

    return model, nn.squared_error, {"optimizer": optimizer, "callbacks": [tune, *callbacks]}


def test_groups_go_on(tmp_path):
    want = bits(*fitted(in_groups, 6))
    for stop in range(1, 6):
        fitted(in_groups, stop, tmp_path / f"{stop}.json")
        assert bits(*fitted(in_groups, 6, tmp_path / f"{stop}.json")) == want


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"second": 3}, r"trained was .* and is|optimizer\.groups was \[7, 2\] and is \[6, 3\]"),
        ({"amsgrad": False}, r"optimizer\.groups\.0\.amsgrad was True and is False"),
        ({"eps": 0.1}, r"optimizer\.groups\.0\.eps was None and is 0\.1"),
        ({"lr": nn.Cosine(0.1, 0.02, 9)}, r"optimizer\.groups\.0\.lr was Cosine"),
    ],
)
def test_other_groups_are_another_run(keywords, words, tmp_path):
    fitted(in_groups, 2, tmp_path / "run.json")
    with pytest.raises(ValueError, match=f"of another run: ({words})"):
        fitted(lambda: in_groups(**keywords), 3, tmp_path / "run.json")


def test_parameters_in_another_order_are_another_run(tmp_path):
    def turned(by):
        model = neuron()
        return model, nn.squared_error, {"optimizer": nn.Adam(model.parameters()[::by])}

    fitted(lambda: turned(-1), 2, tmp_path / "run.json")
    with pytest.raises(ValueError, match=r"another run: trained was 'b w\.1 w\.0' and is 'all"):
        fitted(lambda: turned(1), 3, tmp_path / "run.json")


def test_long_tables_are_compared_and_not_kept(tmp_path):
    table = [float(i) for i in range(5000)]
    array = np.arange(5000.0)

    def make(change):
        first = [*table[:-1], table[-1] + change]
        return neuron(), lambda o, t: (o - t) ** 2 + 0.0 * first[7] * array[7].item(), {}

    fitted(lambda: make(0.0), 2, tmp_path / "run.json")
    assert (tmp_path / "run.json").stat().st_size < 10_000
    fitted(lambda: make(0.0), 3, tmp_path / "run.json")
    with pytest.raises(ValueError, match=r"loss\.first was numbers with hash"):
        fitted(lambda: make(1e-9), 4, tmp_path / "run.json")


class Stubborn:
    """An object of the user's that does as it likes."""

    @property
    def name(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None

    def __call__(self, output, target):
        return (output - target) ** 2


def test_odd_objects_do_no_harm(tmp_path):
    loop = [1.0]
    loop.append(loop)

    def make():
        stubborn = Stubborn()
        stubborn.loop = loop
        stubborn.empty = lambda: later  # noqa: F821 - a global that is not there
        return neuron(), stubborn, {"metrics": {"none": lambda o, t: len(loop)}}

    for compiled in (False, True):
        path = tmp_path / f"{compiled}.json"
        for epochs in (2, 3):
            _, history = fitted(make, epochs, path, compiled=compiled)
        assert len(history) == 3
    assert loop[1] is loop


def test_a_finished_file_without_a_part_changes_nothing(tmp_path):
    from nn._files import read_document, write_document

    path = tmp_path / "run.json"
    run_of(path, 2)
    content = read_document(path, "scalar-autograd checkpoint")
    del content["settings"]
    write_document(path, "scalar-autograd checkpoint", content)
    model = neuron()
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"checkpoint .*run\.json: 'settings'"):
        run_of(path, 2, model=lambda: model)
    assert model.state_dict() == before
