import json
import math

import pytest

from autograd import Value
from viz import quiz


def test_questions_have_the_true_answers(small):
    asked = quiz(small, count=20)
    by_prompt = {q.prompt: q.answer for q in asked.questions}
    assert by_prompt == {
        "local derivative ∂c/∂a": 1, "local derivative ∂c/∂b": 1, "local derivative ∂d/∂b": 1,
        "local derivative ∂e/∂c": 2, "local derivative ∂e/∂d": 3,
        "gradient ∂e/∂a": 2, "gradient ∂e/∂b": 5, "gradient ∂e/∂c": 2, "gradient ∂e/∂d": 3,
    }  # fmt: skip


def test_right_answers_are_right(small):
    asked = quiz(small)
    assert all(verdict.right for verdict in asked.check(asked.answers))
    assert len(asked.questions) == 6


def key_of(asked, prompt):
    return next(q.key for q in asked.questions if q.prompt == prompt)


@pytest.mark.parametrize(
    ("prompt", "answer", "says"),
    [
        ("gradient ∂e/∂b", 3.0, "part through d alone; add"),
        ("gradient ∂e/∂b", 2.0, "part through c alone"),
        ("gradient ∂e/∂b", -5.0, "sign"),
        ("gradient ∂e/∂b", 17.0, "∂e/∂d · ∂d/∂b + ∂e/∂c · ∂c/∂b"),
        ("gradient ∂e/∂a", 1.0, "the factor ∂e/∂c is missing"),
        ("local derivative ∂e/∂c", 3.0, "that is ∂e/∂d"),
        ("local derivative ∂e/∂c", 6.0, "that is e itself"),
    ],
)
def test_a_wrong_answer_is_told_which_factor_is_wrong(small, prompt, answer, says):
    asked = quiz(small, count=20)
    key = key_of(asked, prompt)
    verdict = next(v for v in asked.check({key: answer}) if v.key == key)
    assert not verdict.right
    assert says in verdict.hint


def test_no_answer_is_not_right(small):
    assert {verdict.hint for verdict in quiz(small).check({})} == {"no answer"}
    with pytest.raises(KeyError, match="q99"):
        quiz(small).check({"q99": 1.0})


def test_blanks_do_not_give_the_answers_away(network):
    asked = quiz(network(2, 2, 1))
    svg = asked.svg
    for question in asked.questions:
        assert f">{question.key} ?<" in svg
        assert f">{question.answer!r}<" not in svg
    assert svg.count("<title") == 1


def test_the_same_seed_asks_the_same(small):
    assert quiz(small, seed=3).data == quiz(small, seed=3).data
    prompts = {tuple(q.prompt for q in quiz(small, seed=k).questions) for k in range(8)}
    assert len(prompts) > 1


def test_infinite_answers_are_data_too():
    x = Value(0.0, "x")
    asked = quiz(x.log())
    text = json.dumps(asked.data, allow_nan=False)
    assert "Infinity" in text
    assert all(v.right for v in asked.check(dict.fromkeys(asked.answers, math.inf)))


@pytest.mark.parametrize("suffix", ["html", "svg", "json"])
def test_save(small, tmp_path, suffix):
    assert quiz(small).save(tmp_path / f"quiz.{suffix}").stat().st_size > 100
    with pytest.raises(ValueError, match=r"\.html"):
        quiz(small).save(tmp_path / "quiz.pdf")


def test_a_leaf_is_no_quiz():
    with pytest.raises(ValueError, match="leaf"):
        quiz(Value(1.0))


def test_the_page_checks_and_explains(small, visit):
    asked = quiz(small, count=20)
    tab = visit(asked.html())
    for question in asked.questions:
        tab.fill(f"#{question.key}", repr(question.answer))
    wrong = key_of(asked, "gradient ∂e/∂b")
    tab.fill(f"#{wrong}", "6/2")
    tab.click("#check")
    assert tab.locator("#score").inner_text() == "8 of 9 right"
    assert "part through d alone" in tab.locator(f"#{wrong}-said").inner_text()
    tab.click("#reveal")
    assert tab.locator("#score").inner_text() == "9 of 9 right"


def test_the_page_is_accessible(small, visit):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(visit(quiz(small).html())).response["violations"]
    assert not [rule for rule in found if rule["impact"] in ("serious", "critical")]
