"""Programs as people write them, with nothing in them to report: `lint` must stay silent.

Each entry of `PROGRAMS` is a function (or `Averaged`) and the arguments it is asked about.
"""

import itertools
import math
import random

from autograd import (
    Averaged,
    Value,
    abs,
    atan2,
    cos,
    dot,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    gelu,
    grad,
    greater,
    hypot,
    log,
    log1p,
    log_sigmoid,
    logsumexp,
    maximum,
    mean,
    minimum,
    norm,
    pi,
    pow,
    relu,
    sigmoid,
    silu,
    sin,
    softmax,
    softplus,
    sqrt,
    stop_gradient,
    sum,
    tanh,
    where,
)

_draw = random.Random(7)
NORMALS = [_draw.gauss(0.0, 1.0) for _ in range(200)]
XS = [[_draw.uniform(-1.0, 1.0), _draw.uniform(-1.0, 1.0)] for _ in range(12)]
YS = [x[0] - 0.5 * x[1] + 0.1 * _draw.gauss(0.0, 1.0) for x in XS]
LABELS = [int(y > 0.0) for y in YS]
ROOT_HALF = math.sqrt(0.5)


def black_scholes(spot, strike, rate, vol, expiry):
    deviation = vol * sqrt(expiry)
    d1 = (log(spot / strike) + (rate + 0.5 * vol * vol) * expiry) / deviation
    d2 = d1 - deviation
    cdf = lambda x: 0.5 * erfc(-x * ROOT_HALF)  # noqa: E731
    return spot * cdf(d1) - strike * exp(-rate * expiry) * cdf(d2)


def vanilla_path(spot, vol, z):
    end = spot * exp(-0.5 * vol * vol + vol * z)
    if end > 100.0:
        return end - 100.0
    return 0.0


def put_path(spot, z):
    end = spot * exp(-0.02 + 0.2 * z)
    return 100.0 - end if end < 100.0 else 0.0 * end


def asian_path(spot, vol, zs):
    total = 0.0
    for z in zs:
        spot = spot * exp(-0.005 * vol + 0.1 * vol * z)
        total = total + spot
    average = total / len(zs)
    if average > 100.0:
        return average - 100.0
    return 0.0 * average


def mixture_path(spot, u, z):
    # Which regime a path is in is drawn, it does not move with the parameter.
    vol = 0.1 if u < 0.3 else 0.4
    return log(spot * exp(vol * z)) ** 2


def smoothed_digital(spot, strike):
    return sigmoid((spot - strike) / 2.0)


def soft_barrier(spot, barrier):
    return softplus(spot - 100.0) * sigmoid((barrier - spot) / 3.0)


def call_with_curvature(spot):
    return maximum(spot - 100.0, 0.0) ** 2


def network_loss(weights):
    loss = 0.0
    for x, y in zip(XS, YS, strict=True):
        hidden = [relu(dot(w, x) + b) for w, b in weights["hidden"]]
        out = dot(weights["out"], hidden) + weights["bias"]
        loss = loss + (out - y) ** 2
    return loss / len(XS)


WEIGHTS = {
    "hidden": [([0.5, -0.3], 0.1), ([-0.4, 0.8], 0.05), ([0.3, 0.6], -0.1)],
    "out": [0.7, -0.2, 0.4],
    "bias": 0.05,
}


def network_output(weights):
    hidden = [relu(dot(w, [0.3, -0.7]) + b) for w, b in weights["hidden"]]
    return dot(weights["out"], hidden) + weights["bias"]


def network_of_inputs(x, y):
    hidden = [relu(a * x + b * y + c) for a, b, c in [(1.0, 2.0, 0.1), (-1.0, 0.5, 0.2)]]
    return 0.3 * hidden[0] - 0.2 * hidden[1]


def tanh_network(weights, x):
    hidden = [tanh(w * x + b) for w, b in weights]
    return sum(hidden)


def branching_network(w):
    h = w[0] * 0.5 + w[1]
    h = h if h > 0.0 else 0.01 * h
    return (h * w[2] - 1.0) ** 2


def gelu_network(w, b):
    return (gelu(w * 0.7 + b) + silu(w - b)) ** 2


def softmax_regression(w):
    loss = 0.0
    for x, label in zip(XS, LABELS, strict=True):
        logits = [dot(row, x) for row in w]
        loss = loss + logsumexp(logits) - logits[label]
    return loss / len(XS)


def max_shifted_softmax(logits):
    top = max(logits)
    total = sum([exp(x - top) for x in logits])
    return log(total) + top - logits[0]


def predicted_class_confidence(logits):
    return max(softmax(logits))


def logistic_regression(w, b):
    return -sum(
        [
            log_sigmoid(w * x[0] + b) if label else log_sigmoid(-(w * x[0] + b))
            for x, label in zip(XS, LABELS, strict=True)
        ]
    )


def euler_decay(rate):
    x, t = 1.0, 0.0
    while t < 1.0:
        x = x - 0.1 * rate * x
        t += 0.1
    return x


def runge_kutta_pendulum(angle, length):
    def f(a, v):
        return v, -9.81 / length * sin(a)

    a, v, h, t = angle, 0.0, 0.05, 0.0
    while t < 1.0:
        k1 = f(a, v)
        k2 = f(a + 0.5 * h * k1[0], v + 0.5 * h * k1[1])
        k3 = f(a + 0.5 * h * k2[0], v + 0.5 * h * k2[1])
        k4 = f(a + h * k3[0], v + h * k3[1])
        a = a + h / 6.0 * (k1[0] + 2.0 * k2[0] + 2.0 * k3[0] + k4[0])
        v = v + h / 6.0 * (k1[1] + 2.0 * k2[1] + 2.0 * k3[1] + k4[1])
        t += h
    return a


def adaptive_step(rate):
    x, t, h = 1.0, 0.0, 0.5
    while t < 1.0:
        h = min(h, 1.0 - t)
        whole = x * (1.0 - rate * h + 0.5 * (rate * h) ** 2)
        half = x
        for _ in range(2):
            half = half * (1.0 - rate * 0.5 * h + 0.5 * (0.5 * rate * h) ** 2)
        if abs(whole - half) > 1e-6:
            h = 0.5 * h
            continue
        x, t = half, t + h
        h = 1.5 * h
    return x


def newton_square_root(a):
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


def newton_kepler(mean_anomaly, eccentricity):
    e = mean_anomaly
    for _ in range(50):
        step = (e - eccentricity * sin(e) - mean_anomaly) / (1.0 - eccentricity * cos(e))
        e = e - step
        if abs(step) < 1e-13:
            break
    return e


def implied_volatility(price):
    vol = 0.3 + 0.0 * price
    for _ in range(30):
        value = black_scholes(100.0, 100.0, 0.0, vol, 1.0)
        d1 = 0.5 * vol
        vega = 100.0 * exp(-0.5 * d1 * d1) / math.sqrt(2.0 * pi)
        step = (value - price) / vega
        vol = vol - step
        if abs(step) < 1e-12:
            return vol
    raise ArithmeticError("no convergence")


def income_tax(income):
    if income <= 10_000.0:
        return 0.1 * income
    if income <= 40_000.0:
        return 1_000.0 + 0.2 * (income - 10_000.0)
    return 7_000.0 + 0.4 * (income - 40_000.0)


def tax_by_maximum(income):
    return 0.1 * income + 0.1 * maximum(income - 10_000.0, 0.0) + 0.2 * maximum(income - 4e4, 0.0)


def huber(residual):
    if abs(residual) <= 1.0:
        return 0.5 * residual * residual
    return abs(residual) - 0.5


def huber_regression(w, b):
    return mean([huber(w * x[0] + b - y) for x, y in zip(XS, YS, strict=True)])


def l1_loss(w):
    return mean([abs(dot(w, x) - y) for x, y in zip(XS, YS, strict=True)])


def l1_loss_of_two_floats(slope, offset):
    return mean([abs(slope * x[0] + offset - y) for x, y in zip(XS, YS, strict=True)])


def l1_row(slope, offset, x, y):
    return abs(slope * x + offset - y)


def lasso(w):
    errors = [(dot(w, x) - y) ** 2 for x, y in zip(XS, YS, strict=True)]
    return mean(errors) + 0.1 * sum([abs(x) for x in w])


def hinge_loss(w):
    margins = [(1.0 if k else -1.0) * dot(w, x) for x, k in zip(XS, LABELS, strict=True)]
    return mean([maximum(1.0 - m, 0.0) for m in margins]) + 0.01 * dot(w, w)


def clamped_square(x):
    inside = minimum(maximum(x, -1.0), 1.0)
    return inside * inside + 0.1 * x * x


def bare_clamp(x):
    return minimum(maximum(x, -1.0), 1.0)


def clamp_by_branches(x):
    if x < 0.0:
        return 0.0
    return 1.0 if x > 1.0 else x


def projectile(speed, angle):
    return speed * speed * sin(2.0 * angle) / 9.81


def drag_terminal(mass, area):
    return sqrt(2.0 * mass * 9.81 / (1.2 * 0.5 * area))


def lennard_jones(r, epsilon, sigma):
    q = (sigma / r) ** 6
    return 4.0 * epsilon * (q * q - q)


def oscillator(x):
    w = 2.0 * pi  # an angular frequency, no weight
    return cos(w * x) * exp(-0.1 * x)


def unit_vector(x, y):
    length = hypot(x, y)
    if length < 1e-12:
        return 0.0 * x
    return x / length


def polar_angle(x, y):
    return atan2(y, x) * norm([x, y])


def periodic(x):
    return sin(x - 2.0 * pi * floor(x / (2.0 * pi)))


def triangle_wave_energy(x):
    r = x - floor(x)
    return (r * (1.0 - r)) ** 2


def linear_spline(x):
    knots = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (4.0, 5.0)]
    for (x0, y0), (x1, y1) in itertools.pairwise(knots):
        if x <= x1:
            return y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    return 5.0 + 0.0 * x


def cubic_b_spline(x):
    r = abs(x)
    if r < 1.0:
        return (4.0 - 6.0 * r * r + 3.0 * r**3) / 6.0
    if r < 2.0:
        return (2.0 - r) ** 3 / 6.0
    return 0.0 * x


def spline_basis(x):
    return maximum(x - 1.0, 0.0) ** 3 + maximum(x - 2.0, 0.0) ** 3 + x


def yield_curve(t):
    table = [(0.5, 0.010), (1.0, 0.012), (2.0, 0.015), (5.0, 0.020)]
    i = 0
    while i < len(table) - 2 and t > table[i + 1][0]:
        i += 1
    (t0, r0), (t1, r1) = table[i], table[i + 1]
    return exp(-t * (r0 + (r1 - r0) * (t - t0) / (t1 - t0)))


def safe_log(x):
    inside = where(greater(x, 0.0), x, 1.0)
    return where(greater(x, 0.0), log1p(inside), x)


def guarded_log(x):
    inside = where(greater(x, 0.0), x, 1.0)
    return where(greater(x, 0.0), log(inside), 0.0)


def guarded_inverse(s, z):
    moved = s + 0.1 * z
    return 1.0 / moved if moved > 0.0 else 0.0


def sinc(x):
    if abs(x) < 1e-4:
        return 1.0 - x * x / 6.0
    return sin(x) / x


def stable_expm1_ratio(x):
    if x == 0.0:
        return 1.0 + 0.5 * x
    return expm1(x) / x


def slope_of_a_length(x):
    # Derivatives choose with `where` too; that is not the function's own.
    return grad(lambda y: hypot(y, 0.0 * y))(x) + x * x


def shared_root(x):
    r = sqrt(x)
    return where(greater(x, 1.0), 2.0 * r - 1.0, r)


def steep_at_zero(x):
    if x == 0.0:
        return 0.0 * x
    return 1e6 * x * x


def the_same_twice(x):
    return exp(100.0 * x) if x > 1.0 else exp(50.0 * x) ** 2


def guarded(x):
    if x <= 0.0:
        raise ValueError("x must be positive")
    return log(x) * x


def relu_row(w, x, y):
    return (relu(w[0] * x + w[1]) * w[2] - y) ** 2


def straight_through(x):
    return x + stop_gradient(floor(x) - x) * 0.0 + x * x


def logged(weights, seen=None):
    loss = dot(weights, weights) + sum([sin(w) for w in weights])
    if seen is not None:
        seen.append(loss.data)  # for a plot
    return loss


def median_of_three(a, b, c):
    return sorted([a, b, c])[1] ** 2


def gauss_quadrature(k):
    weights, nodes = [5.0 / 9.0, 8.0 / 9.0, 5.0 / 9.0], [-math.sqrt(0.6), 0.0, math.sqrt(0.6)]
    return sum([w * exp(-k * x * x) for w, x in zip(weights, nodes, strict=True)])


def normal_likelihood(mu, log_sigma):
    return sum([0.5 * ((y - mu) * exp(-log_sigma)) ** 2 + log_sigma for y in YS])


def relaxed_step(x, temperature):
    return 0.5 * (1.0 + erf(x / temperature))


def power_law(x, exponent):
    return pow(x, exponent) + x**3


def endless_elsewhere(x):
    # Behind the branch it never ends: a look there must.
    if x > 1.0:
        try:
            while x > 0.0:
                x = 1.0 * x
        except Exception:
            return 0.0
    return x * x


def bouncing_ball(height, restitution):
    y, v, t = height, 0.0, 0.0
    while t < 3.0:
        v = v - 0.0981
        y = y + 0.01 * v
        if y < 0.0:
            y, v = -restitution * y, -restitution * v
        t += 0.01
    return y


def friction_factor(reynolds):
    # Two regimes, each with its own derivative.
    if reynolds < 2300.0:
        return 64.0 / reynolds
    return 0.316 / reynolds**0.25


def gaussian_elimination(a, b):
    a, b = [row[:] for row in a], b[:]
    n = len(b)
    for i in range(n):
        p = max(range(i, n), key=lambda r: abs(a[r][i]))
        a[i], a[p], b[i], b[p] = a[p], a[i], b[p], b[i]
        for r in range(i + 1, n):
            f = a[r][i] / a[i][i]
            a[r] = [x - f * y for x, y in zip(a[r], a[i], strict=True)]
            b[r] = b[r] - f * b[i]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (b[i] - sum([a[i][k] * x[k] for k in range(i + 1, n)])) / a[i][i]
    return x[0] * x[0] + x[1]


def interpolated(x):
    i = int(x.data)  # which interval; the rest is computed with x itself
    return i * i + (2 * i + 1) * (x - i)


def embedding(table):
    return table[3] * table[5]


def wrapped_angle(x):
    while x > pi:
        x = x - 2.0 * pi
    return sin(x)


class Line:
    """A captured parameter, used as it should be; `rate` is a number of its own."""

    def __init__(self):
        self.slope = Value(0.7, label="slope")
        self.rate = 0.1

    def __call__(self, x):
        return (self.slope * x - 2.0) ** 2 * self.rate


PROGRAMS = {
    "Black-Scholes": (black_scholes, 100.0, 105.0, 0.02, 0.2, 1.0),
    "vanilla by if, averaged": (Averaged(vanilla_path, (None, None, 0)), 100.0, 0.2, NORMALS),
    "put by if, averaged": (Averaged(put_path, (None, 0)), 100.0, NORMALS),
    "Asian by if, averaged": (
        Averaged(asian_path, (None, None, 0)),
        100.0,
        1.0,
        [NORMALS[i : i + 5] for i in range(0, 200, 5)],
    ),
    "mixture, averaged": (
        Averaged(mixture_path, (None, 0, 0)),
        100.0,
        [0.5 + 0.5 * math.sin(i) for i in range(200)],
        NORMALS,
    ),
    "smoothed digital": (smoothed_digital, 100.0, 101.0),
    "soft barrier": (soft_barrier, 100.0, 120.0),
    "squared payoff": (call_with_curvature, 103.0),
    "ReLU network, loss": (network_loss, WEIGHTS),
    "ReLU network, output": (network_output, WEIGHTS),
    "ReLU network, averaged": (
        Averaged(relu_row, (None, 0, 0)),
        [0.5, 0.1, 0.7],
        [x[0] for x in XS],
        YS,
    ),
    "ReLU network of its inputs": (network_of_inputs, 0.3, 0.5),
    "tanh network": (tanh_network, [(0.3, 0.1), (-0.5, 0.2)], 0.4),
    "network of branches": (branching_network, [0.4, 0.1, 0.9]),
    "gelu network": (gelu_network, 0.4, -0.1),
    "softmax regression": (softmax_regression, [[0.1, 0.2], [-0.3, 0.4]]),
    "softmax shifted by max": (max_shifted_softmax, [0.3, 1.2, -0.5]),
    "predicted class": (predicted_class_confidence, [0.3, 1.2, -0.5]),
    "logistic regression": (logistic_regression, 0.3, 0.1),
    "Euler": (euler_decay, 0.7),
    "Runge-Kutta": (runge_kutta_pendulum, 0.4, 1.5),
    "adaptive step": (adaptive_step, 1.3),
    "Newton's square root": (newton_square_root, 2.0),
    "Kepler": (newton_kepler, 0.8, 0.3),
    "implied volatility": (implied_volatility, 11.0),
    "tax": (income_tax, 12_345.0),
    "tax by maximum": (tax_by_maximum, 12_345.0),
    "Huber": (huber, 0.8),
    "Huber regression": (huber_regression, 0.9, 0.05),
    "L1 loss of weights": (l1_loss, [0.5, -0.2]),
    "L1 loss of floats": (l1_loss_of_two_floats, 0.5, 0.1),
    "L1 loss, averaged": (
        Averaged(l1_row, (None, None, 0, 0)),
        0.5,
        0.1,
        [x[0] for x in XS],
        YS,
    ),
    "lasso": (lasso, [0.5, -0.2]),
    "hinge": (hinge_loss, [0.5, -0.2]),
    "clamp": (clamped_square, 0.6),
    "bare clamp": (bare_clamp, 0.4),
    "clamp by branches": (clamp_by_branches, 0.6),
    "projectile": (projectile, 20.0, 0.7),
    "terminal velocity": (drag_terminal, 80.0, 0.7),
    "Lennard-Jones": (lennard_jones, 1.2, 1.0, 1.0),
    "oscillator": (oscillator, 0.3),
    "unit vector": (unit_vector, 0.3, 0.4),
    "polar": (polar_angle, 0.3, 0.4),
    "range reduction": (periodic, 7.0),
    "smooth sawtooth": (triangle_wave_energy, 2.3),
    "linear spline": (linear_spline, 1.3),
    "cubic B-spline": (cubic_b_spline, 0.8),
    "truncated powers": (spline_basis, 1.7),
    "table look-up": (yield_curve, 1.4),
    "safe where": (safe_log, -0.3),
    "guarded log": (guarded_log, 2.0),
    "guarded inverse, averaged": (Averaged(guarded_inverse, (None, 0)), 1.0, NORMALS),
    "sinc": (sinc, 0.2),
    "sinc at zero": (sinc, 0.0),
    "expm1(x) / x at zero": (stable_expm1_ratio, 0.0),
    "slope of a length": (slope_of_a_length, 0.0),
    "shared root": (shared_root, 0.0),
    "steep at zero": (steep_at_zero, 0.0),
    "the same twice": (the_same_twice, 1.0),
    "guard that raises": (guarded, 0.4),
    "straight through": (straight_through, 2.3),
    "logged": (logged, [0.3, 0.5], []),
    "median": (median_of_three, 1.0, 3.0, 2.0),
    "quadrature": (gauss_quadrature, 0.5),
    "likelihood": (normal_likelihood, 0.1, -0.2),
    "relaxed step": (relaxed_step, 0.3, 0.5),
    "power law": (power_law, 1.3, 2.2),
    "endless elsewhere": (endless_elsewhere, 0.9),
    "bouncing ball": (bouncing_ball, 10.0, 0.8),
    "friction": (friction_factor, 1900.0),
    "Gauss": (gaussian_elimination, [[1.0, 3.0], [4.0, 2.0]], [1.0, 2.0]),
    "interpolated": (interpolated, 2.4),
    "embedding": (embedding, [0.1] * 20),
    "wrapped angle": (wrapped_angle, 4.0),
    "captured parameter": (Line(), 1.5),
    "bound method": (Line().__call__, 1.5),
}
