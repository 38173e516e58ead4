"""SciPy's solvers take derivative functions as they stand; each problem's solution is known."""

import math
import warnings

import numpy as np
import pytest

import autograd as ag
from autograd import grad, hessian, hvp, jacobian, value_and_grad

optimize = pytest.importorskip("scipy.optimize")
integrate = pytest.importorskip("scipy.integrate")


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def powell(x):
    return (
        (x[0] + 10.0 * x[1]) ** 2
        + 5.0 * (x[2] - x[3]) ** 2
        + (x[1] - 2.0 * x[2]) ** 4
        + 10.0 * (x[0] - x[3]) ** 4
    )


def wood(x):
    return (
        100.0 * (x[1] - x[0] ** 2) ** 2
        + (1.0 - x[0]) ** 2
        + 90.0 * (x[3] - x[2] ** 2) ** 2
        + (1.0 - x[2]) ** 2
        + 10.0 * (x[1] + x[3] - 2.0) ** 2
        + 0.1 * (x[1] - x[3]) ** 2
    )


def beale_residuals(x):
    return np.array([y - x[0] * (1.0 - x[1] ** k) for k, y in ((1, 1.5), (2, 2.25), (3, 2.625))])


def beale(x):
    return (beale_residuals(x) ** 2).sum()


def helical_residuals(x):
    turn = ag.atan2(x[1], x[0]) / (2.0 * math.pi)
    return np.array([10.0 * (x[2] - 10.0 * turn), 10.0 * (ag.hypot(x[0], x[1]) - 1.0), x[2]])


def helical(x):
    return (helical_residuals(x) ** 2).sum()


PROBLEMS = {
    **{
        f"rosenbrock-{n}": (rosenbrock, np.resize([-1.2, 1.0], n), np.ones(n), 1e-6)
        for n in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20)
    },
    # Singular at the solution: the way there is slow and its end not sharp.
    "powell": (powell, np.array([3.0, -1.0, 0.0, 1.0]), np.zeros(4), 2e-2),
    "wood": (wood, np.array([-3.0, -1.0, -3.0, -1.0]), np.ones(4), 1e-6),
    "beale": (beale, np.array([1.0, 1.0]), np.array([3.0, 0.5]), 1e-6),
    "helical": (helical, np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), 1e-6),
}
METHODS = {
    "BFGS": {"jac": grad},
    "L-BFGS-B": {"jac": grad},
    "CG": {"jac": grad},
    "trust-exact": {"jac": grad, "hess": hessian},
    "trust-ncg": {"jac": grad, "hess": hessian},
    "Newton-CG": {"jac": grad, "hess": hessian},
    "trust-constr": {"jac": grad, "hess": hessian},
}


def tight(method):
    """Options that let the solvers go on to nearly the last digit."""
    if method == "Newton-CG":
        return {"xtol": 1e-9, "maxiter": 4000}
    return {"gtol": 1e-8, "maxiter": 4000} | ({"ftol": 1e-15} if method == "L-BFGS-B" else {})


def is_minimum(f, x, solution, tolerance):
    """At the known minimum, or (Rosenbrock in 4 and more dimensions) at its known other one."""
    if np.allclose(x, solution, atol=tolerance):
        return True
    other = f is rosenbrock and len(x) >= 4 and abs(x[0] + 1.0) < 0.05
    return other and np.linalg.norm(grad(f)(x)) < 1e-4 and np.linalg.eigvalsh(hessian(f)(x))[0] > 0


@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
def test_minimize(problem, method):
    f, x0, solution, tolerance = PROBLEMS[problem]
    derivatives = {key: make(f) for key, make in METHODS[method].items()}
    found = optimize.minimize(f, x0, method=method, options=tight(method), **derivatives)
    assert is_minimum(f, found.x, solution, tolerance)
    assert found.jac is None or np.linalg.norm(found.jac) < 1e-3


@pytest.mark.parametrize("problem", PROBLEMS)
def test_minimize_with_value_and_gradient_in_one_call(problem):
    f, x0, solution, tolerance = PROBLEMS[problem]
    calls = []

    def counted(x):
        calls.append(1)
        return f(x)

    found = optimize.minimize(
        value_and_grad(counted), x0, jac=True, method="BFGS", options={"gtol": 1e-8}
    )
    assert is_minimum(f, found.x, solution, tolerance)
    assert len(calls) == found.nfev


@pytest.mark.parametrize("method", ["trust-krylov", "trust-ncg", "Newton-CG"])
@pytest.mark.parametrize("problem", ["rosenbrock-2", "rosenbrock-10", "wood", "beale", "helical"])
def test_minimize_with_hessian_vector_products(problem, method):
    f, x0, solution, tolerance = PROBLEMS[problem]
    found = optimize.minimize(
        f,
        x0,
        jac=grad(f),
        hessp=lambda x, v: hvp(f, (x,), (v,)),
        method=method,
        options=tight(method),
    )
    assert is_minimum(f, found.x, solution, 100 * tolerance)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_derivatives_are_those_of_differences(problem):
    f, x0, _, _ = PROBLEMS[problem]
    x = x0 + 0.1
    assert optimize.check_grad(f, grad(f), x) < 1e-5 * np.linalg.norm(grad(f)(x))
    h = optimize.approx_fprime(x, grad(f), 1e-7)
    np.testing.assert_allclose(hessian(f)(x), h, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_rosenbrock_is_scipys(n):
    x = np.linspace(-1.0, 1.5, n)
    np.testing.assert_allclose(grad(rosenbrock)(x), optimize.rosen_der(x), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(hessian(rosenbrock)(x), optimize.rosen_hess(x), rtol=1e-12)
    v = np.cos(np.arange(n))
    np.testing.assert_allclose(
        hvp(rosenbrock, (x,), (v,)), optimize.rosen_hess_prod(x, v), rtol=1e-11, atol=1e-10
    )


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
@pytest.mark.parametrize(
    ("residuals", "x0", "solution"),
    [
        (beale_residuals, [1.0, 1.0], [3.0, 0.5]),
        (helical_residuals, [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
        (lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]), [-1.2, 1.0], [1.0, 1.0]),
    ],
    ids=["beale", "helical", "rosenbrock"],
)
def test_least_squares(residuals, x0, solution, method):
    found = optimize.least_squares(residuals, x0, jac=jacobian(residuals), method=method)
    np.testing.assert_allclose(found.x, solution, atol=1e-7)
    assert found.jac.shape == (len(residuals(found.x)), len(solution))


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root(method):
    def f(x):
        return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])

    found = optimize.root(f, [0.0, 0.0], jac=jacobian(f), method=method)
    assert found.success
    np.testing.assert_allclose(found.x, [0.8411639, 0.1588361], atol=1e-7)


def test_scalar_solvers():
    def f(x):
        return ag.cos(x) - x

    for method in ("newton", "halley"):
        found = optimize.root_scalar(
            f, x0=1.0, fprime=grad(f), fprime2=grad(grad(f)), method=method
        )
        assert found.root == pytest.approx(0.7390851332151607, abs=1e-14)


def van_der_pol(t, y, mu):
    return np.array([y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]])


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_stiff_solvers(method):
    # The solvers want the Jacobian by y, the second argument.
    jac = jacobian(van_der_pol, argnums=1)
    np.testing.assert_allclose(
        jac(0.0, np.array([2.0, 0.5]), 3.0), [[0.0, 1.0], [-2.0 * 3.0 * 2.0 * 0.5 - 1.0, -9.0]]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = integrate.solve_ivp(
            van_der_pol,
            (0.0, 11.0),
            [2.0, 0.0],
            method=method,
            jac=jac,
            args=(5.0,),
            rtol=1e-8,
            atol=1e-10,
        )
    want = integrate.solve_ivp(
        van_der_pol, (0.0, 11.0), [2.0, 0.0], method="DOP853", args=(5.0,), rtol=1e-12, atol=1e-13
    )
    assert found.success
    np.testing.assert_allclose(found.y[:, -1], want.y[:, -1], atol=2e-5)
    assert method == "LSODA" or found.njev >= 1
