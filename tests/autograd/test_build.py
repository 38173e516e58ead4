"""Which build runs, what importing costs, and that a stale compiled engine is noticed."""

import os
import subprocess
import sys

import autograd
from autograd import _build


def run(code: str) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    return result.stdout.strip()


def test_build_info_tells_the_truth():
    info = autograd.build_info()
    assert info["build"] == ("pure" if info["file"].endswith(".py") else "compiled")
    assert info["stale"] is False
    assert info["python"] == sys.version.split()[0]


def test_importing_loads_the_standard_library_only():
    modules = run(
        "import sys; import autograd, nn; "
        "print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    ).split()
    foreign = {"numpy", "optree", "llvmlite", "graphviz", "hypothesis", "mpmath", "mypy_extensions"}
    assert not foreign & set(modules)
    assert "viz" not in modules


def test_plain_use_needs_no_third_party_package():
    code = (
        "import sys; sys.modules.update({n: None for n in ('numpy', 'optree')}); "
        "from autograd import *; x = Value(2.0); y = x * x; y.backward(); "
        "print(x.grad, grad(sin)(0.0), hvp(lambda x: x**3, (2.0,), (1.0,)))"
    )
    assert run(code) == "4.0 1.0 12.0"


def test_a_stale_engine_is_noticed(tmp_path):
    package = tmp_path / "autograd"
    package.mkdir()
    library = tmp_path / "abc__mypyc.so"
    shim = package / "_value.so"
    source = package / "_value.py"
    other = package / "derivatives.py"
    for path in (library, shim, source, other):
        path.touch()
    os.utime(library, (1000, 1000))
    os.utime(shim, (500, 500))
    os.utime(source, (900, 900))
    assert _build._stale(str(shim)) == []
    os.utime(source, (1100, 1100))
    assert _build._stale(str(shim)) == [str(source)]
    assert _build._stale(str(source)) == []
