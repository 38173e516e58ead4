"""Programs with one thing in them that is easily overlooked, on the line that ends in `# trap`.

Each entry of `TRAPS` is the kind of finding, a function (or `Averaged`) and its arguments.
"""

import random

from autograd import (
    Averaged,
    Value,
    abs,
    ceil,
    copysign,
    dot,
    exp,
    floor,
    greater,
    log,
    maximum,
    mean,
    relu,
    round,
    sign,
    sqrt,
    stop_gradient,
    tanh,
    where,
)

_draw = random.Random(11)
NORMALS = [_draw.gauss(0.0, 1.0) for _ in range(100)]


def call_by_maximum(spot, strike, rate):
    return exp(-rate) * maximum(spot - strike, 0.0)  # trap


def monte_carlo_in_a_loop(spot):
    payoffs = []
    for z in NORMALS:
        end = spot * exp(-0.02 + 0.2 * z)
        payoffs.append(maximum(end - 100.0, 0.0))  # trap
    return mean(payoffs)


def straddle(spot):
    return 0.9 * abs(spot - 100.0)  # trap


def relu_payoff(spot, z):
    return relu(spot * exp(-0.02 + 0.2 * z) - 100.0)  # trap


def basket(spots):
    return maximum(dot([0.3, 0.7], spots) - 100.0, 0.0)  # trap


def digital(spot, rate):
    if spot > 100.0:  # trap
        return exp(-rate)
    return 0.0 * rate


def digital_by_where(spot):
    return where(greater(spot, 100.0), 1.0, 0.0) * 5.0  # trap


def rounded_shares(budget, price):
    return floor(budget / price) * price  # trap


def rounded_up(hours):
    return 60.0 * ceil(hours) + 0.5 * hours  # trap


def rounded_half(x):
    return round(x) * 3.0 + x * x  # trap


def signed_bonus(x):
    return x * x + sign(x - 1.0)  # trap


def nearest_point(x):
    points = [(0.0, 1.0), (1.0, 5.0), (2.0, 2.0)]
    return min(points, key=lambda p: abs(x - p[0]))[1] + 0.1 * x  # trap


def copied_sign(x):
    return copysign(2.0, x) + x  # trap


def sawtooth(t):
    return t - floor(t)  # trap


def knock_out(spot, z1, z2):
    for z in (z1, z2):
        spot = spot * exp(-0.01 + 0.15 * z)
        if spot > 120.0:  # trap
            return 0.0 * spot
    return (spot - 80.0) ** 2


def knock_in_by_where(spot, z):
    end = spot * exp(-0.02 + 0.2 * z)
    return where(greater(90.0, end), end * end, 0.0)  # trap


def unused_log(x):
    return where(greater(x, 0.0), x * log(x), x)  # trap


def unused_root(x):
    return where(greater(x, 0.0), sqrt(x), x)  # trap


def forgotten_argument(x, rate):  # trap
    return x * x


def forgotten_entry(p):  # trap
    return p[0] * p[0] + p[2]


def on_the_kink(x):
    if x > 1.0:  # trap
        return x * x
    return 3.0 * x - 2.0


def alone_on_its_value(x):
    return 5.0 * x if x == 1.0 else 4.0 + x * 1.0  # trap


def equality(x):
    if x == 0.0:  # trap
        return 0.0 * x
    return 2.0 * x


def stopped(w, x):
    return tanh(stop_gradient(w) * x)  # trap


def plain_number(w, x):
    return tanh(w.data * x)  # trap


_weight = Value(0.3, label="weight")


def captured_number(x):
    return tanh(_weight.data * x)  # trap


def closed_over():
    w, b = 0.5, 0.1

    def layer(x):  # trap
        return tanh(w * x + b)

    return layer


def among_values():
    weights = [Value(0.5), 0.25]

    def layer(x):  # trap
        return tanh(weights[0] * x + weights[1])

    return layer


class Neuron:
    def __init__(self):
        self.w = Value(0.5)
        self.bias = 0.1

    def forward(self, x):  # trap
        return tanh(self.w * x + self.bias)


def only_read(x):  # trap
    return Value(2.0) if x.data > 1.0 else Value(3.0)


def model_of_floats():
    w = 0.5

    def predict(x):  # trap
        return tanh(w * x)

    return predict


def noisy(x):  # trap
    return x * _draw.random()


TRAPS = [
    ("no-curvature", call_by_maximum, 105.0, 100.0, 0.02),
    ("no-curvature", monte_carlo_in_a_loop, 101.0),
    ("no-curvature", straddle, 93.0),
    ("no-curvature", Averaged(relu_payoff, (None, 0)), 100.0, NORMALS),
    ("no-curvature", basket, [95.0, 104.0]),
    ("jump", digital, 104.0, 0.02),
    ("jump", digital_by_where, 98.0),
    ("jump", rounded_shares, 1000.0, 33.0),
    ("jump", rounded_up, 2.3),
    ("jump", rounded_half, 2.3),
    ("jump", signed_bonus, 1.5),
    ("jump", nearest_point, 0.3),
    ("jump", copied_sign, 0.4),
    ("jump", sawtooth, 3.2),
    ("jump-under-mean", Averaged(knock_out, (None, 0, 0)), 100.0, NORMALS[:50], NORMALS[50:]),
    ("jump-under-mean", Averaged(knock_in_by_where, (None, 0)), 100.0, NORMALS),
    ("where-not-finite", unused_log, -2.0),
    ("where-not-finite", unused_root, 0.0),
    ("unreached", forgotten_argument, 1.5, 0.02),
    ("unreached", forgotten_entry, [1.0, 2.0, 3.0]),
    ("unreached", only_read, 1.5),
    ("on-boundary", on_the_kink, 1.0),
    ("on-boundary", alone_on_its_value, 1.0),
    ("on-boundary", equality, 0.0),
    ("unseen-weight", stopped, 0.4, 2.0),
    ("unseen-weight", plain_number, 0.4, 2.0),
    ("unseen-weight", captured_number, 2.0),
    ("unseen-weight", closed_over(), 2.0),
    ("unseen-weight", model_of_floats(), 2.0),
    ("unseen-weight", among_values(), 2.0),
    ("unseen-weight", Neuron().forward, 2.0),
    ("unrepeatable", noisy, 2.0),
]
