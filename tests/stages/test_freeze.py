"""A plan for the films of a run, and how many patients a study needs: no score is made or read."""

import polars as pl
import pytest
from small_networks import small_classifier

from shortcut_audit.audit.plans.deviations import follow_plan
from shortcut_audit.audit.plans.plan import read_plan
from shortcut_audit.config import lay_over, load_config
from shortcut_audit.errors import BusyError, InputError, UsageError
from shortcut_audit.models.checkpoint import save_model
from shortcut_audit.stages.evaluate import audit_run, films_of_run
from shortcut_audit.stages.freeze import freeze_films
from shortcut_audit.stages.learn import CLASSIFIER, outputs
from shortcut_audit.stages.size import assumptions, parse_wishes, size_study


@pytest.fixture
def study(make_study):
    """A study whose run holds an untrained classifier."""
    study = make_study()
    model = small_classifier(findings=("pneumothorax",))
    study.run.stage(
        CLASSIFIER, inputs={}, outputs=outputs(CLASSIFIER), work=lambda: save_model(model, study.run.path(CLASSIFIER))
    )
    return study


@pytest.fixture
def frozen(study, tmp_path):
    manifest, scope = films_of_run(study.run, study.config)
    freeze_films(study.config, manifest, scope, tmp_path / "plan.yaml", intended_use="first\n reads")
    return tmp_path / "plan.yaml"


def follow(study, frozen, *sets, reason=None):
    return follow_plan(lay_over(study.config, load_config(sets=list(sets))), frozen, reason)


def test_the_plan_of_a_run_names_models_and_findings_and_counts_its_test_films(study, frozen):
    plan = read_plan(frozen)

    assert (plan.models, plan.findings, plan.intended_use) == (("classifier",), ("pneumothorax",), "first reads")
    assert plan.test_ids.images == len(study.manifest.split("test"))
    assert plan.test_ids.rows is None
    assert plan.dataset.pairs == study.manifest.card.pairs
    assert not (study.run.folder / "audit.json").exists()
    with pytest.raises(BusyError, match="is there already, and a plan is never written over"):
        freeze_films(study.config, *films_of_run(study.run, study.config), frozen, intended_use="")


def test_a_run_is_audited_by_its_plan_and_by_no_other_settings(study, frozen):
    with pytest.raises(UsageError, match=r"'evaluate.margin' is 0.2 \(command line\), the plan says 0.05"):
        audit_run(study.run, *_with_out(follow(study, frozen, "evaluate.margin=0.2")))
    assert not (study.run.folder / "audit.json").exists()

    result, folder = audit_run(study.run, *_with_out(follow(study, frozen)))

    assert folder == study.run.folder
    assert result.plan.deviations == ()
    assert {limit.name: limit.origin for limit in result.limits}["margin"] == "plan"


def test_a_deviation_goes_into_a_folder_of_its_own_and_each_reason_is_kept(study, frozen):
    audit_run(study.run, *_with_out(follow(study, frozen)))
    first, inside = audit_run(study.run, *_with_out(follow(study, frozen, "evaluate.margin=0.2", reason="one")))
    second, again = audit_run(study.run, *_with_out(follow(study, frozen, "evaluate.margin=0.2", reason="two")))

    assert (inside, inside.parent) == (again, study.run.folder)
    assert (first.plan.reason, second.plan.reason) == ("one", "two")


def _with_out(followed):
    config, plan = followed
    return config, None, plan


def test_a_study_is_sized_at_equal_cells_and_at_the_rates_named_or_counted(tmp_path):
    rows = [(y, a) for (y, a), n in {(1, 1): 30, (1, 0): 10, (0, 1): 20, (0, 0): 140}.items() for _ in range(n)]
    label, tube = zip(*rows, strict=True)
    pl.DataFrame({"sample_id": range(len(rows)), "label": label, "tube": tube}).write_csv(tmp_path / "films.csv")
    asking = load_config(sets=["evaluate.spurious=[tube]", "evaluate.margin=0.04"])

    design, sizes = size_study(asking, parse_wishes("auroc=.85"), tmp_path / "films.csv")
    _, named = size_study(asking, parse_wishes("auroc=.85,prevalence=.2,given_finding=.75,given_none=.125"), None)

    assert (design.gap, design.auroc, design.pair_correlation) == (0.04, 0.85, 0.9)
    assert [size.mix for size in sizes] == ["as many in every cell", "at the rates of films.csv: finding, tube"]
    assert sizes[1].shares == pytest.approx({(1, 1): 0.15, (1, 0): 0.05, (0, 1): 0.1, (0, 0): 0.7})
    assert sizes[1].needs == named[1].needs
    assert assumptions(design)[0].startswith("AUROC 0.85 in every pair of cells")


def test_the_rates_of_use_in_the_configuration_count_as_named():
    config = load_config(
        sets=["evaluate.prevalence=0.2", "evaluate.attribute_rates={given_finding: 0.7, given_none: 0.1}"]
    )

    assert [size.mix for size in size_study(config, {"gap": 0.05}, None)[1]] == [
        "as many in every cell", "at the rates named"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gap", "'gap' is not understood.*expected NAME=NUMBER with commas between"),
        ("aurocs=.9", r"'aurocs=.9' is not understood \(did you mean 'auroc'\?\)"),
        ("gap=wide", "gap is 'wide', which is not a number"),
        ("auroc=1", "auroc is 1; expected a number between 0.5 and 1"),
        ("gap=nan", "gap is nan; expected a number between 0 and 0.5"),
    ],
)
def test_wishes_that_are_not_understood_are_refused(text, told):
    with pytest.raises(UsageError, match=told):
        parse_wishes(text)


def test_rates_in_part_or_twice_or_of_an_empty_cell_are_refused(tmp_path):
    with pytest.raises(UsageError, match="the rates need given_finding, given_none too"):
        size_study(load_config(), {"prevalence": 0.2}, None)
    path = tmp_path / "films.csv"
    path.write_text("sample_id,label,tube\n1,1,1\n2,1,0\n3,0,0\n")
    config = load_config(sets=["evaluate.spurious=[tube]"])
    with pytest.raises(InputError, match=r"the table has no negatives with tube \(finding\)"):
        size_study(config, {}, path)
    with pytest.raises(UsageError, match="the rates are named, and --scores would count them"):
        size_study(config, {"prevalence": 0.2, "given_finding": 0.7, "given_none": 0.1}, path)
