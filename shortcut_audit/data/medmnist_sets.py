"""What MedMNIST v2 (Yang et al. 2023) says of its twelve sets of pictures: classes, sizes of the splits, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shortcut_audit.data.isic_tables import DIAGNOSES, HAM_CODES, HAM_COUNTS

_CHEST = {
    "atelectasis": 11559, "cardiomegaly": 2776, "effusion": 13317, "infiltration": 19894, "mass": 5782, "nodule": 6331,
    "pneumonia": 1431, "pneumothorax": 5302, "consolidation": 4667, "edema": 2303, "emphysema": 2516, "fibrosis": 1686,
    "pleural_thickening": 3385, "hernia": 227,
}  # fmt: skip
_ORGANS = (
    "bladder", "femur_left", "femur_right", "heart", "kidney_left", "kidney_right", "liver", "lung_left", "lung_right",
    "pancreas", "spleen",
)  # fmt: skip
_DERMATOSES = ("AKIEC", "BCC", "BKL", "DF", "MEL", "NV", "VASC")


@dataclass(frozen=True, kw_only=True)
class MedmnistSet:
    """One set.

    ``classes`` are in the order of the numbers that the file holds; None is the class that is the absence of the
    other. Of a ``multilabel`` set they are the columns. ``images`` counts train, val and test; ``positives`` those
    findings whose number was published, with the set that the pictures come from.
    """

    classes: tuple[str | None, ...]
    images: tuple[int, int, int]
    multilabel: bool = False
    licence: str = "CC BY 4.0"
    positives: Mapping[str, int] = field(default_factory=dict)


SETS = {
    "pathmnist": MedmnistSet(
        classes=(
            "adipose", "background", "debris", "lymphocytes", "mucus", "smooth_muscle", "normal_colon_mucosa",
            "cancer_associated_stroma", "colorectal_adenocarcinoma_epithelium",
        ),
        images=(89_996, 10_004, 7_180),
    ),
    "chestmnist": MedmnistSet(
        classes=tuple(_CHEST), images=(78_468, 11_219, 22_433), multilabel=True, positives=_CHEST
    ),
    "dermamnist": MedmnistSet(
        classes=tuple(DIAGNOSES[code] for code in _DERMATOSES),
        images=(7_007, 1_003, 2_005),
        licence="CC BY-NC 4.0",
        positives={DIAGNOSES[code]: count for code, count in zip(HAM_CODES, HAM_COUNTS, strict=True)},
    ),
    "octmnist": MedmnistSet(
        classes=("choroidal_neovascularization", "diabetic_macular_edema", "drusen", "normal"),
        images=(97_477, 10_832, 1_000),
    ),
    "pneumoniamnist": MedmnistSet(
        classes=(None, "pneumonia"), images=(4_708, 524, 624), positives={"pneumonia": 4_273}
    ),
    "retinamnist": MedmnistSet(
        classes=tuple(f"diabetic_retinopathy_{grade}" for grade in range(5)), images=(1_080, 120, 400)
    ),
    "breastmnist": MedmnistSet(classes=("malignant", None), images=(546, 78, 156), positives={"malignant": 210}),
    "bloodmnist": MedmnistSet(
        classes=(
            "basophil", "eosinophil", "erythroblast", "immature_granulocyte", "lymphocyte", "monocyte", "neutrophil",
            "platelet",
        ),
        images=(11_959, 1_712, 3_421),
    ),
    "tissuemnist": MedmnistSet(
        classes=(
            "collecting_duct", "distal_convoluted_tubule", "glomerular_endothelial", "interstitial_endothelial",
            "leukocyte", "podocyte", "proximal_tubule", "thick_ascending_limb",
        ),
        images=(165_466, 23_640, 47_280),
    ),
    "organamnist": MedmnistSet(classes=_ORGANS, images=(34_561, 6_491, 17_778)),
    "organcmnist": MedmnistSet(classes=_ORGANS, images=(12_975, 2_392, 8_216)),
    "organsmnist": MedmnistSet(classes=_ORGANS, images=(13_932, 2_452, 8_827)),
}  # fmt: skip
