"""A child of a fork works, whatever the other threads were doing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("forked.py")


def fork(count, seconds):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(count)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    said = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert done.stdout.splitlines() == [f"forks {count} bad 0"], said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_child_compiles_and_sweeps_under_load():
    fork(10, 100)


@pytest.mark.nightly
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_forty_children_under_load():
    fork(40, 300)
