"""Students of cleaned pseudo-masks: which there are, that they differ in nothing else, and what is told."""

import pytest

from shortcut_audit import pipeline
from shortcut_audit.errors import UsageError
from shortcut_audit.models.checkpoint import load_model
from shortcut_audit.stages import learn
from shortcut_audit.stages.explain import explain_training_films
from shortcut_audit.stages.students import students

RULES = ["subtract_footprint:chest_tube", "keep_agreeing"]
CONTROL = "remove_at_random:chest_tube"


def test_there_is_a_student_of_the_masks_as_they_are_one_a_rule_and_the_random_control():
    assert students(RULES) == {
        "student": ["blank_negatives"],
        "student, subtract_footprint:chest_tube": ["blank_negatives", RULES[0]],
        "student, keep_agreeing": ["blank_negatives", "keep_agreeing"],
        f"student, {CONTROL}": ["blank_negatives", CONTROL],
    }
    assert list(students(["keep_agreeing", "blank_negatives", "keep_agreeing"])) == [
        "student",
        "student, keep_agreeing",
    ]
    with pytest.raises(UsageError, match="which cleaning rule\\? Name it with --rule"):
        students([])


@pytest.fixture
def source(make_study, films):
    """A finished run with masks, whose films are a table on disk."""
    films.save(films.root)
    study = make_study(
        "dataset={name: table, title: squares, pairs: exact, table: {file: manifest.csv}}",
        f"dataset.root={films.root}",
        out="source",
    )
    learn.learn_labels(study)
    explain_training_films(study, [study.run.path(learn.CLASSIFIER)])
    return study


def test_students_are_audited_beside_each_other_and_taken_up_again(source, tmp_path, capfd):
    def run(out):
        return pipeline.clean(
            source.config, out=out, new=False, run=source.run.folder, rules=RULES[:1], seeds=2
        )  # fmt: skip

    outcome = run(tmp_path / "out")
    assert {found.model for found in outcome.result.seeds} == {"student", f"student, {RULES[0]}", f"student, {CONTROL}"}
    told = [line for line in outcome.lines if line.startswith(RULES[0])]
    assert [line.split(":")[2].split(",")[0].strip() for line in told] == ["robust_auroc", "interventional_gap"]
    assert outcome.result.verdicts[0].model == "classifier"
    seeds = [load_model(tmp_path / "out" / f"student_seed_{seed}.safetensors").card.seed for seed in (0, 1)]
    assert seeds == [0, 1]
    capfd.readouterr()
    run(tmp_path / "out")
    assert capfd.readouterr().err.count("done before, taken as it is") >= 7


def test_masks_of_other_films_are_refused(source, make_study, films, tmp_path):
    other = films.select([True] * 23 + [False])
    (tmp_path / "fewer").mkdir()
    for path in films.root.iterdir():
        (tmp_path / "fewer" / path.name).symlink_to(path)
    (tmp_path / "fewer" / "manifest.csv").unlink()
    (tmp_path / "fewer" / "manifest.json").unlink()
    other.save(tmp_path / "fewer")
    config = source.config.model_copy(
        update={"dataset": source.config.dataset.model_copy(update={"root": str(tmp_path / "fewer")})}
    )
    with pytest.raises(UsageError, match="was made of other films than those of"):
        pipeline.clean(config, out=tmp_path / "no", new=False, run=source.run.folder, rules=RULES, seeds=1)
    assert not (tmp_path / "no").exists()
