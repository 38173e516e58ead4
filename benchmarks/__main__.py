"""The command line: `python -m benchmarks eager` runs the module `benchmarks/eager.py`.

A benchmark module has `SECTIONS` (what is measured, see `_paired.py`) and a docstring; everything
else is the same for all of them and lives in the underscored modules.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import benchmarks
from benchmarks._environments import Cache, WrongBuild
from benchmarks._paired import measure
from benchmarks._report import markdown, save


def names() -> list[str]:
    """Return the names of all benchmarks: the modules of this package without an underscore."""
    modules = pkgutil.iter_modules(benchmarks.__path__)
    return [module.name for module in modules if not module.name.startswith("_")]


def main(argv: list[str] | None = None) -> int:
    """Return the exit code after running the benchmark named on the command line."""
    checkout = Path(__file__).resolve().parent.parent
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("benchmark", choices=names())
    options.add_argument("--rounds", type=int, default=5, help="paired runs per peer (default 5)")
    options.add_argument(
        "--only",
        default="",
        metavar="TEXT",
        help="sections and peers whose 'section: peer' contains TEXT",
    )
    options.add_argument(
        "--cache",
        type=Path,
        default=checkout / ".benchmarks",
        help="folder for environments and results (default .benchmarks in the checkout)",
    )
    arguments = options.parse_args(argv)
    if arguments.rounds < 1:
        options.error(f"--rounds must be at least 1, got {arguments.rounds}")

    module = importlib.import_module(f"benchmarks.{arguments.benchmark}")
    cache = Cache(arguments.cache.resolve(), checkout)
    try:
        results = measure(module.SECTIONS, cache, rounds=arguments.rounds, only=arguments.only)
    except WrongBuild as reason:
        print(reason, file=sys.stderr)
        return 1
    print(markdown(results))
    path = save(results, arguments.benchmark, cache.folder / "results")
    print(f"all runs are in {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
