"""All Greeks of eight options against high-precision differences of the price."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))
import black_scholes as example  # noqa: E402

ROWS = json.loads((ROOT / "tests/data/black_scholes.json").read_text("utf-8"))["rows"]
KEYS = {
    "price": "price",
    "delta": "delta",
    "dual delta": "dual_delta_dV_dK",
    "rho": "rho",
    "vega": "vega",
    "theta": "theta_minus_dV_dT",
    "gamma": "gamma",
    "vanna": "vanna",
    "volga": "volga",
    "charm": "charm_minus_dDelta_dT",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_greeks_and_hessian(row):
    option = [row[name] for name in example.NAMES]
    named, second = example.greeks(option, row["type"] == "put")
    assert named.keys() == KEYS.keys()
    for name, key in KEYS.items():
        assert named[name] == pytest.approx(row[key], rel=2e-12, abs=1e-13)
    assert row["hessian_order"] == example.NAMES
    for found, want in zip(second, row["hessian"], strict=True):
        assert found == pytest.approx(want, rel=1e-11, abs=1e-12)


def test_printed_numbers(capsys):
    row = ROWS[0]
    example.main([])
    lines = capsys.readouterr().out.splitlines()
    for line, key in zip(lines, KEYS.values(), strict=False):
        assert float(line.split()[-1]) == pytest.approx(row[key], abs=1e-12)
    for line, want in zip(lines[len(KEYS) + 1 :], row["hessian"], strict=True):
        assert list(map(float, line.split()[1:])) == pytest.approx(want, abs=1e-9)
    published = row["published"]
    for name in ("delta", "gamma"):
        line = next(line for line in lines if line.split()[0] == name)
        assert round(float(line.split()[1]), 3) == published[name]
