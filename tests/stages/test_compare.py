"""``audit compare``: from two folders or tables to compare.json, and everything that is refused."""

import json
import re

import polars as pl
import pytest
from fake_audit import full_data, full_result

from shortcut_audit.audit.result.result import AuditResult, write_result
from shortcut_audit.audit.versions.update_result import UpdateResult, read_update
from shortcut_audit.errors import BusyError, InputError, OutputError, UsageError
from shortcut_audit.provenance import sha256_file
from shortcut_audit.stages.compare import Asked, compare_files, parse_margins, read_side

TUBE = Asked(spurious=["tube"])


def scores(tmp_path, name, *, reads=0.0, **changes):
    """A table of 200 films, 50 in each cell."""
    rows = pl.int_range(200, eager=True)
    label, tube = rows % 2, (rows // 2) % 2
    frame = pl.DataFrame({"sample_id": "s" + rows.cast(pl.String), "label": label,
                          "score": (rows * 37 % 101) / 101 + 0.6 * label + reads * tube, "tube": tube})  # fmt: skip
    path = tmp_path / f"{name}.csv"
    frame.with_columns(**changes).write_csv(path)
    return path


def audited(tmp_path, name, *, spurious="tube", status="concern", settings=None, **changes):
    """A folder with such a table and an audit that asked about it."""
    folder = tmp_path / name
    folder.mkdir()
    path = scores(folder, "scores", **changes)
    data = full_data()
    verdict = {**data["verdicts"][0], "model": "model", "finding": "finding", "attribute": spurious, "status": status}
    provenance = {
        **data["provenance"], "config": {"evaluate": {"spurious": [spurious], "min_skill": 0.6, **(settings or {})}},
        "inputs": {"scores": sha256_file(path)},
    }  # fmt: skip
    result = {**data, "status": status, "verdicts": [verdict], "provenance": provenance}
    write_result(AuditResult.model_validate(result), folder / "audit.json")
    return folder


def test_two_tables_leave_a_comparison_that_reads_as_what_was_returned(tmp_path):
    a, b = scores(tmp_path, "old", reads=0.5), scores(tmp_path, "new")

    result, folder = compare_files(a, b, TUBE, tmp_path / "out")

    assert read_update(folder / "compare.json") == result
    assert {path.name for path in folder.iterdir()} == {"compare.json", "compare.md", "compare.html"}
    assert (result.status, result.not_worse, result.verdicts) == (None, (), ())
    assert result.title == "new against old"
    assert result.provenance.inputs.keys() == {"a", "b"}
    assert UpdateResult.model_validate(json.loads((folder / "compare.json").read_text())) == result


def test_two_audits_bring_their_question_and_their_verdicts(tmp_path):
    a, b = audited(tmp_path, "old", reads=0.5), audited(tmp_path, "new", status="insufficient")

    result, _ = compare_files(a, b / "audit.json", Asked(not_worse=["0.05"]), tmp_path / "out")

    (change,) = result.verdicts
    assert (change.a.status, change.b.status) == (result.a.status, result.b.status) == ("concern", "insufficient")
    assert {one.attribute for one in result.differences} == {"tube"}
    assert result.status == "pass"
    assert result.notes == ("A names no patients.", "B names no patients.")


def test_an_audit_beside_a_table_lends_it_the_question(tmp_path):
    result, _ = compare_files(audited(tmp_path, "old"), scores(tmp_path, "new"), Asked(), tmp_path / "out")

    assert {one.attribute for one in result.differences} == {"tube"}
    assert result.verdicts == ()


def test_the_same_comparison_may_be_written_again_and_no_other_over_it(tmp_path):
    a, b = scores(tmp_path, "old", reads=0.5), scores(tmp_path, "new")
    compare_files(a, b, TUBE, tmp_path / "out")
    compare_files(a, b, TUBE, tmp_path / "out")

    with pytest.raises(BusyError, match="out holds another comparison; choose another folder with --out"):
        compare_files(b, a, TUBE, tmp_path / "out")
    with pytest.raises(BusyError, match="holds another comparison"):
        compare_files(a, b, Asked(spurious=["tube"], not_worse=["0.1"]), tmp_path / "out")


def test_a_folder_with_a_foreign_compare_json_is_left_alone(tmp_path):
    (tmp_path / "compare.json").write_text("{}")
    with pytest.raises(
        OutputError, match=r"compare\.json is not a comparison of schema 1; remove it, or choose another"
    ):
        compare_files(scores(tmp_path, "a"), scores(tmp_path, "b"), TUBE, tmp_path)


def test_without_an_audit_the_attribute_must_be_named(tmp_path):
    with pytest.raises(UsageError, match="which spurious attribute"):
        compare_files(scores(tmp_path, "a"), scores(tmp_path, "b"), Asked(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_audits_of_different_attributes_are_refused_unless_one_is_named(tmp_path):
    wire = {"wire": pl.int_range(200) // 3 % 2}
    a, b = audited(tmp_path, "a", **wire), audited(tmp_path, "b", spurious="wire", **wire)

    with pytest.raises(UsageError, match=r"no attribute in common \(A: tube; B: wire\); name one .* with --spurious"):
        compare_files(a, b, Asked(), tmp_path / "out")
    result, _ = compare_files(a, b, Asked(spurious=["wire"]), tmp_path / "out")
    assert {one.attribute for one in result.differences} == {"wire"}
    assert "The audit of A asks about tube too; that is not compared." in result.notes


def test_audits_with_different_limits_are_compared_with_a_note(tmp_path):
    a, b = audited(tmp_path, "a"), audited(tmp_path, "b", settings={"margin": 0.03})
    result, _ = compare_files(a, b, Asked(), tmp_path / "out")

    assert any("were not made alike (margin 0.05 and 0.03)" in note for note in result.notes)


def test_audits_of_different_units_are_refused(tmp_path):
    patients = {"patient_id": pl.int_range(200) // 2}
    a, b = audited(tmp_path, "a", **patients), audited(tmp_path, "b", settings={"per": "patient"}, **patients)
    with pytest.raises(UsageError, match="audit of A has one row per image, that of B one per patient"):
        compare_files(a, b, Asked(), tmp_path / "out")


def test_a_version_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"B: .*lost is not there; name a folder with an audit, an audit\.json or a CSV"
    ):
        read_side(tmp_path / "lost", "B")


def test_a_folder_without_an_audit_or_an_audit_without_scores_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"audit\.json is not there; run 'audit evaluate' first"):
        read_side(tmp_path, "A")
    write_result(full_result(), tmp_path / "audit.json")
    with pytest.raises(
        OutputError, match=r"scores\.csv is not there, and the audit alone does not hold scores; put them"
    ):
        read_side(tmp_path, "A")


def test_scores_that_are_not_those_of_the_audit_are_refused(tmp_path):
    folder = audited(tmp_path, "a")
    with (folder / "scores.csv").open("a") as stream:
        stream.write("late,1,0.5,1\n")
    with pytest.raises(InputError, match=r"scores\.csv is not the table that .*audit\.json was made of"):
        read_side(folder, "A")


def test_an_audit_with_keys_we_do_not_know_is_refused(tmp_path):
    folder = audited(tmp_path, "a")
    text = (folder / "audit.json").read_text()
    (folder / "audit.json").write_text(re.sub(r'"min_skill": 0\.6', '"least_skill": 0.6', text))
    with pytest.raises(OutputError, match="was made by another version of this program; run 'audit evaluate' again"):
        read_side(folder, "A")


def test_margins_are_of_robust_auroc_unless_named():
    assert parse_margins(["0.02", "auroc=.01"]) == {"robust_auroc": 0.02, "auroc": 0.01}
    assert parse_margins([]) == {}


@pytest.mark.parametrize("text", ["0", "-0.1", "0.5", "much", "auroc=", "nan"])
def test_what_is_no_margin_is_refused(text):
    with pytest.raises(UsageError, match=r"--not-worse .*is no margin; expected a number above 0 and below 0\.5"):
        parse_margins([text])


def test_a_margin_of_an_unknown_number_is_refused():
    with pytest.raises(
        UsageError, match=r"no number compared is called 'robust_auoc' \(did you mean 'robust_auroc'\?\)"
    ):
        parse_margins(["robust_auoc=0.1"])
