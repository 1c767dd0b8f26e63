"""What every data set promises, whatever it is made of."""

import shutil
from pathlib import Path

import pytest
from trees import chest_trees, dicom_trees, folder_tree, isic_trees, tuberculosis_trees
from trees.chexpert_tree import write_chexpert
from trees.table_tree import write_table_tree

from shortcut_audit.config import DatasetConfig, TableConfig
from shortcut_audit.data.changes import changes_since
from shortcut_audit.data.datasets import DATASETS, open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.data.images import load_pixels
from shortcut_audit.data.manifest import SPLITS, read_manifest
from shortcut_audit.errors import AuditError

OURS = {
    "image": "picture", "sample": "case", "patient": "who", "split": "set", "labels": {"cancer": "malignant"},
    "attributes": {"ruler": "ruler", "scanner": "scanner"}, "masks": {"lesion": "outline"},
}  # fmt: skip


def chexpert(root):
    write_chexpert(root, films=60, size=16)
    return DatasetConfig(name="chexpert", root=str(root))


def table(root):
    write_table_tree(root, rows=40)
    return DatasetConfig(
        name="table", root=str(root), table=TableConfig.model_validate({"file": "cases.csv", "columns": OURS})
    )


def synthetic_cxr(root):
    return DatasetConfig(root=str(root), options={"size": 32, "train": 16, "val": 8, "test": 16})


def synthetic_derm(root):
    options = {"size": 32, "train": 16, "val": 8, "test": 16}
    return DatasetConfig(name="synthetic_derm", root=str(root), options=options)


def covid_qu_ex(root):
    chest_trees.write_covid(root)
    images = sorted(path.relative_to(root).as_posix() for path in root.glob("Lung*/*/*/*/images/*.png"))
    chest_trees.write_tube_table(root / "tubes.csv", images, lambda n: n % 2 == 0)
    return DatasetConfig(name="covid_qu_ex", root=str(root), attributes_file=str(root / "tubes.csv"))


def jsrt(root):
    names = chest_trees.write_jsrt(root)
    chest_trees.write_tube_table(root / "tubes.csv", names, lambda n: n % 3 == 0)
    return DatasetConfig(name="jsrt", root=str(root), attributes_file=str(root / "tubes.csv"))


def image_folder(root):
    folder_tree.write_folders(root)
    return DatasetConfig(name="image_folder", root=str(root), attributes_file=str(root / "tubes.csv"))


def medmnist(root):
    folder_tree.write_medmnist(root)
    return DatasetConfig(name="medmnist", root=str(root), attributes_file=str(root / "tubes.csv"))


def montgomery(root):
    tuberculosis_trees.write_montgomery(root)
    return DatasetConfig(name="montgomery", root=str(root), attributes_file=str(root / "tubes.csv"))


def shenzhen(root):
    tuberculosis_trees.write_shenzhen(root)
    return DatasetConfig(name="shenzhen", root=str(root), attributes_file=str(root / "tubes.csv"))


def vindr_cxr(root):
    names = dicom_trees.write_vindr(root)
    chest_trees.write_tube_table(root / "tubes.csv", names, lambda n: n % 3 == 0)
    return DatasetConfig(name="vindr_cxr", root=str(root), attributes_file=str(root / "tubes.csv"))


def prepared(root):
    # A folder with its images inside, so that every path lies under the root.
    open_dataset(table(root)).save(root)
    return DatasetConfig(name="prepared", root=str(root))


def plain(name, write):
    """A data set that needs nothing but its folder."""

    def make(root):
        write(root)
        return DatasetConfig(name=name, root=str(root))

    return make


WRITERS = {
    "siim_acr": dicom_trees.write_siim,
    "candid_ptx": dicom_trees.write_candid,
    "nih_cxr14": chest_trees.write_nih,
    "mimic_cxr_jpg": chest_trees.write_mimic,
    "padchest": chest_trees.write_padchest,
    "chexpert_plus": chest_trees.write_chexpert_plus,
    "rsna_pneumonia": dicom_trees.write_rsna,
    "chexlocalize": chest_trees.write_chexlocalize,
    "isic2017": isic_trees.write_isic2017,
    "isic_traps": isic_trees.write_traps,
    "isic2018": isic_trees.write_isic2018,
    "isic2016": isic_trees.write_isic2016,
    "isic2019": isic_trees.write_isic2019,
    "ham10000": isic_trees.write_ham10000,
}
TREES = {
    "chexpert": chexpert, "table": table, "synthetic_cxr": synthetic_cxr,
    "synthetic_derm": synthetic_derm,
    "covid_qu_ex": covid_qu_ex, "jsrt": jsrt, "vindr_cxr": vindr_cxr, "prepared": prepared,
    "image_folder": image_folder, "medmnist": medmnist, "montgomery": montgomery, "shenzhen": shenzhen,
    **{name: plain(name, write) for name, write in WRITERS.items()},
}  # fmt: skip


def isic2018_lesions(root):
    isic_trees.write_isic2018_lesions(root)
    return DatasetConfig(name="isic2018", root=str(root), options={"task": 1, "split": "cut"})


def nih_expert_labels(root):
    chest_trees.write_nih_expert_labels(root)
    return DatasetConfig(name="nih_cxr14", root=str(root), options={"labels": "google"})


def inferred_traps(root):
    isic_trees.write_bias_traps(root)
    return DatasetConfig(name="isic_traps", root=str(root), options={"bias": 0.5, "trap": 2})


def jsrt_site(name):
    """One of the zips of JSRT's site, with tubes that came apart from it."""

    def make(root):
        ids = chest_trees.write_jsrt_site(root, name)
        chest_trees.write_tube_table(root / "tubes.csv", ids, lambda n: n % 2 == 0)
        return DatasetConfig(name="jsrt", root=str(root), attributes_file=str(root / "tubes.csv"))

    return make


DRAWN_ONLY = {"jsrt, " + name: jsrt_site(name) for name in ("Segmentation01", "segmentation02")}
"""Data sets that teach segmenters: each image has what is drawn."""
VARIANTS = {
    **DRAWN_ONLY,
    "isic2018, tasks 1 and 2": isic2018_lesions,
    "nih_cxr14, labels of experts": nih_expert_labels,
    "siim_acr, folders": plain("siim_acr", dicom_trees.write_siim_folders),
    "isic_traps of 2022": inferred_traps,
}
"""Data sets again, read by other options or from another form."""
ALL = {**TREES, **VARIANTS}
NAMED_ITSELF = ("synthetic_cxr", "synthetic_derm", "image_folder", "prepared", "table", "chexpert", "chexlocalize")
"""What is refused where the folder above is named; the trees of the last two lie one folder deeper as it is."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Every data set, opened once on its tree."""
    made = {}
    for name, make in ALL.items():
        config = make(tmp_path_factory.mktemp(name))
        made[name] = (config, open_dataset(config))
    return made


@pytest.fixture(params=sorted(ALL))
def pair(request, opened):
    return opened[request.param]


def test_every_data_set_has_a_tree_to_be_tested_on():
    assert sorted(TREES) == DATASETS.names()


def test_every_data_set_says_in_one_line_what_it_is():
    for name, line in DATASETS.describe():
        assert 20 < len(line) < 120, name
        assert line.endswith("."), name


def test_it_has_rows_in_every_split_and_at_least_one_finding_and_one_attribute(pair):
    _, manifest = pair
    assert set(manifest.frame["split"]) == set(SPLITS)
    assert manifest.findings
    assert manifest.attributes


def test_no_patient_is_in_two_splits(pair):
    _, manifest = pair
    assert manifest.frame.select("patient_id", "split").unique()["patient_id"].is_unique().all()


def test_every_image_can_be_read(pair):
    _, manifest = pair
    pixels, quarantine = load_pixels(manifest, size=32, channels=1)
    assert len(pixels) == len(manifest)
    assert quarantine.note() is None


def test_every_path_it_names_is_there_and_under_the_root(pair):
    _, manifest = pair
    root = manifest.root.resolve()
    drawn = [("mask", name) for name in manifest.structures] + [("footprint", name) for name in manifest.footprints]
    cells = [cell for prefix, name in drawn for cell in manifest.drawn(prefix, name) if cell]
    named = [part.file for cell in cells for part in cell if part.file]
    named += [path for name in manifest.counterparts for path in manifest.paths("counterpart", name) if path]
    assert all(path.is_file() and path.is_relative_to(root) for path in named)


def test_every_mask_can_be_read(pair):
    _, manifest = pair
    images = manifest.images()
    drawn = [("mask", name) for name in manifest.structures] + [("footprint", name) for name in manifest.footprints]
    masks = [
        read_drawn(cell, image=image)
        for prefix, name in drawn
        for cell, image in zip(manifest.drawn(prefix, name), images, strict=True)
        if cell
    ]
    assert not masks or any(mask.foreground.any() for mask in masks)


def test_reading_twice_gives_the_same_and_leaves_the_folder_as_it_was(pair):
    config, manifest = pair
    before = _listing(config.root)
    again = open_dataset(config)
    assert again.fingerprint == manifest.fingerprint
    assert again.frame.equals(manifest.frame)
    assert _listing(config.root) == before


def test_it_can_be_saved_and_read_back(pair, tmp_path):
    _, manifest = pair
    path = manifest.save(tmp_path)
    again = read_manifest(tmp_path)
    assert again.fingerprint == manifest.fingerprint
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_copy_of_its_folder_elsewhere_is_the_same_data(pair, tmp_path):
    config, manifest = pair
    shutil.copytree(config.root, tmp_path / "moved")
    file = config.attributes_file and config.attributes_file.replace(config.root, str(tmp_path / "moved"))
    moved = open_dataset(config.model_copy(update={"root": str(tmp_path / "moved"), "attributes_file": file}))
    assert changes_since(manifest, moved, against="itself").none


def test_the_folder_that_holds_it_is_as_good_or_refused_and_loses_nothing_silently(pair, tmp_path, request):
    config, manifest = pair
    whole = Path(config.root)
    shutil.copytree(whole, tmp_path / whole.name)
    file = config.attributes_file and config.attributes_file.replace(config.root, str(tmp_path / whole.name))
    higher = config.model_copy(update={"root": str(tmp_path), "attributes_file": file})
    if request.node.callspec.params["pair"] in NAMED_ITSELF:
        with pytest.raises(AuditError):
            open_dataset(higher)
        return
    assert changes_since(manifest, open_dataset(higher), against="itself").none


def _listing(root):
    return sorted((str(path), path.stat().st_mtime_ns) for path in Path(root).rglob("*") if path.is_file())
