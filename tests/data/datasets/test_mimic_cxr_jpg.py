"""MIMIC-CXR-JPG: three packed tables joined by film and by study."""

import gzip

import pytest
from trees.chest_trees import write_mimic, write_mimic_test_labels

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError


def read(root, **options):
    return open_dataset(DatasetConfig(name="mimic_cxr_jpg", root=str(root), options=options))


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_mimic(tmp_path)


def edit(root, what, change):
    path = root / f"mimic-cxr-2.0.0-{what}.csv.gz"
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()).decode()).encode()))


def test_films_have_the_labels_of_their_study_and_their_own_view(tree):
    root, ids = tree
    manifest = read(root)
    assert manifest.ids == ids
    assert manifest.labels(("pneumothorax",))[:6, 0].tolist() == [0, 0, 1, 1, 0, 0]
    assert manifest.labels(("edema",))[0, 0] == -1
    assert manifest.frame["attribute.portable"].to_list()[:4] == [1, 0, 0, 1]
    assert manifest.frame["attribute.support_devices"].to_list()[:8] == [1, 1, 0, 0, 0, 0, 1, 1]
    assert manifest.frame["view"].to_list()[:3] == ["AP", "PA", "PA"]
    assert manifest.frame["patient_id"].to_list()[3:5] == ["10000032", "10000033"]
    assert manifest.images()[2] == root.resolve() / f"files/p10/p10000032/s50414268/{ids[2]}.jpg"
    assert all(image.is_file() for image in manifest.images())
    assert manifest.frame["split"].to_list()[:16:4] == ["train", "train", "val", "test"]
    assert manifest.card.release == "2.0.0"


def test_the_other_labeler_is_an_option(tree):
    root, _ = tree
    chexpert = root / "mimic-cxr-2.0.0-chexpert.csv.gz"
    text = gzip.decompress(chexpert.read_bytes()).decode()
    (root / "mimic-cxr-2.0.0-negbio.csv").write_text(text.replace("-1.0", "1.0"))
    assert read(root, labels="negbio").labels(("edema",))[0, 0] == 1
    with pytest.raises(UsageError, match=r"dataset\.options\.labels: 'negbo' is not one of chexpert, negbio"):
        read(root, labels="negbo")
    with pytest.raises(
        UsageError, match=r"options\.label: .* has no such option \(did you mean 'labels'\?\); it has: la"
    ):
        read(root, label="negbio")


def test_films_of_studies_without_labels_are_left_out_as_a_blank_would_be_read_as_not_mentioned(tree):
    root, ids = tree
    edit(root, "chexpert", lambda text: "\n".join(text.splitlines()[:-1]) + "\n")
    manifest = read(root)
    assert "2 films belong to studies without labels and are left out" in manifest.card.notes
    assert manifest.ids == ids[:-2]


def test_a_study_with_two_rows_is_refused(tree):
    edit(tree[0], "chexpert", lambda text: text + text.splitlines()[1] + "\n")
    with pytest.raises(InputError, match=r"row 1: the study '50414267' has two rows; keep one of them"):
        read(tree[0])


def test_a_film_without_a_split_is_refused(tree):
    root, ids = tree
    edit(root, "split", lambda text: "\n".join(text.splitlines()[:-1]) + "\n")
    with pytest.raises(InputError, match=rf"the film '{ids[-1]}' has no split here; fetch the table again"):
        read(root)


def test_lateral_films_are_left_out(tree):
    edit(tree[0], "metadata", lambda text: text.replace(",PA,", ",LATERAL,", 1).replace(",PA,", ",LL,", 1))
    assert "2 lateral views are left out (dataset.views: frontal)" in read(tree[0]).card.notes


def test_half_a_packed_table_is_refused(tree):
    path = tree[0] / "mimic-cxr-2.0.0-split.csv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"split\.csv\.gz: not a whole gzip file .*; fetch it again"):
        read(tree[0])


def test_a_finding_without_its_column_is_a_usage_error(tree):
    edit(tree[0], "chexpert", lambda text: text.replace("Fracture", "Frcture"))
    with pytest.raises(
        UsageError, match=r"chexpert\.csv\.gz: no column 'Fracture'; the columns are: subject_id, study_id"
    ):
        read(tree[0])


def test_no_finding_can_make_blanks_negative(tree):
    root, _ = tree
    header = gzip.decompress((root / "mimic-cxr-2.0.0-chexpert.csv.gz").read_bytes()).decode().splitlines()[0]
    at = header.split(",").index("No Finding")

    def healthy(text):
        first, row, *rest = text.splitlines()
        cells = row.split(",")
        cells[at] = "1.0"
        return "\n".join([first, ",".join(cells), *rest, ""])

    edit(root, "chexpert", healthy)
    manifest = read(root, no_finding="negative")
    assert manifest.frame["label.fracture"].to_list()[:3] == [0, 0, None]
    assert manifest.frame["label.edema"].to_list()[:3] == [0, 0, -1]
    assert manifest.frame["label.support_devices"].to_list()[:2] == [1, 1]
    assert any("in 2 rows with No Finding = 1, 20 blanks and 2 labels" in note for note in manifest.card.notes)
    assert read(root).frame["label.fracture"].null_count() == 40


def test_a_radiologists_labels_of_the_test_split_are_said_to_be_there(tree):
    root, _ = tree
    assert not any("test_labels" in note for note in read(root).card.notes)
    write_mimic_test_labels(root)
    hint = (
        "mimic-cxr-2.1.0-test-set-labeled.csv is here and not used: a radiologist's labels of the test split "
        "(dataset.options.test_labels: radiologist)"
    )
    assert hint in read(root).card.notes


def test_the_test_split_can_have_a_radiologists_labels(tree):
    root, ids = tree
    write_mimic_test_labels(root)
    labeler, manifest = read(root), read(root, test_labels="radiologist")
    test = manifest.split("test")
    assert test.ids == [*ids[12:14], *ids[28:32]]
    assert test.labels(("pneumothorax",))[:, 0].tolist() == [1, 1, 0, 0, 0, 0]
    assert test.labels(("lung_opacity",))[:, 0].tolist() == [-1] * 6
    assert test.frame["label.edema"].null_count() == 6
    assert test.frame["attribute.support_devices"].to_list() == [0] * 6
    for split in ("train", "val"):
        assert manifest.split(split).frame.equals(labeler.split(split).frame)
    notes = manifest.card.notes
    assert "test_labels: radiologist, 3 studies; 2 test films of other studies are left out" in notes
    assert "1 studies of mimic-cxr-2.1.0-test-set-labeled.csv have no test film here and are not used" in notes


def test_a_radiologists_labels_that_are_not_here_or_twice_are_refused(tree):
    root, _ = tree
    with pytest.raises(UsageError, match=r"no mimic-cxr-2\.1\.0-test-set-labeled\.csv of MIMIC-CXR-JPG 2\.1\.0"):
        read(root, test_labels="radiologist")
    write_mimic_test_labels(root)
    path = root / "mimic-cxr-2.1.0-test-set-labeled.csv"
    path.write_text(path.read_text().replace("50414281,", "50414273,"))
    with pytest.raises(InputError, match=r"the study_id '50414273' stands in row 2 and again in row 3"):
        read(root, test_labels="radiologist")


@pytest.mark.parametrize(("word", "said"), [("tset", "holds 'tset'; expected"), ("", "is blank")])
def test_another_word_for_a_split_is_refused_in_its_own_table(tree, word, said):
    edit(tree[0], "split", lambda text: text.replace(",validate", f",{word}", 1))
    with pytest.raises(InputError, match=rf"mimic-cxr-2\.0\.0-split\.csv\.gz: row 9, column 'split' {said}"):
        read(tree[0])
