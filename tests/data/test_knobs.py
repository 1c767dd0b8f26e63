"""What the knobs of the synthetic sets take, as docs/how-to/synthetic.md says it; what is turned is on the card."""

import re
from pathlib import Path

import pytest

from shortcut_audit.data.datasets.synthetic_cxr import SyntheticOptions
from shortcut_audit.data.datasets.synthetic_cxr import notes as notes_cxr
from shortcut_audit.data.datasets.synthetic_derm import DermOptions
from shortcut_audit.data.datasets.synthetic_derm import notes as notes_derm
from shortcut_audit.data.knobs import expected

PAGE = (Path(__file__).parents[2] / "docs/how-to/synthetic.md").read_text()
MODELS = {"synthetic_cxr": SyntheticOptions, "synthetic_derm": DermOptions}
NOTES = {"synthetic_cxr": notes_cxr, "synthetic_derm": notes_derm}
PLAIN = {"size", "train", "val", "test", "seed"}


def documented(name):
    """Return default and range of each key, as text, from the table of a set."""
    section = PAGE.partition(f": `{name}`")[2].partition("\n## ")[0]
    found = {}
    for line in re.findall(r"^\| `.*$", section, flags=re.MULTILINE):
        keys, defaults, takes = (cell.strip() for cell in line.split("|")[1:4])
        keys = re.findall(r"`(\w+)`", keys)
        split = defaults.split(", ") if len(keys) > 1 else [defaults]
        found |= {key: (default, takes) for key, default in zip(keys, split, strict=True)}
    return found


def in_words(takes):
    """Return a cell of the table as the message says it."""
    kind, bounds = ("a whole number", takes.removeprefix("whole number, ")) if "whole" in takes else ("a number", takes)
    low, *high = re.sub(r"(?<!\d)\.(\d)", r"0.\1", bounds).split(", ")
    return " ".join([kind, *(["of"] if low.startswith("at least") else []), low, *(f"and {text}" for text in high)])


@pytest.mark.parametrize("name", MODELS)
def test_every_knob_is_documented_with_its_default_and_what_it_takes(name):
    said, taken = documented(name), expected(MODELS[name])
    assert set(said) == set(MODELS[name].model_fields)
    for key, (default, takes) in said.items():
        if key != "rates":
            assert float(default) == MODELS[name].model_fields[key].default
            assert in_words(takes) == taken[key]


TURNED = {
    "prevalence": 0.3, "tube_given_finding": 0.6, "tube_given_none": 0.3, "ipsilateral": 0.5, "severity_link": 1.0,
    "harder_negatives": 0.4, "serial": 2.0, "opacity": 0.2, "label_error": 0.1, "attribute_error": 0.1,
    "rates": {"ink": (0.8, 0.1)}, "size_link": 1.0, "distance": 2.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "key"), [(name, k) for name in MODELS for k in set(MODELS[name].model_fields) - PLAIN]
)
def test_a_knob_that_is_turned_is_said_on_the_card(name, key):
    told = set(NOTES[name](MODELS[name](**{key: TURNED[key]}))) - set(NOTES[name](MODELS[name]()))
    assert len(told) == 1
    assert key in told.pop() or key in {"tube_given_finding", "tube_given_none", "severity_link", "rates", "distance"}


def test_the_card_says_in_words_what_is_not_so_and_what_was_made_harder():
    said = notes_cxr(SyntheticOptions(label_error=0.1, harder_negatives=0.4, serial=-1.5, opacity=0.2))
    assert said == (
        "P(chest tube | pneumothorax) = 0.735, P(chest tube | none) = 0.128",
        "severity link in the test films = 0.0",
        (
            "test films with a tube and without the finding have what a drained pneumothorax leaves, 0.4 of its "
            "contrast, and their label says none (harder_negatives)"
        ),
        "which films of a patient have a tube goes with their order: log-odds of -1.5 per later film (serial)",
        "a share of 0.2 of the patients has a second finding, opacity (opacity)",
        "labels are wrong at a rate of 0.1; where one is, its severity is blank (label_error)",
    )
