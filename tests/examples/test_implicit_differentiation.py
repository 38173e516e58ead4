"""The printed derivatives of the root against high-precision differences of a root finder."""

import sys
from pathlib import Path

import mpmath
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import implicit_differentiation as example


def anomaly(mean, e):
    return mpmath.findroot(lambda x: x - e * mpmath.sin(x) - mean, mean + e, tol=1e-110)


def angle(mean, e):
    half = anomaly(mean, e) / 2
    return 2 * mpmath.atan(mpmath.sqrt((1 + e) / (1 - e)) * mpmath.tan(half))


@pytest.mark.parametrize(("mean", "e"), [(0.8, 0.3), (2.4, 0.7), (0.1, 0.0)])
def test_derivatives_are_those_of_the_root(mean, e, capsys):
    example.main(["--mean", str(mean), "--eccentricity", str(e)])
    printed = dict(line.split(" = ") for line in capsys.readouterr().out.splitlines())
    orders = {
        "dM": (1, 0),
        "de": (0, 1),
        "dM2": (2, 0),
        "dM de": (1, 1),
        "de2": (0, 2),
        "dM3": (3, 0),
    }
    with mpmath.workdps(80):
        at = (mpmath.mpf(mean), mpmath.mpf(e))
        assert float(printed["E"]) == pytest.approx(float(anomaly(*at)), abs=1e-14)
        degrees = float(mpmath.degrees(angle(*at)))
        assert float(printed["angle"].split()[0]) == pytest.approx(degrees, abs=1e-9)
        for name, f in (("E", anomaly), ("angle", angle)):
            for by, order in orders.items():
                n = "" if sum(order) == 1 else sum(order)
                want = float(mpmath.diff(f, at, order))
                assert float(printed[f"d{n} {name} / {by}"]) == pytest.approx(
                    want, rel=1e-10, abs=2e-11
                )


def test_the_iteration_is_not_in_the_graph():
    from autograd import Value, topological_order

    order = topological_order(example.eccentric_anomaly(Value(0.8), Value(0.3)))
    assert [node.op for node in order] == ["", "", "eccentric_anomaly"]
