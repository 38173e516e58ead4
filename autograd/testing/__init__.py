"""Gradient checks to trust, for your own functions as well as ours: re-exports only.

`autograd.testing.strategies`, which needs Hypothesis, is imported by itself.
"""

from ._adapters import check_jax as check_jax
from ._adapters import check_numpy as check_numpy
from ._adapters import check_torch as check_torch
from ._certify import Certificate as Certificate
from ._certify import Certified as Certified
from ._certify import certify as certify
from ._check import check_gradients as check_gradients
from ._expression import Expression as Expression
from ._hold import check_module as check_module
from ._hold import gradients_hold as gradients_hold
from ._primitive import check_primitive as check_primitive
from ._report import Checked as Checked
from ._report import GradientMismatch as GradientMismatch
from ._report import Mismatch as Mismatch
