"""Which test images are others than planned, or have other labels or attributes: named by id on the terminal only."""

from __future__ import annotations

from collections.abc import Sequence

from shortcut_audit.audit.plans.departure import Departure
from shortcut_audit.audit.plans.images import PlannedIds, PlannedValues, Scope, digest_of, value_digests
from shortcut_audit.audit.result.judgement import Deviation
from shortcut_audit.provenance import fingerprint

NAMED = 3
"""So many ids are named at most."""


def changed_ids(planned: PlannedIds, scope: Scope) -> Departure | None:
    """Return how the test images, or the count of their rows, depart from the plan."""
    if (sha256 := fingerprint(scope.ids)) != planned.sha256:
        record = Deviation(what="test ids", planned=f"{planned.images} images, SHA-256 {planned.sha256[:12]}",
                           asked=f"{len(scope.ids)} images, SHA-256 {sha256[:12]}")  # fmt: skip
        return Departure(record=record, told=f"test ids: {_new_and_missing(planned, scope.ids)}")
    if planned.rows is not None and scope.rows is not None and planned.rows != scope.rows:
        record = Deviation(what="test rows", planned=str(planned.rows), asked=str(scope.rows))
        told = f"test rows (model x finding x image): {scope.rows}, the plan says {planned.rows} for the same images"
        return Departure(record=record, told=told)
    return None


def changed_values(planned: PlannedValues, ids: PlannedIds, scope: Scope) -> Departure | None:
    """Return how labels and attributes of the planned images depart from the plan; new images are not compared."""
    now = {column: scope.values(column) for column in planned.sha256}
    if gone := [column for column, values in now.items() if values is None]:
        return _of_values(planned, gone, "not here", "planned and not here")
    sha256 = {column: fingerprint(values) for column, values in now.items()}
    others = [column for column, found in sha256.items() if found != planned.sha256[column]]
    if not others:
        return None
    asked = ", ".join(f"{column} SHA-256 {sha256[column][:12]}" for column in others)
    same_ids = fingerprint(scope.ids) == ids.sha256
    changed = _images_with_others(planned, ids, scope, same_ids=same_ids)
    if changed is None or (same_ids and not changed):
        untold = "changed, or not to be compared; the plan's digests, which would name the images, do not"
        return _of_values(planned, others, asked, untold)
    if not changed:
        return None
    many = f"{len(changed)} image{'s' * (len(changed) != 1)}"
    return _of_values(planned, others, f"{asked}; {many}", f"changed of {many}: {_some(_quoted(changed))}")


def _images_with_others(planned: PlannedValues, ids: PlannedIds, scope: Scope, *, same_ids: bool) -> list[str] | None:
    """Return the planned images that have other values now; None where the plan cannot tell."""
    expected, known = set(planned.digests.split()), set(ids.digests.split())
    if not expected or not (same_ids or known):
        return None
    found = value_digests(scope, planned.sha256)
    return [
        name for name in scope.ids
        if found[name] not in expected and (same_ids or digest_of(name, ids.sha256) in known)
    ]  # fmt: skip


def _of_values(planned: PlannedValues, columns: Sequence[str], asked: str, told: str) -> Departure:
    held = ", ".join(f"{column} SHA-256 {planned.sha256[column][:12]}" for column in columns)
    record = Deviation(what="labels and attributes", planned=held, asked=asked)
    return Departure(record=record, told=f"labels and attributes: {', '.join(columns)} {told}")


def _new_and_missing(planned: PlannedIds, ids: Sequence[str]) -> str:
    """Name new ids, and missing ones by the ids they stood between, for the plan knows their digests only."""
    totals = f"{len(ids)} images, the plan says {planned.images}"
    digests = planned.digests.split()
    if not digests:
        return f"{totals}, and their hash differs (the plan's digests, which would name them, were taken out)"
    names = {digest_of(name, planned.sha256): name for name in ids}
    known = set(digests)
    new = [name for digest, name in names.items() if digest not in known]
    missing = [place for place, digest in enumerate(digests) if digest not in names]
    told = [totals]
    if new:
        told.append(f"{len(new)} not in the plan: {_some(_quoted(new))}")
    if len(missing) == len(digests):
        told.append("none of the planned ones is here")
    elif missing:
        places = [_between(place, digests, names) for place in missing[:NAMED]]
        told.append(f"{len(missing)} missing: {_some(places, len(missing))}")
    return ", ".join(told)


def _between(place: int, digests: Sequence[str], names: dict[str, str]) -> str:
    """Say where in the order of ids a missing one stood."""
    before = next((names[digest] for digest in reversed(digests[:place]) if digest in names), None)
    after = next((names[digest] for digest in digests[place + 1 :] if digest in names), None)
    if before is None or after is None:
        return f"the one before '{after}'" if before is None else f"the one after '{before}'"
    return f"the one between '{before}' and '{after}'"


def _quoted(names: Sequence[str]) -> list[str]:
    return [f"'{name}'" for name in names]


def _some(told: Sequence[str], count: int | None = None) -> str:
    """Return the first of ``count`` things, and how many more there are."""
    more = (len(told) if count is None else count) - NAMED
    return ", ".join(told[:NAMED]) + (f" and {more} more" if more > 0 else "")
