"""Scalar automatic differentiation for ordinary Python: the public surface, re-exports only."""

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from math import tau as tau
from typing import TYPE_CHECKING, Any

from . import _numpy as _numpy
from ._build import build_info as build_info
from ._build import warn_if_stale as _warn_if_stale
from ._case import Averaged as Averaged
from ._custom import custom_partials as custom_partials
from ._custom import primitive as primitive
from ._decisions import Decision as Decision
from ._decisions import Decisions as Decisions
from ._decisions import decisions as decisions
from ._dropped import DroppedDependence as DroppedDependence
from ._elsewhere import unknown as _unknown
from ._findings import Finding as Finding
from ._findings import Findings as Findings
from ._graph import StaleGraph as StaleGraph
from ._graph import check_graph as check_graph
from ._graph import topological_order as topological_order
from ._lint import lint as lint
from ._math import comb as comb
from ._math import degrees as degrees
from ._math import dist as dist
from ._math import factorial as factorial
from ._math import fma as fma
from ._math import frexp as frexp
from ._math import fsum as fsum
from ._math import gcd as gcd
from ._math import isclose as isclose
from ._math import isfinite as isfinite
from ._math import isinf as isinf
from ._math import isnan as isnan
from ._math import isqrt as isqrt
from ._math import lcm as lcm
from ._math import ldexp as ldexp
from ._math import modf as modf
from ._math import nextafter as nextafter
from ._math import perm as perm
from ._math import radians as radians
from ._math import sumprod as sumprod
from ._math import ulp as ulp
from ._primitive import Primitive as Primitive
from ._primitive import primitives as primitives
from ._primitive import register as register
from ._primitive import unregister as unregister
from ._profile import Profile as Profile
from ._profile import profile as profile
from ._rules import abs as abs
from ._rules import abs as absolute
from ._rules import abs as fabs
from ._rules import acos as acos
from ._rules import acos as arccos
from ._rules import acosh as acosh
from ._rules import acosh as arccosh
from ._rules import add as add
from ._rules import asin as arcsin
from ._rules import asin as asin
from ._rules import asinh as arcsinh
from ._rules import asinh as asinh
from ._rules import atan as arctan
from ._rules import atan as atan
from ._rules import atan2 as arctan2
from ._rules import atan2 as atan2
from ._rules import atanh as arctanh
from ._rules import atanh as atanh
from ._rules import cbrt as cbrt
from ._rules import ceil as ceil
from ._rules import copysign as copysign
from ._rules import cos as cos
from ._rules import cosh as cosh
from ._rules import digamma as digamma
from ._rules import digamma as psi
from ._rules import direction as direction
from ._rules import div as div
from ._rules import div as divide
from ._rules import div as true_divide
from ._rules import elu as elu
from ._rules import erf as erf
from ._rules import erfc as erfc
from ._rules import exp as exp
from ._rules import exp2 as exp2
from ._rules import expm1 as expm1
from ._rules import floor as floor
from ._rules import floordiv as floor_divide
from ._rules import floordiv as floordiv
from ._rules import fmod as fmod
from ._rules import gamma as gamma
from ._rules import gauss as gauss
from ._rules import gelu as gelu
from ._rules import greater as greater
from ._rules import hypot as hypot
from ._rules import identity as identity
from ._rules import ieee_remainder as ieee_remainder
from ._rules import ieee_remainder as remainder
from ._rules import leaky_relu as leaky_relu
from ._rules import leaky_relu as prelu
from ._rules import lgamma as gammaln
from ._rules import lgamma as lgamma
from ._rules import log as log
from ._rules import log1p as log1p
from ._rules import log2 as log2
from ._rules import log10 as log10
from ._rules import log_sigmoid as log_sigmoid
from ._rules import log_sigmoid as logsigmoid
from ._rules import log_slope as log_slope
from ._rules import logaddexp as logaddexp
from ._rules import maximum as maximum
from ._rules import minimum as minimum
from ._rules import mod as mod
from ._rules import mul as mul
from ._rules import mul as multiply
from ._rules import neg as neg
from ._rules import neg as negative
from ._rules import one_minus_square as one_minus_square
from ._rules import polygamma as polygamma
from ._rules import pow as pow
from ._rules import pow as power
from ._rules import relu as relu
from ._rules import round as rint
from ._rules import round as round
from ._rules import round_digits as round_digits
from ._rules import sech as sech
from ._rules import sech_squared as sech_squared
from ._rules import sigmoid as expit
from ._rules import sigmoid as sigmoid
from ._rules import sigmoid_slope as sigmoid_slope
from ._rules import sign as sign
from ._rules import silu as silu
from ._rules import silu as swish
from ._rules import sin as sin
from ._rules import sinh as sinh
from ._rules import softplus as softplus
from ._rules import sqrt as sqrt
from ._rules import stop_gradient as stop_gradient
from ._rules import strong_mul as strong_mul
from ._rules import sub as sub
from ._rules import sub as subtract
from ._rules import tan as tan
from ._rules import tanh as tanh
from ._rules import tanhshrink as tanhshrink
from ._rules import trunc as fix
from ._rules import trunc as trunc
from ._rules import where as where
from ._rules import xlogy as xlogy
from ._scope import scope as scope
from ._structure import register_container as register_container
from ._value import Value as Value
from .activations import celu as celu
from .activations import clip as clamp
from .activations import clip as clip
from .activations import gelu_tanh as gelu_tanh
from .activations import hardshrink as hardshrink
from .activations import hardsigmoid as hardsigmoid
from .activations import hardswish as hardswish
from .activations import hardtanh as hardtanh
from .activations import log_softmax as log_softmax
from .activations import mish as mish
from .activations import relu6 as relu6
from .activations import rsqrt as rsqrt
from .activations import selu as selu
from .activations import smooth_max as smooth_max
from .activations import smooth_step as smooth_step
from .activations import softshrink as softshrink
from .activations import softsign as softsign
from .activations import threshold as threshold
from .anomaly import AnomalyError as AnomalyError
from .anomaly import detect_anomaly as detect_anomaly
from .anomaly import explain_nan as explain_nan
from .derivatives import differentiate as differentiate
from .derivatives import grad as grad
from .derivatives import hessian as hessian
from .derivatives import hvp as hvp
from .derivatives import jacobian as jacobian
from .derivatives import jvp as jvp
from .derivatives import value_and_grad as value_and_grad
from .derivatives import vjp as vjp
from .helpers import dot as dot
from .helpers import logsumexp as logsumexp
from .helpers import mean as mean
from .helpers import norm as norm
from .helpers import prod as prod
from .helpers import softmax as softmax
from .helpers import sum as sum

if TYPE_CHECKING:
    from .compiler import Kernel as Kernel
    from .compiler import StaleKernel as StaleKernel
    from .compiler import compile as compile
    from .compiler import load_kernel as load_kernel

    __version__: str

_COMPILER = ("Kernel", "StaleKernel", "compile", "load_kernel")  # imported when first asked for

# For `from autograd import *`: everything but what would hide a function of Python (abs, compile,
# pow, round, sum), and the compiler.
__all__ = [
    "AnomalyError",
    "Averaged",
    "Decision",
    "Decisions",
    "DroppedDependence",
    "Finding",
    "Findings",
    "Primitive",
    "Profile",
    "StaleGraph",
    "Value",
    "absolute",
    "acos",
    "acosh",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "build_info",
    "cbrt",
    "ceil",
    "celu",
    "check_graph",
    "clamp",
    "clip",
    "comb",
    "copysign",
    "cos",
    "cosh",
    "custom_partials",
    "decisions",
    "degrees",
    "detect_anomaly",
    "differentiate",
    "digamma",
    "direction",
    "dist",
    "div",
    "divide",
    "dot",
    "e",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expit",
    "explain_nan",
    "expm1",
    "fabs",
    "factorial",
    "fix",
    "floor",
    "floor_divide",
    "floordiv",
    "fma",
    "fmod",
    "frexp",
    "fsum",
    "gamma",
    "gammaln",
    "gauss",
    "gcd",
    "gelu",
    "gelu_tanh",
    "grad",
    "greater",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hessian",
    "hvp",
    "hypot",
    "identity",
    "ieee_remainder",
    "inf",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isqrt",
    "jacobian",
    "jvp",
    "lcm",
    "ldexp",
    "leaky_relu",
    "lgamma",
    "lint",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_slope",
    "log_softmax",
    "logaddexp",
    "logsigmoid",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "mish",
    "mod",
    "modf",
    "mul",
    "multiply",
    "nan",
    "neg",
    "negative",
    "nextafter",
    "norm",
    "one_minus_square",
    "perm",
    "pi",
    "polygamma",
    "power",
    "prelu",
    "primitive",
    "primitives",
    "prod",
    "profile",
    "psi",
    "radians",
    "register",
    "register_container",
    "relu",
    "relu6",
    "remainder",
    "rint",
    "round_digits",
    "rsqrt",
    "scope",
    "sech",
    "sech_squared",
    "selu",
    "sigmoid",
    "sigmoid_slope",
    "sign",
    "silu",
    "sin",
    "sinh",
    "smooth_max",
    "smooth_step",
    "softmax",
    "softplus",
    "softshrink",
    "softsign",
    "sqrt",
    "stop_gradient",
    "strong_mul",
    "sub",
    "subtract",
    "sumprod",
    "swish",
    "tan",
    "tanh",
    "tanhshrink",
    "tau",
    "threshold",
    "topological_order",
    "true_divide",
    "trunc",
    "ulp",
    "unregister",
    "value_and_grad",
    "vjp",
    "where",
    "xlogy",
]


def __getattr__(name: str) -> Any:
    if name in _COMPILER:
        from . import compiler

        return getattr(compiler, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("scalar-autograd")
    raise _unknown(name)


_warn_if_stale()
