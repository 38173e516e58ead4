"""Examples are scripts: they are imported from their folder, and their printed text is read."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))


@pytest.fixture(scope="module")
def run():
    """Return a function that runs an example's main and gives what it printed."""
    import contextlib
    import io

    def run_main(example, *argv):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            example.main(list(argv))
        return out.getvalue()

    return run_main
