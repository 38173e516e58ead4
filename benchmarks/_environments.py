"""Environments: every peer, and every build of ours, installed in a virtual environment of its own.

Ours and HIPS autograd share the import name `autograd`, so nothing may leak from one environment
into another, or from the checkout into any: packages are installed from a copy of the checkout,
and workers run in a folder (the stage) that holds the benchmarks but no `autograd`.
Knows nothing of what is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NOT_SOURCE = shutil.ignore_patterns(
    ".*", "__pycache__", "build", "dist", "*.egg-info", "*.so", "*.pyd", "tests", "docs"
)
_BUILDS = {
    "compiled": {"SCALAR_AUTOGRAD_REQUIRE_COMPILED": "1"},
    "pure": {"SCALAR_AUTOGRAD_PURE": "1"},
}
_INSTALL_SECONDS = 1800


class Unavailable(Exception):
    """A side that cannot be measured; the message is the reason the table gives."""


class WrongBuild(Exception):
    """Our own package could not be installed as asked: nothing measured would mean anything."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment to be: its name and what pip installs into it.

    `build` is "compiled" or "pure" for our own package, installed from this checkout with
    `extras`; "" for a peer, whose first requirement names the package that is measured.
    """

    name: str
    requirements: tuple[str, ...] = ()
    build: str = ""
    extras: tuple[str, ...] = ()


@dataclass
class Cache:
    """The folder that holds environments, the copied source, the stage and the results."""

    folder: Path
    checkout: Path
    _ready: dict[Environment, dict[str, Any] | Unavailable] = field(default_factory=dict)
    _fingerprint: str = ""

    @property
    def stage(self) -> Path:
        """Where workers run: it holds `benchmarks` and `examples`, and no `autograd`."""
        return self.folder / "stage"

    def copy_checkout(self) -> None:
        """Copy the packages and the benchmarks out of the checkout, without built files."""
        source = self.folder / "source"
        for folder in (source, self.stage):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.checkout, source, ignore=_NOT_SOURCE)
        for part in ("benchmarks", "examples"):
            shutil.move(source / part, self.stage / part)
        digest = hashlib.sha256()
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes())
        self._fingerprint = digest.hexdigest()

    def python(self, environment: Environment) -> Path:
        """Return the interpreter of `environment`."""
        folder = self.folder / "venvs" / environment.name
        return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def prepare(self, environment: Environment) -> dict[str, Any]:
        """Return what is installed in `environment`, after creating it where it is not there yet.

        Raises Unavailable, with the reason, where a peer cannot be installed, and WrongBuild where
        ours cannot, or where its compiled build was asked for and it fell back to the pure one.
        """
        if environment not in self._ready:
            try:
                self._ready[environment] = self._install(environment)
            except Unavailable as reason:
                if environment.build:
                    raise WrongBuild(f"environment {environment.name}: {reason}") from reason
                self._ready[environment] = reason
        about = self._ready[environment]
        if isinstance(about, Unavailable):
            raise about
        return about

    def _install(self, environment: Environment) -> dict[str, Any]:
        wanted = json.dumps(
            [environment.requirements, environment.extras, sys.version]
            + ([environment.build, self._fingerprint] if environment.build else [])
        )
        folder = self.folder / "venvs" / environment.name
        receipt = folder / "installed.json"
        if not (receipt.is_file() and receipt.read_text(encoding="utf-8") == wanted):
            started = time.monotonic()
            _say(f"environment {environment.name}: creating")
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)], cwd=self.stage)
            requirements = list(environment.requirements)
            settings: dict[str, str] = {}
            if environment.build:
                extras = ",".join(environment.extras)
                requirements.append(str(self.folder / "source") + (f"[{extras}]" if extras else ""))
                settings = _BUILDS[environment.build]
            pip = [str(self.python(environment)), "-m", "pip", "--disable-pip-version-check"]
            for requirement in requirements:
                _say(f"environment {environment.name}: pip install {requirement}")
                _run([*pip, "install", "--quiet", requirement], cwd=self.stage, settings=settings)
            receipt.write_text(wanted, encoding="utf-8")
            _say(f"environment {environment.name}: ready in {time.monotonic() - started:.0f} s")
        return self._describe(environment)

    def _describe(self, environment: Environment) -> dict[str, Any]:
        """Return the version of what is measured, and for ours which build it is."""
        if not environment.build:
            if not environment.requirements:
                return {}
            name = environment.requirements[0].split("==")[0]
            program = f"import importlib.metadata as m; print(m.version({name!r}))"
            return {"version": _run([str(self.python(environment)), "-c", program], self.stage)}
        program = "import autograd, json; print(json.dumps(autograd.build_info()))"
        about = dict(json.loads(_run([str(self.python(environment)), "-c", program], self.stage)))
        if about["build"] != environment.build:
            raise WrongBuild(
                f"environment {environment.name}: asked for the {environment.build} build, "
                f"got {about['build']}; is there a C compiler?"
            )
        return about


def worker_environment() -> dict[str, str]:
    """Return the variables a worker runs under: ours, without what would let other code in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return kept | {"PYTHONNOUSERSITE": "1", "PYTHONHASHSEED": "0"} | dict.fromkeys(threads, "1")


def _run(command: list[str], cwd: Path, settings: dict[str, str] | None = None) -> str:
    """Return what the command printed; raises Unavailable with its last words where it failed."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=worker_environment() | (settings or {}),
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"no end of the installation in {_INSTALL_SECONDS} s") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        # Pip prints what a failing build printed, and then its own words about having failed.
        errors = [line for line in said if re.search("error: (?!subprocess-exited)", line, re.I)]
        reason = (errors or said or [f"exit code {done.returncode}"])[-1]
        raise Unavailable(f"cannot be installed: {reason.removeprefix('ERROR: ')}")
    return done.stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
