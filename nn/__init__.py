"""Small networks on scalars: modules, losses, optimisers, training. Re-exports only."""

from ._losses import absolute_error as absolute_error
from ._losses import binary_cross_entropy as binary_cross_entropy
from ._losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from ._losses import cross_entropy as cross_entropy
from ._losses import half_squared_error as half_squared_error
from ._losses import hinge as hinge
from ._losses import huber as huber
from ._losses import l1 as l1
from ._losses import l2 as l2
from ._losses import squared_error as squared_error
from ._module import MLP as MLP
from ._module import Layer as Layer
from ._module import Module as Module
from ._module import Neuron as Neuron
from ._module import Sequential as Sequential
from ._module import scopes as scopes
