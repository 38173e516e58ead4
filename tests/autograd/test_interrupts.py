"""Ctrl-C at any moment leaves nothing behind: programs interrupted hundreds of times."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("interrupted.py")


def interrupt(seed, count, seconds):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), str(seed), str(count)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    said = f"seed {seed}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert done.stdout.splitlines() == [f"interrupts {count} seen {count} lost 0"], said


@pytest.mark.skipif(sys.platform == "win32", reason="needs timers that send signals")
@pytest.mark.parametrize("seed", [1, 2])
def test_interrupts_leave_nothing_behind(seed):
    interrupt(seed, 300, 60)


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="needs timers that send signals")
@pytest.mark.parametrize("seed", range(10, 15))
def test_two_thousand_interrupts(seed):
    interrupt(seed, 2000, 300)
