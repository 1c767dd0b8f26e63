"""Synthetic dermoscopic images: exact rates, exact counterparts, and a known ceiling."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.datasets.synthetic_derm import DermOptions, plan_images, render
from shortcut_audit.data.derm_artefacts import ARTEFACTS, FAINTEST, draw, lay
from shortcut_audit.errors import BusyError, UsageError

SMALL = {"size": 48, "train": 10, "val": 8, "test": 8}
PLANNED = {"train": 400, "val": 100, "test": 400}
EVEN = dict.fromkeys(ARTEFACTS, (0.5, 0.5))


def config(root, **options):
    return DatasetConfig(name="synthetic_derm", root=str(root), options=SMALL | options)


def read(path):
    return np.asarray(Image.open(path)).astype(int)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return open_dataset(config(tmp_path_factory.mktemp("derm") / "set", rates=EVEN))


def shares(plans, name, split="test"):
    of = [plan for plan in plans if plan.split == split]
    return [np.mean([name in p.present for p in of if p.malignant == malignant]) for malignant in (True, False)]


@pytest.mark.parametrize("name", ARTEFACTS)
def test_an_artefact_has_exactly_the_rates_asked_for_and_changes_no_other(name):
    plain, planted = (plan_images(DermOptions(**PLANNED, rates=rates)) for rates in ({}, {name: (0.9, 0.1)}))
    assert shares(planted, name) == pytest.approx([0.9, 0.1], abs=1e-9)
    for other in set(ARTEFACTS) - {name}:
        assert [other in p.present for p in plain] == [other in p.present for p in planted]
    assert [p.lesion for p in plain] == [p.lesion for p in planted]


def test_only_the_ruler_goes_with_the_label_unless_asked():
    plans = plan_images(DermOptions(**PLANNED))
    assert {name: np.subtract(*shares(plans, name)) for name in ARTEFACTS} == pytest.approx(
        {"ruler": 0.5, "hair": 0, "gel_bubble": 0, "dark_corner": 0, "ink": 0}, abs=0.01
    )


def test_size_goes_with_the_label_only_where_it_is_linked():
    def by_area(link):
        plans = plan_images(DermOptions(**PLANNED, size_link=link))
        return roc_auc_score([p.malignant for p in plans], [p.lesion.area for p in plans])

    assert by_area(0.0) == pytest.approx(0.5, abs=0.06)
    assert by_area(1.5) == pytest.approx(0.856, abs=0.05)  # Phi(1.5 / sqrt 2)


def test_the_lesion_ranks_as_well_as_the_card_says(manifest):
    plans = plan_images(DermOptions(**PLANNED))
    found = roc_auc_score([p.malignant for p in plans], [p.lesion.irregularity for p in plans])
    assert found == pytest.approx(0.871, abs=0.04)
    assert "the lesion alone ranks with an AUROC of at most 0.871, its size apart" in manifest.card.notes


def test_a_counterpart_differs_in_one_artefact_and_nothing_else(manifest):
    for row in range(len(manifest)):
        sample = manifest.sample(row)
        image = read(sample.image)
        assert image.shape == (48, 48, 3)
        for name in ARTEFACTS:
            switched = read(sample.counterparts[name])
            assert (switched != image).any()
            if sample.attributes[name] == 1:
                footprint = read(sample.footprints[name][0].file) > 0
                moved = np.abs(switched - image).sum(axis=2)
                assert moved[footprint].mean() > 5 * moved[~footprint].mean()
            else:
                assert name not in sample.footprints


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(ARTEFACTS), seed=st.integers(0, 10_000), size=st.integers(32, 160))
def test_outside_its_footprint_an_artefact_changes_not_one_bit(name, seed, size):
    plan = plan_images(DermOptions(**SMALL, rates=EVEN, seed=seed))[0]
    image, switched, masks = render(plan, size)
    changed = (image != switched[name]).any(axis=2)
    assert changed.any()
    assert not (changed & ~masks[name]).any()


@pytest.mark.parametrize("name", ARTEFACTS)
def test_a_footprint_holds_what_covers_five_percent_and_nothing_fainter(name):
    for seed in range(5):
        layer = lay(name, draw(name, np.random.default_rng(seed)), 96)
        assert layer.footprint.any()
        assert layer.cover[layer.footprint].min() >= FAINTEST
        assert layer.cover[~layer.footprint].max() == 0
    assert FAINTEST * 255 < 13  # what is left out of black on white, in grey levels, as the page says


def test_taking_an_artefact_off_the_counterpart_gives_the_image_back():
    plan = plan_images(DermOptions(**SMALL, rates=EVEN))[0]
    image, switched, masks = render(plan, 48)
    for name in ARTEFACTS:
        other = type(plan)(**{**plan.__dict__, "present": plan.present ^ {name}})
        assert np.array_equal(render(other, 48)[0], switched[name])
        assert np.array_equal(render(other, 48)[1][name], image)
        assert 0.001 < masks[name].mean() < 0.5


def test_the_lesion_has_the_area_that_was_drawn(manifest):
    plans = plan_images(DermOptions(**SMALL, rates=EVEN))
    for plan, row in zip(plans, range(len(manifest)), strict=True):
        mask = read(manifest.sample(row).masks["lesion"][0].file) > 0
        assert mask.mean() == pytest.approx(plan.lesion.area, abs=2 / mask.size)


def test_a_patient_has_one_skin_and_is_in_one_split():
    seen = {}
    for plan in plan_images(DermOptions(**PLANNED)):
        assert seen.setdefault(plan.patient_id, (plan.split, plan.skin, plan.age)) == (plan.split, plan.skin, plan.age)
    assert len(seen) < 0.85 * sum(PLANNED.values())


def test_equal_options_give_equal_bytes_and_other_options_are_refused(manifest, tmp_path):
    again = open_dataset(config(tmp_path / "again", rates=EVEN))
    assert again.fingerprint == manifest.fingerprint
    assert all(
        (again.root / path.relative_to(manifest.root)).read_bytes() == path.read_bytes()
        for path in manifest.root.rglob("*.png")
    )
    with pytest.raises(BusyError, match="holds synthetic films of other options"):
        open_dataset(config(manifest.root, seed=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"rates": {"rulers": (0.5, 0.5)}},
            (
                "dataset.options.rates: there is no artefact 'rulers' (did you mean 'ruler'?); "
                "there are: ruler, hair, gel_bubble, dark_corner, ink"
            ),
        ),
        (
            {"rates": {"hair": 0.5}},
            (
                "dataset.options.rates: '{'hair': 0.5}' is not two shares from 0 to 1 an artefact, "
                "among malignant and among benign, as in {ruler: [.9, .1]}"
            ),
        ),
        (
            {"rates": {"ruler": (1.5, 0.5)}},
            "dataset.options.rates: '{'ruler': (1.5, 0.5)}' is not two shares from 0 to 1",
        ),
        ({"rates": 0.5}, "dataset.options.rates: '0.5' is not two shares from 0 to 1 an artefact"),
        ({"size_link": 5}, "dataset.options.size_link: '5' is not a number of at least -2 and at most 2"),
        (
            {"size_lnk": 1},
            (
                "dataset.options.size_lnk: the data set 'synthetic_derm' has no such option "
                "(did you mean 'size_link'?); it has: size, train, val, test, prevalence, rates"
            ),
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused_and_nothing_is_written(tmp_path, options, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        open_dataset(config(tmp_path / "set", **options))
    assert not (tmp_path / "set").exists()
