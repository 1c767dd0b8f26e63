"""The configuration: where a value comes from, and what is refused."""

import re

import pytest

from shortcut_audit.config import MAX_BYTES, Config, lay_over, lay_under, load_config
from shortcut_audit.errors import UsageError


@pytest.fixture
def write(tmp_path):
    def make(text, name="config.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_without_anything_there_are_the_defaults():
    config = load_config()
    assert config == Config()
    assert config.origin("seed") == "default"


def test_a_later_source_wins_and_each_value_knows_its_origin(write):
    first = write("seed: 1\nclassifier: {epochs: 3, batch_size: 8}\n")
    second = write("classifier:\n  epochs: 4\n", "second.yaml")
    config = load_config([first, second], ["image.size=64", "seed=5"], {"seed": 6, "evaluate.margin": None})
    assert (config.classifier.epochs, config.classifier.batch_size) == (4, 8)
    assert (config.image.size, config.seed, config.evaluate.margin) == (64, 6, 0.05)
    assert [config.origin(key) for key in ("classifier.epochs", "image.size", "seed", "evaluate.margin")] == [
        "config",
        "command line",
        "command line",
        "default",
    ]


def test_values_of_set_are_read_as_yaml():
    config = load_config(sets=["evaluate.spurious=[a, b]", "classifier.flip=no", "evaluate.margin=1e-1"], named={})
    assert config.evaluate.spurious == ["a", "b"]
    assert config.classifier.flip is False
    assert config.evaluate.margin == 0.1


def test_class_names_may_be_written_as_numbers(write):
    assert load_config([write("classes: {1: lesion}\n")]).classes == {"1": "lesion"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed: 1\n", r"config.yaml: unknown key 'sed' \(did you mean 'seed'\?\); known keys here: classes, classifier"),
        ("classifier: {epoch: 1}\n", r"unknown key 'classifier.epoch' \(did you mean 'epochs'\?\); known keys here: a"),
        ("dataset: {name: table, table: {file: a.csv, columns: {zzz: b}}}\n",
         r"unknown key 'dataset.table.columns.zzz'; known keys here: age, attributes, counterparts"),
        ("classifier: {epochs: 0}\n", r"config.yaml: 'classifier.epochs' is 0: Input should be greater than or equal"),
        ("image: {size: 100}\n", r"'image.size' is 100: Input should be a multiple of 32"),
        ("evaluate: {ask: why}\n", r"'evaluate.ask' is 'why': Input should be 'gap', 'reliance' or 'both'"),
        ("dataset: {name: table}\n", r"dataset.table goes with dataset.name: table, and the other way round"),
        ("dataset: {table: {file: a.csv}}\n", r"dataset.table goes with dataset.name: table, and the other way round"),
        ("- 1\n", r"config.yaml: holds list; expected keys and values such as 'seed: 0'"),
        ("", r"config.yaml: holds NoneType; expected keys and values"),
        ("seed: [1\n", r"config.yaml: not readable as YAML: "),
        ("a: !!python/object/apply:os.getcwd []\n", r"config.yaml: not readable as YAML: could not determine a constr"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_file_and_key(write, text, message):
    with pytest.raises(UsageError, match=message):
        load_config([write(text)])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"none.yaml: cannot be read \(No such file or directory\); name an existing"):
        load_config([tmp_path / "none.yaml"])


def test_a_file_that_is_far_too_large_is_not_parsed(write):
    with pytest.raises(UsageError, match=rf"{MAX_BYTES + 1} bytes; a configuration has at most {MAX_BYTES}"):
        load_config([write(" " * (MAX_BYTES + 1))])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs", "--set epochs: expected key.sub=value, as in --set classifier.epochs=5"),
        ("=3", "--set =3: expected key.sub=value"),
        ("seed=[1", "--set seed=[1: the value is not readable as YAML"),
        ("seed.sub=1", "the command line: unknown key 'seed.sub'"),
        ("classifier.epochs=many", "the command line: 'classifier.epochs' is 'many': Input should be a valid integer"),
    ],
)
def test_a_set_that_cannot_be_meant_is_refused(text, message):
    expected = "'seed' is" if text == "seed.sub=1" else re.escape(message)
    with pytest.raises(UsageError, match=expected):
        load_config(sets=[text])


def test_a_value_is_not_a_section(write):
    with pytest.raises(UsageError, match=r"'seed.sub': 'seed' is a value, not a section"):
        load_config([write("seed: 1\n")], ["seed.sub=2"])


def test_what_was_typed_is_laid_over_a_runs_configuration(write):
    base = load_config([write("name: theirs\nclassifier: {epochs: 3}\nevaluate: {margin: 0.1}\n")])
    typed = load_config(sets=["evaluate.spurious=[chest_tube]"], named={"evaluate.margin": 0.02})
    laid = lay_over(base, typed)
    assert laid.classifier.epochs == 3
    assert laid.name == "theirs"
    assert (laid.evaluate.margin, laid.evaluate.spurious) == (0.02, ["chest_tube"])
    assert laid.origin("classifier.epochs") == "config"
    assert laid.origin("evaluate.margin") == "command line"
    assert laid.origin("seed") == "default"


def test_what_was_not_typed_does_not_hide_what_the_run_has():
    assert lay_over(load_config(sets=["seed=7"]), load_config()).seed == 7


def test_a_default_that_was_typed_counts_as_typed():
    laid = lay_over(load_config(sets=["evaluate.margin=0.2"]), load_config(sets=["evaluate.margin=0.05"]))
    assert laid.evaluate.margin == 0.05
    assert laid.origin("evaluate.margin") == "command line"


def test_another_data_set_replaces_the_whole_section():
    base = load_config(sets=["dataset.root=here", "dataset.options={train: 60}", "dataset.pairs=exact"])
    laid = lay_over(base, load_config(named={"dataset.name": "chexpert", "dataset.root": "there"}))
    assert (laid.dataset.name, laid.dataset.root) == ("chexpert", "there")
    assert laid.dataset.options == {}
    assert laid.dataset.pairs is None


def test_the_same_data_set_keeps_what_is_known_of_it():
    base = load_config(sets=["dataset.options={train: 60}", "dataset.pairs=exact"])
    laid = lay_over(base, load_config(named={"dataset.name": "synthetic_cxr", "dataset.root": "there"}))
    assert laid.dataset.options == {"train": 60}
    assert (laid.dataset.pairs, laid.dataset.root) == ("exact", "there")


def test_values_of_a_plan_lie_under_what_was_said():
    config = load_config(sets=["evaluate.margin=0.1", "evaluate.attribute_rates.given_none=0.2"])
    rates = {"given_finding": 0.5, "given_none": 0.2}
    planned = {"evaluate.margin": 0.05, "evaluate.ask": "gap", "evaluate.attribute_rates": rates}

    followed, differing = lay_under(config, planned)

    assert (followed.evaluate.margin, followed.evaluate.ask) == (0.1, "gap")
    assert followed.evaluate.attribute_rates.given_finding is None
    assert differing == ("evaluate.margin", "evaluate.attribute_rates")
    assert (followed.origin("evaluate.margin"), followed.origin("evaluate.ask")) == ("command line", "plan")


def test_another_data_set_that_is_typed_leaves_out_what_belongs_to_that_of_the_file(write):
    path = write(
        "dataset: {name: table, root: a, table: {file: a.csv}, options: {x: 1}, blank: negative, licence: CC0}\n"
    )
    other = load_config([path], named={"dataset.name": "prepared", "dataset.root": "there"})
    assert (other.dataset.root, other.dataset.table, other.dataset.options) == ("there", None, {})
    assert (other.dataset.blank, other.dataset.licence) == ("negative", "")
    assert other.origin("dataset.options.x") == load_config().origin("dataset.options.x")
    same = load_config([path], named={"dataset.name": "table"})
    assert (same.dataset.root, same.dataset.options) == ("a", {"x": 1})
    unnamed = load_config([write("dataset: {root: films}")], named={"dataset.name": "chexpert"})
    assert unnamed.dataset.root == "films"
