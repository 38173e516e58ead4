"""DOT text, without any layout program."""

from autograd import Value
from viz import _layout, draw

GOLDEN = """\
digraph {
\tgraph [bgcolor="#ffffff" fontcolor="#4a5668" fontname="Helvetica,Arial,sans-serif" fontsize=13 \
label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>\
<TD WIDTH="38" HEIGHT="26"><FONT COLOR="#0b5a36" POINT-SIZE="11">value</FONT></TD>\
<TD WIDTH="15" HEIGHT="26"><FONT COLOR="#4a5668" POINT-SIZE="11">|</FONT></TD>\
<TD WIDTH="102" HEIGHT="26"><FONT COLOR="#8a1c14" POINT-SIZE="11">gradient ∂y/∂node</FONT></TD>\
<TD WIDTH="189" HEIGHT="26"><FONT COLOR="#5a2bc4" POINT-SIZE="11">\
edge: local derivative ∂child/∂parent</FONT></TD></TR></TABLE>> \
labelloc=b nodesep=0.24 pad=0.12 rankdir=LR ranksep=0.4]
\tnode [fontcolor="#16202c" fontname="Helvetica,Arial,sans-serif" fontsize=13 shape=plain]
\tedge [arrowsize=0.7 fontcolor="#5a2bc4" fontname="Helvetica,Arial,sans-serif" fontsize=11]
\tn0 [label=<<TABLE BORDER="1" CELLBORDER="1" COLOR="#5b6b82" CELLSPACING="0" CELLPADDING="0"><TR>\
<TD WIDTH="31" HEIGHT="22" BGCOLOR="#e6f1e3"><FONT COLOR="#16202c"><B>a&amp;</B></FONT></TD>\
<TD WIDTH="26" HEIGHT="22" BGCOLOR="#ffffff"><FONT COLOR="#0b5a36">3</FONT></TD>\
<TD WIDTH="26" HEIGHT="22" BGCOLOR="#ffffff"><FONT COLOR="#8a1c14">–</FONT></TD></TR></TABLE>>]
\tn1 [label=<<TABLE BORDER="3" CELLBORDER="1" COLOR="#26364d" CELLSPACING="0" CELLPADDING="0">\
<TR><TD WIDTH="52" HEIGHT="22" COLSPAN="2" BGCOLOR="#eee4f6">\
<FONT COLOR="#16202c"><B>y = ×</B></FONT></TD></TR><TR>\
<TD WIDTH="26" HEIGHT="22" BGCOLOR="#ffffff"><FONT COLOR="#0b5a36">9</FONT></TD>\
<TD WIDTH="26" HEIGHT="22" BGCOLOR="#ffffff"><FONT COLOR="#8a1c14">–</FONT></TD></TR></TABLE>>]
\tn0 -> n1 [id=e0 color="#6b7a90" penwidth=1 label=<<TABLE BORDER="0" CELLBORDER="0" \
CELLSPACING="0" CELLPADDING="0"><TR><TD WIDTH="14" HEIGHT="15">3</TD></TR></TABLE>>]
\tn0 -> n1 [id=e1 color="#6b7a90" penwidth=1 label=<<TABLE BORDER="0" CELLBORDER="0" \
CELLSPACING="0" CELLPADDING="0"><TR><TD WIDTH="14" HEIGHT="15">3</TD></TR></TABLE>>]
}
"""


def test_golden(monkeypatch):
    monkeypatch.setattr(_layout, "layout_program", lambda: None)
    a = Value(3.0, "a&")
    y = a * a
    y.label = "y"
    assert draw(y).dot == GOLDEN


def test_clusters_nest(network):
    dot = draw(network(2, 2, 1)).dot
    assert dot.count("subgraph cluster_") == 5
    depth = 0
    for line in dot.splitlines():
        depth += line.endswith("{")
        depth -= line.strip() == "}"
        assert 0 <= depth <= 3
    assert depth == 0


def test_the_dark_theme_reaches_dot_and_png(small):
    assert "#11161d" in draw(small, theme="dark").dot
    assert "#11161d" not in draw(small).dot


def test_direction_and_style_reach_dot(small):
    assert "rankdir=TB" in draw(small, direction="TB").dot
    circuit = draw(small, style="circuit").dot
    assert "shape=ellipse" in circuit
    assert "n0_w:e -> n2 " in circuit
