"""The gradient checks of other people's libraries: right ones pass, spoilt ones are named."""

import importlib

import pytest

CASES = [
    (
        "check_scipy_rosen",
        "scipy",
        [
            "20 variables: rosen_der and rosen_hess agree",
            "derivative from careless by x[1] is wrong",
        ],
    ),
    (
        "check_sklearn_logistic",
        "sklearn",
        [
            "5 entries right by extrapolated differences",
            "derivative from without_penalty by w[0] is wrong",
        ],
    ),
    (
        "check_statsmodels_scores",
        "statsmodels",
        ["Probit: same function within", "rounded to three digits: b[2] is"],
    ),
]


@pytest.mark.filterwarnings("default")  # of the libraries under test
@pytest.mark.parametrize(("name", "library", "wanted"), CASES, ids=[c[1] for c in CASES])
def test_example(name, library, wanted, run):
    pytest.importorskip(library)
    text = run(importlib.import_module(name), "--seed", "1")
    for line in wanted:
        assert line in text
