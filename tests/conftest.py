"""What all tests share: which build is under test, and reproducible randomness."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import autograd

# The same examples in every run; how many, each test says itself.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# A run in the background of a shell ignores Ctrl-C, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser):
    parser.addoption(
        "--build",
        choices=["any", "compiled", "pure"],
        default="any",
        help="fail unless this build of the engine is the one imported",
    )


def pytest_report_header(config):
    info = autograd.build_info()
    return f"autograd: {info['build']} build, {info['file']}"


def pytest_sessionstart(session):
    wanted = session.config.getoption("--build")
    info = autograd.build_info()
    if wanted != "any" and info["build"] != wanted:
        raise pytest.UsageError(
            f"--build={wanted}, but the engine imported is {info['build']}: {info['file']}"
        )
    if info["stale"]:
        raise pytest.UsageError("the compiled engine is older than its sources; build it again")


@pytest.fixture(scope="session")
def data():
    """The folder with published examples and their checked numbers."""
    return ROOT / "tests" / "data"
