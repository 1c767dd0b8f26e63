"""Results are text without surprises, or pure JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shortcut_audit_cli.output import emit, emit_json, emit_table, estimated, printable


@given(st.text())
def test_what_is_printed_holds_no_control_character_but_line_breaks(text):
    shown = printable(text)

    assert all(c.isprintable() or c == "\n" for c in shown)
    assert (shown == text) == all(c.isprintable() or c == "\n" for c in text)


def test_markup_is_printed_as_it_is(capsys):
    emit("[bold]chest[/bold] \x1b[2J")

    assert capsys.readouterr().out == "[bold]chest[/bold] \\x1b[2J\n"


def test_columns_are_aligned_and_unknown_is_blank(capsys):
    emit_table(("finding", "n"), [("mass", 12), ("a\tb", None)])

    assert capsys.readouterr().out.splitlines() == ["  finding  n", "  mass     12", "  a\\tb"]


def test_json_survives_the_way_through_the_terminal(capsys):
    value = {"name": "\x1b[2J 'é' \u2028", "n": None}

    emit_json(value)

    assert json.loads(capsys.readouterr().out) == value


def test_json_refuses_numbers_that_json_does_not_have():
    with pytest.raises(ValueError, match="not JSON compliant"):
        emit_json({"value": float("nan")})


def test_an_estimated_count_is_never_written_with_an_exponent():
    assert [estimated(count) for count in (0, 0.834, 4.13, 9.96, 10, 112.4, 5_731_760)] == [
        "0", "0.83", "4.1", "10", "10", "112", "5,731,760",
    ]  # fmt: skip
