import subprocess
import sys

import pytest

from viz import LayoutError, _layout, draw

DOT = "digraph { rankdir=LR; a -> b [id=one label=x]; subgraph cluster_0 { b } }"


@pytest.fixture
def program(monkeypatch):
    def use(path):
        monkeypatch.setattr(_layout, "layout_program", lambda: path)

    return use


def test_positions_are_read_back():
    layout = _layout.lay_out(DOT)
    assert set(layout.nodes) == {"a", "b"}
    assert layout.nodes["a"][0] < layout.nodes["b"][0]
    line = layout.lines["one"]
    assert len(line.points) % 3 == 1
    assert line.tip is not None
    assert line.label is not None
    area = layout.clusters["cluster_0"]
    x, y = layout.nodes["b"]
    assert area.left < x < area.left + area.width
    assert area.top < y < area.top + area.height


def test_without_a_program_the_dot_text_is_still_offered(small, program):
    program(None)
    picture = draw(small)
    with pytest.raises(LayoutError, match=r"graphviz-pure.*picture\.dot") as caught:
        _ = picture.svg
    assert caught.value.dot == picture.dot


def test_a_failing_program_is_reported():
    with pytest.raises(LayoutError, match="failed") as caught:
        _layout.run_program("digraph {", "json0")
    assert caught.value.dot == "digraph {"


def test_a_program_that_cannot_run_is_reported(program, tmp_path):
    program(str(tmp_path / "missing"))
    with pytest.raises(LayoutError, match="cannot run"):
        _layout.run_program(DOT, "json0")


def test_a_slow_program_is_stopped(program, tmp_path):
    script = tmp_path / "slow"
    script.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    script.chmod(0o755)
    program(str(script))
    with pytest.raises(LayoutError, match=r"longer than 0\.2 s.*collapse="):
        _layout.run_program(DOT, "json0", timeout=0.2)


def test_the_program_runs_without_a_shell(monkeypatch):
    seen = {}
    real = subprocess.run

    def spy(command, **options):
        seen.update(options, command=command)
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", spy)
    _layout.run_program(DOT, "json0")
    assert isinstance(seen["command"], list)
    assert not seen.get("shell")
    assert seen["timeout"] == _layout.TIMEOUT


def test_the_wheels_program_comes_before_the_systems(monkeypatch):
    _layout.layout_program.cache_clear()
    monkeypatch.setattr(_layout.shutil, "which", lambda name: "/somewhere/dot")
    try:
        assert _layout.layout_program().rpartition("/")[2].startswith("graphviz-pure")
        _layout.layout_program.cache_clear()
        monkeypatch.setattr(_layout.importlib.metadata, "files", lambda name: [])
        assert _layout.layout_program() == "/somewhere/dot"
    finally:
        _layout.layout_program.cache_clear()
