"""Gradients of NumPy by hand, of PyTorch and of JAX: right ones pass, wrong ones are named."""

import os
import subprocess
import sys

import numpy as np
import pytest

import autograd as ag
from autograd.testing import GradientMismatch, check_jax, check_numpy, check_torch

EXACT = "the operations' definitions in multi-precision arithmetic"
DIFFERENCES = "extrapolated differences of the function (Ridders)"


def waves(x, a):
    return np.sum(np.sin(x) * a)


def waves_gradient(x, a):
    return np.cos(x) * a, float(np.sum(np.sin(x)))


X = np.array([[0.5, -1.0], [2.0, 0.1]])


def test_no_library_is_loaded_before_it_is_asked_for():
    heavy = "{'numpy', 'torch', 'jax', 'mpmath', 'hypothesis'}"
    code = f"import sys, autograd.testing; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# -------------------------------------------------------------------------- NumPy


def test_a_gradient_by_hand_is_held_against_definitions():
    found = check_numpy(waves, waves_gradient, X, 3.0)
    assert found.method == EXACT
    assert found.right > 5
    assert found.undecided == 0


def test_a_wrong_entry_is_named():
    def wrong(x, a):
        gradient, rate = waves_gradient(x, a)
        gradient[1, 0] *= 1 + 1e-9
        return gradient, rate

    with pytest.raises(GradientMismatch) as caught:
        check_numpy(waves, wrong, X, 3.0)
    report = caught.value.report
    assert (report.what, report.argument) == ("derivative from wrong", "x[1, 0]")
    assert report.reference == pytest.approx(np.cos(2.0) * 3.0, rel=1e-15)
    assert report.program.startswith("from autograd.testing import check_numpy; check_numpy(waves")


def test_a_gradient_may_write_to_its_arguments():
    def greedy(x, a):
        x *= 0.0
        return x, 0.0

    with pytest.raises(GradientMismatch):
        check_numpy(waves, greedy, X, 3.0)
    assert X[1, 0] == 2.0


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def test_functions_of_several_outputs_have_jacobians():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    x = np.array([0.3, -0.2])
    assert check_numpy(lambda x: matrix @ x, lambda x: matrix, x).right > 2

    def jacobian(x):
        s = softmax(x)
        return np.diag(s) - np.outer(s, s)

    assert check_numpy(softmax, jacobian, X[0]).right > 2
    square = matrix[:2]
    with pytest.raises(GradientMismatch):  # transposed
        check_numpy(lambda x: square @ x, lambda x: square.T, x)
    with pytest.raises(TypeError, match=r"a Jacobian has shape \(3, 2\)"):
        check_numpy(lambda x: matrix @ x, lambda x: matrix.T, x)


def test_a_gradient_in_another_shape_is_refused():
    with pytest.raises(TypeError, match=r"gave shape \(2, 2\) for b, whose shape is \(2,\)"):
        check_numpy(lambda b: np.sum(X + b), lambda b: np.ones((2, 2)), np.array([1.0, 2.0]))
    with pytest.raises(TypeError, match="2 entries"):
        check_numpy(waves, lambda x, a: waves_gradient(x, a)[0], X, 3.0)


def test_outputs_of_numpy_functions():
    assert check_numpy(lambda x: float(x**2), lambda x: 2 * x, 3.0).right == 1
    with pytest.raises(TypeError, match="must return one array of NumPy or a number, not list"):
        check_numpy(lambda x: [x, x], lambda x: [1.0, 1.0], 3.0)


def test_float32_is_judged_at_its_own_precision():
    x = X.astype(np.float32)
    right = check_numpy(waves, lambda x, a: (np.cos(x) * a, np.float32(np.sum(np.sin(x)))), x, 3.0)
    assert right.method == EXACT
    with pytest.raises(GradientMismatch):
        check_numpy(waves, lambda x, a: (1.001 * np.cos(x) * a, np.sum(np.sin(x))), x, 3.0)


def test_integers_are_constants():
    assert check_numpy(lambda x, n: np.sum(x**n), lambda x, n: n * x ** (n - 1), X, 3).right > 4
    with pytest.raises(TypeError, match=r"no argument holds floats.*write 3\.0 for 3"):
        check_numpy(lambda x: x * x, lambda x: 2 * x, 3)


def test_what_does_not_run_on_values_has_a_reference_or_differences():
    def norm(x):
        return np.linalg.norm(np.asarray(x, dtype=float))

    found = check_numpy(norm, lambda x: x / norm(x), X[0])
    assert found.method == DIFFERENCES
    found = check_numpy(norm, lambda x: x / norm(x), X[0], reference=lambda x: ag.norm(list(x)))
    assert found.method == EXACT
    with pytest.raises(ValueError, match="reference= is another function than norm"):
        check_numpy(norm, lambda x: x / norm(x), X[0], reference=lambda x: 2 * ag.norm(list(x)))


# -------------------------------------------------------------------------- PyTorch


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def cube(torch):
    """A function whose backward pass is by hand, with the factor that it is given."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(x)
            ctx.factor = factor
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.factor * x**2, None

    return Cube.apply


def test_torch_right(torch):
    x = torch.tensor(X)
    found = check_torch(lambda x, a: (torch.sin(x) * a).sum(), x, 3.0, order=2)
    assert found.method == DIFFERENCES
    assert found.undecided == 0
    # First derivatives (both modes have the same bits) and five rows of second ones.
    assert found.right == 5 + 25
    assert check_torch(torch.abs, -1.5, order=2).right == 2
    assert found.notes == ("no reference= was given",)


def test_torch_backward_by_hand(torch, cube):
    x = torch.tensor([1.2, -0.5], dtype=torch.float64)
    found = check_torch(lambda x: cube(x, 3.0).sum(), x)
    assert found.right == 2
    assert any("forward mode left out" in note for note in found.notes)

    def wrong(x):
        return cube(x, 2.0).sum()

    with pytest.raises(GradientMismatch) as caught:
        check_torch(wrong, x)
    report = caught.value.report
    assert (report.what, report.argument) == ("derivative from torch.autograd.grad", "x[0]")
    assert report.reference == pytest.approx(3 * 1.44, rel=1e-12)
    assert "check_torch(wrong, tensor(" in report.program


def test_torch_second_derivatives_by_hand(torch):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * torch.cos(x.detach())  # loses what the second derivative needs

    f = Double.apply
    assert check_torch(f, 1.2).right == 1
    with pytest.raises(GradientMismatch) as caught:
        check_torch(f, 1.2, order=2)
    assert caught.value.report.what == "derivative from torch.autograd.grad, twice"
    assert caught.value.report.analytic == 0.0


def test_torch_narrow_types_need_a_reference(torch, cube):
    x = torch.tensor([1.2, -0.5])
    with pytest.raises(TypeError, match=r"x is torch\.float32.*pass x\.double\(\).*or give ref"):
        check_torch(lambda x: (x**3).sum(), x)

    def reference(x):
        return sum(v**3 for v in x)

    assert check_torch(lambda x: (x**3).sum(), x, reference=reference, order=2).method == EXACT
    with pytest.raises(GradientMismatch):
        check_torch(lambda x: cube(x, 2.999).sum(), x, reference=reference)


def test_torch_structures_modules_and_refusals(torch):
    weights = {"w": torch.tensor([1.0, 2.0], dtype=torch.float64), "b": 0.5}
    found = check_torch(lambda p, n: torch.tanh(p["w"] * p["b"]).sum() * n, weights, 2, order=2)
    assert found.right == 3 + 9
    module = torch.nn.Linear(2, 3).double()
    assert check_torch(module, weights["w"]).right == 2
    with pytest.raises(TypeError, match="must return one array of PyTorch, not tuple"):
        check_torch(lambda x: (x, x), 1.0)
    with pytest.raises(TypeError, match="must return one array of PyTorch, not float"):
        check_torch(lambda x: x.item() ** 2, 1.0)
    with pytest.raises(TypeError, match="complex"):
        check_torch(lambda x: x.real, torch.tensor(1j))
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        check_torch(torch.sin, 1.0, order=3)
    with pytest.raises(ValueError, match="modes must be of"):
        check_torch(torch.sin, 1.0, modes=["backward"])


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("relu", 0.0),
        ("abs", 0.0),
        ("reciprocal", 1e-5),
        ("sqrt", 1e-300),
        ("exp", 300.0),
        ("cos", 1e8),
        ("floor", 700.0),
        ("square", 1e-300),
        ("sin", 1e150),
    ],
)
def test_torch_no_false_alarm_at_kinks_and_at_any_size(torch, name, x):
    check_torch(getattr(torch, name), x)


def test_torch_doubt_is_not_a_verdict(torch):
    """A cosine by steps of thousands of periods: undecided by one, the other right."""
    x = torch.tensor([1e8, 0.5], dtype=torch.float64)
    found = check_torch(lambda x: torch.cos(x).sum(), x, modes=["reverse"])
    assert (found.right, found.undecided) == (1, 1)
    assert any("by x[0], differences of long and of short steps" in note for note in found.notes)
    exact = check_torch(torch.cos, x, reference=lambda x: [ag.cos(v) for v in x])
    assert exact.undecided == 0


def test_torch_small_slopes_are_judged_by_their_own_size(torch):
    class Tiny(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1e-9

        @staticmethod
        def backward(ctx, g):
            return g * 3e-9

    with pytest.raises(GradientMismatch):
        check_torch(Tiny.apply, 1.0)


def test_torch_without_a_dependence(torch):
    assert check_torch(lambda x: torch.ones(()).double(), 1.0, order=2).right == 2
    with pytest.raises(GradientMismatch) as caught:
        check_torch(lambda x: x.detach() ** 2, 1.5)
    assert "sees no dependence on the arguments" in caught.value.report.what
    assert caught.value.report.reference == pytest.approx(3.0)


# -------------------------------------------------------------------------- JAX


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


def by_hand(jax, sign):
    """The example of JAX's own page on custom rules."""
    import jax.numpy as jnp

    @jax.custom_vjp
    def f(x, y):
        return jnp.sin(x) * y

    def forward(x, y):
        return f(x, y), (jnp.cos(x), jnp.sin(x), y)

    def backward(kept, g):
        cos_x, sin_x, y = kept
        return cos_x * g * y, sign * sin_x * g

    f.defvjp(forward, backward)
    return f


def test_jax_right(jax):
    import jax.numpy as jnp

    found = check_jax(lambda x, a: (jnp.sin(x) * a).sum(), jnp.asarray(X), 3.0, order=2)
    assert (found.method, found.undecided) == (DIFFERENCES, 0)
    assert found.right >= 5 + 25
    exact = check_jax(lambda x: jnp.sin(x) * x, 1.2, order=2, reference=lambda x: ag.sin(x) * x)
    assert exact.method == EXACT


def test_jax_custom_rules(jax):
    import jax.numpy as jnp

    found = check_jax(by_hand(jax, 1.0), 1.2, 3.0)
    assert found.right == 2
    assert any("forward mode left out" in note for note in found.notes)
    with pytest.raises(GradientMismatch) as caught:
        check_jax(by_hand(jax, -1.0), 1.2, 3.0)
    assert caught.value.report.what == "derivative from jax.grad"
    assert caught.value.report.argument == "y"

    @jax.custom_jvp
    def cube(x):
        return x**3

    cube.defjvp(lambda primals, tangents: (cube(primals[0]), 2.0 * primals[0] ** 2 * tangents[0]))
    for mode in ("reverse", "forward"):
        with pytest.raises(GradientMismatch):
            check_jax(lambda x: jnp.sum(cube(x)), jnp.asarray(X), modes=[mode])


def test_jax_in_float32_needs_a_reference(jax):
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(TypeError, match=r"x is float32.*jax_enable_x64"):
            check_jax(jnp.sin, 1.2)
        assert check_jax(jnp.sin, 1.2, reference=ag.sin).method == EXACT
        with pytest.raises(GradientMismatch):
            check_jax(by_hand(jax, 1.001), 1.2, 3.0, reference=lambda x, y: ag.sin(x) * y)
    finally:
        jax.config.update("jax_enable_x64", True)


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="check_torch needs PyTorch: pip install torch"):
        check_torch(abs, 1.0)


def test_failures_under_pytest_show_the_users_line_only(tmp_path):
    path = tmp_path / "test_mine.py"
    path.write_text(
        "from autograd.testing import check_numpy\n"
        "def test_it():\n"
        "    check_numpy(lambda x: x * x, lambda x: x, 3.0)\n",
        "utf-8",
    )
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(path)]
    # Options that the outer run was given are not for the inner one.
    env = {name: text for name, text in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    out = done.stdout
    assert "derivative from the gradient by x is wrong" in out
    assert "check_gradients(lambda x: x * x, 3.0, gradient=lambda *_: 3.0)" in out
    assert "_adapters.py" not in out
    assert "_check.py" not in out
