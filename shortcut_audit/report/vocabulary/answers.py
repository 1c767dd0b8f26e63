"""What a status and an answer are called."""

from __future__ import annotations

from shortcut_audit.audit.result.judgement import Evidence, GapAnswer, RelianceAnswer, Status

STATUS_WORDS: dict[Status, tuple[str, str]] = {
    "fail": ("✖", "FAIL"),
    "concern": ("!", "CONCERN"),
    "insufficient": ("?", "INSUFFICIENT"),
    "pass": ("✔", "PASS"),
}
"""Symbol and word; a status is never shown in colour alone."""

STATUS_MEANINGS: dict[Status, str] = {
    "fail": "The scores of the same images move with the attribute, by more than the margin; "
    "or a limit of the plan is missed.",
    "concern": "Something is there that a person should look at; whether it is the attribute is not established.",
    "insufficient": "There are not enough cases, or not the right ones, to tell. This is not a PASS.",
    "pass": "What was asked lies inside the margin. Other shortcuts were not tested.",
}

GAP_MEANINGS: dict[GapAnswer, str] = {
    "beyond": "the whole interval of the gap lies outside the margin",
    "within": "the whole interval of the gap lies inside the margin",
    "open": "the interval does not settle it against the margin",
}
RELIANCE_MEANINGS: dict[RelianceAnswer, str] = {
    "shown": "there is evidence of it beyond the margin",
    "excluded": "the same images rule it out beyond the margin",
    "open": "not tested, or not settled against the margin",
}

EVIDENCE_WORDS: dict[str, dict[Evidence, str]] = {
    "gap": {"yes": "BEYOND", "no": "WITHIN", "cannot tell": "OPEN"},
    "reliance": {"yes": "SHOWN", "no": "EXCLUDED", "cannot tell": "OPEN"},
    "case_mix": {"yes": "BEYOND", "no": "WITHIN", "cannot tell": "OPEN"},
    "limit": {"yes": "HELD", "no": "MISSED", "cannot tell": "OPEN"},
}


def evidence_word(check: str, evidence: Evidence) -> str:
    """Return how a check's answer is printed."""
    return EVIDENCE_WORDS.get(check, {}).get(evidence, evidence.upper())
