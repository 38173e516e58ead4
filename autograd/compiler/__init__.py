"""The compiler: recorded graphs as machine code, over one point or millions of rows."""

from ._entry import compile as compile
from ._entry import load_kernel as load_kernel
from .check import StaleKernel as StaleKernel
from .kernel import Kernel as Kernel
