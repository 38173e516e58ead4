"""The Hessian workload computes the Hessian of Rosenbrock's function."""

import numpy
import pytest

from benchmarks import derivatives


@pytest.mark.parametrize(
    ("x", "value"), [([1.0, 1.0, 1.0], 0.0), ([-1.0, 1.0], 4.0), ([0, 2], 401)]
)
def test_the_workload_is_rosenbrock_s_function(x, value):
    assert derivatives.rosenbrock(x) == value


def test_our_hessian_of_it_agrees_with_second_differences():
    x, step = derivatives.point(5), 1e-4
    moves = numpy.eye(5) * step
    f = derivatives.rosenbrock
    differences = [
        [(f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * step**2) for b in moves]
        for a in moves
    ]
    numpy.testing.assert_allclose(
        derivatives.hessian_of("ours")(x), differences, rtol=1e-5, atol=1e-4
    )


def test_a_wrong_hessian_is_an_error():
    x = derivatives.point(4)
    found = derivatives.hessian_of("ours")(x)
    derivatives.check(found, x)
    found[2, 1] += 1e-6
    with pytest.raises(ArithmeticError, match="wrong"):
        derivatives.check(found, x)


def test_the_first_call_is_timed_once_and_later_calls_as_often_as_asked():
    assert len(derivatives.first_call("ours", 3).phases["first call"]) == 1
    later = derivatives.later_call("ours", 3, repetitions=4)
    assert len(later.phases["later call"]) == 4
    assert later.count == 1


def test_every_section_has_both_peers():
    for section in derivatives.SECTIONS:
        assert callable(getattr(derivatives, section.task.split(":")[1]))
        assert {side.arguments["kind"] for side in section.peers} == {"hips", "jax"}
