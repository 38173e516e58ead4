"""Pictures that explain a recorded computation: values, gradients and local derivatives together.

Knows the public surface of `autograd` and nothing of `nn`.
"""

from ._layout import LayoutError as LayoutError
from ._name import name as name
from ._picture import Picture as Picture
from ._picture import draw as draw
from ._view import GraphTooLarge as GraphTooLarge
