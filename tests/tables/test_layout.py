import pandas as pd

from mid_core.tables.layout import Layout, latex, markdown, write

TABLE = Layout(
    "Methods & more",
    pd.DataFrame(
        {"method": ["MID †", "a_b"], "K": [1, 10], "score": ["**38.00** ± 1", "*3*"]}
    ),
    ["of 100 %"],
)


def test_markdown_has_title_table_and_notes():
    lines = markdown(TABLE).splitlines()
    assert (lines[0], lines[-1]) == ("**Methods & more**", "- of 100 %")
    _, rule, first, _ = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:6]
    )
    assert first == ["MID †", "1", "**38.00** ± 1"]
    # Numbers stand to the right.
    assert [cell.endswith(":") for cell in rule] == [False, True, False]


def test_latex_is_escaped_and_marks_the_best():
    text = latex(TABLE)
    assert text.startswith("% Methods & more\n% of 100 %\n\\begin{tabular}")
    assert r"MID $\dagger$ & 1 & \textbf{38.00} $\pm$ 1 \\" in text
    assert r"a\_b & 10 & \underline{3} \\" in text


def test_without_rows_a_title_is_all(tmp_path):
    write([TABLE, Layout("dnd: gone")], tmp_path / "t.md", tmp_path / "t.tex")
    assert (tmp_path / "t.md").read_text().endswith("- of 100 %\n\n**dnd: gone**\n\n")
    assert (tmp_path / "t.tex").read_text().endswith("\\end{tabular}\n\n% dnd: gone\n")
