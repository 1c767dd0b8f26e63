"""Where a data set lies, and what the config says over the card."""

import pytest
from trees.chexpert_tree import write_chexpert, write_tubes

from shortcut_audit.config import DatasetConfig, TableConfig
from shortcut_audit.data.datasets import find_root, open_dataset
from shortcut_audit.errors import UsageError


def test_the_root_of_the_config_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SHORTCUT_AUDIT_DATA", str(tmp_path / "base"))
    assert find_root(DatasetConfig(name="chexpert", root=str(tmp_path / "mine"))) == tmp_path / "mine"
    assert find_root(DatasetConfig(name="chexpert")) == tmp_path / "base" / "chexpert"


def test_a_table_without_a_root_lies_in_its_own_folder(monkeypatch):
    monkeypatch.setenv("SHORTCUT_AUDIT_DATA", "elsewhere")
    assert str(find_root(DatasetConfig(name="table", table=TableConfig(file="mine/cases.csv")))) == "mine"


def test_without_a_root_the_message_tells_both_ways(monkeypatch):
    monkeypatch.delenv("SHORTCUT_AUDIT_DATA", raising=False)
    with pytest.raises(
        UsageError, match=r"where is the data set 'chexpert'\? Say --root FOLDER .* SHORTCUT_AUDIT_DATA"
    ):
        open_dataset(DatasetConfig(name="chexpert"))


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"no dataset is called 'chexprt' \(did you mean 'chexpert'\?\)"):
        open_dataset(DatasetConfig(name="chexprt", root="x"))


@pytest.mark.parametrize("name", ["montgomery", "table"])
def test_options_are_refused_by_a_data_set_that_has_none(name, tmp_path):
    config = DatasetConfig(name=name, root=str(tmp_path), options={"size": 48})
    with pytest.raises(UsageError, match=rf"dataset.options.size: the data set '{name}' has no options; leave this"):
        open_dataset(config)


def test_the_config_speaks_over_the_card_and_attributes_are_joined(tmp_path):
    films = write_chexpert(tmp_path, films=10, size=8)
    write_tubes(tmp_path / "tubes.csv", films)
    manifest = open_dataset(
        DatasetConfig(
            name="chexpert",
            root=str(tmp_path),
            title="Mine",
            licence="none",
            test_design="balanced",
            pairs="exact",
            attributes_file=str(tmp_path / "tubes.csv"),
        )
    )
    card = manifest.card
    assert (card.name, card.licence, card.test_design, card.pairs) == ("Mine", "none", "balanced", "exact")
    assert card.source.startswith("Stanford AIMI")
    tube = {film.sample_id: float(film.tube) for film in films}
    assert manifest.frame["attribute.chest_tube"].to_list() == [tube[name] for name in manifest.ids]
    assert card.notes[-1].startswith("tubes.csv: 10 of 10 images have a row")
