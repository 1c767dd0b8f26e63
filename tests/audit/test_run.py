"""From a table of scores to the audit result, and from there to JSON."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from audit_worlds import cells, question, table, world

import shortcut_audit
from shortcut_audit import audit_scores
from shortcut_audit.audit.compare import compare_models
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult, read_result, worst, write_result
from shortcut_audit.audit.run import audit_table
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.config import Config, EvaluateConfig
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.provenance import collect_provenance
from shortcut_audit.report.sections.verdict import verdict

NAMES = {
    "auroc", "robust_auroc", "aligned_auroc", "auroc_gap", "gap_positive_side", "gap_negative_side", "auroc_pair",
    "auroc_within", "interventional_gap", "gap_reliance", "gap_case_mix", "gap_vs_reference", "score_shift",
}  # fmt: skip


def without_name(frame):
    return frame.rename({"attribute.tube": "tube"})


def test_three_lines_audit_a_frame():
    result = audit_scores(without_name(world(reads=2.0)), spurious="tube", pairs="exact")

    assert result.status == "fail"
    assert {metric.name for metric in result.metrics} >= NAMES
    assert [verdict.rule for verdict in result.verdicts] == ["table:beyond:shown"]


def test_an_honest_model_whose_films_are_harder_is_a_concern_and_never_fails():
    assert audit_scores(world(severity=2.5, n=3000), spurious="tube", pairs="exact").status == "concern"


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("severity", "harder"), [(2.0, 0.0), (-2.0, 0.0), (0.0, 1.0), (2.0, 1.0)])
def test_no_honest_model_fails_in_a_small_simulation(severity, harder, paired):
    worlds = [world(seed, n=700, severity=severity, harder=harder, paired=paired) for seed in range(8)]

    assert "fail" not in {audit_scores(frame, spurious="tube", pairs="exact").status for frame in worlds}


@pytest.mark.parametrize("severity", [0.0, -1.0])
def test_with_pairs_a_cheat_fails_in_a_small_simulation_also_where_case_mix_masks_it(severity):
    worlds = [world(seed, n=700, reads=1.0, severity=severity) for seed in range(8)]

    assert {audit_scores(frame, spurious="tube", pairs="exact").status for frame in worlds} == {"fail"}


def test_a_pandas_frame_says_the_same_as_a_polars_frame():
    frame = world(reads=1.0, n=300).with_columns(
        pl.when(pl.int_range(300) > 5).then("attribute.tube").alias("attribute.tube")
    )
    columns = {name: frame[name].to_list() for name in frame.columns}
    one, two = (audit_scores(given, spurious="tube") for given in (frame, pd.DataFrame(columns)))

    assert one.metrics == two.metrics
    assert one.verdicts == two.verdicts


def test_a_pandas_score_that_is_missing_is_refused():
    frame = pd.DataFrame({"sample_id": ["a", "b"], "label": [1, 0], "score": [0.5, np.nan], "tube": [1, 0]})
    with pytest.raises(InputError, match="row 2, column 'score' is blank; expected a number"):
        audit_scores(frame, spurious="tube")


@pytest.mark.parametrize(("options", "message"), [
    ({"spurious": "tub"}, r"there is no attribute 'tub' \(did you mean 'tube'\?\)"),
    ({"spurious": []}, r"which spurious attribute\? Name it with --spurious NAME \(the table has: tube\)"),
    ({"spurious": "tube", "margn": 0.1}, r"there is no limit 'margn' \(did you mean 'margin'\?\); there are: margin"),
    ({"spurious": "tube", "margin": 0.9}, r"the argument: 'evaluate.margin' is 0.9: Input should be less than 0.5"),
])  # fmt: skip
def test_what_cannot_be_asked_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        audit_scores(world(n=60), **options)


def test_a_table_without_test_rows_is_refused():
    with pytest.raises(InputError, match="has no rows with split = test; the audit looks at those alone"):
        audit_scores(world(n=60, split="val"), spurious="tube")


@pytest.mark.parametrize("frame", [
    cells({(1, 1): 40, (0, 0): 40}), cells({(1, 1): 1, (0, 1): 1, (0, 0): 1}),
    cells({(1, 1): 30, (1, 0): 30, (0, 1): 30, (0, 0): 30}).with_columns(pl.lit(0.5).alias("score")),
], ids=["attribute equals label", "three patients", "constant scores"])  # fmt: skip
def test_degenerate_tables_are_insufficient_and_no_error(frame):
    result = audit_scores(frame, spurious="tube")

    assert result.status == "insufficient"
    assert result.verdicts[0].sentences[0].startswith("We cannot tell: ")


def test_several_findings_attributes_and_models_are_all_asked():
    one = world(1, n=300, model="a").with_columns(pl.lit("effusion").alias("finding"))
    frame = pl.concat(
        [one, one.with_columns(pl.lit("b").alias("model")), one.with_columns(pl.lit("oedema").alias("finding"))]
    )
    frame = frame.with_columns(
        pl.when(pl.col("attribute.tube") == 1).then(pl.lit("ap")).otherwise(pl.lit("pa")).alias("view")
    )

    result = audit_scores(frame, spurious=["tube", "view=ap"])

    asked = [(verdict.finding, verdict.attribute, verdict.model) for verdict in result.verdicts]
    assert asked == [
        ("effusion", "tube", "a"), ("effusion", "tube", "b"),
        ("effusion", "view=ap", "a"), ("effusion", "view=ap", "b"),
        ("oedema", "tube", "a"), ("oedema", "view=ap", "a"),
    ]  # fmt: skip
    assert len(result.counts.cells) == 4 * 4


def test_a_control_is_measured_and_compared_but_not_judged():
    frame = pl.concat([world(1, n=300), world(1, n=300, model="area", reads=5.0)]).with_columns(
        pl.when(pl.col("model") == "area").then(pl.lit("control")).otherwise(pl.lit("model")).alias("role")
    )
    result = audit_scores(frame, spurious="tube", pairs="exact")

    assert [verdict.model for verdict in result.verdicts] == ["model"]
    assert {answer.model for answer in result.answers} == {"model"}
    assert {metric.role for metric in result.find("auroc", model="area")} == {"control"}
    assert {(one.model, one.other) for one in result.comparisons} == {("model", "area")}


def test_more_rows_asked_at_once_can_open_an_answer():
    """Holm runs over every row asked for: what one row shows, a hundred like it among noise may not."""
    frame = world(3, n=200, reads=0.55)
    noise = {f"attribute.n{k}": np.random.default_rng(k).integers(0, 2, 200).astype(float) for k in range(30)}
    alone = audit_scores(frame, spurious="tube", pairs="exact")
    frame = frame.with_columns(pl.Series(name, values) for name, values in noise.items())
    among = audit_scores(frame, spurious=["tube", *(f"n{k}" for k in range(30))], pairs="exact")

    assert alone.verdicts[0].reliance == "shown"
    assert among.verdicts[0].reliance == "open"
    assert among.find("interventional_gap", attribute="tube")[0].low == alone.find("interventional_gap")[0].low


def test_the_worst_verdict_is_the_status():
    result = audit_scores(pl.concat([world(1), world(1, model="cheat", reads=2.0)]), spurious="tube", pairs="exact")

    assert result.status == "fail" == worst([verdict.status for verdict in result.verdicts])


def test_unknown_attributes_and_logits_and_missing_patients_are_said():
    frame = cells({(1, 1): 30, (1, 0): 30, (0, 1): 30, (0, 0): 30}).with_columns(
        pl.when(pl.int_range(120) > 4).then("attribute.tube").alias("attribute.tube")
    )
    result = audit_scores(frame, spurious="tube")

    assert result.counts.excluded == {"tube unknown (finding): in no cell": 5}
    assert result.counts.clustered_by == "image"
    clustered = [metric for metric in result.metrics if metric.reason is None and "auroc" in metric.name]
    assert all("each image its own cluster" in metric.method for metric in clustered)
    assert any("outside 0 to 1: they are read as ranks only" in note for note in result.notes)
    assert "No patients are named: each image is its own cluster." in result.notes
    assert any("taken as positive" in note for note in result.notes)


def test_limits_are_printed_with_their_origin():
    limits = {limit.name: limit for limit in audit_scores(world(n=300), spurious="tube", margin=0.03).limits}

    assert (limits["margin"].value, limits["margin"].origin) == (0.03, "argument")
    assert (limits["min_skill"].value, limits["min_skill"].origin) == (0.6, "default")
    assert limits["matched_reference"].value == 0.02


def test_the_sign_comes_from_the_training_rows_of_the_table():
    train = world(5, split="train", paired=False).with_columns((1 - pl.col("attribute.tube")).alias("attribute.tube"))
    test = world(5, paired=False)
    plain = audit_scores(test, spurious="tube")
    learnt = audit_scores(pl.concat([test, train]), spurious="tube", association="positive")

    assert learnt.find("robust_auroc")[0].value == plain.find("aligned_auroc")[0].value
    assert learnt.counts.by_split == {"train": 1200, "test": 1200}


def extras():
    limits = EvaluateConfig(spurious=["tube"])
    setting = Setting(limits=limits, pairs="exact", test_design="natural", origins={"margin": "config"})
    provenance = collect_provenance(command="test", config={}, seed=1, inputs={})
    return {
        "setting": setting, "dataset": {"name": "d"}, "provenance": provenance,
    }  # fmt: skip


def test_an_attribute_that_nobody_knows_is_told_as_unknown_and_not_as_absent():
    result = audit_scores(world(n=60).with_columns(pl.lit(None, pl.Float64).alias("attribute.tube")), spurious="tube")

    assert result.find("auroc_gap")[0].reason == (
        "the test set has no positives with tube and no negatives without tube; "
        "tube is not known of 60 of its 60 images"
    )


def test_patients_who_stand_in_two_splits_are_counted_aloud():
    frame = pl.concat(
        [world(n=60), world(n=40, split="val").with_columns(pl.col("patient_id").str.replace("val", "test"))]
    )

    notes = audit_scores(frame, spurious="tube").notes
    assert "Patients of the test rows who stand in training or validation rows too: 40." in notes
    assert not any("stand in training" in note for note in audit_scores(world(n=60), spurious="tube").notes)


def test_what_was_found_elsewhere_is_carried_along():
    metric = Metric(
        model="m", finding="f", attribute="tube", group="footprint:tube", name="saliency_share", value=0.1, low=None,
        high=None, n=3, n_pos=3, n_neg=0, n_patients=3, method="mean",
    )  # fmt: skip
    result = audit_table(
        table(world(n=300)), **extras(), metrics=[metric], banners=["demo"], notes=["last"], excluded={"unreadable": 2},
    )  # fmt: skip

    assert result.metrics[-1] == metric
    assert (result.banners, result.notes[-1]) == (("demo",), "last")
    assert result.counts.excluded == {"unreadable": 2}
    assert result.limits[0].origin == "config"
    assert result.answers[0].limit_origin == "config"


def test_the_result_survives_json_and_its_numbers_are_finite(tmp_path):
    result = audit_scores(world(n=300), spurious="tube")
    write_result(result, tmp_path / "audit.json")

    assert read_result(tmp_path / "audit.json") == result
    json.loads((tmp_path / "audit.json").read_text(), parse_constant=lambda name: pytest.fail(f"{name} in audit.json"))


def test_what_was_asked_of_a_frame_is_kept_as_a_configuration_that_can_be_read():
    result = audit_scores(world(n=300), spurious="tube", ask="gap", margin=0.03, pairs="exact", test_design="balanced")
    config = Config.model_validate(result.provenance.config)

    assert (config.evaluate.spurious, config.evaluate.ask, config.evaluate.margin) == (["tube"], "gap", 0.03)
    assert (config.dataset.pairs, config.dataset.test_design) == ("exact", "balanced")
    assert "Asked: gap, for tube. Not asked: reliance" in verdict(result)


def test_the_schema_is_the_checked_in_one_and_a_result_validates_against_it(request):
    """After a change of result.py: write AuditResult.model_json_schema(by_alias=True) into the golden file."""
    import jsonschema

    golden = json.loads((request.config.rootpath / "tests/golden/audit.schema.json").read_text())
    dumped = audit_scores(world(n=300, reads=1.0), spurious="tube").model_dump(mode="json", by_alias=True)

    assert AuditResult.model_json_schema(by_alias=True) == golden
    jsonschema.validate(dumped, golden)
    assert dumped["schema"] == 1


def test_the_same_table_gives_the_same_result():
    one, two = (audit_scores(world(n=300), spurious="tube") for _ in range(2))

    assert one.model_dump(exclude={"provenance"}) == two.model_dump(exclude={"provenance"})
    assert one.provenance.inputs == two.provenance.inputs


def test_the_order_of_the_rows_does_not_matter():
    frame = world(n=300, films_per_patient=3)
    one, two = (
        audit_scores(given, spurious="tube") for given in (frame, frame.sample(fraction=1, shuffle=True, seed=1))
    )

    for first, second in zip(one.metrics, two.metrics, strict=True):
        assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high), abs=1e-12)


def test_copying_every_film_inside_its_patient_changes_no_number():
    frame = world(n=300)
    copies = pl.concat([frame, frame.with_columns((pl.col("sample_id") + "b").alias("sample_id"))])
    one, two = (audit_scores(given, spurious="tube") for given in (frame, copies))

    for first, second in zip(one.metrics, two.metrics, strict=True):
        assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high), abs=1e-9)


def test_a_paired_comparison_is_the_difference_with_a_narrower_interval():
    frame = pl.concat([world(1), world(1, model="cheat", reads=1.0)])
    found = {one.name: one for one in audit_scores(frame, spurious="tube").comparisons}
    robust = [audit_scores(frame, spurious="tube").find("robust_auroc", model=name)[0] for name in ("model", "cheat")]

    assert found["robust_auroc"].value == pytest.approx(robust[0].value - robust[1].value, abs=1e-12)
    unpaired = np.hypot(*(metric.high - metric.low for metric in robust))
    assert found["robust_auroc"].high - found["robust_auroc"].low < 0.8 * unpaired
    assert found["interventional_gap"].high < -0.05


def test_models_are_compared_on_the_films_they_share():
    one, two = world(1, n=300), world(1, n=300, model="other").sort("score", descending=True).head(200)
    found = {each.name: each for each in compare_models([question(one), question(two)])}
    shared = one.filter(pl.col("sample_id").is_in(two["sample_id"].to_list()))

    assert found["auroc"].n == 200
    assert found["auroc"].value == pytest.approx(0, abs=1e-12)
    assert found["auroc"].low < 0 < found["auroc"].high
    assert found["robust_auroc"].n == shared.filter(pl.col("label") != pl.col("attribute.tube")).height


def test_models_without_common_films_have_no_difference():
    one, two = (
        world(1, n=100),
        world(1, n=100, model="other").with_columns(("x" + pl.col("sample_id")).alias("sample_id")),
    )

    assert {each.value for each in compare_models([question(one), question(two)])} == {None}


def test_a_difference_of_robust_aurocs_needs_a_known_sign():
    train = cells({(1, 1): 40, (1, 0): 40, (0, 1): 40, (0, 0): 40}).with_columns(pl.lit("train").alias("split"))
    test = cells({(1, 1): 40, (1, 0): 40, (0, 1): 40, (0, 0): 40}).with_columns(
        pl.lit("test").alias("split"), ("t" + pl.col("sample_id")).alias("sample_id")
    )
    asked = question(pl.concat([train, test]))
    found = {each.name: each for each in compare_models([asked, asked])}

    assert found["robust_auroc"].reason.startswith("the sign of the training association is uncertain")


def test_the_audit_of_a_table_imports_no_torch():
    code = "import sys, shortcut_audit.audit.run, shortcut_audit.audit.cases; print('torch' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_the_package_itself_imports_nothing_until_it_is_asked():
    code = "import sys, shortcut_audit; print('numpy' in sys.modules); shortcut_audit.audit_scores"

    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )
    with pytest.raises(AttributeError, match="module 'shortcut_audit' has no attribute 'audit_score'"):
        shortcut_audit.audit_score  # noqa: B018


def test_a_limit_within_a_limit_is_named_in_full():
    with pytest.raises(UsageError, match=r"'evaluate.attribute_rates.given_finding' is 2"):
        audit_scores(world(0, n=60), spurious="tube", attribute_rates={"given_finding": 2})
