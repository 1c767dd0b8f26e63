"""Options that many commands share reach the configuration in the documented order."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest
from shortcut_audit_cli.options import DataOptions, PrintOptions, StageOptions, takes
from shortcut_audit_cli.shipped import find_config, first_comment, shipped_configs

from shortcut_audit.errors import UsageError


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("# what it is for\nseed: 1\nclassifier: {epochs: 2, batch_size: 4}\n")
    return path


def test_named_options_win_over_set_and_set_over_files(configured):
    options = StageOptions(
        config=[str(configured)], sets=["classifier.epochs=3", "seed=2"], seed=5, dataset="chexpert", root="films"
    )

    config = options.load(evaluate__spurious=["chest_tube"], evaluate__ask=None)

    assert (config.seed, config.classifier.epochs, config.classifier.batch_size) == (5, 3, 4)
    assert (config.dataset.name, config.dataset.root, config.dataset.attributes_file) == ("chexpert", "films", None)
    assert (config.evaluate.spurious, config.evaluate.ask) == (["chest_tube"], "both")
    assert (
        config.origin("evaluate.spurious"), config.origin("classifier.batch_size"), config.origin("evaluate.ask")
    ) == ("command line", "config", "default")  # fmt: skip


@pytest.mark.parametrize(("device", "seen"), [("cpu", ""), ("auto", "0")])
def test_the_cpu_alone_is_used_where_it_is_asked_for(monkeypatch, device, seen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")

    StageOptions(device=device).load()

    assert os.environ["CUDA_VISIBLE_DEVICES"] == seen


def test_attributes_name_the_file_that_is_joined():
    assert DataOptions(attributes="tubes.csv").load().dataset.attributes_file == "tubes.csv"


def test_a_command_has_its_own_parameters_then_the_shared_ones_and_those_of_printing_last():
    seen = {}

    @takes(StageOptions)
    def command(options: StageOptions, *, own: int = 3) -> None:
        """What it does."""
        seen.update(options=options, own=own)

    names = list(inspect.signature(command).parameters)
    shared = {name: parameter.default for name, parameter in inspect.signature(command).parameters.items()}
    command(**{**shared, "own": 4, "seed": 7})

    assert (names[0], names[-2:]) == ("own", ["as_json", "quiet"])
    assert (seen["own"], seen["options"].seed) == (4, 7)
    assert command.__doc__ == "What it does."


def test_quiet_drops_what_is_said_on_the_error_stream_and_nothing_else(capsys):
    from shortcut_audit.runtime import say

    @takes(PrintOptions)
    def command(options: PrintOptions) -> None:
        say("progress")
        print("result")

    command(as_json=False, quiet=True)
    assert tuple(capsys.readouterr()) == (("result\n", ""))

    command(as_json=False, quiet=False)
    assert tuple(capsys.readouterr()) == (("result\n", "progress\n"))


def test_a_shipped_configuration_is_found_by_its_name():
    assert find_config("isic2017_traps") == shipped_configs()["isic2017_traps"]
    assert find_config("isic2017_traps").is_file()


def test_a_path_stays_a_path(configured):
    assert find_config(str(configured)) == configured
    assert find_config("missing.yaml") == Path("missing.yaml")


def test_a_misspelt_shipped_configuration_is_told_with_the_nearest():
    with pytest.raises(UsageError, match=r"--config isic2017_trap: no such file.*did you mean 'isic2017_traps'\?"):
        find_config("isic2017_trap")


def test_the_first_comment_says_what_a_configuration_is_for(configured):
    assert first_comment(configured) == "what it is for"
