"""The commands `scalar-autograd check` and `certify`: a user's file, words, a verdict.

Exit code 0: right. 1: wrong. 2: nobody can say, or a mistake of the user, in one line on standard
error. The file is run, as `python file.py` runs it. Knows the checks from outside.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from .. import scripts
from ._adapters import check_jax, check_numpy, check_torch
from ._by_hand import add, check_by_hand
from ._certify import certify
from ._check import check_gradients
from ._document import json_number, kinks_document, mismatch_document, plain, ties_document
from ._points import WordError, points, ranges, values, written
from ._report import REASONS, Checked, GradientMismatch, Mismatch

RIGHT: Final = 0
WRONG: Final = 1
UNDECIDED: Final = 2

_PROGRAM: Final = "scalar-autograd"
_EXIT_CODES: Final = "Exit code 0: right. 1: wrong. 2: undecided, or a mistake, in one line."
_ARRAYS: Final = ("numpy", "torch", "jax", "jax.numpy")


class _Stop(Exception):
    """A mistake of the user, or of the user's file; one sentence."""


class _Parser(argparse.ArgumentParser):
    """Argparse with one-line errors."""

    def error(self, message: str) -> NoReturn:
        raise _Stop(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=_PROGRAM, description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, allow_abbrev=False, help=text, description=text, epilog=_EXIT_CODES
        )
        added.add_argument("function", metavar="FILE.py:FUNCTION", help="the file is run")
        added.add_argument(
            "--at",
            metavar="x=1.2,w=[1,2]",
            action="append",
            default=[],
            help="arguments: numbers, and lists of them",
        )
        added.add_argument("--json", action="store_true", help="print JSON instead of text")
        return added

    checking = command("check", "are these derivatives right?")
    checking.add_argument(
        "--against", metavar="FILE.py:GRADIENT", help="a gradient by hand: the one under test"
    )
    checking.add_argument(
        "--reference", metavar="FILE.py:FUNCTION", help="the same function on Values: the truth"
    )
    checking.add_argument(
        "--library",
        choices=("python", "numpy", "torch", "jax"),
        help="whose arrays the function takes; torch, jax: whose derivatives are checked",
    )
    checking.add_argument("--random", metavar="N", type=int, help="check N random points")
    checking.add_argument("--seed", type=int, default=0, help="another seed, other points")
    checking.add_argument(
        "--range",
        metavar="x=-2..2,w[3]=0..1",
        action="append",
        default=[],
        help="where random points are; -2..2 if not said",
    )
    checking.add_argument("--order", type=int, choices=(1, 2, 3), help="of derivatives")
    checking.add_argument(
        "--allow-undecided",
        action="store_true",
        help="exit code 0 although some numbers could not be judged, if others at each point could",
    )
    counting = command("certify", "how many digits of value and derivatives are right?")
    counting.add_argument("--order", type=int, choices=(1, 2), default=2, help="of derivatives")
    counting.add_argument(
        "--digits", metavar="N", type=float, help="exit code 1 if a number has fewer"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        options = _parser().parse_args(_glued(words))
        return {"check": _check, "certify": _certify}[options.command](options)
    except (_Stop, WordError, scripts.ScriptError) as error:
        line = " ".join("".join(c if c.isprintable() else "?" for c in str(error)).split())
        print(f"{_PROGRAM}: {line if len(line) <= 600 else line[:599] + '…'}", file=sys.stderr)
        return UNDECIDED


_VALUED: Final = ("--at", "--range", "--against", "--reference")


def _glued(words: list[str]) -> list[str]:
    """Return `words` with values glued to their options, so that one may begin with a minus."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in _VALUED and not word.startswith("--"):
            found[-1] += "=" + word
        else:
            found.append(word)
    return found


# -------------------------------------------------------------------------- the user's file


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """Let what the user's file prints go to standard error: standard output is the verdict's."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@dataclass
class _Files:
    """The user's files, each run once."""

    modules: dict[Path, ModuleType] = field(default_factory=dict)

    def function(self, text: str) -> Callable[..., Any]:
        split = scripts.split(text)
        if split is None:
            raise _Stop(f"expected path/to/file.py:function, found {text!r}")
        path, name = split
        if path not in self.modules:
            with _aside():
                self.modules[path] = scripts.load(path)
        return scripts.function(self.modules[path], path, name)

    def use_arrays(self) -> bool:
        """Say whether a file has imported a library of arrays."""
        return any(
            isinstance(x, ModuleType) and x.__name__ in _ARRAYS
            for module in self.modules.values()
            for x in vars(module).values()
        )

    def blame(self, error: BaseException, doing: str) -> _Stop:
        """Return what to say of an error while the user's functions ran."""
        for path in self.modules:
            line = scripts.where(error, path)
            if line:
                return _Stop(f"{doing}: {path}{line}: {scripts.say(error)}")
        return _Stop(f"{doing}: {scripts.say(error)}")


def _arrays(library: str) -> Callable[[Any], Any]:
    """Return what makes a list of numbers an array of the library."""
    if library == "python":
        return lambda x: x
    try:
        if library == "torch":
            torch: Any = importlib.import_module("torch")
            return lambda x: torch.tensor(x, dtype=torch.float64) if isinstance(x, list) else x
        numpy: Any = importlib.import_module("numpy" if library == "numpy" else "jax.numpy")
        return lambda x: numpy.asarray(x) if isinstance(x, list) else x
    except ImportError:
        raise _Stop(f"--library {library} needs it: pip install {library}") from None


def _argument(name: str, x: Any, array: Callable[[Any], Any]) -> Any:
    try:
        return array(x)
    except (ValueError, TypeError):
        raise _Stop(f"--at: {name} is no array: its rows differ in length") from None


# -------------------------------------------------------------------------- check


@dataclass
class _Tally:
    """What was found over all points."""

    done: Checked = field(default_factory=Checked)
    points: int = 0  # that were judged
    outside: int = 0  # where the function is not defined
    blind: int = 0  # where no number could be judged
    wrong: int = 0  # points with a wrong number
    first: Mismatch | None = None
    where: dict[str, Any] = field(default_factory=dict)

    def verdict(self, lenient: bool) -> str:
        if self.wrong:
            return "wrong"
        if not self.points or self.blind or (self.done.undecided and not lenient):
            return "undecided"
        return "right"


_CODES: Final = {"right": RIGHT, "wrong": WRONG, "undecided": UNDECIDED}


def _check(options: argparse.Namespace) -> int:
    if options.random is not None and options.random < 1:
        raise _Stop(f"--random must be at least 1, not {options.random}")
    library = options.library or "python"
    if library in ("torch", "jax") and options.against:
        raise _Stop(f"--library {library} checks that library's derivatives: leave --against out")
    if options.order not in (None, 1) and library == "numpy":
        raise _Stop("--library numpy is checked to order 1; a Hessian row by row, as a gradient")
    if library == "jax":
        with contextlib.suppress(ImportError):  # it is said below
            importlib.import_module("jax").config.update("jax_enable_x64", True)
    files = _Files()
    f = files.function(options.function)
    df = files.function(options.against) if options.against else None
    reference = files.function(options.reference) if options.reference else None
    if options.library is None and files.use_arrays():
        library = "numpy"
    if library == "numpy" and df is None and options.library:
        raise _Stop("--library numpy needs the gradient: --against FILE.py:GRADIENT")
    array = _arrays(library)
    drawn = points(
        f, options.function, values(options.at), ranges(options.range), options.random, options.seed
    )
    run = _runner(library, f, df, reference, options.order)
    tally = _Tally()
    for number, point in enumerate(drawn, start=1):
        arguments = {name: _argument(name, x, array) for name, x in point.items()}
        _one(tally, files, f, run, point, list(arguments.values()), options)
        _progress(number, options.random, tally)
    verdict = tally.verdict(options.allow_undecided)
    print(_as_json(options, tally, verdict) if options.json else _as_text(options, tally, verdict))
    return _CODES[verdict]


def _runner(
    library: str,
    f: Callable[..., Any],
    df: Callable[..., Any] | None,
    reference: Callable[..., Any] | None,
    order: int | None,
) -> Callable[..., Checked]:
    """Return the check of one point."""
    if library == "torch":
        return lambda *args: check_torch(f, *args, order=order or 1, reference=reference)
    if library == "jax":
        return lambda *args: check_jax(f, *args, order=order or 1, reference=reference)
    if df is None:
        return lambda *args: check_gradients(reference or f, *args, order=order or 2)
    if library == "numpy" and order in (None, 1):
        return lambda *args: check_numpy(f, df, *args, reference=reference)
    if order not in (None, 1):  # ours are under test too
        return lambda *args: check_gradients(reference or f, *args, gradient=df, order=order)
    return lambda *args: check_by_hand(reference or f, df, *args)


def _one(
    tally: _Tally,
    files: _Files,
    f: Callable[..., Any],
    run: Callable[..., Checked],
    point: dict[str, Any],
    arguments: list[Any],
    options: argparse.Namespace,
) -> None:
    """Check one point."""
    at = f"at {written(point)}"
    try:
        with _aside():
            f(*copy.deepcopy(arguments))  # which it may write to
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        tally.outside += 1
        if options.random is None:
            raise files.blame(error, f"{options.function} is not defined {at}") from error
        return
    except (Exception, SystemExit) as error:
        raise files.blame(error, f"{options.function} failed {at}") from error
    tally.points += 1
    try:
        with _aside():
            found = run(*arguments)
    except GradientMismatch as mismatch:
        tally.wrong += 1
        if tally.first is None:
            tally.first, tally.where = mismatch.report, point
        return
    except (Exception, SystemExit) as error:
        raise files.blame(error, f"nothing to judge {at}") from error
    tally.blind += not found.right
    add(tally.done, found)


def _progress(number: int, of: int | None, tally: _Tally) -> None:
    if of is not None and sys.stderr.isatty():
        end = "\n" if number == of else ""
        print(
            f"\r{number} of {of} points, {tally.wrong} wrong", end=end, file=sys.stderr, flush=True
        )


def _as_text(options: argparse.Namespace, tally: _Tally, verdict: str) -> str:
    subject = options.against or f"the derivatives of {options.function}"
    if not tally.points:
        return f"{subject}: undecided: the function is not defined at any of {tally.outside} points"
    where = ""
    if tally.wrong and tally.points > 1:
        where = f" at {tally.wrong} of {tally.points} points"
    elif tally.points > 1:
        where = f" at {tally.points} points"
    lines = [f"{subject}: {verdict}{where}"]
    if tally.first is None:
        lines.append(f"  {tally.done.right} numbers right, {tally.done.undecided} undecided")
        done = tally.done
        lines += [f"  undecided: {n} {REASONS[why]}" for why, n in done.undecided_by.items()]
        lines.append(f"  reference: {done.method}")
        if not done.exact:
            lines.append(f"  an error of {done.unseen:.1g} of a derivative would have gone unseen")
        lines += [f"  kink: {name} at a distance of {far:.3g}" for name, far in done.kinks[:5]]
        lines += [f"  equal numbers compared: {text}  {line}" for text, line in done.ties[:5]]
        lines += [f"  note: {note}" for note in done.notes]
    else:
        lines.append(f"at {written(tally.where)}:")
        lines += [f"  {line}" for line in str(tally.first).splitlines()]
        lines += ["  or, as a command:", f"    {_command(options, tally.where)}"]
    if tally.outside:
        lines.append(f"  the function is not defined at {tally.outside} more points")
    return "\n".join(lines)


def _command(options: argparse.Namespace, point: dict[str, Any]) -> str:
    words = [_PROGRAM, "check", options.function]
    for name in ("against", "reference", "library", "order"):
        given = getattr(options, name)
        words += [f"--{name}", str(given)] if given else []
    return " ".join([*words, "--at", f'"{written(point)}"'])


def _as_json(options: argparse.Namespace, tally: _Tally, verdict: str) -> str:
    mismatch = None
    if tally.first is not None:
        mismatch = {"at": plain(tally.where), **mismatch_document(tally.first)}
    content = {
        "format": "scalar-autograd check",
        "version": 1,
        "function": options.function,
        "gradient": options.against,
        "verdict": verdict,
        "points": tally.points,
        "wrong": tally.wrong,
        "outside": tally.outside,
        "right": tally.done.right,
        "undecided": tally.done.undecided,
        "undecided_by": tally.done.undecided_by,
        "exact": tally.done.exact,
        "unseen": json_number(tally.done.unseen),
        "method": tally.done.method if tally.first is None else tally.first.method,
        "kinks": kinks_document(tally.done.kinks),
        "ties": ties_document(tally.done.ties),
        "notes": list(tally.done.notes),
        "mismatch": mismatch,
    }
    return json.dumps(content, indent=2, allow_nan=False)


# -------------------------------------------------------------------------- certify


def _certify(options: argparse.Namespace) -> int:
    files = _Files()
    f = files.function(options.function)
    (point,) = points(f, options.function, values(options.at), {}, None, 0)
    array = _arrays("numpy" if files.use_arrays() else "python")
    arguments = [_argument(name, x, array) for name, x in point.items()]
    try:
        with _aside():
            found = certify(f, *arguments, order=options.order)
    except (Exception, SystemExit) as error:
        raise files.blame(error, f"nothing to certify at {written(point)}") from error
    print(found.to_json() if options.json else found)
    if options.digits is None:
        return RIGHT
    if any(x.digits < options.digits for x in found.rows):
        return WRONG
    return UNDECIDED if any(x.digits != x.digits for x in found.rows) else RIGHT


if __name__ == "__main__":
    raise SystemExit(main())
