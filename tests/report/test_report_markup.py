"""Elements, attributes and ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from read_page import Page

from shortcut_audit.report.blocks import table
from shortcut_audit.report.markup import anchor, anchors, join, tag

# What an HTML parser keeps as it is: NUL and carriage returns are changed by every parser.
texts = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))


@given(texts, texts)
def test_any_text_stays_text_and_any_attribute_stays_one_attribute(text, value):
    page = Page(tag("p", text, title=value))

    assert page.elements == [("p", {"title": value})]
    assert "".join(page.texts) == text


def test_markup_is_kept_and_text_is_escaped():
    assert join([tag("b", "<"), "<"]) == Markup("<b>&lt;</b>&lt;")


def test_false_and_none_leave_an_attribute_out_and_true_has_no_value():
    assert tag("img", src="x", hidden=True, alt=None, lazy=False) == '<img src="x" hidden>'


def test_python_names_of_attributes_become_those_of_html():
    assert tag("p", class_="a", aria_label="b", data_x=1) == '<p class="a" aria-label="b" data-x="1"></p>'


def test_braces_in_a_text_are_not_read_as_a_format():
    assert tag("p", "{0} {name}", title="{1}") == '<p title="{1}">{0} {name}</p>'


def test_a_clean_name_is_its_own_id():
    assert anchor("check", "gap", "chest_tube") == "check-gap-chest_tube"


def test_names_that_differ_only_in_signs_get_different_ids():
    assert anchor("model a") != anchor("model/a")
    assert anchor("") != anchor(" ")


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8))
def test_ids_are_unique_and_need_no_quoting(keys):
    found = anchors(("x", *key) for key in keys)

    assert len(set(found)) == len(keys)
    assert all(name.isascii() and not set(name) & set(" \"'<>&#") for name in found)


def test_an_id_does_not_change_when_other_rows_come_or_go():
    assert anchors([("a b",), ("c",)])[1] == anchors([("c",)])[0]


def test_a_table_names_its_columns_and_rows_and_can_be_scrolled_by_keyboard():
    page = Page(table("Scores", ("Model", "AUROC"), [["a", "0.9"]], ids=["row-a"]))

    assert page.rows[""] == [["Model", "AUROC"], ["a", "0.9"]]
    assert [a["scope"] for a in page.all("th")] == ["col", "col", "row"]
    assert page.all("div", tabindex="0", role="region", aria_label="Scores")
    assert page.all("tr", id="row-a")
