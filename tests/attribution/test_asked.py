"""What a method does not read is said and left out; a tolerance needs room for further steps."""

import pytest

from shortcut_audit.attribution.asked import PLAIN, check_asked, constants, heeded
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError

ASKED = {"quadrature": "midpoint", "tolerance": 0.05, "precision": "bfloat16"}


@pytest.mark.parametrize(
    ("names", "left"),
    [
        ({"method": "integrated_gradients"}, ASKED),
        ({"method": "smoothgrad", "smoothed": "integrated_gradients"}, ASKED),
        ({"method": "integrated_gradients_captum"}, {**PLAIN, "quadrature": "midpoint"}),
        ({"method": "grad_cam"}, PLAIN),
        ({"method": "smoothgrad", "smoothed": "occlusion"}, PLAIN),
    ],
)
def test_only_what_the_method_reads_is_left(names, left, capsys):
    config = ExplainConfig(**ASKED, **names)
    found = heeded(config)
    assert {key: getattr(found, key) for key in PLAIN} == left
    said = capsys.readouterr().err
    assert ("does not read" in said) == (left != ASKED)
    if left == PLAIN:
        name = names["method"]
        assert f"the method '{name}' does not read explain.quadrature=midpoint, explain.tolerance=0.05, " in said


@pytest.mark.parametrize(
    ("quadrature", "steps", "needed"), [("gauss_legendre", 30, 90), ("midpoint", 40, 81), ("midpoint", 32, 65)]
)
def test_a_tolerance_without_room_for_further_steps_is_refused(quadrature, steps, needed):
    config = ExplainConfig(quadrature=quadrature, steps=steps, tolerance=0.05)
    with pytest.raises(UsageError, match=rf"the next are {needed}, .*max_steps: 64; set explain.max_steps={needed} or"):
        check_asked(config)
    check_asked(config.model_copy(update={"max_steps": needed}))
    check_asked(config.model_copy(update={"tolerance": None}))
    check_asked(config.model_copy(update={"method": "occlusion"}))


def test_a_method_that_is_to_smooth_itself_is_refused():
    with pytest.raises(UsageError, match="smoothgrad cannot smooth itself; name another method"):
        check_asked(ExplainConfig(method="smoothgrad", smoothed="smoothgrad"))


def test_what_decides_the_maps_beside_the_configuration_is_told():
    assert constants(ExplainConfig(baseline=["black"])) == {"least_difference": 0.5}
    other = ExplainConfig(baseline=["gaussian"], method="smoothgrad", smoothed="occlusion")
    assert constants(other) == {"least_difference": 0.5, "gaussian_sd": 0.5, "occlusion_patch_share": 0.125}
