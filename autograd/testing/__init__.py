"""Gradient checks to trust, for your own functions as well as ours: re-exports only.

`autograd.testing.strategies` (which needs Hypothesis) is imported by itself.
"""

from ._check import Checked as Checked
from ._check import GradientMismatch as GradientMismatch
from ._check import Mismatch as Mismatch
from ._check import check_gradients as check_gradients
