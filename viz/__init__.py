"""Pictures that explain a recorded computation: values, gradients and local derivatives together.

Knows the public surface of `autograd` and nothing of `nn`.
"""

from . import plot as plot
from ._explain import Explanation as Explanation
from ._explain import explain as explain
from ._layout import LayoutError as LayoutError
from ._name import name as name
from ._picture import Picture as Picture
from ._picture import draw as draw
from ._quiz import Quiz as Quiz
from ._quiz import quiz as quiz
from ._training import Training as Training
from ._training import training as training
from ._view import GraphTooLarge as GraphTooLarge
