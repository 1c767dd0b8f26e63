"""One row per patient or study: what becomes of scores, labels, attributes and states."""

import polars as pl
import pytest
from audit_worlds import table, world

from shortcut_audit import audit_scores
from shortcut_audit.audit.table.units import collapse, unit_notes
from shortcut_audit.errors import InputError, UsageError

FILMS = pl.DataFrame(
    {
        "sample_id": ["a1", "a2", "a3", "b1", "c1", "c2"],
        "patient_id": ["a", "a", "a", "b", "c", "c"],
        "study_id": ["x", "x", "y", "z", "w", "w"],
        "label": [0, 1, 0, 0, 0, 0],
        "score": [0.2, 0.7, 0.9, 0.4, 0.1, 0.3],
        "attribute.tube": [1.0, None, 1.0, None, 1.0, 0.0],
        "attribute.site": ["k", "k", "k", "m", "k", "m"],
        "score_with.tube": [None, 0.7, 0.9, 0.4, 0.1, None],
        "covariate.area": [1.0, 2.0, 6.0, 5.0, None, None],
        "weight": [1.0, 2.0, 3.0, 1.0, 1.0, 1.0],
    }
)


def rows(per):
    return collapse(table(FILMS), per).frame


def test_a_patient_has_the_largest_score_and_any_positive_label():
    found = rows("patient")

    assert found["sample_id"].to_list() == ["a", "b", "c"]
    assert found["score"].to_list() == [0.9, 0.4, 0.3]
    assert found["label"].to_list() == [1, 0, 0]


def test_an_attribute_is_what_the_images_agree_on_else_unknown():
    found = rows("patient")

    assert found["attribute.tube"].to_list() == [1.0, None, None]
    assert found["attribute.site"].to_list() == ["k", "m", None]


def test_a_state_is_there_where_every_image_has_it_and_one_that_is_blank_there_already_counts():
    """a1 has the tube: its score is the one with the tube. c2 has none and no score with one."""
    assert rows("patient")["score_with.tube"].to_list() == [0.9, 0.4, None]


def test_covariates_and_weights_are_means():
    found = rows("patient")

    assert found["covariate.area"].to_list() == [3.0, 5.0, None]
    assert found["weight"].to_list() == [2.0, 1.0, 1.0]


def test_a_continuous_attribute_is_the_mean_of_the_images():
    ages = FILMS.with_columns(pl.Series("attribute.age", [40.0, 41.0, 42.0, 60.0, 50.0, 50.0]))
    many = pl.concat([
        ages,
        pl.DataFrame({
            "sample_id": [f"d{i}" for i in range(20)], "patient_id": [f"d{i}" for i in range(20)],
            "label": [0] * 20, "score": [0.5] * 20, "attribute.age": [20.0 + i for i in range(20)],
        }),
    ], how="diagonal_relaxed")  # fmt: skip

    assert collapse(table(many.drop("weight")), "patient").frame["attribute.age"].to_list()[:3] == [41.0, 60.0, 50.0]


def test_a_study_keeps_its_patient():
    found = rows("study")

    assert found["sample_id"].to_list() == ["x", "y", "z", "w"]
    assert found["patient_id"].to_list() == ["a", "a", "b", "c"]
    assert found["score"].to_list() == [0.7, 0.9, 0.4, 0.3]


def test_per_image_changes_nothing():
    checked = table(FILMS)

    assert collapse(checked, "image") is checked
    assert unit_notes(checked, checked, "image") == []


def test_where_every_patient_has_one_image_the_audit_is_the_same_per_patient():
    films = world(n=400, reads=1.0)
    one, other = (audit_scores(films, spurious="tube", per=per, pairs="exact") for per in ("image", "patient"))

    assert one.metrics == other.metrics
    assert one.verdicts == other.verdicts


def test_counts_are_of_patients_and_the_report_is_told():
    found = audit_scores(world(n=900, reads=1.0, films_per_patient=3, paired=False), spurious="tube", per="patient")

    assert (found.counts.per, found.counts.images, found.counts.patients) == ("patient", 300, 300)
    assert any(note.startswith("One row is one patient: 300 from 900 test images.") for note in found.notes)
    assert all(metric.n == metric.n_patients for metric in found.find("auroc"))


@pytest.mark.parametrize(("drop", "per", "message"), [
    ("patient_id", "patient", "one score per patient needs to know the patients: add a column patient_id"),
    ("patient_id", "study", "one score per study needs to know the patients"),
    ("study_id", "study", "one score per study needs a column study_id: add it, or choose --per patient"),
])  # fmt: skip
def test_a_unit_that_the_table_does_not_name_is_refused(drop, per, message):
    with pytest.raises(UsageError, match=message):
        collapse(table(FILMS.drop(drop)), per)


def test_a_study_of_two_patients_is_refused():
    shared = FILMS.with_columns(study_id=pl.lit("x"))
    with pytest.raises(InputError, match=r"study_id 'x' belongs to 3 patients \('a' and 'b'\); a study is of one"):
        collapse(table(shared), "study")


def test_a_blank_study_is_one_of_its_own():
    blank = FILMS.with_columns(study_id=pl.lit(None, dtype=pl.String))

    assert collapse(table(blank), "study").frame["sample_id"].to_list() == FILMS["sample_id"].to_list()
