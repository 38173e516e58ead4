"""A Value is a Python number: every name of `math`, of `float`, of `numbers.Real` and of `operator`
either does what it does to a float, with the right derivative, or is refused in a sentence of ours.
"""

import math
import numbers
import operator
import statistics
import weakref

import pytest

import autograd as ag
from autograd import Value, grad

OURS = "Value"  # every sentence of ours names it


def difference(f, args, i, h=1e-6):
    """The derivative of `f` by argument i, from differences of floats."""
    up, down = list(args), list(args)
    up[i] += h
    down[i] -= h
    return (f(*up) - f(*down)) / (2 * h)


# ------------------------------------------------------------------------------------------- math

POINTS = {
    "acos": (0.3,), "acosh": (1.7,), "asin": (0.3,), "asinh": (0.7,), "atan": (0.7,),
    "atan2": (0.7, -0.4), "atanh": (0.3,), "cbrt": (1.7,), "ceil": (1.3,), "copysign": (1.5, -2.0),
    "cos": (0.7,), "cosh": (0.7,), "degrees": (0.7,), "erf": (0.7,), "erfc": (0.7,), "exp": (0.7,),
    "exp2": (0.7,), "expm1": (0.7,), "fabs": (-0.7,), "floor": (1.3,), "fmod": (5.5, -2.0),
    "gamma": (2.7,), "hypot": (1.0, 2.0, 2.0), "lgamma": (2.7,), "log": (0.7,), "log10": (0.7,),
    "log1p": (0.7,), "log2": (0.7,), "pow": (1.7, 0.6), "radians": (40.0,),
    "remainder": (5.5, 2.1), "sin": (0.7,), "sinh": (0.7,), "sqrt": (0.7,), "tan": (0.7,),
    "tanh": (0.7,), "trunc": (-1.3,),
}  # fmt: skip
CONSTANTS = {"e", "inf", "nan", "pi", "tau"}
# What takes sequences or gives something else than one number: tested below.
APART = {"dist", "prod", "sumprod", "ldexp", "modf", "isnan", "isinf", "isfinite", "isclose"}
REFUSED = {
    "comb": (5, 2), "factorial": (5,), "perm": (5, 2), "gcd": (12, 18), "lcm": (4, 6),
    "isqrt": (17,), "frexp": (3.5,), "nextafter": (1.0, 2.0), "ulp": (1.0,), "fma": (2.0, 3.0, 4.0),
    "fsum": ([0.1] * 10,),
}  # fmt: skip


def test_every_name_of_math_is_here():
    names = {name for name in dir(math) if not name.startswith("_")}
    assert names <= set(POINTS) | CONSTANTS | APART | set(REFUSED)
    for name in names:
        assert hasattr(ag, name), name


@pytest.mark.parametrize("name", POINTS)
def test_a_function_of_math(name):
    ours, theirs, args = getattr(ag, name), getattr(math, name), POINTS[name]
    assert ours(*args) == pytest.approx(theirs(*args), rel=1e-15)
    assert type(ours(*args)) is float
    assert ours(*map(Value, args)).data == ours(*args)
    for i, slope in enumerate(grad(ours, argnums=tuple(range(len(args))))(*args)):
        assert slope == pytest.approx(difference(theirs, args, i), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", [name for name in REFUSED if hasattr(math, name)])
def test_a_function_of_math_for_plain_numbers_only(name):
    args = REFUSED[name]
    assert getattr(ag, name)(*args) == getattr(math, name)(*args)
    first = [Value(0.1)] if name == "fsum" else Value(args[0])
    with pytest.raises(TypeError, match=rf"{name}\(\).*Value"):
        getattr(ag, name)(first, *args[1:])


def test_what_this_python_lacks_is_named():
    if not hasattr(math, "fma"):
        with pytest.raises(AttributeError, match="no fma"):
            ag.fma(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match=r"x \* y \+ z"):
        ag.fma(Value(1.0), 2.0, 3.0)


def test_functions_of_math_on_sequences():
    p, q = [1.0, 2.0, 3.0], [2.0, 4.0, 5.0]
    assert ag.dist(p, q) == 3.0 == ag.dist([Value(x) for x in p], q).data
    assert grad(ag.dist)(p, q) == [-1 / 3, -2 / 3, -2 / 3]
    assert grad(ag.dist)(p, p) == [0.0, 0.0, 0.0]
    assert ag.dist([], []) == 0.0
    with pytest.raises(ValueError, match="3 and 1 coordinates"):
        ag.dist(p, [1.0])
    assert ag.sumprod(p, q) == 25.0
    assert grad(ag.sumprod)(p, q) == q
    assert ag.prod(p, start=2.0) == 12.0


def test_ldexp():
    for x, i in [(0.75, 3), (1.3, -1070), (1e-300, 1500), (1.7e308, -2000), (-0.0, 5), (3.0, 0)]:
        assert ag.ldexp(x, i) == math.ldexp(x, i) == ag.ldexp(Value(x), i).data
    assert ag.ldexp(1.0, 10**6) == math.inf
    assert ag.ldexp(1.0, -(10**6)) == 0.0
    assert grad(lambda x: ag.ldexp(x, 3))(0.75) == 8.0
    with pytest.raises(TypeError, match="Value is no integer"):
        ag.ldexp(1.0, Value(3.0))
    with pytest.raises(TypeError, match="integer"):
        ag.ldexp(1.0, 2.5)


@pytest.mark.parametrize("x", [2.75, -2.75, 2.0, -2.0, 0.0, -0.0, math.inf, -math.inf, math.nan])
def test_modf(x):
    assert repr(ag.modf(x)) == repr(math.modf(x))
    fraction, whole = ag.modf(Value(x))
    assert repr((fraction.data, whole.data)) == repr(math.modf(x))
    if math.isfinite(x):
        assert grad(lambda x: ag.modf(x)[0])(x) == 1.0
        assert grad(lambda x: ag.modf(x)[1] + 0.0 * x)(x) == 0.0


SPECIAL = [0.0, -0.0, 1.0, -1.0, 1 + 1e-10, 1e300, 5e-324, math.inf, -math.inf, math.nan]


def test_questions_of_math():
    for x in SPECIAL:
        for name in ("isnan", "isinf", "isfinite"):
            want = getattr(math, name)(x)
            assert getattr(ag, name)(x) is want
            assert getattr(ag, name)(Value(x)) is want
        assert Value(x).is_integer() is x.is_integer()
        for y in SPECIAL:
            want = math.isclose(x, y)
            assert ag.isclose(x, y) is want
            assert ag.isclose(Value(x), y) is want
            assert ag.isclose(x, Value(y), rel_tol=1e-12) is math.isclose(x, y, rel_tol=1e-12)
            assert ag.isclose(Value(x), Value(y), abs_tol=0.5) is math.isclose(x, y, abs_tol=0.5)
    with pytest.raises(ValueError, match="non-negative"):
        ag.isclose(Value(1.0), 1.0, rel_tol=-1.0)
    with pytest.raises(TypeError, match=r"isnan\(\)"):
        ag.isnan("1")


def test_questions_are_branches_of_a_kernel():
    def f(x):
        if ag.isnan(x) or not ag.isfinite(x):
            return 7.0 * ag.relu(1.0)
        if x.is_integer() if isinstance(x, Value) else float(x).is_integer():
            return 2.0 * x
        return 10.0 * x if ag.isclose(x, 0.5, abs_tol=0.01) else x

    kernel = ag.compile(f)
    for _ in range(2):
        assert [kernel(x) for x in (0.3, 4.0, 0.505, math.inf, math.nan)] == [
            0.3, 8.0, 5.05, 7.0, 7.0,
        ]  # fmt: skip


def test_logarithms_to_a_base():
    assert ag.log(8.0, 2) == math.log(8.0, 2) == Value(8.0).log(2.0).data
    assert grad(lambda x: ag.log(x, 10))(2.0) == pytest.approx(0.21714724095162588, rel=1e-15)
    assert grad(lambda b: ag.log(8.0, b))(2.0) == pytest.approx(difference(math.log, (8.0, 2.0), 1))
    assert ag.log(2.0, 1.0) == math.inf
    with pytest.raises(TypeError, match="1 to 2 arguments, got 3"):
        ag.log(1.0, 2.0, 3.0)


def test_hypot_of_any_number_of_arguments():
    assert ag.hypot() == 0.0
    assert ag.hypot(-3.0) == 3.0
    assert ag.hypot(1.0, 2.0, 2.0) == 3.0
    assert ag.hypot(Value(1e200), 2e200, 2e200).data == pytest.approx(3e200)
    kernel = ag.compile(lambda x, y, z: ag.hypot(x, y, z))
    assert kernel(1.0, 2.0, 2.0) == kernel(1.0, 2.0, 2.0) == 3.0


# ---------------------------------------------------------------------------------- % and //

SIGNS = [(-1.0, 3.0), (1.0, -3.0), (-19.0, 3.0), (7.5, 2.0), (-7.5, -2.0), (6.0, -3.0), (0.7, 0.1)]


@pytest.mark.parametrize(("x", "y"), SIGNS)
def test_remainders_and_quotients_have_pythons_signs(x, y):
    for a, b in [(Value(x), Value(y)), (Value(x), y), (x, Value(y)), (Value(x), int(y) or y)]:
        whole = b if isinstance(b, int) else y
        assert repr((a % b).data) == repr(x % whole)
        assert repr((a // b).data) == repr(x // whole)
        assert [v.data for v in divmod(a, b)] == list(divmod(x, whole))
    assert grad(lambda x: x % y)(x) == 1.0
    assert grad(lambda y: x % y)(y) == -(x // y) + 0.0
    assert grad(lambda x: x // y + 0.0 * x)(x) == 0.0
    assert ag.mod(x, y) == x % y
    assert ag.floordiv(x, y) == x // y


def test_integers_and_fractions_mix_in():
    assert (7 % Value(4.0)).data == 3.0
    assert (Value(7.0) % True).data == 0.0
    assert [v.data for v in divmod(7, Value(2.0))] == [3.0, 1.0]
    with pytest.raises(TypeError, match=r"%.*str"):
        Value(7.0) % "2"
    with pytest.raises(TypeError, match=r"//.*None"):
        Value(7.0) // None
    with pytest.raises(TypeError, match=r"divmod.*None"):
        divmod(Value(7.0), None)
    with pytest.raises(OverflowError, match="right operand of %"):
        Value(7.0) % 10**400
    x = Value(7.5)
    x %= 2
    assert x.data == 1.5
    x //= 0.5
    assert x.data == 3.0


def test_zero_divisors_are_ieee():
    assert math.isnan((Value(1.0) % 0.0).data)
    assert [(Value(x) // 0.0).data for x in (1.0, -1.0)] == [math.inf, -math.inf]
    assert math.isnan((Value(0.0) // 0.0).data)


def test_operations_by_unregistered_primitives_stay_tracked():
    @ag.custom_partials(lambda out, x: 2.0)
    def twice(x):
        return 2.0 * x

    y = twice(Value(3.5))
    assert [type(v) for v in (y % 2, 2 % y, *divmod(y, 2), round(y, 1), math.trunc(y))] == [
        type(y)
    ] * 6


def test_remainders_in_a_kernel():
    kernel = ag.compile(lambda x, y: [x % y, x // y, *divmod(x, 2.0), round(x, 1), math.trunc(x)])
    for x, y in SIGNS:
        want = [x % y, x // y, *divmod(x, 2.0), round(x, 1), math.trunc(x)]
        assert kernel(x, y) == kernel(x, y) == want


# ----------------------------------------------------------------------------------- rounding


def test_rounding_to_digits():
    for x in (2.675, 0.125, -0.001, 1234.5678, -1250.0, 1e300, math.inf):
        for n in (-3, -2, 0, 1, 2, 10, 22):
            assert repr(round(Value(x), n).data) == repr(round(x, n)), (x, n)
            assert ag.round(x, n) == round(x, n)
    assert round(Value(2.5)).data == 2.0 == round(Value(2.5), None).data
    assert grad(lambda x: round(x, 2) + x)(1.234) == 1.0
    with pytest.raises(ValueError, match="-22 to 22"):
        round(Value(1.0), 23)
    with pytest.raises(TypeError, match="integer"):
        round(Value(1.0), 2.0)
    with pytest.raises(TypeError, match="Value is no integer"):
        round(Value(1.0), Value(2.0))
    with pytest.raises(TypeError, match="1 to 2 arguments, got 3"):
        ag.round(1.0, 2, 3)


def test_a_kernel_rounds_decimals_as_python_does():
    import random

    import numpy as np

    rng = random.Random(4)
    rows = []
    for _ in range(4000):
        n = rng.randint(-22, 22) if rng.random() < 0.5 else rng.randint(-3, 5)
        x = rng.choice(
            [
                rng.randint(-(10**6), 10**6) / 2 ** rng.randint(0, 12),
                float(f"{rng.randint(-(10 ** rng.randint(1, 15)), 10**15)}5e{-n - 1}"),
                rng.gauss(0.0, 1.0) * 10.0 ** rng.randint(-30, 30),
            ]
        )
        rows.append((rng.choice([x, math.nextafter(x, math.inf)]), float(n)))
    kernel = ag.compile(ag.round_digits, in_axes=0)
    want = [round(x, int(n)) for x, n in rows]
    for _ in range(2):
        assert kernel(*np.array(rows).T).tolist() == want


# ------------------------------------------------------------------------------ text and bits


def test_formatting_gives_the_number():
    x = Value(1.23456)
    assert f"{x:.3f} {x:8.2e}|{x:>8.1f}|{x:g}" == "1.235 1.23e+00|     1.2|1.23456"
    assert f"{x}" == str(x) == repr(x)
    assert f"{x * 2.0:.2f}" == "2.47"
    assert x.hex() == (1.23456).hex()
    printed = []
    assert grad(lambda x: printed.append(f"{x:.1f}") or x * x)(3.0) == 6.0
    assert printed == ["3.0"]
    with pytest.raises(ValueError, match="format"):
        f"{x:.3d}"
    with pytest.raises(TypeError, match=r'f"\{v:\.2f\}"'):
        "%.2f" % x  # noqa: UP031


@pytest.mark.parametrize("text", [lambda x: f"{x:.3f}", lambda x: x.hex()])
def test_text_inside_a_kernel_is_refused(text):
    def f(x):
        return x * float.fromhex(text(x)) if "p" in text(x) else x

    with pytest.raises(TypeError, match="freeze"):
        ag.compile(f)(2.0)


@pytest.mark.parametrize("name", ["mean", "variance", "stdev", "median", "fmean", "geometric_mean"])
def test_statistics_is_refused_where_it_would_leave_the_graph(name):
    values = [Value(1.0), Value(3.0), Value(5.0)]
    if name == "median":
        assert statistics.median(values) is values[1]
    else:
        with pytest.raises(TypeError, match="silently drop the gradient"):
            getattr(statistics, name)(values)


@pytest.mark.parametrize(
    "use",
    [operator.index, range, lambda v: [1, 2][v], math.factorial, lambda v: math.comb(3, v), hex],
)
def test_a_value_is_no_integer(use):
    with pytest.raises(TypeError, match=r"int\(v\.data\)"):
        use(Value(1.0))


# ------------------------------------------------------------------------------- number towers


def test_numbers_real():
    x = Value(2.0)
    assert isinstance(x, numbers.Real)
    assert isinstance(x, numbers.Complex)
    assert isinstance(x, numbers.Number)
    assert not isinstance(x, numbers.Rational)
    for name in numbers.Real.__abstractmethods__ | numbers.Complex.__abstractmethods__:
        assert hasattr(x, name), name


def test_membership_opens_no_door_out_of_the_graph():
    for what in (lambda v: Value(v), lambda v: ag.Value(1.0).__setattr__("data", v)):
        with pytest.raises(TypeError, match="stop_gradient"):
            what(Value(2.0))
    from fractions import Fraction

    with pytest.raises(TypeError):
        Fraction(Value(0.5))
    for got, want in [
        (Fraction(1, 2) + Value(1.0), 1.5),
        (Value(1.0) - Fraction(1, 2), 0.5),
        (Fraction(1, 2) ** Value(2.0), 0.25),
        (Fraction(7, 2) % Value(2.0), 1.5),
        (Fraction(7, 2) // Value(2.0), 1.0),
    ]:
        assert type(got) is Value
        assert got.data == want
    assert Fraction(1, 2) == Value(0.5)
    assert Fraction(1, 2) < Value(0.75)


def test_parts_of_a_number():
    x = Value(1.5)
    assert x.real is x.conjugate() is x.T is x
    assert x.imag == 0.0
    assert (x.shape, x.ndim, x.size) == ((), 0, 1)
    assert x.item() == 1.5
    assert type(x.item()) is float
    assert grad(lambda x: x * x.detach())(3.0) == 3.0
    assert grad(lambda x: x.real * x.conjugate() + x.imag)(3.0) == 6.0
    kernel = ag.compile(lambda x: x * x.item() + x * x.detach(), wrt=(0,))
    for value in (3.0, 4.0):
        assert kernel(value) == 2.0 * value * value
        assert kernel.grad(value) == (2.0 * value,)


def test_a_value_has_no_weak_references_as_a_float_has_none():
    for x in (1.0, Value(1.0)):
        with pytest.raises(TypeError, match="weak reference"):
            weakref.ref(x)


def test_micrograds_names():
    a, b = Value(2.0), Value(3.0)
    c = (a + b).tanh()
    assert c._op == "tanh"
    assert c._prev[0]._op == "+"
    assert c._prev[0]._prev == (a, b)
    assert (a._op, a._prev) == ("", ())
    with pytest.raises(AttributeError, match="custom_partials"):
        _ = c._backward
    with pytest.raises(AttributeError):
        c._prev = ()


# ------------------------------------------------------------------------------- dir(float)

# What makes floats from text, or is of the class; there is no use for it on a number.
NOT_OF_A_NUMBER = {"fromhex", "from_number", "__getformat__", "__setformat__", "__set_format__"}
NOT_OF_A_NUMBER |= {"__getnewargs__"}  # of float's way of pickling


def test_every_attribute_of_float_is_there():
    missing = set(dir(float)) - set(dir(Value)) - NOT_OF_A_NUMBER
    assert missing == set()


@pytest.mark.parametrize(
    ("name", "args", "slope"),
    [
        ("__abs__", (), 1.0), ("__add__", (2.0,), 1.0), ("__radd__", (2.0,), 1.0),
        ("__sub__", (2.0,), 1.0), ("__rsub__", (2.0,), -1.0), ("__mul__", (2.0,), 2.0),
        ("__rmul__", (2.0,), 2.0), ("__truediv__", (2.0,), 0.5),
        ("__rtruediv__", (2.0,), -2.0 / 2.25**2), ("__mod__", (2.0,), 1.0),
        ("__rmod__", (5.0,), -2.0), ("__floordiv__", (2.0,), 0.0), ("__rfloordiv__", (5.0,), 0.0),
        ("__pow__", (2.0,), 4.5), ("__rpow__", (2.0,), math.log(2.0) * 2.0**2.25),
        ("__neg__", (), -1.0), ("__pos__", (), 1.0), ("__round__", (1,), 0.0),
        ("__trunc__", (), 0.0), ("__floor__", (), 0.0), ("__ceil__", (), 0.0),
        ("conjugate", (), 1.0),
    ],
)  # fmt: skip
def test_a_method_of_float(name, args, slope):
    x = 2.25
    want = getattr(x, name)(*args)
    assert getattr(Value(x), name)(*args).data == want
    assert grad(lambda x: getattr(x, name)(*args) + 0.0 * x)(x) == pytest.approx(slope, rel=1e-15)


# ------------------------------------------------------------------------------ dir(operator)

OPERATORS = {
    "abs": (2.25,), "add": (2.25, 2.0), "floordiv": (5.5, 2.1), "mod": (5.5, 2.1),
    "mul": (2.25, 2.0), "neg": (2.25,), "pos": (2.25,), "pow": (2.25, 1.5), "sub": (2.25, 2.0),
    "truediv": (2.25, 2.0),
}  # fmt: skip
COMPARISONS = ["eq", "ge", "gt", "le", "lt", "ne", "is_", "is_not"]
NO_NUMBERS = {  # refused to floats, too
    "and_", "or_", "xor", "invert", "inv", "lshift", "rshift", "matmul", "concat", "contains",
    "countOf", "delitem", "getitem", "index", "indexOf", "setitem",
}  # fmt: skip
ABOUT_OBJECTS = {"attrgetter", "itemgetter", "methodcaller", "call", "length_hint", "not_", "truth"}
ABOUT_OBJECTS |= {"is_none", "is_not_none"}


def test_every_operator_is_known():
    names = {n for n in operator.__all__ if not (n.startswith("i") and n[1:] in operator.__all__)}
    names -= {"iand", "ior", "iconcat"}
    assert names <= set(OPERATORS) | set(COMPARISONS) | NO_NUMBERS | ABOUT_OBJECTS


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator(name):
    args = OPERATORS[name]
    f = getattr(operator, name)
    assert f(*map(Value, args)).data == f(*args)
    for i, slope in enumerate(grad(f, argnums=tuple(range(len(args))))(*args)):
        assert slope == pytest.approx(difference(f, args, i), rel=1e-6, abs=1e-8)
    if len(args) == 2:
        assert getattr(operator, f"i{name}")(Value(args[0]), args[1]).data == f(*args)


@pytest.mark.parametrize("name", sorted(NO_NUMBERS))
def test_what_no_number_can(name):
    f = getattr(operator, name)
    args = {"delitem": 2, "setitem": 3, "invert": 1, "inv": 1, "index": 1}
    for number in (2.0, Value(2.0)):
        with pytest.raises(TypeError):
            f(*[number] * args.get(name, 2))


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons(name):
    f = getattr(operator, name)
    for x in (1.0, 2.0, math.nan):
        for y in (1.0, math.nan):
            if not name.startswith("is"):
                assert f(Value(x), Value(y)) is f(x, y)
    assert operator.truth(Value(2.0)) is True
    assert operator.not_(Value(0.0)) is True


# ------------------------------------------------------------------------------------- names


def test_the_star_hides_no_function_of_python():
    import builtins

    assert [name for name in ag.__all__ if hasattr(builtins, name)] == []
    public = {n for n in vars(ag) if not n.startswith("_") and not hasattr(builtins, n)}
    modules = {n for n in public if type(getattr(ag, n)) is type(math)}
    assert set(ag.__all__) == public - modules - {"TYPE_CHECKING", "Any"} - set(ag._COMPILER)


def test_the_version():
    from importlib.metadata import version

    assert ag.__version__ == version("scalar-autograd")


def test_names_of_other_libraries_answer():
    for name, place in ag._elsewhere._HERE.items():
        assert name not in ag.__all__, name
        assert not hasattr(ag, name), name
        with pytest.raises(AttributeError, match=name) as caught:
            getattr(ag, name)
        assert place in str(caught.value)
    with pytest.raises(ImportError, match=r"compile\(f\)"):
        from autograd import jit  # noqa: F401
    with pytest.raises(ImportError, match="no_such_thing"):
        from autograd import no_such_thing  # noqa: F401


def test_aliases_are_the_primitives_themselves():
    for row in ag.primitives().values():
        for alias in row.aliases:
            assert getattr(ag, alias) is row, alias
