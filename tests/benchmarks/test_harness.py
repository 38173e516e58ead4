"""The harness: what is installed where, who runs in which turn, and what the table says."""

import json
import sys
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import _environments, _paired, _report, _worker
from benchmarks._environments import Cache, Environment, Unavailable, WrongBuild
from benchmarks._paired import Results, Section, Side, Target, Unit, measure
from benchmarks._report import markdown, save

OURS = Environment("ours", build="compiled")
PEER = Environment("peer", ("peer==1",))
SECTION = Section(
    "Work",
    "tasks:work",
    Unit("ns per item"),
    Side("ours", OURS),
    (Side("peer", PEER, target=Target(at_least=3)),),
)


class FakeCache(Cache):
    """A cache where everything is installed already, except what is in `broken`."""

    broken = ()

    def copy_checkout(self):
        pass

    def prepare(self, environment):
        if environment in self.broken:
            raise Unavailable("cannot be installed: no wheel")
        return {"version": "1"}


@pytest.fixture
def cache(tmp_path):
    return FakeCache(tmp_path / "cache", tmp_path)


@pytest.fixture
def turns(monkeypatch):
    """Replaces processes by a machine that gets twice as slow from pair to pair."""
    taken = []

    def run(section, side, cache):
        slowness = 2.0 ** (len(taken) // 2)
        taken.append(side.label)
        cost = {"ours": 100, "peer": 400}[side.label] * slowness
        return {"count": 10, "phases": {"forward": [cost, cost + 7], "backward": [cost, cost]}}

    monkeypatch.setattr(_paired, "_run", run)
    return taken


def rows_of(results):
    return {row.label: row for row in results.sections[0][1]}


def test_sides_take_turns_and_drift_cancels_in_the_ratio(cache, turns):
    results = measure([SECTION], cache, rounds=3, only="peer")
    assert turns == ["ours", "peer"] * 3
    assert rows_of(results)["peer"].ratios == [4.0, 4.0, 4.0]


def test_figures_are_medians_over_the_runs_of_the_best_repetition(cache, turns):
    row = rows_of(measure([SECTION], cache, rounds=3, only="peer"))["peer"]
    assert row.figures == {"forward": 80.0, "backward": 80.0, "total": 160.0}
    assert row.ours == 40.0
    assert row.count == 10


def test_a_section_may_ask_for_fewer_rounds(cache, turns):
    section = Section(*_fields(SECTION), rounds=1)
    measure([section], cache, rounds=3, only="peer")
    assert turns == ["ours", "peer"]


def test_only_what_was_asked_for_is_run(cache, turns):
    results = measure([SECTION], cache, rounds=1, only="Work: ours")
    assert turns == ["ours"]
    assert list(rows_of(results)) == ["ours"]


def test_a_peer_that_cannot_be_installed_is_in_the_table_with_the_reason(cache, turns):
    cache.broken = (PEER,)
    table = markdown(measure([SECTION], cache, rounds=1))
    line = next(line for line in table.splitlines() if line.startswith("| peer"))
    assert "not measured: cannot be installed: no wheel" in line


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(at_least=3), "at least 3x: met"),
        (Target(at_least=5), "at least 5x: **missed**"),
        (Target(at_most=1), "ours at most 1x, is 0.25x: met"),
        (Target(at_most=0.2), "ours at most 0.2x, is 0.25x: **missed**"),
    ],
)
def test_the_table_says_whether_a_target_is_met(cache, turns, target, words):
    section = Section(*_fields(SECTION)[:-1], (Side("peer", PEER, target=target),))
    assert words in markdown(measure([section], cache, rounds=1, only="peer"))


def _fields(section):
    return section.title, section.task, section.unit, section.ours, section.peers


@pytest.mark.parametrize(("limit", "word"), [(20.0, "met"), (19.0, "**missed**")])
def test_the_table_says_whether_ours_keeps_its_limit(cache, turns, limit, word):
    section = Section(*_fields(SECTION), limit=limit)
    table = markdown(measure([section], cache, rounds=1, only="Work: ours"))
    assert f"at most {limit:.0f}: {word}" in table


def test_results_are_written_with_every_run(cache, turns, tmp_path):
    results = measure([SECTION], cache, rounds=2)
    path = save(results, "work", tmp_path / "results")
    content = json.loads(path.read_text(encoding="utf-8"))
    peer = content["sections"][0]["rows"][1]
    assert [len(pair) for pair in peer["runs"]] == [2, 2]
    assert content["machine"]["python"]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_worker_runs_in_a_process_of_its_own_outside_the_checkout(tmp_path):
    checkout = _checkout(tmp_path)
    cache = Cache(tmp_path / "cache", checkout)
    cache.copy_checkout()
    cache.python = lambda environment: sys.executable
    section = Section("Where", "benchmarks.where:am_i", Unit("ns"), Side("ours", OURS))
    with pytest.raises(Unavailable, match=r"LookupError: .*stage without autograd"):
        _paired._run(section, section.ours, cache)


def test_a_worker_that_crashes_gives_its_exit_code_and_last_words(tmp_path):
    checkout = _checkout(tmp_path)
    cache = Cache(tmp_path / "cache", checkout)
    cache.copy_checkout()
    cache.python = lambda environment: sys.executable
    section = Section("Crash", "benchmarks.where:crash", Unit("ns"), Side("ours", OURS))
    with pytest.raises(Unavailable, match="exit code 3: out of luck"):
        _paired._run(section, section.ours, cache)


def _checkout(folder):
    """Return a checkout with the real worker, a task that looks around, and a built file."""
    checkout = folder / "checkout"
    for package in ("autograd", "benchmarks", "examples"):
        (checkout / package).mkdir(parents=True)
        (checkout / package / "__init__.py").write_text("")
    (checkout / "autograd" / "stale.so").write_text("")
    (checkout / ".git").mkdir()
    worker = _worker.__file__
    with open(worker, encoding="utf-8") as source:
        (checkout / "benchmarks" / "_worker.py").write_text(source.read())
    (checkout / "benchmarks" / "where.py").write_text(
        "import os, pathlib, sys\n"
        "def am_i():\n"
        "    seen = [p for p in sys.path if (pathlib.Path(p) / 'autograd' / 'stale.so').exists()]\n"
        "    here = pathlib.Path.cwd()\n"
        "    has = 'with' if (here / 'autograd').exists() or seen else 'without'\n"
        "    raise LookupError(f'{here.name} {has} autograd')\n"
        "def crash():\n"
        "    print('out of luck', file=sys.stderr, flush=True)\n"
        "    os._exit(3)\n"
    )
    return checkout


def test_the_copy_of_the_checkout_has_no_built_files_and_the_stage_no_engine(tmp_path):
    cache = Cache(tmp_path / "cache", _checkout(tmp_path))
    cache.copy_checkout()
    copied = {str(path.relative_to(cache.folder)) for path in cache.folder.rglob("*")}
    assert {"source/autograd/__init__.py", "stage/benchmarks/_worker.py"} <= copied
    assert not [name for name in copied if name.endswith(".so") or ".git" in name]
    assert not (cache.stage / "autograd").exists()


def test_workers_inherit_no_python_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("HOME", "/home/someone")
    variables = _environments.worker_environment()
    assert "PYTHONPATH" not in variables
    assert variables["HOME"] == "/home/someone"


@pytest.fixture
def processes(monkeypatch):
    """Replaces the processes `_environments` starts; `answers` maps a word in one to its end."""
    answers = {}
    started = []

    def run(arguments, **rest):
        text = " ".join(arguments)
        started.append((text, rest["env"]))
        for word, answer in answers.items():
            if word in text:
                return answer
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    monkeypatch.setattr(_environments.subprocess, "run", run)
    return SimpleNamespace(answers=answers, started=started)


def _prepared_cache(tmp_path):
    cache = Cache(tmp_path / "cache", _checkout(tmp_path))
    cache.copy_checkout()
    for name in ("ours", "peer"):
        (cache.folder / "venvs" / name).mkdir(parents=True)
    return cache


def _told(build):
    answer = json.dumps({"build": build, "file": "autograd/_value"})
    return SimpleNamespace(returncode=0, stdout=answer + "\n", stderr="")


@pytest.fixture
def keep_folders(monkeypatch):
    """The fake `venv` makes no folder, so the real one must not be removed before it."""
    monkeypatch.setattr(_environments.shutil, "rmtree", lambda *_, **__: None)


@pytest.mark.usefixtures("keep_folders")
def test_a_silent_fall_back_to_the_pure_build_is_an_error(tmp_path, processes):
    processes.answers["autograd"] = _told("pure")
    with pytest.raises(WrongBuild, match="asked for the compiled build, got pure"):
        _prepared_cache(tmp_path).prepare(OURS)


@pytest.mark.usefixtures("keep_folders")
def test_the_pure_build_is_asked_for_by_the_variable(tmp_path, processes, monkeypatch):
    monkeypatch.delenv("SCALAR_AUTOGRAD_REQUIRE_COMPILED", raising=False)  # the gate sets it
    processes.answers["import autograd"] = _told("pure")
    pure = Environment("ours", build="pure")
    assert _prepared_cache(tmp_path).prepare(pure)["build"] == "pure"
    (installed,) = [env for text, env in processes.started if "pip" in text]
    assert installed["SCALAR_AUTOGRAD_PURE"] == "1"
    assert "SCALAR_AUTOGRAD_REQUIRE_COMPILED" not in installed


@pytest.mark.usefixtures("keep_folders")
def test_an_environment_is_made_once(tmp_path, processes):
    processes.answers["importlib.metadata"] = SimpleNamespace(returncode=0, stdout="1\n", stderr="")
    cache = _prepared_cache(tmp_path)
    assert cache.prepare(PEER) == {"version": "1"}
    before = len(processes.started)
    again = Cache(cache.folder, cache.checkout)
    assert again.prepare(PEER) == {"version": "1"}
    assert ["pip" in text for text, _ in processes.started[before:]] == [False]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("noise\nERROR: No matching distribution found\n[notice] x", "No matching distribution"),
        (
            "a.py:3: error: bad\nerror: subprocess-exited-with-error\nSee above",
            "a.py:3: error: bad",
        ),
        ("Killed", "Killed"),
        ("", "exit code 1"),
    ],
)
@pytest.mark.usefixtures("keep_folders")
def test_what_pip_complains_about_is_the_reason(tmp_path, processes, words, reason):
    processes.answers["pip"] = SimpleNamespace(returncode=1, stdout="", stderr=words)
    cache = _prepared_cache(tmp_path)
    with pytest.raises(Unavailable, match=f"cannot be installed: {reason}"):
        cache.prepare(PEER)
    with pytest.raises(WrongBuild, match=f"environment ours: cannot be installed: {reason}"):
        cache.prepare(OURS)


def test_repeat_measures_phases_without_the_first_repetition(monkeypatch):
    ticks = iter(range(0, 10_000, 10))
    monkeypatch.setattr(_worker, "clock", lambda: next(ticks))
    calls = []

    def step(lap):
        calls.append(1)
        lap("forward")
        lap("backward")

    measured = _worker.repeat(7, repetitions=2, steps=3, step=step)
    assert len(calls) == 9
    assert measured == _worker.Measurement(21, {"forward": [30, 30], "backward": [30, 30]})


def test_the_command_knows_every_benchmark_and_refuses_others(capsys):
    assert "eager" in command.names()
    assert not [name for name in command.names() if name.startswith("_")]
    with pytest.raises(SystemExit):
        command.main(["no-such-benchmark"])
    assert "eager" in capsys.readouterr().err


def test_the_command_says_which_build_is_wrong(monkeypatch, capsys, tmp_path):
    def refuse(*_, **__):
        raise WrongBuild("environment ours-compiled: got pure")

    monkeypatch.setattr(command, "measure", refuse)
    assert command.main(["eager", "--cache", str(tmp_path)]) == 1
    assert "got pure" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.01834, "0.018"),
        (0.5, "0.5"),
        (9.876, "9.88"),
        (98.76, "98.8"),
        (12345.6, "12,346"),
    ],
)
def test_numbers_keep_the_digits_that_mean_something(value, text):
    assert _report._number(value) == text


def test_an_empty_result_still_prints_the_machine():
    assert markdown(Results({"cores": "2"}, {}, [])).startswith("cores: 2")
