"""Is the new version of a model worse than the old one by more than a margin?

This is a test of non-inferiority with pairs. Where higher is better, B is worse by A - B. Where a number has a
value of "nothing to see", as a gap has 0, B is worse by |b| - |a|, the distances from it. Since |a| is the larger
of a and -a, whatever the truth:

    |b| - |a| <= max over s of (s b - t a)      for either sign t: not worse if both lie under the margin
    |b| - |a| >= min over t of (s b - t a)      for either sign s: worse if both lie above it

so s and t are taken from the estimates and cannot make a claim wrong, only weaker.
"""

from __future__ import annotations

from collections.abc import Sequence

from shortcut_audit.audit.measures.seeds import combine
from shortcut_audit.audit.result.judgement import Evidence
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.versions.contrasts import Number

Seeds = Sequence[Contrast]
SIGNS = (1.0, -1.0)


def worse_by(number: Number, old: Seeds, new: Seeds, confidence: float) -> tuple[float, float, float] | str:
    """Return by how much B is worse with its lower and upper limit, or the reason why that is not known.

    Args:
        number: what is compared.
        old: the number of A, one contrast a seed.
        new: that of B, over the same patient index.
        confidence: of the two-sided interval; each limit is a one-sided one at half of 1 - confidence.
    """
    found = combine([(-1.0, new), (1.0, old)], confidence)
    if isinstance(found, Undefined):
        return found.reason
    if number.null is None:
        return found.value, found.low, found.high
    a, b = _mean(old) - number.null, _mean(new) - number.null
    s, t = 1.0 if b >= 0 else -1.0, 1.0 if a >= 0 else -1.0
    low = min(_distance(number.null, s, new, sign, old, confidence)[0] for sign in SIGNS)
    high = max(_distance(number.null, sign, new, t, old, confidence)[1] for sign in SIGNS)
    return abs(b) - abs(a), low, high


def judge(low: float, high: float, margin: float) -> Evidence:
    """Return whether B is worse by more than the margin: ``yes``, ``no`` or ``cannot tell``."""
    if low > margin:
        return "yes"
    return "no" if high < margin else "cannot tell"


def _mean(seeds: Seeds) -> float:
    return sum(contrast.value for contrast in seeds) / len(seeds)


def _distance(
    null: float, s: float, new: Seeds, t: float, old: Seeds, confidence: float
) -> tuple[float, float]:  # fmt: skip
    """Return the limits of s (new - null) - t (old - null)."""
    found = combine([(s, new), (-t, old)], confidence)
    assert isinstance(found, Estimate)
    shift = (s - t) * null
    return found.low - shift, found.high - shift
