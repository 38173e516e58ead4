"""Our own primitives through the checks that users get: registry x points x modes x orders."""

import pytest

import autograd as ag
from autograd.testing import check_primitive


@pytest.mark.parametrize("row", ag.primitives().values(), ids=lambda row: row.name)
def test_row(row):
    found = check_primitive(row)
    assert found.right > 2 * found.undecided
    assert found.right > 300
    assert "definitions" in found.method


def test_every_row_has_a_definition():
    assert [row.name for row in ag.primitives().values() if row.exact is None] == []
