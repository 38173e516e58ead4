"""The first nan is found where it is made, before the fact and after it."""

import math
import threading

import pytest

import autograd as ag
from autograd import AnomalyError, Value, detect_anomaly, differentiate, explain_nan, grad, hessian
from autograd._primitive import watch

inf, nan = math.inf, math.nan


def line_of(f, text):
    """The line of this file on which `f` has `text`."""
    import inspect

    lines, start = inspect.getsourcelines(f)
    return start + next(i for i, line in enumerate(lines) if text in line)


@pytest.mark.parametrize(
    ("f", "x", "operation", "fault"),
    [
        (lambda x: ag.log(x) * 2.0, 0.0, r"log\(x=0.0\) = -inf", "the value is -inf"),
        (lambda x: ag.log(x - 3.0) * 2.0, 1.0, r"log\(-2.0\) = nan", "the value is nan"),
        (lambda x: 1.0 / x, 0.0, r"div\(1.0, x=0.0\) = inf", "the value is inf"),
        (lambda x: ag.exp(x * x), 100.0, r"exp\(10000.0\) = inf", "the value is inf"),
        (lambda x: ag.sqrt(x), 0.0, r"sqrt\(x=0.0\) = 0.0", "respect to operand 1 is inf"),
        (lambda x: x**0.5, 0.0, r"pow\(x=0.0, 0.5\) = 0.0", "respect to operand 1 is inf"),
        (lambda x: x**x, -2.0, r"pow\(x=-2.0, x=-2.0\) = 0.25", "respect to operand 2 is nan"),
        (lambda x: x * nan, 2.0, r"mul\(x=2.0, nan\) = nan", "operand 2 is already nan"),
        (lambda x: ag.where(1.0, x, ag.log(x)), 0.0, r"log\(x=0.0\)", "the value is -inf"),
    ],
)
def test_detects_the_first_fault(f, x, operation, fault):
    x = Value(x, label="x")
    with detect_anomaly(), pytest.raises(AnomalyError, match=operation) as caught:
        f(x)
    assert fault in str(caught.value)
    assert caught.value.line == f"{__file__}:{f.__code__.co_firstlineno}"
    assert f"at {caught.value.line}" in str(caught.value)
    assert isinstance(caught.value.node, Value)
    assert isinstance(caught.value, ArithmeticError)


def test_detects_leaves_and_values_from_outside():
    outside = Value(inf, label="outside")
    with detect_anomaly():
        with pytest.raises(AnomalyError, match="leaf = nan: the leaf itself is not finite"):
            Value(nan)
        with pytest.raises(AnomalyError, match=r"add\(outside=inf, 1.0\) = inf: operand 1 is alr"):
            outside + 1.0
        assert ag.minimum(Value(3.0), inf).data == 3.0  # a constant that does no harm


def test_names_the_users_line_not_ours():
    def model(x):
        y = x * 2.0
        return ag.logsumexp([y, ag.log(y - 2.0)])  # here

    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        grad(model)(1.0)
    assert caught.value.line == f"{__file__}:{line_of(model, '# here')}"


def test_detects_in_graphs_of_derivatives():
    def f(x):
        return x**1.5  # its second derivative has a pole at 0

    with detect_anomaly():
        assert grad(f)(0.0) == 0.0
        with pytest.raises(AnomalyError, match=r"(pow|derivative).*"):
            hessian(f)(0.0)
    x = Value(0.0)
    y = f(x)
    with detect_anomaly(), pytest.raises(AnomalyError):
        differentiate(differentiate(y, [x])[0], [x])


def test_is_a_decorator_and_leaves_no_state():
    @detect_anomaly()
    def f(x):
        """Divides."""
        return 1.0 / x

    assert f.__doc__ == "Divides."
    for _ in range(2):
        with pytest.raises(AnomalyError):
            f(Value(0.0))
        assert watch.busy is False
        assert f(Value(2.0)).data == 0.5
    assert (1.0 / Value(0.0)).data == inf
    with detect_anomaly():
        with detect_anomaly():
            pass
        with pytest.raises(AnomalyError):
            ag.log(Value(0.0))
    assert watch.count == 0


def test_watches_the_calling_thread_only():
    results = {}
    inside, done = threading.Event(), threading.Event()

    def watched():
        with detect_anomaly():
            inside.set()
            done.wait(10)
            try:
                results["watched"] = ag.log(Value(0.0))
            except AnomalyError as error:
                results["watched"] = error.node.data

    def free():
        inside.wait(10)
        results["free"] = ag.log(Value(0.0)).data
        done.set()

    threads = [threading.Thread(target=f) for f in (watched, free)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"watched": -inf, "free": -inf}
    assert watch.count == 0


# ------------------------------------------------------------------------------ after the fact


def test_explains_the_root_not_the_symptom():
    x = Value(800.0, label="x")
    a = ag.exp(x)
    a.label = "a"
    b = a / (1.0 + a)  # inf / inf: the symptom
    y = ag.sin(b * 3.0) + x
    report = explain_nan(y)
    assert report.node is a
    assert report.reason == "the value is inf"
    assert report.path == (x,)
    assert report.later == 5
    assert str(report) == (
        "a = exp(x=800.0) = inf: the value is inf\n"
        "  from x = 800.0\n"
        "  5 later nodes are not finite because of it"
    )


def test_explains_only_what_leads_to_the_result():
    x = Value(0.0, label="x")
    harmless = 1.0 / (1.0 / x)  # 1/0 = inf, 1/inf = 0: finite again
    y = harmless + ag.log(x - 1.0)
    assert explain_nan(y).node.op == "log"
    assert explain_nan(y).reason == "the value is nan"


def test_explains_leaves_and_constants():
    x = Value(nan, label="x")
    report = explain_nan(x * 2.0 + 1.0)
    assert report.node is x
    assert report.reason == "the leaf itself is not finite"
    report = explain_nan(Value(1.0) * inf - 1.0)
    assert (report.node.op, report.reason) == ("mul", "operand 2 is already inf")


def test_explains_gradients():
    x = Value(0.0, label="x")
    y = ag.sqrt(x) * 3.0
    assert explain_nan(y).reason == "the derivative with respect to operand 1 is inf"
    y.backward()
    report = explain_nan(y)
    assert report.node.op == "sqrt"
    assert report.reason == (
        "its gradient 3.0 times the derivative inf with respect to operand 1 makes that "
        "gradient inf"
    )
    # Strong zeros: where the pole has no influence it is not to blame.
    a, b = Value(0.0), Value(4.0)
    z = ag.where(0.0, ag.sqrt(a), 1.0) + ag.hypot(b, 1e200) * 1e200 * 1e200
    z.backward()
    found = explain_nan(z)
    assert found.node.op != "sqrt"


def test_explains_gradients_that_overflow_by_adding():
    x = Value(1.0)
    big = 1.7e308
    y = x * big + x * big * 0.5
    y = y * 0.5
    y.backward()
    assert math.isfinite(x.grad)
    z = ag.stop_gradient(x * 0.0) + (x - 1.0) * big + (x - 1.0) * big
    z.backward()
    report = explain_nan(z)
    assert report.node is x
    assert "add up to the gradient inf" in report.reason


def test_explains_graphs_of_derivatives():
    x = Value(0.0, label="x")
    (g,) = differentiate(x**1.5, [x])
    (h,) = differentiate(g, [x])
    assert not math.isfinite(h.data)
    report = explain_nan(h)
    assert report.node.op in ("pow", "div")
    assert report.path[0] is x


def test_finds_nothing_where_nothing_is_wrong():
    x = Value(2.0)
    y = ag.tanh(x) * x
    y.backward()
    report = explain_nan(y)
    assert (report.node, report.path, report.later) == (None, (), 0)
    assert str(report) == "every value, partial and gradient is finite"
    with pytest.raises(TypeError, match=r"explain_nan\(\) takes a Value, not 3.0 \(float\)"):
        explain_nan(3.0)


def test_deep_graphs_are_explained_in_a_few_lines():
    x = Value(1.0, label="x")
    y = x
    for _ in range(200_000):
        y = y + 1e-6
    z = ag.log(y - 1e9) + 1.0
    report = explain_nan(z)
    assert report.node.op == "log"
    assert len(report.path) == 200_002
    text = str(report)
    assert len(text.splitlines()) == 15
    assert "... 199990 nodes before" in text
