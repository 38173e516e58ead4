"""Arrays of `Value`s that NumPy's functions run on; imported when the first one is made."""

from . import _functions, _linear, _order, _statistics
from ._array import ValueArray as ValueArray
from ._array import array_of as array_of
from ._array import scalar as scalar
from ._array import zero_dimensional as zero_dimensional
from ._ufuncs import on_scalars as on_scalars

ValueArray.functions = {
    **_functions.TABLE,
    **_order.TABLE,
    **_statistics.TABLE,
    **_linear.TABLE,
}
