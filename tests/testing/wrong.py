"""Rules that are wrong in one way each, for testing what tests them."""

import autograd as ag
from autograd import Primitive


def _row(name, like, partial, domain=(-8.0, 8.0)):
    return Primitive(name, like.fn, (partial,), domain=(domain,), exact=like.exact, kink=like.kink)


# Name of the fault: the row.
ROWS = {
    "off by 0.1 %": _row("wrong_scale", ag.sin, lambda out, x: 1.001 * ag.cos(x)),
    "wrong sign": _row("wrong_sign", ag.cos, lambda out, x: ag.sin(x)),
    "wrong branch at a kink": _row("wrong_branch", ag.relu, lambda out, x: ag.greater(x, -1e-3)),
    "beyond the subdifferential": _row(
        "wrong_kink", ag.abs, lambda out, x: ag.where(x, ag.sign(x), 1.5)
    ),
    "wrong second order on a kink": _row(
        "wrong_bend", ag.abs, lambda out, x: ag.sign(x) + ag.where(x, 0.0, 5.0) * x
    ),
    "finite where it is infinite": _row(
        "wrong_edge",
        ag.sqrt,
        lambda out, x: ag.where(x, 0.5 / ag.where(x, out, 1.0), 1e6),
        (0.0, 8.0),
    ),
    "wrong second order": _row("wrong_second", ag.exp, lambda out, x: ag.stop_gradient(out)),
    "wrong for |x| > 100": _row(
        "wrong_far",
        ag.asinh,
        lambda out, x: ag.where(ag.greater(ag.abs(x), 100.0), 1.01, 1.0) / ag.hypot(1.0, x),
    ),
    "wrong at denormals": _row(
        "wrong_denormal",
        ag.sinh,
        lambda out, x: ag.where(ag.greater(1e-308, ag.abs(x)), 0.0, 1.0) * ag.cosh(x),
    ),
    "unstable in saturation": _row("wrong_tail", ag.erf, lambda out, x: 1.0 - out * out),
    "wrong third order": _row(
        "wrong_third",
        ag.sin,
        lambda out, x: (
            ag.cos(ag.stop_gradient(x)) - ag.sin(ag.stop_gradient(x)) * (x - ag.stop_gradient(x))
        ),
    ),
}


def wrong_value(x):
    """Return a row whose partial is right and whose value is not."""
    return Primitive(
        "wrong_value",
        lambda x: 1.0001 * ag.sin(x),
        (lambda out, x: ag.cos(x),),
        domain=((-8.0, 8.0),),
        exact=ag.sin.exact,
    )(x)
