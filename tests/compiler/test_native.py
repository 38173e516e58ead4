"""Machine code in memory: wherever the system finds room for it."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() != "x86_64",
    reason="arranges the address space of Linux on x86-64",
)
def test_code_and_constants_may_be_gigabytes_apart():
    program = Path(__file__).with_name("far_memory.py")
    ran = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "right\n", "")
