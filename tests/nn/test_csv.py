"""Samples from files: what is read, and what is said about what can't be."""

import pytest

import nn


def write(tmp_path, text):
    path = tmp_path / "d.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_load_csv_takes_the_target_from_any_column(tmp_path):
    path = write(tmp_path, "a,label,b\n1,0,2.5\n\n-3e2,1,4\n")
    want = ([[1.0, 2.5], [-300.0, 4.0]], [0.0, 1.0])
    for target in ("label", 1, -2):
        assert nn.load_csv(path, target=target) == want
    assert nn.load_csv(path)[1] == [2.5, 4.0]
    path = write(tmp_path, "\ufeff1;2\r\n3;4\r\n")
    assert nn.load_csv(path, header=False, delimiter=";") == ([[1.0], [3.0]], [2.0, 4.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3\n", r"d\.csv, line 3: 1 fields instead of 2"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4: 3 fields instead of 2"),
        ("a,b\n1,x\n", r"line 2, column 2 \(b\): 'x' is no number"),
        ("a,b\n1,\n", r"line 2, column 2 \(b\): '' is no number"),
        ("a,b\nnan,1\n", r"line 2, column 1 \(a\): 'nan' is not finite"),
        ("a,b\n1,1e999\n", "'1e999' is not finite"),
        ("a;b\n1;2\n", "line 1: one column only"),
        ("a,b\n", "holds no samples"),
        ("", "holds no samples"),
        (b"a,b\n1,\xff\n", "no text file in UTF-8"),
        ('a,b\n"1,2\n', "1 fields|EOF"),
    ],
)
def test_load_csv_names_the_line_and_the_reason(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        nn.load_csv(write(tmp_path, text))


def test_load_csv_knows_its_columns(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n")
    with pytest.raises(ValueError, match="no column is named 'c'"):
        nn.load_csv(path, target="c")
    with pytest.raises(ValueError, match="target is column 2, but there are 2"):
        nn.load_csv(path, target=2)
    with pytest.raises(FileNotFoundError):
        nn.load_csv(tmp_path / "none.csv")


def test_load_csv_sees_whether_there_is_a_header(tmp_path):
    want = ([[1.0], [3.0]], [2.0, 4.0])
    assert nn.load_csv(write(tmp_path, "1,2\n3,4\n")) == want
    assert nn.load_csv(write(tmp_path, "a,b\n1,2\n3,4\n")) == want
    assert nn.load_csv(write(tmp_path, " a , b \n1,2\n3,4\n"), target="b") == want
    years = write(tmp_path, "2001,2002\n1,2\n3,4\n")
    assert nn.load_csv(years, header=True, target="2002") == want
    assert len(nn.load_csv(years)[0]) == 3
    with pytest.raises(ValueError, match="no column is named 'b'; the file has no header"):
        nn.load_csv(years, target="b")
    for text, odd in (("1.o,2\n3,4\n", "1.o"), ("x,1,2\n3,4,5\n", "x"), ("1_0,2\n3,4\n", "1_0")):
        with pytest.raises(ValueError, match=rf"line 1: '{odd}' is no number, other fields are"):
            nn.load_csv(write(tmp_path, text))
    with pytest.raises(ValueError, match=r"line 1, column 1: 'a' is no number"):
        nn.load_csv(write(tmp_path, "a,b\n1,2\n"), header=False)
    with pytest.raises(ValueError, match="2 columns are named 'b'"):
        nn.load_csv(write(tmp_path, "a,b,b\n1,2,3\n"), target="b")


def test_load_csv_skips_blank_lines(tmp_path):
    text = "\n   \na,b\n\n1,2\n \t \n\r\n3,4\n\n\n"
    assert nn.load_csv(write(tmp_path, text)) == ([[1.0], [3.0]], [2.0, 4.0])
    spaced = write(tmp_path, "1\t2\n\t\n")
    with pytest.raises(ValueError, match="line 2, column 1: '' is no number"):
        nn.load_csv(spaced, delimiter="\t")  # two empty fields are two missing numbers


@pytest.mark.parametrize("text", ["1_000", "0x10", "1,5", "\u0661", "\uff11", "1e", "1 2", "True"])
def test_load_csv_takes_numbers_only(tmp_path, text):
    with pytest.raises(ValueError, match=r"line 2, column 2 \(b\): .* is no number"):
        nn.load_csv(write(tmp_path, f"a;b\n1;{text}\n"), delimiter=";")
    assert nn.load_csv(write(tmp_path, "a;b\n 1 ;+.5e1\n"), delimiter=";") == ([[1.0]], [5.0])


def test_labels_of_classes_stay_texts(tmp_path):
    want = ([[1.0, 2.0], [3.0, 4.0]], ["setosa", "virginica"])
    text = "1,2,setosa\n3,4, virginica \n"
    assert nn.load_csv(write(tmp_path, text), labels=True) == want
    assert nn.load_csv(write(tmp_path, "a,b,c\n" + text), labels=True) == want
    assert nn.load_csv(write(tmp_path, "a,b,c\n" + text), labels=True, target="c") == want
    first = write(tmp_path, "kind,a\n1_0,2\n3,4\n")
    for target in ("kind", 0, -2):
        assert nn.load_csv(first, labels=True, target=target) == ([[2.0], [4.0]], ["1_0", "3"])
    years = write(tmp_path, "1990,1991,c\n" + text)
    assert nn.load_csv(years, labels=True, header=True) == want
    with pytest.raises(ValueError, match=r"line 2, column 3 \(c\): there is no label"):
        nn.load_csv(write(tmp_path, "a,b,c\n1,2, \n"), labels=True)
    with pytest.raises(ValueError, match=r"line 2, column 1: 'x' is no number"):
        nn.load_csv(write(tmp_path, "1,a\nx,b\n"), labels=True)
    with pytest.raises(ValueError, match="line 1: 'x' is no number, other fields are"):
        nn.load_csv(write(tmp_path, "1,x,a\n1,2,b\n"), labels=True)
    with pytest.raises(ValueError, match=r"column 3 \(c\): 'setosa' is no number"):
        nn.load_csv(write(tmp_path, "a,b,c\n" + text))
    with pytest.raises(ValueError, match="no column is named 'd'"):
        nn.load_csv(write(tmp_path, "a,b,c\n" + text), labels=True, target="d")
