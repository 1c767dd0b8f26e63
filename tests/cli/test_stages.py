"""Each command that computes makes one call of the pipeline, with the configuration that was asked for."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shortcut_audit_cli.main import app

from shortcut_audit import pipeline
from shortcut_audit.config.finetune import ARMS
from shortcut_audit.errors import UsageError


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """Run a command in this process; every stage of the pipeline only notes how it was called."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def note(name: str) -> None:
        signature = inspect.signature(getattr(pipeline, name))

        def stage(*args: Any, **kwargs: Any) -> pipeline.Outcome:
            calls.append((name, signature.bind(*args, **kwargs).arguments))
            return pipeline.Outcome(run=tmp_path, result=None, lines=("it is [done]",))

        monkeypatch.setattr(pipeline, name, stage)

    for name in ("demo", "train", "explain", "pretrain", "finetune", "evaluate", "evaluate_scores"):
        note(name)

    def run(*words: str) -> SimpleNamespace:
        calls.clear()
        app(list(words), standalone_mode=False)
        [(name, arguments)] = calls
        return SimpleNamespace(stage=name, **arguments)

    return run


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (("train", "--new"), {"supervision": "label", "new": True}),
        (("train", "--supervision", "mask"), {"supervision": "mask", "new": False}),
        (("explain", "--run", "runs/a"), {"run": Path("runs/a"), "models": (), "new": False}),
        (("explain", "--classifier", "a", "--classifier", "b"), {"run": None, "models": [Path("a"), Path("b")]}),
        (("explain", "--processes", "4"), {"processes": 4}),
        (("pretrain", "--processes", "4"), {"processes": 4, "masks": None}),
        (("pretrain", "--classifier", "c.safetensors"), {"classifiers": [Path("c.safetensors")], "new": False}),
        (("finetune", "--run", "runs/a", "--new"), {"run": Path("runs/a"), "new": True}),
        (("evaluate", "--model", "m.safetensors"), {"model": Path("m.safetensors"), "run": None}),
        (("evaluate", "--run", "runs/a"), {"model": None, "run": Path("runs/a")}),
    ],
)
def test_a_command_hands_its_options_to_its_stage(typed, words, own):
    called = typed(*words, "--dataset", "chexpert", "--root", "films", "--seed", "3", "--out", "here")

    assert (called.stage, called.out) == (words[0], Path("here"))
    assert {name: getattr(called, name) for name in own} == own
    assert (called.config.seed, called.config.dataset.name, called.config.dataset.root) == (3, "chexpert", "films")


def test_the_two_commands_of_the_mission_mean_what_they_say(typed):
    assert typed("pretrain", "--dataset", "chexpert").config.dataset.name == "chexpert"

    called = typed("evaluate", "--spurious", "chest_tube", "--spurious", "view=ap")
    assert called.config.evaluate.spurious == ["chest_tube", "view=ap"]
    assert (called.run, called.model, called.out) == (None, None, None)


def test_a_table_of_scores_goes_to_the_audit_without_networks(typed):
    called = typed("evaluate", "--scores", "s.csv", "--spurious", "tube", "--ask", "gap", "--association", "negative",
                   "--pairs", "exact", "--test-design", "balanced")  # fmt: skip

    asked, data = called.config.evaluate, called.config.dataset
    assert (called.stage, called.path) == ("evaluate_scores", Path("s.csv"))
    assert (asked.spurious, asked.ask, asked.association) == (["tube"], "gap", "negative")
    assert (data.pairs, data.test_design) == ("exact", "balanced")


def test_one_thing_is_audited_at_a_time(typed):
    with pytest.raises(UsageError, match="--run, --model and --scores name three things to audit; give one"):
        typed("evaluate", "--scores", "s.csv", "--run", "runs/a")


def test_a_demo_asks_about_the_tube_and_a_quick_one_does_less(typed):
    whole, quick = typed("demo").config, typed("demo", "--quick").config

    assert whole.evaluate.spurious == quick.evaluate.spurious == ["chest_tube"]
    assert (whole.dataset.name, quick.dataset.name) == ("synthetic_cxr", "synthetic_cxr")
    assert quick.classifier.epochs < whole.classifier.epochs


def test_a_demo_without_the_shortcut_has_the_tube_at_even_odds_in_both_classes_and_on_both_sides(typed):
    plain = typed("demo").config.dataset.options
    changed = typed("demo", "--no-shortcut", "--severity-link", "2").config.dataset.options

    even = dict.fromkeys(("tube_given_finding", "tube_given_none", "ipsilateral"), 0.5)
    assert changed == {**plain, **even, "severity_link": 2.0}


def test_lines_are_printed_as_they_are(typed, capsys):
    typed("train")

    assert capsys.readouterr().out == "it is [done]\n"


def test_json_names_the_run_folder_only_where_nothing_was_audited(typed, capsys, tmp_path):
    typed("train", "--json")

    assert json.loads(capsys.readouterr().out) == {"run": str(tmp_path)}


def test_arms_shares_and_seeds_are_lists_in_the_configuration(typed):
    asked = typed("finetune", "--arms", "full, scratch", "--fractions", "0.05,1", "--seeds", "0,1").config.finetune
    assert (asked.arms, asked.fractions, asked.seeds) == (["full", "scratch"], [0.05, 1.0], [0, 1])
    assert typed("finetune", "--arms", "all").config.finetune.arms == list(ARMS)
    assert typed("finetune").config.finetune.arms == []


def test_shares_without_arms_are_refused(typed):
    with pytest.raises(UsageError, match="--fractions and --seeds go with --arms; add --arms all, or name some arms"):
        typed("finetune", "--seeds", "1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arms", "ful"), r"finetune.arms.*'full', 'frozen', 'adapters', 'encoder' or 'scratch'"),
        (("--arms", "all", "--fractions", "5"), r"finetune.fractions.*values lie above 0 and up to 1 \(5 % is 0.05\)"),
        (("--arms", "all", "--fractions", "0.1,0.1"), r"finetune.fractions.*a value stands here twice"),
        (("--set", "finetune.seeds=[]"), r"finetune.seeds.*at least one value is needed"),
        (("--set", "finetune.learning_rates=[0]"), r"finetune.learning_rates.*learning rates lie above 0"),
        (("--set", "finetune.check_every=7"), r"finetune.*steps must be a multiple of check_every"),
    ],
)
def test_what_cannot_be_compared_is_refused(typed, words, message):
    with pytest.raises(UsageError, match=message):
        typed("finetune", *words)
