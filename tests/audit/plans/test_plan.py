"""A plan says what it was made of, in YAML that people read, and every change is named."""

import hashlib
import json

import polars as pl
import pytest
import yaml
from audit_worlds import table, world
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shortcut_audit.audit.plans.deviations import follow_plan
from shortcut_audit.audit.plans.images import (
    Scope,
    in_lines,
    plan_ids,
    plan_values,
    scope_of_table,
    value_digests,
)
from shortcut_audit.audit.plans.limits import MetricLimit
from shortcut_audit.audit.plans.plan import Plan, PlannedData, plan_text, read_plan
from shortcut_audit.config import EvaluateConfig, load_config
from shortcut_audit.errors import InputError, UsageError

IDS = [f"film{number:02d}" for number in range(40)]


def images(ids=IDS, **columns):
    """Every second film has the mass, every third a tube; of the fifth nobody looked for one."""
    places = [int(name[4:6]) if name.startswith("film") else 0 for name in ids]
    tube = [None if place == 5 else float(place % 3 == 0) for place in places]
    plain = {"sample_id": ids, "finding": "mass", "label": [place % 2 for place in places], "attribute.tube": tube}
    return pl.DataFrame({**plain, **columns})


def scope(ids=IDS, **fields):
    return Scope(**{"findings": ("mass",), "models": ("net",), "rows": 40, "images": images(ids), **fields})


def make_plan(of=None, **fields):
    of = of or scope()
    plain = {
        "plan": 1, "frozen": "2026-11-21T06:00:00Z", "version": "0.1.0", "intended_use": "triage: first reads",
        "evaluate": EvaluateConfig(spurious=["tube"], margin=0.04),
        "dataset": PlannedData(pairs="exact", test_design="natural"),
        "findings": of.findings, "models": of.models, "test_ids": plan_ids(of),
        "test_values": plan_values(of, ["tube"]),
    }  # fmt: skip
    return Plan(**{**plain, **fields})


@pytest.fixture
def write(tmp_path):
    def write_plan(plan=None):
        path = tmp_path / "plan.yaml"
        path.write_text(plan_text(plan or make_plan()))
        return path

    return write_plan


def test_what_is_written_is_what_is_read(write):
    plan = make_plan(limits=(MetricLimit(metric="auroc_pair", group="pair:0:0", at_least=0.8),))

    assert read_plan(write(plan)) == plan


NAMES = st.text(min_size=1, max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=3), NAMES, st.text(max_size=30))
@example(["a\x85b"], "\x85", "\x85")
def test_names_that_mean_something_in_yaml_come_back_as_they_were(write, names, finding, use):
    plan = make_plan(
        scope(findings=(finding, "no", "1e3", "2026-01-01")), intended_use=use, evaluate=EvaluateConfig(spurious=names)
    )

    assert read_plan(write(plan)) == plan


def test_every_setting_that_decides_is_in_the_file_with_a_comment():
    text = plan_text(make_plan())
    section = yaml.safe_load(text)["evaluate"]
    lines = [line for line in text.split("evaluate:")[1].split("dataset:")[0].splitlines() if line.startswith("  ")]

    assert set(section) == set(EvaluateConfig.model_fields) - {"gallery", "saliency_images"}
    assert all("  # " in line for line in lines)


def test_the_ids_are_hashed_as_documented_and_not_in_the_file():
    text = plan_text(make_plan())
    ids = yaml.safe_load(text)["test_ids"]
    sha256 = hashlib.sha256(json.dumps(IDS, ensure_ascii=False).encode()).hexdigest()

    assert (ids["images"], ids["rows"], ids["sha256"]) == (40, 40, sha256)
    assert ids["digests"].split() == [hashlib.sha256(f"{sha256}:{name}".encode()).hexdigest()[:8] for name in IDS]
    assert not any(name in text for name in IDS)


def test_the_scope_of_a_table_is_its_test_rows_without_controls():
    frame = pl.concat([
        world(n=30).with_columns(role=pl.lit("model")),
        world(n=30, model="area").with_columns(role=pl.lit("control")),
        world(n=20, split="train").with_columns(role=pl.lit("model")),
    ])  # fmt: skip
    found = scope_of_table(table(frame))

    assert (found.findings, found.models, found.rows) == (("finding",), ("model",), 30)
    assert found.ids == sorted(f"test{number}" for number in range(30))
    assert scope_of_table(table(frame), scored=False).models is None


def test_a_table_without_test_rows_has_no_scope():
    with pytest.raises(InputError, match="no rows with split = test"):
        scope_of_table(table(world(n=20, split="train")))


def test_values_of_the_plan_hold_where_nothing_else_is_said_and_come_from_it(write):
    config, force = follow_plan(load_config(sets=["evaluate.gallery=3"]), write(), None)

    assert (config.evaluate.margin, config.evaluate.spurious, config.dataset.pairs) == (0.04, ["tube"], "exact")
    assert config.evaluate.gallery == 3
    assert config.origin("evaluate.margin") == config.origin("evaluate.ask") == "plan"
    assert force.checked(scope()).record.deviations == ()
    assert force.checked(scope()).banners == ()


def test_the_same_value_said_again_is_no_deviation_whatever_the_order_of_a_list(write):
    plan = make_plan(evaluate=EvaluateConfig(spurious=["tube", "leads"]))
    config = load_config(sets=["evaluate.margin=0.05"], named={"evaluate.spurious": ["leads", "tube"]})
    _, force = follow_plan(config, write(plan), None)

    assert force.checked(scope()).departures == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("evaluate.margin=0.1", "'evaluate.margin' is 0.1 (command line), the plan says 0.04"),
        ("evaluate.ask=gap", "'evaluate.ask' is gap (command line), the plan says both"),
        ("evaluate.spurious=[tube, ecg]", "'evaluate.spurious' is [tube, ecg] (command line), the plan says [tube]"),
        ("evaluate.association=negative", "'evaluate.association' is negative (command line), the plan says not set"),
        ("evaluate.operating_point=0.5", "'evaluate.operating_point' is 0.5 (command line), the plan says youden"),
        ("evaluate.attribute_quality={tube: {sensitivity: 0.9, specificity: 0.9}}", "'evaluate.attribute_quality' is"),
        ("evaluate.attribute_rates.given_none=0.2", "'evaluate.attribute_rates' is"),
        ("dataset.pairs=edited", "'dataset.pairs' is edited (command line), the plan says exact"),
    ],
)  # fmt: skip
def test_one_changed_setting_is_refused_by_name(write, text, told):
    path = write()
    _, force = follow_plan(load_config(sets=[text]), path, None)

    with pytest.raises(UsageError) as refused:
        force.checked(scope())
    assert told in str(refused.value)
    assert "this audit is not the one that was planned" in str(refused.value)
    assert "--allow-deviation REASON" in str(refused.value)


def test_a_value_of_a_configuration_file_is_not_passed_over(write, tmp_path):
    (tmp_path / "mine.yaml").write_text("evaluate: {margin: 0.1}\n")
    _, force = follow_plan(load_config([tmp_path / "mine.yaml"]), write(), None)

    with pytest.raises(UsageError, match=r"'evaluate.margin' is 0.1 \(configuration\), the plan says 0.04"):
        force.checked(scope())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ids": [*IDS, "film99"]}, "41 images, the plan says 40, 1 not in the plan: 'film99'"),
        ({"ids": IDS[:7] + IDS[8:]}, "39 images, the plan says 40, 1 missing: the one between 'film06' and 'film08'"),
        ({"ids": IDS[1:]}, "1 missing: the one before 'film01'"),
        ({"ids": IDS[:-1]}, "1 missing: the one after 'film38'"),
        ({"ids": [*IDS[:7], "film07b", *IDS[8:]]},
         "1 not in the plan: 'film07b', 1 missing: the one between 'film06' and 'film08'"),
        ({"ids": [f"x{number}" for number in range(5)]},
         "5 not in the plan: 'x0', 'x1', 'x2' and 2 more, none of the planned ones is here"),
        ({"rows": 39}, "test rows (model x finding x image): 39, the plan says 40 for the same images"),
        ({"findings": ("mass", "nodule")}, "findings: 'nodule' is not in the plan"),
        ({"models": ("twin",)}, "models: 'twin' is not in the plan, 'net' is planned and not here"),
    ],
)  # fmt: skip
def test_one_changed_id_model_or_finding_is_refused_by_name(write, changed, told):
    _, force = follow_plan(load_config(), write(), None)

    with pytest.raises(UsageError) as refused:
        force.checked(scope(**changed))
    assert told in str(refused.value)


def test_without_digests_a_changed_id_is_refused_and_not_named(write):
    ids = plan_ids(scope()).model_copy(update={"digests": ""})
    _, force = follow_plan(load_config(), write(make_plan(test_ids=ids)), None)

    with pytest.raises(UsageError, match="40 images, the plan says 40, and their hash differs") as refused:
        force.checked(scope(ids=[*IDS[:7], "film07b", *IDS[8:]]))
    assert "film07b" not in str(refused.value)


def relabelled(ids=IDS, *, label=(), tube=()):
    """The films with the label of some turned round, and others with a tube."""
    frame = images(ids)
    return frame.with_columns(
        pl.when(pl.col("sample_id").is_in(label)).then(1 - pl.col("label")).otherwise("label").alias("label"),
        pl.when(pl.col("sample_id").is_in(tube)).then(1.0).otherwise("attribute.tube").alias("attribute.tube"),
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (relabelled(label=["film07"]), "labels and attributes: label.mass changed of 1 image: 'film07'"),
        (relabelled(tube=["film05"]), "labels and attributes: attribute.tube changed of 1 image: 'film05'"),
        (relabelled(label=["film01", "film02"], tube=["film05", "film07"]),
         "label.mass, attribute.tube changed of 4 images: 'film01', 'film02', 'film05' and 1 more"),
        (relabelled().drop("attribute.tube"), "labels and attributes: attribute.tube planned and not here"),
    ],
)  # fmt: skip
def test_a_changed_label_or_attribute_is_refused_by_name(write, changed, told):
    _, force = follow_plan(load_config(), write(), None)

    with pytest.raises(UsageError) as refused:
        force.checked(scope(images=changed))
    assert told in str(refused.value)
    assert "test ids" not in str(refused.value)


def test_a_label_that_changed_beside_withdrawn_and_new_films_is_still_named(write):
    ids = [*IDS[1:], "film99"]
    _, force = follow_plan(load_config(), write(), None)

    with pytest.raises(UsageError) as refused:
        force.checked(scope(images=relabelled(ids, label=["film07"])))
    assert "labels and attributes: label.mass, attribute.tube changed of 1 image: 'film07'" in str(refused.value)
    with pytest.raises(UsageError) as refused:
        force.checked(scope(ids))
    assert "labels and attributes" not in str(refused.value)


def test_the_order_of_rows_another_model_and_a_new_column_change_no_value(write):
    frame = pl.concat([images(), images()]).reverse().with_columns(pl.lit(1.0).alias("attribute.leads"))
    _, force = follow_plan(load_config(), write(), None)

    assert force.checked(scope(images=frame)).departures == ()


@pytest.mark.parametrize("ids", [IDS, [*IDS[1:], "film99"]])
def test_without_digests_a_changed_label_is_refused_and_not_named(write, ids):
    plan = make_plan()
    bare = [part.model_copy(update={"digests": ""}) for part in (plan.test_ids, plan.test_values)]
    _, force = follow_plan(load_config(), write(make_plan(test_ids=bare[0], test_values=bare[1])), None)

    with pytest.raises(
        UsageError,
        match=r"label.mass.* changed, or not to be compared; the plan's digests",
    ) as refused:
        force.checked(scope(images=relabelled(ids, label=["film07"])))
    assert "film07" not in str(refused.value)


def test_digests_made_to_fit_hide_no_changed_label(write):
    changed = scope(images=relabelled(label=["film07"]))
    plan = make_plan()
    fitting = in_lines(value_digests(changed, plan.test_values.sha256).values())
    forged = plan.test_values.model_copy(update={"digests": fitting})
    _, force = follow_plan(load_config(), write(make_plan(test_values=forged)), None)

    with pytest.raises(UsageError, match=r"label.mass changed, or not to be compared"):
        force.checked(changed)


def test_labels_and_attributes_are_hashed_as_documented_and_not_in_the_file():
    text = plan_text(make_plan())
    held = yaml.safe_load(text)["test_values"]
    pairs = [[name, float(place % 2)] for place, name in enumerate(IDS)]

    assert held["sha256"]["label.mass"] == hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
    salt = hashlib.sha256(json.dumps(held["sha256"], sort_keys=True).encode()).hexdigest()
    seventh = hashlib.sha256(f"{salt}:{json.dumps(['film07', [[1.0], [0.0]]])}".encode()).hexdigest()[:8]
    assert held["digests"].split()[7] == seventh
    assert not any(name in text for name in IDS)


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        (["tube"], ["label.mass", "attribute.tube"]),
        (["site=a", "site=b"], ["label.mass", "attribute.site"]),
        (["tube+site=a"], ["label.mass", "attribute.tube", "attribute.site"]),
    ],
)
def test_a_plan_holds_the_columns_that_are_asked_about(asked, columns):
    frame = images(**{"attribute.site": ["a", "b"] * 20, "attribute.age": range(40)})

    assert list(plan_values(scope(images=frame), asked).sha256) == columns


def test_a_plan_of_before_labels_were_held_stays_in_force_and_says_so(write):
    _, force = follow_plan(load_config(), write(make_plan(test_values=None)), None)
    changed = scope(images=relabelled(label=["film07"]))

    assert force.checked(changed).departures == ()
    assert not force.checked(changed).record.holds_values
    assert follow_plan(load_config(), write(), None)[1].record.holds_values


def test_a_plan_for_any_model_and_uncounted_rows_refuses_neither(write):
    plan = make_plan(scope(models=None, rows=None))
    _, force = follow_plan(load_config(), write(plan), None)

    assert force.checked(scope(models=("twin",), rows=80)).departures == ()


def test_a_reason_lets_deviations_pass_and_is_recorded_without_ids(write):
    config, force = follow_plan(load_config(sets=["evaluate.margin=0.1"]), write(), "agreed with the sponsor")
    checked = force.checked(scope(ids=[*IDS, "film99"]))
    record = checked.record

    assert (config.evaluate.margin, config.origin("evaluate.margin")) == (0.1, "command line")
    assert [one.what for one in record.deviations] == ["evaluate.margin", "test ids"]
    assert (record.file, record.reason) == ("plan.yaml", "agreed with the sponsor")
    assert record.sha256 == hashlib.sha256(checked.path.read_bytes()).hexdigest()
    (banner,) = checked.banners
    assert banner.startswith("This audit deviates from its plan plan.yaml. evaluate.margin: 0.1, planned 0.04; test id")
    assert banner.endswith("Reason given: agreed with the sponsor")
    assert "film99" not in banner + record.model_dump_json()


def test_a_reason_that_nothing_needs_is_not_recorded(write):
    _, force = follow_plan(load_config(), write(), "in case")

    assert force.checked(scope()).record.reason is None


def test_a_blank_reason_is_none(write):
    with pytest.raises(UsageError, match="--allow-deviation needs a reason in words"):
        follow_plan(load_config(), write(), "  ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("margin:", "margn:"), r"unknown key 'evaluate.margn' \(did you mean 'margin'\?\)"),
        (lambda text: text.replace("margin: 0.04", "margin: wide"), "'evaluate.margin' is 'wide'"),
        (lambda text: text.replace("plan: 1 ", "plan: 2 "), "'plan' is 2: Input should be 1"),
        (lambda text: text.replace("findings: [mass]", ""), "there is no key 'findings', which is needed"),
        (lambda text: text.replace("limits: []", "limits: [{metric: auroc, at_lest: 1}]"),
         r"unknown key 'limits.0.at_lest' \(did you mean 'at_least'\?\)"),
        (lambda text: text.replace("limits: []", "limits: [{metric: auroc}]"), "needs one of at_least and at_most"),
        (lambda _: "[1, 2]", "holds list; expected keys and values"),
        (lambda _: "a: [", "not readable as YAML"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_read_is_told_with_file_and_key(write, change, told):
    path = write()
    path.write_text(change(path.read_text()))

    with pytest.raises(UsageError, match=told) as refused:
        read_plan(path)
    assert str(refused.value).startswith(str(path))


def test_a_plan_that_is_not_there_is_told_with_its_option(tmp_path):
    with pytest.raises(UsageError, match=r"missing.yaml: cannot be read .* name an existing file with --plan"):
        read_plan(tmp_path / "missing.yaml")
