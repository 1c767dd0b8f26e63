"""How often the verdict errs, world by world, against each world's true reliance.

Nightly: ``python -m tests.simulation.verdicts``. Not collected by pytest; ``test_verdicts.py`` runs a small cut.

Each table goes the way of ``audit evaluate``: it is checked, cut into a question, asked, corrected and judged. Of the
checks only those that decide are run (skill, gap, reliance); the report's numbers and the provenance are left out.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shortcut_audit.audit.checks.gap import gap
from shortcut_audit.audit.checks.reliance import reliance
from shortcut_audit.audit.checks.skill import skill
from shortcut_audit.audit.evidence import Case, correct, judge
from shortcut_audit.audit.result.judgement import Verdict
from shortcut_audit.audit.statistics.estimate import clopper_pearson
from shortcut_audit.audit.table.question import Setting, build_question
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig

from .parts import options, simulate
from .worlds import CLEAR, MARGIN, WORLDS, World, draw, oracle

STATUSES = ("fail", "concern", "insufficient", "pass")
DECIDING = {"skill": skill, "gap": gap, "reliance": reliance}
FALSE_FAIL, TRUE_FAIL, FALSE_PASS = 0.05, 0.90, 1 / 2000
ROUNDING = 1e-9
ENOUGH = 60
"""Films in each cell from which a FAIL is due."""


def verdict(world: World, rng: np.random.Generator) -> Verdict:
    """Draw a table and judge it with the default limits."""
    table = ScoresTable.from_frame(draw(world, rng), where="a simulated table")
    pairs = "edited" if world.columns == "edited pairs" else "exact"
    setting = Setting(limits=EvaluateConfig(spurious=["tube"]), pairs=pairs, test_design="natural")
    question = build_question(table, "model", "finding", "tube", setting)
    case = Case(question=question, findings={name: check(question) for name, check in DECIDING.items()})
    return judge(correct([case])[0])


def count(name: str, replicates: int) -> dict[str, Any]:
    """Count the verdicts on some tables of one world."""
    rng, counts = np.random.default_rng(zlib.crc32(name.encode())), dict.fromkeys(STATUSES, 0)
    for _ in range(replicates):
        counts[verdict(WORLDS[name], rng).status] += 1
    return counts


def groups() -> dict[str, tuple[list[str], str, float]]:
    """What is required: of which worlds, how often which verdict at most (below 0: at least)."""
    truths = {name: oracle(world) for name, world in WORLDS.items()}
    honest = [name for name, truth in truths.items() if abs(truth) < ROUNDING]
    margin = [name for name, truth in truths.items() if abs(truth - MARGIN) < ROUNDING]
    paired = [
        name for name, truth in truths.items()
        if truth >= CLEAR - ROUNDING and WORLDS[name].has_pairs and WORLDS[name].cell >= ENOUGH
    ]  # fmt: skip
    return {
        "False FAIL, honest worlds, any columns": (honest, "fail", FALSE_FAIL),
        "False FAIL, reliance equal to the margin": (margin, "fail", FALSE_FAIL),
        f"FAIL with pairs, reliance of {CLEAR:g} or more, from {ENOUGH} films a cell": (paired, "fail", -TRUE_FAIL),
        f"PASS with pairs, reliance of {CLEAR:g} or more, from {ENOUGH} films a cell": (paired, "pass", FALSE_PASS),
    }


def share(counts: dict[str, int], status: str) -> float:
    return counts[status] / sum(counts.values())


def held(counts: dict[str, int], status: str, limit: float) -> bool:
    found = share(counts, status)
    return found >= -limit if limit < 0 else found <= limit


def requirements(found: dict[str, dict[str, int]]) -> list[str]:
    """Say of each requirement whether it was held, and where it was not."""
    said = []
    for title, (names, status, limit) in groups().items():
        asked = {name: found[name] for name in names if name in found}
        if not asked:
            continue
        missed = [name for name, counts in asked.items() if not held(counts, status, limit)]
        shares = [share(counts, status) for counts in asked.values()]
        worst = min(shares) if limit < 0 else max(shares)
        bound = f"at least {-limit:.0%}" if limit < 0 else f"at most {_percent(limit)} %"
        hits, tables = (
            sum(values) for values in zip(*((c[status], sum(c.values())) for c in asked.values()), strict=True)
        )
        low, high = clopper_pearson(hits, tables, 0.95)
        said.append(
            f"{f'NOT HELD in {len(missed)}' if missed else 'HELD'}: {title}: {bound} in each of {len(asked)} worlds; "
            f"worst {_percent(worst)} %, all together {hits:,} of {tables:,} "
            f"(95 % interval {_percent(low)} to {_percent(high)} %)"
        )
        said += [f"not held: {name}: {_percent(share(asked[name], status))} %" for name in missed]
    return said


def _percent(value: float) -> str:
    return f"{100 * value:.2f}" if 0 < value < 0.01 else f"{100 * value:.1f}"


def page(found: dict[str, dict[str, int]], replicates: int, command: str) -> str:
    """Return the table as Markdown."""
    rows = []
    for name, counts in found.items():
        cells = []
        for status in STATUSES:
            low, high = clopper_pearson(counts[status], replicates, 0.95)
            cells.append(f"{100 * share(counts, status):.1f} ({100 * low:.1f} to {100 * high:.1f})")
        rows.append(f"| {name} | {oracle(WORLDS[name]):.3f} | {' | '.join(cells)} |")
    required = "\n".join(f"* {line}" for line in requirements(found))
    return f"""# How often the verdict errs

Written by `{command}`; do not edit. {replicates:,} simulated tables a world, default limits, one question a table. \
The worlds and how their truth is computed: `tests/simulation/worlds.py`.

Shares (%) of verdicts with the 95 % interval of the simulation (Clopper-Pearson). *Truth* is the interventional gap \
of the world on the labels as given.

* link: log-odds of a tube per SD of severity. harder: how much higher negatives with a tube score, in SD. tube: what \
the tube adds to the logit, in SD; *for x*: the effect that makes the truth x.
* label errors: share of negatives with a tube that are positives in truth. attribute labels: sensitivity/specificity.
* columns: *pairs* exact, *edited pairs* with a control edit, a matched *reference* (it reads severity and suspicion \
as the model does), *case mix* (severity and suspicion with reliability .7), *everything*: exact pairs, reference and \
case mix.
* What this cannot tell: noise is normal, the tube adds the same on average to every film, and the reference differs \
from the model in nothing but the tube and noise.

## Required

{required}

## World by world

| link | harder | tube | label errors | attribute labels | films a cell | films a patient | columns | truth \
| FAIL | CONCERN | INSUFFICIENT | PASS |
|{"---|" * 13}
""" + "\n".join([*rows, ""])


def main() -> int:
    chosen = options(__doc__.splitlines()[0], replicates=2000, out="docs/verdict-error-rates.md")
    names = [name for name in WORLDS if chosen.only in name]
    found = simulate(names, count, replicates=chosen.replicates, processes=chosen.processes, keep=chosen.keep)
    command = f"python -m tests.simulation.verdicts --replicates {chosen.replicates}"
    Path(chosen.out).write_text(page(found, chosen.replicates, command))
    said = requirements(found)
    print("\n".join(said))
    return any("NOT HELD" in line for line in said)


if __name__ == "__main__":
    raise SystemExit(main())
