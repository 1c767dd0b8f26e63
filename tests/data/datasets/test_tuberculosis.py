"""Montgomery County, Shenzhen, and the mixture of both."""

import pytest
from trees import tuberculosis_trees
from trees.pictures import save, square

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.data.tuberculosis import parse_reading
from shortcut_audit.errors import InputError, UsageError


def read(name, root):
    return open_dataset(DatasetConfig(name=name, root=str(root)))


def test_labels_people_and_both_lungs_of_montgomery(tmp_path):
    names = tuberculosis_trees.write_montgomery(tmp_path)
    manifest = read("montgomery", tmp_path)
    assert manifest.ids == names
    assert manifest.labels(("tuberculosis",))[:, 0].tolist() == [0.0, 1.0] * 20
    assert manifest.frame.select("view", "sex", "age").rows()[:2] == [("PA", "F", "20"), ("PA", "M", "21")]
    lungs = read_drawn(manifest.drawn("mask", "lung")[0]).foreground
    assert (lungs[:16].all(), lungs[16:].any()) == (True, False)
    notes = manifest.card.notes
    assert notes[0] == "the folder of films has 40 rows, 98 fewer than the 138 published (Jaeger et al. 2014)"
    assert "no split was given" in " ".join(notes)
    assert "cavity" not in manifest.frame.write_csv()


def test_one_lung_alone_is_no_mask_of_the_lungs(tmp_path):
    names = tuberculosis_trees.write_montgomery(tmp_path)
    (tmp_path / "MontgomerySet" / "ManualMask" / "leftMask" / f"{names[2]}.png").unlink()
    manifest = read("montgomery", tmp_path)
    assert manifest.drawn("mask", "lung")[2] is None
    assert "lungs are not drawn in 1 of 40 films" in manifest.card.notes


def test_labels_people_and_lungs_of_shenzhen(tmp_path):
    names = tuberculosis_trees.write_shenzhen(tmp_path)
    manifest = read("shenzhen", tmp_path)
    assert manifest.ids == names
    assert manifest.labels(("tuberculosis",))[:2, 0].tolist() == [0.0, 1.0]
    assert manifest.frame.select("sex", "age").rows()[:6] == [
        ("M", "45"), ("F", "24"), ("M", "1"), ("F", "0"), (None, None), ("M", "40"),
    ]  # fmt: skip
    assert manifest.frame["mask.lung"].to_list()[:2] == [None, "mask/CHNCXR_0002_1_mask.png"]
    assert manifest.card.notes[1:3] == (
        "age or sex of 6 of 40 films could not be read in ClinicalReadings",
        "lungs are not drawn in 6 of 40 films",
    )


def test_each_takes_its_own_films_of_the_mixture(tmp_path):
    american, chinese = tuberculosis_trees.write_mixture(tmp_path)
    first, second = read("montgomery", tmp_path), read("shenzhen", tmp_path)
    assert (first.ids, second.ids) == (american, chinese)
    assert first.frame["mask.lung"][0] == "Lung Segmentation/masks/MCUCXR_0001_0.png"
    assert second.frame["mask.lung"][0] == "Lung Segmentation/masks/CHNCXR_0001_0_mask.png"
    assert second.frame["mask.lung"].null_count() == 10
    assert second.frame["image"][39] == "Lung Segmentation/CXR_png/CHNCXR_0040_1.png"


def test_films_without_masks_and_readings_have_labels_only(tmp_path):
    for n in range(6):
        save(tmp_path / f"CHNCXR_{n:04d}_{n % 2}.png", square())
    manifest = read("shenzhen", tmp_path)
    assert (manifest.structures, manifest.findings) == ((), ("tuberculosis",))


def test_counts_one_film_less_and_one_label_changed(tmp_path):
    for n in range(138):
        save(tmp_path / f"MCUCXR_{n + 1:04d}_{int(n < 58)}.png", square(2))
    whole = "the folder of films has 138 rows and values as published (Jaeger et al. 2014)"
    assert read("montgomery", tmp_path).card.notes[0] == whole
    film = tmp_path / "MCUCXR_0001_1.png"
    film.rename(tmp_path / "MCUCXR_0001_0.png")
    notes = read("montgomery", tmp_path).card.notes
    assert "the folder of films: tuberculosis = 1 in 57 rows, published: 58" in notes
    (tmp_path / "MCUCXR_0001_0.png").unlink()
    assert "137 rows, 1 fewer than the 138 published" in read("montgomery", tmp_path).card.notes[0]


def test_a_film_twice_and_no_film_at_all_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no film such as CXR_png/MCUCXR_0001_0\.png of Montgomery County; name"):
        read("montgomery", tmp_path)
    for folder in ("a", "b"):
        save(tmp_path / folder / "MCUCXR_0001_0.png", square())
    with pytest.raises(InputError, match=r"two images are called 'MCUCXR_0001_0': a/MCUCXR_0001_0\.png and b/"):
        read("montgomery", tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient's Sex: M\r\nPatient's Age: 101Y\r\nnormal", ("M", "101")),
        ("female 8 months\nfibrosis", ("F", "0")),
        ("fibrosis of both lungs", (None, None)),
        ("normal\nmale, 12 y", (None, None)),
        ("male 45\ndiffuse nodules", ("M", None)),
        ("male 545yrs\nnormal", ("M", None)),
        ("Patient's Sex: F\nPatient's Age: 45\ndiffuse", ("F", None)),
        ("", (None, None)),
    ],
)
def test_only_what_stands_at_the_head_is_read(text, expected):
    assert parse_reading(text) == expected
