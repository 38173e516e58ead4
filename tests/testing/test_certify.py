"""certify counts the right digits and blames the operation that lost the others."""

import json
import math
import re

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
    assert "lost by sub(1.0," in str(found.value)


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


def test_second_derivatives_are_certified_too():
    found = certify(lambda x, y: ag.exp(x) * y**3, 1.3, 2.0)
    assert [c.name for c in found.second] == ["by x twice", "by x and y", "by y twice"]
    assert [c.value for c in found.second] == pytest.approx(
        [8 * math.exp(1.3)] + [12 * math.exp(1.3)] * 2
    )
    assert all(c.digits > 15 for c in found.rows)
    bad = certify(lambda x: (1.0 - ag.cos(x)) / (x * x), 1e-3)
    assert bad.second[0].digits < bad.gradient[0].digits < bad.value.digits
    assert bad.second[0].reference == pytest.approx(-1 / 12, rel=1e-5)
    assert bad.second[0].blame != ""
    assert certify(lambda x: ag.sin(x), 1.0, order=1).second == ()
    with pytest.raises(ValueError, match="order must be 1 or 2, not 3"):
        certify(lambda x: ag.sin(x), 1.0, order=3)


def test_a_certificate_is_a_table_html_and_json():
    found = certify(lambda x: ag.log(x) if x > 0 else ag.exp(x), 0.0)
    rows = str(found).splitlines()
    assert rows[0].split() == ["number", "value", "reference", "digits", "lost", "by"]
    assert [row.split("  ")[0] for row in rows[1:]] == ["value", "by x", "by x twice"]
    lost = certify(lambda x: ag.log(ag.exp(x)), 1000.0)
    content = json.loads(lost.to_json(), parse_constant=pytest.fail)
    assert content["value"]["value"] == "inf"
    assert content["value"]["digits"] is None
    assert "?" in str(lost)
    html = certify(lambda x: ag.where(x < 3.0, x * 1e-300, x), 1.0)._repr_html_()
    assert html.count("<tr>") == 4
    assert "<" not in re.sub(r"</?(table|thead|tbody|tr|th|td)>", "", html)


def test_a_constant_has_second_derivatives_too():
    found = certify(lambda x, y: 2.0, 1.0, 1.0)
    assert [c.value for c in found.second] == [0.0] * 3
