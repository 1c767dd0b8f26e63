"""``audit list`` knows every kind of plug-in by what is registered."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ("datasets", "chexpert"),
        ("attributes", "chest_tube"),
        ("methods", "integrated_gradients"),
        ("summarizers", "mean_probability"),
        ("probes", "metadata"),
        ("checks", "reliance"),
        ("sections", "verdict"),
        ("configs", "isic2017_traps"),
    ],
)
def test_every_kind_is_listed_with_a_line_on_each_entry(audit, kind, member):
    ran = audit("list", kind, "--json")

    entries = {entry["name"]: entry["about"] for entry in json.loads(ran.stdout)}
    assert ran.returncode == 0
    assert member in entries
    assert all(about.strip() for about in entries.values())


def test_for_people_it_is_a_table(audit):
    ran = audit("list", "attributes")

    assert ran.stdout.splitlines()[0].split() == ["name", "about"]
    assert "chest_tube  Drain" in ran.stdout


def test_an_unknown_kind_is_2_with_the_nearest_and_all_known(audit):
    ran = audit("list", "dataset")

    assert ran.returncode == 2
    assert ran.stderr == (
        "error: no kind is called 'dataset' (did you mean 'datasets'?); "
        "there are: datasets, codecs, attributes, rules, exports, imports, methods, summarizers, cleaning, probes, "
        "checks, sections, configs\n"
    )
