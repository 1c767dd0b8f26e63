"""COVID-QU-Ex: folders are labels and splits; one part at a time."""

import shutil

import pytest
from trees.chest_trees import write_covid

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import UsageError

LUNG = "Lung Segmentation Data"


def read(root, **options):
    return open_dataset(DatasetConfig(name="covid_qu_ex", root=str(root), options=options))


def test_the_lung_part_has_lungs_and_three_classes(tmp_path):
    write_covid(tmp_path)
    manifest = read(tmp_path)
    assert (len(manifest), manifest.structures) == (48, ("lung",))
    assert manifest.findings == ("covid_19", "other_pneumonia", "normal")
    sample = manifest.sample(manifest.ids.index("Val/Non-COVID/Non-COVID_Val2"))
    assert sample.labels == {"covid_19": 0, "other_pneumonia": 1, "normal": 0}
    assert sample.split == "val"
    assert sample.image == tmp_path.resolve() / LUNG / LUNG / "Val/Non-COVID/images/Non-COVID_Val2.png"
    assert manifest.frame["mask.lung"][0] == f"{LUNG}/{LUNG}/Train/COVID-19/lung masks/COVID-19_Train0.png"


def test_the_infection_part_has_infections_too(tmp_path):
    write_covid(tmp_path)
    manifest = read(tmp_path, part="infection")
    assert manifest.structures == ("lung", "infection")
    assert "Infection Segmentation Data has 48 rows, 5,778 fewer than" in manifest.card.notes[0]


@pytest.mark.parametrize("inner", ["", LUNG, f"{LUNG}/{LUNG}"])
def test_the_root_may_be_any_of_the_folders(tmp_path, inner):
    write_covid(tmp_path)
    assert len(read(tmp_path / inner)) == 48


def test_a_film_without_a_mask_has_a_blank_one(tmp_path):
    write_covid(tmp_path)
    (tmp_path / LUNG / LUNG / "Train/COVID-19/lung masks/COVID-19_Train0.png").unlink()
    assert read(tmp_path).frame["mask.lung"][0] is None


def test_another_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"no folder 'Lung Segmentation Data' with Train in it; name the folder that"):
        read(tmp_path)


def test_a_folder_without_images_is_a_usage_error(tmp_path):
    write_covid(tmp_path)
    shutil.rmtree(tmp_path / LUNG / LUNG)
    (tmp_path / LUNG / LUNG / "Train").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"no image in Train/COVID-19/images and the like; fetch the data set again"):
        read(tmp_path)
