"""The pytest plugin: a fixture that checks the gradients of a module's public functions.

Loaded by pytest in every run where the package is installed, so it imports nothing that is not
asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def right_gradients() -> Callable[..., list[str]]:
    """Return `autograd.testing.check_module`: `right_gradients(module)` fails on a wrong one."""

    def check(module: ModuleType, order: int = 2, examples: int = 100) -> list[str]:
        from autograd.testing import check_module

        return check_module(module, order, examples)

    return check
