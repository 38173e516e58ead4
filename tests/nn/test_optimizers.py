"""Every keyword of every optimiser against two references: PyTorch's numbers, and closed forms.

The closed forms write a moving average as the weighted sum it is, so they share no line with the
recurrences they check.
"""

import inspect
import math
from dataclasses import fields

import numpy as np
import pytest

import nn
from autograd import Value, cos

START = [0.7, -1.3, 2.0]


def objective(a, b, c):
    return 0.5 * (a - 1.0) ** 2 + 2.0 * (b + 0.5) ** 2 + a * b + cos(c)


def gradient_at(x):
    a, b, c = x
    return [a - 1.0 + b, 4.0 * (b + 0.5) + a, -math.sin(c)]


# Optimiser, keywords, parameters after the first and after the fourth update: PyTorch 2.13.0 in
# float64 on the objective above (clipping: the formulas of torch.nn.utils, by hand).
REFERENCE = [
    (
        nn.SGD,
        {"lr": 0.1},
        [0.86, -1.05, 2.0909297426825684],
        [1.15018, -0.81577, 2.3370315556169117],
    ),
    (
        nn.SGD,
        {"lr": 0.1, "momentum": 0.9},
        [0.86, -1.05, 2.0909297426825684],
        [1.67938, -0.32544999999999996, 2.7553215548089955],
    ),
    (
        nn.SGD,
        {"lr": 0.1, "momentum": 0.8, "nesterov": True},
        [0.988, -0.85, 2.1636735368286226],
        [1.610201248, -0.716075152, 2.813808474636713],
    ),
    (
        nn.SGD,
        {"lr": 0.1, "weight_decay": 0.3},
        [0.839, -1.0110000000000001, 2.0309297426825683],
        [1.044871387, -0.7461392530000001, 2.1105337150665933],
    ),
    (
        nn.SGD,
        {"lr": 0.05, "momentum": 0.7, "nesterov": True, "weight_decay": 0.2},
        [0.8240999999999999, -1.0654000000000001, 2.043290281280183],
        [1.1543948253826999, -0.6424346243698, 2.214677769071025],
    ),
    (
        nn.Adagrad,
        {"lr": 0.1},
        [0.7999999999937499, -1.200000000004, 2.0999999999890027],
        [0.9600011853579719, -1.0538403308467208, 2.270636931001656],
    ),
    (
        nn.Adagrad,
        {"lr": 0.1, "initial": 0.5},
        [0.7914659120707759, -1.2037749551387662, 2.078940461516769],
        [0.9457925561154331, -1.0590975756351027, 2.2334934021765025],
    ),
    (
        nn.Adagrad,
        {"lr": 0.1, "eps": 0.3},
        [0.7842105263157895, -1.2107142857142859, 2.075192207198565],
        [0.9285924110144256, -1.0723247612587141, 2.218273774163054],
    ),
    (
        nn.Adagrad,
        {"lr": 0.1, "weight_decay": 0.3},
        [0.7999999999928057, -1.2000000000034603, 2.0999999999676686],
        [0.9527982559316763, -1.0505803583027902, 2.235183616144197],
    ),
    (
        nn.RMSProp,
        {"lr": 0.1},
        [1.6999999375000034, -0.3000000399999989, 2.999999890024995],
        [1.8171151859634949, -0.9563214336312315, 3.1417183654147176],
    ),
    (
        nn.RMSProp,
        {"lr": 0.1, "decay": 0.8},
        [0.9236067946249791, -1.076393204250021, 2.2236067922512284],
        [1.2589881489976191, -0.8507350495795104, 2.6117473681228804],
    ),
    (
        nn.RMSProp,
        {"lr": 0.1, "eps": 0.3},
        [1.0478260869565217, -0.8454545454545455, 2.2325986814372483],
        [1.4269923265839661, -0.8236411179490698, 2.6926318841710146],
    ),
    (
        nn.RMSProp,
        {"lr": 0.1, "centered": True, "decay": 0.7},
        [0.9182178872598019, -1.0817821116687696, 2.218217884999087],
        [1.3624112931941494, -0.8341125271138254, 2.756691155285692],
    ),
    (
        nn.RMSProp,
        {"lr": 0.1, "momentum": 0.9},
        [1.6999999375000034, -0.30000003999999886, 2.999999890024995],
        [2.0190271146230523, -1.4921163149667063, 3.996923471495492],
    ),
    (
        nn.RMSProp,
        {"lr": 0.1, "weight_decay": 0.3},
        [1.6999999280575588, -0.30000003460207536, 2.9999996766867127],
        [1.3368500651262565, -0.8038531104121398, 2.3535841588867275],
    ),
    (
        nn.RMSProp,
        {
            "lr": 0.02,
            "momentum": 0.5,
            "centered": True,
            "decay": 0.6,
            "eps": 0.1,
            "weight_decay": 0.2,
        },
        [0.7358171898283568, -1.26198656916942, 2.0291440309604822],
        [0.9290618245926233, -1.0594079492064912, 2.1851301556849942],
    ),
    (
        nn.Adam,
        {},
        [0.70099999999375, -1.299000000004, 2.0009999999890025],
        [0.7039997159194994, -1.2960004565582193, 2.003999896166146],
    ),
    (
        nn.Adam,
        {"lr": 0.1},
        [0.799999999375, -1.2000000004, 2.09999999890025],
        [1.0944270377495458, -0.9129452220615533, 2.398191406975494],
    ),
    (
        nn.Adam,
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.999},
        [0.799999999375, -1.2000000004, 2.09999999890025],
        [1.0786489940167114, -0.9401817167624529, 2.3911914109806527],
    ),
    (
        nn.Adam,
        {"lr": 0.1, "beta1": 0.9, "beta2": 0.7},
        [0.799999999375, -1.2000000004, 2.09999999890025],
        [1.105712424149164, -0.8934335158385305, 2.402934093006107],
    ),
    (
        nn.Adam,
        {"lr": 0.1, "eps": 0.3},
        [0.7842105263157895, -1.2107142857142859, 2.075192207198565],
        [1.0286550540375452, -0.9571906304467259, 2.297643752745807],
    ),
    (
        nn.Adam,
        {"lr": 0.1, "weight_decay": 0.3},
        [0.7999999992805755, -1.2000000003460207, 2.0999999967668663],
        [1.0909467177416121, -0.9109564900082505, 2.377068154884572],
    ),
    (
        nn.Adam,
        {"lr": 0.1, "beta2": 0.7, "amsgrad": True},
        [0.799999999375, -1.2000000004, 2.09999999890025],
        [1.102791584491875, -0.9063472077727208, 2.402934093006107],
    ),
    (
        nn.AdamW,
        {"lr": 0.1, "beta2": 0.7, "amsgrad": True},
        [0.799299999375, -1.1987000004, 2.09799999890025],
        [1.0993852195577505, -0.9021492591729865, 2.3942766083401668],
    ),
    (
        nn.AdamW,
        {"lr": 0.1},
        [0.799299999375, -1.1987000004, 2.09799999890025],
        [1.0910142800481661, -0.9085575407515334, 2.389663203869384],
    ),
    (
        nn.AdamW,
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.7},
        [0.799299999375, -1.1987000004, 2.09799999890025],
        [1.0851265364685518, -0.9201782207756609, 2.387236016559291],
    ),
    (
        nn.AdamW,
        {"lr": 0.1, "eps": 0.3},
        [0.7835105263157893, -1.2094142857142858, 2.073192207198565],
        [1.0253301693668055, -0.9527371219980183, 2.2893096544179588],
    ),
    (
        nn.AdamW,
        {"lr": 0.1, "weight_decay": 0.3},
        [0.778999999375, -1.1610000003999998, 2.03999999890025],
        [0.9959781556662723, -0.7884563928760747, 2.1524502301404307],
    ),
    (
        nn.SGD,
        {"lr": 0.1, "clip_value": 0.5},
        [0.75, -1.25, 2.05],
        [0.9000000000000001, -1.0999999999999999, 2.1999999999999993],
    ),
    (
        nn.SGD,
        {"lr": 0.1, "clip_norm": 0.8},
        [0.7412328083449456, -1.2355737369610225, 2.023433054080535],
        [0.873631357471613, -1.054581960292023, 2.108371328205647],
    ),
]
IDS = [f"{row[0].__name__}-{'-'.join(row[1]) or 'defaults'}-{i}" for i, row in enumerate(REFERENCE)]


def run(optimizer, steps):
    """Return the parameters after each of `steps` updates by the graph's gradients."""
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        objective(*optimizer.parameters).backward()
        optimizer.step()
        found.append([p.data for p in optimizer.parameters])
    return found


@pytest.mark.parametrize(("kind", "keywords", "first", "fourth"), REFERENCE, ids=IDS)
def test_the_sequence_is_that_of_pytorch(kind, keywords, first, fourth):
    found = run(kind([Value(x) for x in START], **keywords), 4)
    assert found[0] == pytest.approx(first, rel=1e-12)
    assert found[3] == pytest.approx(fourth, rel=1e-12)


def averages(history, decay):
    """Return sum over s <= t of decay^(t-s) g_s, for the last t."""
    weights = decay ** np.arange(len(history))[::-1]
    return weights @ np.array(history)


def closed_form(kind, k, steps):
    """Return the parameters after each update, every average as the sum it stands for."""
    defaults = {f.name: f.default for f in fields(kind) if f.name != "parameters"}
    k = defaults | k
    x, gradients, ratios, found = np.array(START), [], [], []
    for t in range(1, steps + 1):
        rate = k["lr"]
        g = np.array(gradient_at(x))
        if k["clip_value"]:
            g = np.clip(g, -k["clip_value"], k["clip_value"])
        if k["clip_norm"]:
            g = g * min(1.0, k["clip_norm"] / (np.linalg.norm(g) + 1e-6))
        if kind is nn.AdamW:
            x = x - rate * k["weight_decay"] * x
        else:
            g = g + k["weight_decay"] * x
        gradients.append(g)
        squares = [g * g for g in gradients]
        if kind is nn.SGD:
            step = averages(gradients, k["momentum"])
            step = g + k["momentum"] * step if k["nesterov"] else step
        elif kind is nn.Adagrad:
            step = g / (np.sqrt(k["initial"] + np.sum(squares, axis=0)) + k["eps"])
        elif kind is nn.RMSProp:
            size = (1 - k["decay"]) * averages(squares, k["decay"])
            if k["centered"]:
                size = size - ((1 - k["decay"]) * averages(gradients, k["decay"])) ** 2
            ratios.append(g / (np.sqrt(size) + k["eps"]))
            step = averages(ratios, k["momentum"])
        else:
            mean = averages(gradients, k["beta1"]) / sum(k["beta1"] ** s for s in range(t))
            sizes = [averages(squares[: s + 1], k["beta2"]) for s in range(t)]
            size = np.max(sizes, axis=0) if k["amsgrad"] else sizes[-1]
            size = size / sum(k["beta2"] ** s for s in range(t))
            step = mean / (np.sqrt(size) + k["eps"])
        x = x - rate * step
        found.append(x.tolist())
    return found


@pytest.mark.parametrize(("kind", "keywords", "first", "fourth"), REFERENCE, ids=IDS)
def test_the_sequence_is_that_of_the_closed_form(kind, keywords, first, fourth):
    found = run(kind([Value(x) for x in START], **keywords), 12)
    # Tiny differences of squares make the centred size ill-conditioned in its first step.
    np.testing.assert_allclose(found, closed_form(kind, keywords, 12), rtol=1e-9)


@pytest.mark.parametrize(("kind", "keywords", "first", "fourth"), REFERENCE, ids=IDS)
def test_lists_and_arrays_give_the_same_bits_and_states(kind, keywords, first, fourth):
    one, other = (kind([Value(x) for x in START], **keywords) for _ in range(2))
    x, array = list(START), np.array(START)
    for _ in range(5):
        x = one.update(x, gradient_at(x))
        array = other.update(array, np.array(gradient_at(array.tolist())))
        assert array.tolist() == x
    assert one.state_dict() == other.state_dict()


@pytest.mark.parametrize(("kind", "keywords", "first", "fourth"), REFERENCE, ids=IDS)
def test_going_on_from_a_state_gives_the_same_bits(kind, keywords, first, fourth):
    whole = run(kind([Value(x) for x in START], **keywords), 6)
    one = kind([Value(x) for x in START], **keywords)
    middle = run(one, 3)[-1]
    other = kind([Value(x) for x in middle], **keywords)
    other.load_state_dict(one.state_dict())
    assert run(other, 3) == whole[3:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "SGD"}, "can't go on from the state of 'SGD'"),
        ({"steps": -1}, "steps"),
        ({"steps": True}, "steps"),
        ({"groups": [[[0.0] * 3]]}, "2 columns"),
        ({"groups": [[[0.0] * 2] * 2]}, "3 numbers"),
        ({"groups": [[[0.0, math.nan, 0.0]] * 2]}, "no finite number"),
        ({"groups": ["abc"]}, "2 columns"),
        ({"groups": "abc"}, "of 1 groups"),
        ({"groups": [[[0.0] * 3] * 2] * 2}, "of 1 groups"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(change, words):
    optimizer = nn.Adam([Value(x) for x in START])
    run(optimizer, 2)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=words):
        optimizer.load_state_dict(before | change)
    assert optimizer.state_dict() == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: nn.SGD(p, lr=-1.0), "SGD: lr must be"),
        (lambda p: nn.SGD(p, lr=math.nan), "SGD: lr must be"),
        (lambda p: nn.SGD(p, momentum=1.0), r"SGD: momentum must be in \[0.0, 1.0\), not 1.0"),
        (lambda p: nn.SGD(p, nesterov=True), "needs a momentum"),
        (lambda p: nn.SGD(p, weight_decay=-0.1), "weight_decay"),
        (lambda p: nn.SGD(p, clip_norm=0.0), "clip_norm must be in"),
        (lambda p: nn.SGD(p, clip_value=-1.0), "clip_value must be in"),
        (lambda p: nn.Adam(p, beta1=1.0), "beta1"),
        (lambda p: nn.Adam(p, eps=0.0), "eps must be in"),
        (lambda p: nn.LBFGS(p, max_iter=0), "max_iter"),
        (lambda p: nn.SGD([]), "no parameters"),
        (lambda p: nn.SGD([*p, p[0]]), "given twice"),
    ],
)
def test_bad_settings_name_optimiser_setting_and_value(make, words):
    with pytest.raises(ValueError, match=words):
        make([Value(x) for x in START])


def test_parameters_must_be_leaves():
    with pytest.raises(TypeError, match="leaf Values"):
        nn.SGD([Value(1.0) + 1.0])
    with pytest.raises(TypeError, match="leaf Values"):
        nn.SGD([1.0])


def test_a_schedule_gives_the_rate_of_each_update():
    rates = []

    def schedule(k):
        rates.append(k)
        return [0.1, 0.05, 0.025][k]

    found = run(nn.SGD([Value(x) for x in START], lr=schedule), 3)
    x = np.array(START)
    for rate, there in zip([0.1, 0.05, 0.025], found, strict=True):
        x = x - rate * np.array(gradient_at(x))
        assert there == pytest.approx(x.tolist(), rel=1e-12)
    assert rates == [0, 1, 2]


def test_lbfgs_finds_what_scipy_finds():
    optimize = pytest.importorskip("scipy.optimize")

    def rosenbrock(p):
        return sum(
            100.0 * (p[i + 1] - p[i] * p[i]) ** 2 + (1.0 - p[i]) ** 2 for i in range(len(p) - 1)
        )

    start = [-1.2, 1.0, -0.5, 0.8]
    for keywords, options in [
        ({"max_iter": 3}, {"maxiter": 3}),
        ({"max_iter": 9, "memory": 1}, {"maxiter": 9, "maxcor": 1}),
        ({"max_iter": 200, "gtol": 1e-2}, {"maxiter": 200, "gtol": 1e-2}),
        ({"max_iter": 200, "ftol": 1e-2}, {"maxiter": 200, "ftol": 1e-2}),
        ({"max_iter": 200}, {"maxiter": 200}),
    ]:
        parameters = [Value(x) for x in start]
        before = nn.LBFGS(parameters, **keywords).step(lambda p=parameters: rosenbrock(p))
        assert before == rosenbrock(start)
        want = optimize.minimize(
            optimize.rosen,
            start,
            jac=optimize.rosen_der,
            method="L-BFGS-B",
            options={"maxcor": 10, "gtol": 1e-8, "ftol": 1e-12} | options,
        )
        assert [p.data for p in parameters] == pytest.approx(want.x.tolist(), rel=1e-5)
    assert [p.data for p in parameters] == pytest.approx([1.0] * 4, abs=1e-5)


def test_an_optimiser_prints_its_settings():
    text = repr(nn.Adam([Value(1.0)], lr=nn.Linear(0.1, 0.0, 10), beta1=0.5))
    assert "Adam(lr=Linear(start=0.1, stop=0.0, steps=10)" in text
    assert "beta1=0.5" in text


# ------------------------------------------------------------------------------ clipping


@pytest.mark.parametrize("clip", [{"clip_value": 0.5}, {"clip_norm": 0.5}])
@pytest.mark.parametrize("as_array", [False, True])
def test_clipping_keeps_nan_visible(clip, as_array):
    optimizer = nn.SGD([Value(1.0), Value(2.0)], lr=1.0, **clip)
    column = np.array if as_array else list
    new = optimizer.update(column([1.0, 2.0]), column([math.nan, 0.25]))
    assert math.isnan(new[0])
    assert new[1] == 1.75 or "clip_norm" in clip
    new = optimizer.update(column([1.0, 2.0]), column([0.25, math.nan]))
    assert math.isnan(new[1])


def test_clip_value_cuts_infinities_and_both_signs():
    optimizer = nn.SGD([Value(0.0)] + [Value(0.0) for _ in range(4)], lr=1.0, clip_value=0.5)
    new = optimizer.update([0.0] * 5, [math.inf, -math.inf, 0.4, -2.0, -0.0])
    assert new == [-0.5, 0.5, -0.4, 0.5, 0.0]


def test_clip_norm_is_that_of_pytorch():
    optimizer = nn.SGD([Value(0.0), Value(0.0)], lr=1.0, clip_norm=1.0)
    scale = 1.0 / (5.0 + 1e-6)  # torch.nn.utils.clip_grad_norm_ divides by the norm plus 1e-6
    assert optimizer.update([0.0, 0.0], [3.0, 4.0]) == [-3.0 * scale, -4.0 * scale]
    assert optimizer.update([0.0, 0.0], [0.6, 0.7]) == [-0.6, -0.7]
    just = 1.0 / (1.0 + 1e-6)
    assert optimizer.update([0.0, 0.0], [1.0, 0.0]) == [-just, 0.0]


# -------------------------------------------------------------------------------- groups


def grouped(kind, sizes, **keywords):
    """Return what makes an optimiser of consecutive groups, each a size and its keywords."""

    def make(parameters):
        rest, groups = list(parameters), []
        for size, own in sizes:
            groups.append({"params": rest[:size]} | own)
            rest = rest[size:]
        return kind(groups, **keywords)

    return make


# PyTorch 2.14.1 in float64, as above.
GROUPS = [
    (
        grouped(
            nn.Adam,
            [(1, {}), (2, {"lr": 0.3, "weight_decay": 0.1, "beta1": 0.5, "amsgrad": True})],
            lr=0.05,
            clip_norm=0.8,
        ),
        [0.7499999987873733, -1.0000000038746544, 2.299999912614277],
        [0.8994590056817563, -0.591041377421936, 2.8604258050953466],
    ),
    (
        grouped(nn.SGD, [(2, {"momentum": 0.9}), (1, {"lr": 0.3})], lr=0.05),
        [0.7799999999999999, -1.175, 2.2727892280477047],
        [1.2948975, -0.5290118749999999, 2.81430822955646],
    ),
    (
        grouped(nn.Adagrad, [(1, {"eps": 0.3}), (1, {"initial": 0.5}), (1, {})], lr=0.1),
        [0.7842105263157895, -1.2037749551387662, 2.0999999999890027],
        None,
    ),
]


@pytest.mark.parametrize(("make", "first", "fourth"), GROUPS)
def test_groups_are_those_of_pytorch(make, first, fourth):
    found = run(make([Value(x) for x in START]), 4)
    assert found[0] == pytest.approx(first, rel=1e-12)
    if fourth:
        assert found[3] == pytest.approx(fourth, rel=1e-12)


@pytest.mark.parametrize(("make", "first", "fourth"), GROUPS)
def test_groups_have_the_same_bits_as_lists_arrays_and_later(make, first, fourth):
    one, other = (make([Value(x) for x in START]) for _ in range(2))
    x, array = list(START), np.array(START)
    for i in range(6):
        if i == 3:
            state, other = other.state_dict(), make([Value(0.0) for _ in START])
            other.load_state_dict(state)
        x = one.update(x, gradient_at(x))
        array = other.update(array, np.array(gradient_at(array.tolist())))
        assert array.tolist() == x
    assert one.state_dict() == other.state_dict()


def test_a_group_alike_is_no_group():
    plain = run(nn.Adam([Value(x) for x in START], lr=0.1), 4)
    same = run(grouped(nn.Adam, [(2, {}), (1, {"lr": 0.1})], lr=0.1)([*map(Value, START)]), 4)
    assert same == plain


def test_schedules_and_changes_act_on_the_groups_they_are_of():
    rates = {"own": [], "shared": []}

    def note(name):
        return lambda k: rates[name].append(k) or 0.1 / (k + 1)

    parameters = [Value(x) for x in START]
    optimizer = grouped(nn.SGD, [(1, {"lr": note("own")}), (1, {}), (1, {"lr": 0.5})])(parameters)
    optimizer.lr = note("shared")
    x = optimizer.update([0.0] * 3, [1.0] * 3)
    assert x == [-0.1, -0.1, -0.5]
    optimizer.groups[2]["lr"] = 0.0
    optimizer.lr = 0.25
    assert optimizer.update(x, [1.0] * 3) == [-0.1 - 0.05, -0.1 - 0.25, -0.5]
    assert rates == {"own": [0, 1], "shared": [0]}


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda p: nn.SGD([{"params": p[:1]}, p[1]]), TypeError, "all or none must be groups"),
        (lambda p: nn.SGD([{"lr": 0.1}]), TypeError, 'group 0 has no "params"'),
        (lambda p: nn.SGD([{"params": p}, {"params": []}]), ValueError, "group 1 has no param"),
        (lambda p: nn.SGD([{"params": p}, {"params": p[:1]}]), ValueError, "given twice"),
        (lambda p: nn.SGD([{"params": p, "lr": -1.0}]), ValueError, "SGD: group 0: lr must be"),
        (lambda p: nn.SGD([{"params": p, "momentum": 2.0}]), ValueError, "group 0: momentum must"),
        (lambda p: nn.SGD([{"params": p, "nesterov": True}]), ValueError, "group 0: nesterov"),
        (lambda p: nn.SGD([{"params": p, "clip_norm": 1.0}]), TypeError, "for all parameters tog"),
        (lambda p: nn.SGD([{"params": p, "steps": 1}]), TypeError, "in a group there is no key"),
        (lambda p: nn.Adam([{"params": p, "betas": 1}]), TypeError, "here it is beta1 and beta2"),
        (lambda p: nn.LBFGS([{"params": p}, {"params": p}]), ValueError, "given twice"),
        (lambda p: nn.LBFGS([{"params": p, "gtol": 1.0}]), TypeError, "parameters, not groups"),
        (lambda p: nn.LBFGS([{"params": p[:1]}, {"params": p[1:]}]), TypeError, "not groups"),
    ],
)
def test_wrong_groups_are_named(make, kind, words):
    with pytest.raises(kind, match=words):
        make([Value(x) for x in START])


def test_a_keyword_that_a_group_gets_later_is_checked_as_well():
    optimizer = nn.SGD([Value(1.0)])
    optimizer.groups[0]["learning_rate"] = 1.0
    with pytest.raises(TypeError, match="in a group there is no keyword 'learning_rate'"):
        optimizer.update([1.0], [1.0])


def test_what_happened_to_groups_can_be_undone():
    optimizer = grouped(nn.Adam, [(1, {"lr": 0.5}), (2, {})])([Value(x) for x in START])
    group, before = optimizer.groups[0], optimizer.snapshot()
    optimizer.update(list(START), [1.0] * 3)
    group["lr"], optimizer.lr = 7.0, 8.0
    optimizer.restore(before)
    assert (group, optimizer.groups[0] is group, optimizer.lr) == ({"lr": 0.5}, True, 0.001)
    assert optimizer.state_dict() == {"kind": "Adam", "steps": 0, "groups": []}


# ------------------------------------------------------------- keywords of other libraries


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (nn.Adam, "betas", "here it is beta1 and beta2"),
        (nn.Adam, "learning_rate", "here it is lr"),
        (nn.Adam, "beta_1", "here it is beta1"),
        (nn.Adam, "beta_2", "here it is beta2"),
        (nn.Adam, "epsilon", "here it is eps"),
        (nn.Adam, "params", "here it is parameters"),
        (nn.RMSProp, "alpha", "here it is decay"),
        (nn.RMSProp, "rho", "here it is decay"),
        (nn.Adagrad, "initial_accumulator_value", "here it is initial"),
        (nn.Adagrad, "lr_decay", "a schedule as lr"),
        (nn.LBFGS, "history_size", "here it is memory"),
        (nn.LBFGS, "tolerance_grad", "here it is gtol"),
        (nn.LBFGS, "tolerance_change", "here it is ftol"),
        (nn.LBFGS, "lr", "the line search finds"),
        (nn.LBFGS, "max_eval", "max_iter is the limit"),
        (nn.LBFGS, "line_search_fn", "the line search is SciPy's"),
        (nn.SGD, "maximize", "minimise the negative of the loss"),
        (nn.SGD, "dampening", "every gradient counts whole"),
        (nn.SGD, "clipvalue", "here it is clip_value"),
        (nn.SGD, "global_clipnorm", "here it is clip_norm"),
        (nn.SGD, "clipnorm", "clip_norm is of the whole gradient"),
        (nn.Adam, "decoupled_weight_decay", "that is nn.AdamW"),
        (nn.SGD, "foreach", "leave it out"),
        (nn.SGD, "fused", "leave it out"),
        (nn.SGD, "capturable", "leave it out"),
        (nn.SGD, "differentiable", "leave it out"),
        (nn.SGD, "betas", "there are parameters, lr, weight_decay, clip_value, clip_norm, mom"),
        (nn.SGD, "alpha", "there are parameters, lr"),
        (nn.SGD, "momentun", "did you mean 'momentum'"),
    ],
)
def test_a_keyword_of_another_library_is_translated(kind, name, words):
    with pytest.raises(TypeError, match=f"{kind.__name__}: there is no keyword '{name}'.*{words}"):
        kind([Value(1.0)], **{name: 0.5})


def test_the_signature_is_that_of_the_keywords():
    assert list(inspect.signature(nn.SGD).parameters)[:3] == ["parameters", "lr", "weight_decay"]
    assert "momentum" in inspect.signature(nn.SGD).parameters


def test_an_optimiser_of_ones_own_has_keywords_of_its_own():
    class Mine(nn.SGD):
        def __init__(self, parameters, betas=(), **more):
            super().__init__(parameters, 0.5)
            self.more = more

    assert Mine([Value(1.0)], betas=(1,), fused=True).more == {"fused": True}
