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

COMMON = ("--dataset", "chexpert", "--root", "films", "--seed", "3", "--out", "here", "--new")


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

    for name in ("demo", "train", "explain", "pretrain", "finetune", "evaluate"):
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
        (("demo", "--quick"), {"quick": True}),
        (("train", "--supervision", "mask"), {"supervision": "mask"}),
        (("train",), {"supervision": "label"}),
        (("explain", "--run", "runs/a"), {"run": Path("runs/a")}),
        (("pretrain", "--classifier", "c.safetensors"), {"classifier": Path("c.safetensors")}),
        (("pretrain",), {"classifier": None}),
        (("finetune", "--run", "runs/a"), {"run": Path("runs/a")}),
        (("evaluate", "--model", "m.safetensors"), {"model": Path("m.safetensors"), "run": None}),
        (("evaluate", "--run", "runs/a"), {"model": None, "run": Path("runs/a")}),
    ],
)
def test_a_command_hands_its_options_to_its_stage(typed, words, own):
    called = typed(*words, *COMMON)

    assert called.stage == words[0]
    assert {name: getattr(called, name) for name in own} == own
    assert (called.out, called.new) == (Path("here"), True)
    assert (called.config.seed, called.config.dataset.name, called.config.dataset.root) == (3, "chexpert", "films")


def test_a_demo_without_the_shortcut_has_the_tube_at_even_odds_in_both_classes(typed):
    config = typed("demo", "--no-shortcut", "--severity-link", "2").config

    assert config.dataset.options == {"tube_given_finding": 0.5, "tube_given_none": 0.5, "severity_link": 2.0}


def test_a_plain_demo_keeps_the_counted_rates(typed):
    assert typed("demo").config.dataset.options == {}


def test_the_two_commands_of_the_mission_mean_what_they_say(typed):
    assert typed("pretrain", "--dataset", "chexpert").config.dataset.name == "chexpert"

    called = typed("evaluate", "--spurious", "chest_tube", "--spurious", "view=ap")
    assert called.config.evaluate.spurious == ["chest_tube", "view=ap"]
    assert (called.run, called.model, called.out, called.new) == (None, None, None, False)


def test_lines_are_printed_as_they_are(typed, capsys):
    typed("train")

    assert capsys.readouterr().out == "it is [done]\n"


def test_json_names_the_run_folder_only_where_nothing_was_audited(typed, capsys, tmp_path):
    typed("train", "--json")

    assert json.loads(capsys.readouterr().out) == {"run": str(tmp_path)}
