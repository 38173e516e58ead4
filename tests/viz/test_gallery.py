"""The pictures in `docs/gallery` are what the examples in `docs/pictures.md` make.

`UPDATE_GALLERY=1 pytest tests/viz/test_gallery.py` writes them anew.
"""

import doctest
import os
import re
import shutil
from pathlib import Path

import pytest

from viz import _layout

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    text = (DOCS / "pictures.md").read_text(encoding="utf-8").replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "docs"}, "pictures", None, 0)
    said: list[str] = []
    home = Path.cwd()
    os.chdir(folder)
    try:
        results = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    finally:
        os.chdir(home)
    assert results.failed == 0, "".join(said)
    return folder


def test_every_picture_on_the_page_is_made_by_it(made):
    shown = set(re.findall(r"\(gallery/([^)]+)\)", (DOCS / "pictures.md").read_text("utf-8")))
    assert shown == {path.name for path in made.glob("*.svg")}
    if os.environ.get("UPDATE_GALLERY"):
        for name in shown:
            shutil.copy(made / name, DOCS / "gallery" / name)
    assert shown == {path.name for path in (DOCS / "gallery").iterdir()}


def test_the_committed_pictures_are_these_very_bytes(made):
    program = _layout.layout_program()
    if program is None or "graphviz-pure" not in Path(program).name:
        pytest.skip("byte for byte only with the layout program of the wheel")
    for path in made.glob("*.svg"):
        assert path.read_bytes() == (DOCS / "gallery" / path.name).read_bytes(), path.name
