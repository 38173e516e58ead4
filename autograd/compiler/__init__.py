"""The compiler: recorded graphs as machine code, over one point or millions of rows."""

from .check import StaleKernel as StaleKernel
from .kernel import Kernel as Kernel
from .kernel import compile as compile
from .kernel import load_kernel as load_kernel
