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
from ._findings import Finding as Finding
from ._findings import Findings as Findings
from ._graph import StaleGraph as StaleGraph
from ._graph import check_graph as check_graph
from ._graph import topological_order as topological_order
from ._lint import lint as lint
from ._primitive import Primitive as Primitive
from ._primitive import primitives as primitives
from ._primitive import register as register
from ._primitive import unregister as unregister
from ._profile import Profile as Profile
from ._profile import profile as profile
from ._rules import abs as abs
from ._rules import acos as acos
from ._rules import acosh as acosh
from ._rules import add as add
from ._rules import asin as asin
from ._rules import asinh as asinh
from ._rules import atan as atan
from ._rules import atan2 as atan2
from ._rules import atanh as atanh
from ._rules import cbrt as cbrt
from ._rules import ceil as ceil
from ._rules import copysign as copysign
from ._rules import cos as cos
from ._rules import cosh as cosh
from ._rules import digamma as digamma
from ._rules import direction as direction
from ._rules import div as div
from ._rules import elu as elu
from ._rules import erf as erf
from ._rules import erfc as erfc
from ._rules import exp as exp
from ._rules import exp2 as exp2
from ._rules import expm1 as expm1
from ._rules import floor as floor
from ._rules import fmod as fmod
from ._rules import gauss as gauss
from ._rules import gelu as gelu
from ._rules import greater as greater
from ._rules import hypot as hypot
from ._rules import identity as identity
from ._rules import leaky_relu as leaky_relu
from ._rules import lgamma as lgamma
from ._rules import log as log
from ._rules import log1p as log1p
from ._rules import log2 as log2
from ._rules import log10 as log10
from ._rules import log_sigmoid as log_sigmoid
from ._rules import log_slope as log_slope
from ._rules import maximum as maximum
from ._rules import minimum as minimum
from ._rules import mul as mul
from ._rules import neg as neg
from ._rules import one_minus_square as one_minus_square
from ._rules import polygamma as polygamma
from ._rules import pow as pow
from ._rules import relu as relu
from ._rules import round as round
from ._rules import sech as sech
from ._rules import sech_squared as sech_squared
from ._rules import sigmoid as sigmoid
from ._rules import sigmoid_slope as sigmoid_slope
from ._rules import sign as sign
from ._rules import silu as silu
from ._rules import sin as sin
from ._rules import sinh as sinh
from ._rules import softplus as softplus
from ._rules import sqrt as sqrt
from ._rules import stop_gradient as stop_gradient
from ._rules import strong_mul as strong_mul
from ._rules import sub as sub
from ._rules import tan as tan
from ._rules import tanh as tanh
from ._rules import where as where
from ._scope import scope as scope
from ._structure import register_container as register_container
from ._value import Value as Value
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

_COMPILER = ("Kernel", "StaleKernel", "compile", "load_kernel")  # imported when first asked for


def __getattr__(name: str) -> Any:
    if name in _COMPILER:
        from . import compiler

        return getattr(compiler, name)
    raise AttributeError(f"module 'autograd' has no attribute {name!r}")


_warn_if_stale()
