"""The constant of a threshold rule, chosen for each finding on a few drawn masks of training films.

CheXlocalize (Saporta et al. 2022) tunes a threshold for each finding by IoU on validation films; here it
is mean Dice on training films, so that nothing of validation or test is used up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.agreement import dice
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.rules import RULES
from shortcut_audit.shapes import Heatmap, Ints, Mask


@dataclass(frozen=True, kw_only=True)
class References:
    """Drawn masks of one finding.

    Attributes:
        rows: (n,) which of the films that are explained.
        masks: n masks (H,W), none of them empty.
    """

    rows: Ints
    masks: Sequence[Mask]


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was chosen for a finding, and its mean Dice with ``masks`` drawn masks."""

    constant: str
    value: float
    dice: float
    masks: int


def need_constant(config: PseudoMaskConfig) -> str:
    """Return the name of the rule's constant.

    Raises:
        UsageError: the rule has none.
    """
    constant = RULES.get(config.rule).constant
    if constant is None:
        raise UsageError(f"the threshold rule '{config.rule}' has no constant to tune; set pseudo_mask.tune_on: 0")
    return constant


def nothing_to_tune_on(config: PseudoMaskConfig, findings: Sequence[str]) -> UsageError:
    """Return the error for a rule that is to be tuned where no finding has a drawn mask."""
    return UsageError(
        f"pseudo_mask.tune_on: {config.tune_on}, but no training film has a drawn mask of {', '.join(findings)}; "
        "set it to 0, or bring masks of some"
    )


def tune(heatmaps: Iterable[Heatmap], masks: Sequence[Mask], config: PseudoMaskConfig) -> Tuned:
    """Return the value of the rule's grid with the largest mean Dice; of equal ones that with fewer pixels.

    A pseudo-mask that is empty counts as Dice 0: the drawn masks are not empty. The gate is not applied.
    """
    constant = need_constant(config)
    maps = [*heatmaps]
    ungated = config.model_copy(update={"min_score": 0.0})
    best: Tuned | None = None
    for value in RULES.get(config.rule).grid:
        cut = ungated.model_copy(update={constant: value})
        pairs = zip(maps, masks, strict=True)
        mean = float(np.mean([dice(pseudo_mask(heatmap, cut).foreground, mask) or 0.0 for heatmap, mask in pairs]))
        if best is None or mean > best.dice:
            best = Tuned(constant=constant, value=value, dice=mean, masks=len(masks))
    assert best is not None
    return best


def tuned_cuts(
    config: PseudoMaskConfig,
    findings: Sequence[str],
    references: Mapping[str, References],
    explain: Callable[[Ints, int], Iterable[Heatmap]],
) -> tuple[list[PseudoMaskConfig], dict[str, object]]:
    """Return the configuration of each finding, and what was chosen, for the store's settings.

    Args:
        config: the rule, and its constant where a finding has no drawn masks.
        findings: the findings (F), in order.
        references: finding to its drawn masks; a finding that is not there keeps the constant.
        explain: returns the heat maps of some rows for one finding.
    """
    cuts, chosen = [], {}
    for place, finding in enumerate(findings):
        cut = config
        if (drawn := references.get(finding)) is not None:
            found = tune(explain(drawn.rows, place), drawn.masks, config)
            cut, chosen[finding] = config.model_copy(update={found.constant: found.value}), asdict(found)
        cuts.append(cut)
    return cuts, ({"tuned": chosen} if chosen else {})
