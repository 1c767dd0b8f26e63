"""Errors and their exit codes."""

import pytest

from shortcut_audit import errors


@pytest.mark.parametrize(
    ("name", "code"),
    [("AuditError", 70), ("UsageError", 2), ("InputError", 4), ("DivergedError", 71), ("BusyError", 73),
     ("OutputError", 74)],
)  # fmt: skip
def test_each_error_has_the_documented_exit_code(name, code):
    kind = getattr(errors, name)
    assert issubclass(kind, errors.AuditError)
    assert kind.exit_code == code


def test_the_nearest_known_name_is_suggested_and_nothing_far_away():
    assert errors.did_you_mean("chest_tub", ["chest_tube", "ecg_leads"]) == " (did you mean 'chest_tube'?)"
    assert errors.did_you_mean("pacemaker", ["chest_tube", "ecg_leads"]) == ""
    assert errors.did_you_mean("x", []) == ""
