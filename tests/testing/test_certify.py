"""certify counts the right digits and blames the operation that lost the others."""

import math

import pytest

import autograd as ag
from autograd.testing import certify


def test_a_well_conditioned_function_has_all_digits():
    found = certify(lambda x, y: ag.exp(x) * y, 1.3, 2.0)
    assert [c.name for c in found.gradient] == ["by x", "by y"]
    for c in (found.value, *found.gradient):
        assert c.digits > 15.5
        assert c.blame == ""
    assert found.gradient[1].value == math.exp(1.3)


@pytest.mark.parametrize(("x", "most"), [(1e-3, 11.5), (1e-5, 7.5), (1e-7, 3.5)])
def test_cancellation_is_blamed_on_the_subtraction(x, most):
    found = certify(lambda x: (1.0 - ag.cos(x)) / (x * x), x)
    assert found.value.digits < most
    assert found.value.blame.startswith("sub(1.0,")
    assert found.value.reference == pytest.approx(0.5 - x * x / 24, abs=1e-14)
    assert found.gradient[0].digits < most
    assert found.gradient[0].reference == pytest.approx(-x / 12, rel=1e-4)
    assert "lost by sub(1.0," in str(found)


def test_the_better_formula_is_certified_better():
    bad = certify(lambda x: ag.log(1.0 + x), 1e-10)
    good = certify(lambda x: ag.log1p(x), 1e-10)
    assert bad.value.digits < 8 < 15 < good.value.digits
    assert bad.value.blame.startswith("log(")
    assert bad.value.reference == good.value.reference


def test_beyond_the_range_there_is_no_verdict():
    assert math.isnan(certify(lambda x: ag.log(x), 0.0).value.digits)
    found = certify(lambda x: ag.log(ag.exp(x)), 1000.0)
    assert math.isnan(found.value.digits)
    assert found.value.blame.startswith("exp(1000.0)")


def test_a_constant_and_a_wrong_call():
    assert certify(lambda x: 2.0, 1.0).gradient[0].value == 0.0
    with pytest.raises(TypeError, match="does not run on Values"):
        certify(lambda x: math.sin(x), 1.0)
