import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd import Value, primitives
from viz._expression import DEEPEST, LONGEST, ExpressionError, bind, parse, parse_bindings


def value_of(text, **numbers):
    expression = parse(text)
    result = expression.evaluate(bind(expression, numbers))
    return result.data if isinstance(result, Value) else result


@pytest.mark.parametrize(
    "text",
    ["x", "-x", "+x", "--x", "x + y", "x - y - 1", "x * y / 2", "x ** 2", "-x ** 2", "2 ** -x",
     "x ** y ** 0.5", "(x + y) * (x - y)", "x/y/3", "  x  ", "1_000 * x", "0x10 + x", "1e-3*x",
     "-x % y", "-x // y"],
)  # fmt: skip
def test_arithmetic_means_what_python_means(text):
    numbers = {"x": 1.7, "y": 0.9}
    used = {name: x for name, x in numbers.items() if name in text.replace("0x", "")}
    assert value_of(text, **used) == pytest.approx(eval(text, {}, numbers), rel=1e-15)


def test_every_primitive_can_be_called_by_name():
    for name, primitive in primitives().items():
        for count in range(primitive.arity - len(primitive.defaults), primitive.arity + 1):
            arguments = ["x", *["0.75"] * (count - 1)]
            got = value_of(f"{name}({', '.join(arguments)})", x=0.5)
            wanted = primitive(0.5, *[0.75] * (count - 1))
            assert got == wanted or (math.isnan(got) and math.isnan(wanted)), name


def test_constants_follow_ieee_and_do_not_raise():
    assert value_of("1/0*x", x=2.0) == math.inf
    assert math.isnan(value_of("log(0-1)+x", x=2.0))


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "empty"),
        ("x**", 4, "ends too early"),
        ("x +", 4, "ends too early"),
        ("(x", 1, "never closed"),
        ("x)", 2, "unmatched"),
        ("foo(x)", 1, "unknown function foo"),
        ("2*tnh(x)", 3, "did you mean tanh"),
        ("tanh", 1, "is a function"),
        ("1 + tanh(x, x)", 5, "takes 1 argument, not 2"),
        ("tanh()", 1, "takes 1 argument, not 0"),
        ("tanh(*x)", 1, "plain arguments"),
        ("tanh(x=x)", 1, "plain arguments"),
        ("x.real", 2, "attributes"),
        ("(1).x", 4, "attributes"),
        ("x < 3", 3, "comparisons"),
        ("x ^ 2", 3, r"\*\*"),
        ("x @ x", 3, "matrices"),
        ("x if x else x", 1, "where"),
        ("lambda: x", 1, "lambda"),
        ("x[0]", 1, "indexing"),
        ("x, x", 1, "comma"),
        ("'x'", 1, "not part of the language"),
        ("__import__(x)", 1, "unknown function __import__"),
        ("x.__class__.__bases__", 12, "attributes"),
        ("True * x", 1, "not a real number"),
        ("2 + 1j", 5, "not a real number"),
        ("x and x", 1, "not part of the language"),
        ("not x", 1, "not part of the language"),
        ("[x for x in x]", 1, "not part of the language"),
        ("(yield)", 2, "not part of the language"),
        ("x\n+ 1", 2, r"U\+000A"),
        ("x\x00", 2, r"U\+0000"),
        ("\ud800", 1, r"U\+D800"),
        ("ééé + foo(x)", 7, "unknown function foo"),
        ("   foo(x)", 4, "unknown function foo"),
        ("10**400 + 1" + "0" * 400, 11, "beyond the range"),
        ("9" * 5000, 1, "too many digits"),
        ("x" * (LONGEST + 1), LONGEST + 1, "characters"),
        ("1" * 10_000_000, LONGEST + 1, "10,000,000 characters"),
        ("(" * 10_000 + "x" + ")" * 10_000, DEEPEST + 1, "deeper than"),
        ("sin(" * 10_000, 4 * (DEEPEST + 1), "deeper than"),
        ("-" * 10_000 + "x", 1, "too deeply"),
        ("x" + "**x" * 10_000, 1, "too deeply"),
        ("x" + "+x" * 10_000, 1, "too deeply"),
        ("x" + ".x" * 10_000, 1, "too deeply"),
    ],
)
def test_what_is_not_in_the_language(text, column, says):
    with pytest.raises(ExpressionError, match=says) as caught:
        parse(text)
    assert caught.value.column == column


@example("x" + "+1" * 900)
@example("(" * 89 + "x" + ")" * 89)
@example("x**-x**-x")
@given(
    st.text(max_size=60) | st.text("xy+-*/%^().,=:!<>'\"#[]{} 0123456789ejtanhsigm", max_size=40)
)
def test_any_text_is_an_expression_or_an_error_with_a_column(text):
    problem = None
    try:
        expression = parse(text)
    except ExpressionError as error:
        problem = error
    if problem is not None:
        assert 1 <= problem.column <= len(text) + 1
        assert "\n" not in str(problem)
        return
    leaves = {name: Value(0.5, name) for name in expression.variables}
    assert isinstance(expression.evaluate(leaves), (Value, float))


@given(st.recursive(
    st.sampled_from(["x", "y", "1.5", "2"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({''.join(t)})")
    | inner.map(lambda t: f"-{t}"),
    max_leaves=12,
))  # fmt: skip
def test_random_arithmetic_agrees_with_python(text):
    expression = parse(text)
    numbers = {"x": 0.75, "y": -1.25}
    leaves = bind(expression, {name: numbers[name] for name in expression.variables})
    result = expression.evaluate(leaves)
    got = result.data if isinstance(result, Value) else result
    assert got == eval(text, {}, numbers)


def test_bindings():
    assert parse_bindings(["a=1", "b=-2e3", "c=inf", "ﬁ=4"]) == {
        "a": 1.0, "b": -2000.0, "c": math.inf, "fi": 4.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [(["x"], "name=value"), (["x=a"], "not a number"), (["x=1", "x=2"], "twice"),
     (["1=2"], "name=value"), (["=2"], "name=value"), (["x="], "not a number")],
)  # fmt: skip
def test_wrong_bindings(words, says):
    with pytest.raises(ExpressionError, match=says):
        parse_bindings(words)


def test_missing_and_unused_variables_are_named():
    expression = parse("2 * x + y")
    with pytest.raises(ExpressionError, match="column 9: y has no value"):
        bind(expression, {"x": 1.0})
    with pytest.raises(ExpressionError, match="z is given"):
        bind(expression, {"x": 1.0, "y": 1.0, "z": 1.0})
