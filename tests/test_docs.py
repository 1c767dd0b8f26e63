"""What the documentation says is true: examples run, links lead somewhere, every number is defined."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer

from shortcut_audit import audit_scores
from shortcut_audit.config import load_config
from shortcut_audit.provenance import sha256_file
from shortcut_audit.report.sections import ordered_sections
from shortcut_audit.report.vocabulary import METRICS
from shortcut_audit.stages.freeze import freeze_scores

ROOT = Path(__file__).resolve().parents[1]
CONCEPTS = (ROOT / "docs" / "concepts.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]

APACHE = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of the licence's text as the Apache Software Foundation publishes it."""

SET_UP = ("python -m pip install . && audit demo", "python -m pip install -e '.[dev]' && python -m pytest -n 2")
MISSION = ("audit pretrain --dataset chexpert", "audit evaluate --spurious chest_tube")

TRY_EXAMPLES = """
import sys
from pathlib import Path
import pytest
for number, code in enumerate(Path("CONTRIBUTING.md").read_text().split("```python\\n")[1:]):
    exec(compile(code.split("```")[0], f"example {number}", "exec"), {"__name__": f"example_{number}"})
from PIL import Image
from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
root = Path(sys.argv[1])
for place in ("train/ill", "train/well", "val/ill", "test/well"):
    (root / place).mkdir(parents=True)
    Image.new("L", (8, 8)).save(root / place / "a.png")
manifest = open_dataset(DatasetConfig(name="folders", root=str(root)))
assert manifest.ids == ["test/well/a", "train/ill/a", "train/well/a", "val/ill/a"], manifest.ids
assert manifest.labels().ravel().tolist() == [0, 1, 0, 1]
ours = "brightest or side_marker or gradient_times_way or above_mean or attribute_alone or origin"
sys.exit(pytest.main(["tests/contracts", "-q", "-p", "no:cacheprovider", "-k", ours]))
"""


def films(**columns):
    """A table of scores in which a tube adds one to the score."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 200)
    tube = (rng.random(200) < 0.3 + 0.3 * label).astype(int)
    score = rng.normal(size=200) + 1.5 * label
    plain = {
        "sample_id": [f"s{i}" for i in range(200)], "patient_id": [f"p{i // 2}" for i in range(200)], "label": label,
        "score": score + tube, "chest_tube": tube, "score_with.chest_tube": score + 1,
        "score_without.chest_tube": score,
    }  # fmt: skip
    return pl.DataFrame({**plain, **columns})


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def metrics_of_scores():
    rng = np.random.default_rng(1)
    split = ["val"] * 60 + ["test"] * 140
    natural = films(
        split=split, sex=["F", "M"] * 100,
        **{"covariate.lesion_area": rng.random(200), "reference_score": rng.random(200),
           "reader_score.anna": rng.random(200), "leads": [0, 1, 1, 0] * 50},
    )  # fmt: skip
    results = [
        audit_scores(natural, spurious="chest_tube", pairs="exact"),
        audit_scores(films(split=split), spurious="chest_tube", test_design="reversed"),
    ]
    return {metric.name for result in results for metric in result.metrics}


def metrics_of_images():
    """Names that the stages which look at images can give a metric, read from their source."""
    stages = ROOT / "shortcut_audit" / "stages"
    source = (stages / "look.py").read_text() + (stages / "look_masks.py").read_text()
    looked_at = re.findall(r'shares_of\([^\n]*"(\w+)"\)', source)
    measures = re.findall(r'f"\{what\}_(\w+)"', source)
    plain = re.findall(r'name="(\w+)"', source)
    return {f"{what}_{measure}" for what in looked_at for measure in measures} | set(plain)


def defined():
    return set(re.findall(r"^\| `(\w+)` \| .+ \| .+ \| .+ \|$", CONCEPTS, flags=re.MULTILINE))


def test_every_number_that_an_audit_of_scores_can_give_is_defined():
    found = metrics_of_scores()

    assert {"designed_shift", "target_area_auroc", "interventional_gap", "auroc_validation"} <= found
    assert found - defined() == set()


def test_every_number_that_an_audit_of_images_adds_is_defined():
    found = metrics_of_images()

    assert {"saliency_share", "mask_enrichment", "dice"} <= found
    assert found - defined() == set()


def test_no_definition_is_of_a_number_that_nobody_computes():
    assert defined() - metrics_of_scores() - metrics_of_images() == set()


def test_every_metric_that_the_report_has_words_for_is_defined():
    assert set(METRICS) - defined() == set()


@pytest.mark.parametrize("line", [*SET_UP, *MISSION])
def test_the_readme_shows_the_commands_as_they_are_to_be_typed(line):
    assert f"    {line}\n" in README


def test_the_readme_names_every_folder_and_file_of_the_tree_that_there_is():
    tree = README.split("## File structure")[1].split("\n\n")[1]
    folders: list[str] = []
    for line in tree.splitlines():
        depth, name = (len(line) - len(line.lstrip()) - 4) // 2, line.split()[0]
        folders[depth:] = [name]
        assert (ROOT / "".join(folders)).exists(), name


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_relative_link_leads_to_a_file_and_a_heading(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        headings = re.findall(r"^#+ (.+)$", place.read_text(), flags=re.MULTILINE) if anchor else []
        slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert not anchor or anchor in slugs, target


@pytest.mark.parametrize("name", ["README.md", "docs/how-to/audit-scores.md"])
def test_every_python_block_that_works_on_a_frame_runs(name, capsys):
    found = blocks((ROOT / name).read_text(), "python")

    assert found
    for code in found:
        space = {"frame": films()}
        exec(compile(code, name, "exec"), space)
        assert space["result"].verdicts
    assert capsys.readouterr().out


def test_the_block_on_plans_runs_by_the_plan_it_names(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    films().write_csv("scores.csv")
    asked = load_config(sets=["evaluate.spurious=[chest_tube]"])
    freeze_scores(asked, Path("scores.csv"), Path("plan.yaml"), intended_use="")
    (code,) = blocks((ROOT / "docs" / "how-to" / "plan.md").read_text(), "python")
    exec(compile(code, "plan.md", "exec"), {"frame": films().head(188)})

    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("test ids 200 images, SHA-256 ")
    assert last.endswith(" 12 films withdrawn by the site")


def test_the_block_that_reads_a_mask_store_runs(tmp_path):
    import h5py

    planes = np.array([[[[1, 0, 1, 0, 1, 0, 1, 0, 1, 1]], [[1] * 10]]], dtype=np.uint8)
    with h5py.File(tmp_path / "masks.h5", "w") as file:
        file.attrs["width"] = 10
        file["mask"] = np.packbits(planes, axis=-1)
        file["heatmap"], file["scale"] = np.full((1, 1, 10), 2, dtype=np.int8), np.array([0.5], dtype=np.float32)
    (code,) = blocks((ROOT / "docs" / "formats.md").read_text(), "python")
    space = {"path": tmp_path / "masks.h5"}
    exec(compile(code, "formats.md", "exec"), space)

    assert space["mask"].tolist() == planes[0, 0].astype(bool).tolist()
    assert space["known"].all()
    assert (space["heat"] == 1).all()


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_yaml_block_is_a_configuration(path, tmp_path):
    for number, text in enumerate(blocks(path.read_text(), "yaml")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        assert load_config([file]).dataset.table is not None


def typed_commands(text):
    """Every ``audit ...`` line of a page, set off as code or within a sentence."""
    lines = re.findall(r"^ {4}.*?(?:&& )?(audit [a-z].*)$", text, flags=re.MULTILINE)
    inline = [code for code in re.findall(r"`(audit [a-z][^`]*)`", text) if "..." not in code]
    return [shlex.split(line, comments=True)[1:] for line in [*lines, *inline]]


def find_command(words):
    """The command that words begin with, and the words behind it; ``check|prepare`` stands for two commands."""
    from shortcut_audit_cli.main import app

    command, rest = typer.main.get_command(app), list(words)
    while rest and hasattr(command, "commands"):
        names = rest.pop(0).split("|")
        if names == ["COMMAND"]:
            return command, rest
        assert set(names) <= set(command.commands), words
        command = command.commands[names[0]]
    return command, rest


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_command_and_option_on_a_page_is_there(path):
    for words in typed_commands(path.read_text()):
        command, rest = find_command(words)
        known = {"--help", *(option for parameter in command.params for option in parameter.opts)}
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_the_pages_show_commands_to_be_checked():
    shown = [words for path in PAGES for words in typed_commands(path.read_text())]

    assert len(shown) > 30
    assert {"demo", "pretrain", "evaluate", "train", "report", "data"} <= {words[0] for words in shown}


def test_the_examples_for_contributors_run_and_keep_the_contracts(tmp_path):
    command = [sys.executable, "-c", TRY_EXAMPLES, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 20


def test_the_guide_to_the_report_names_every_section_by_its_title():
    guide = (ROOT / "docs" / "how-to" / "read-the-report.md").read_text()
    titles = [section.title for section in ordered_sections()]

    assert [title for title in titles if f"| {title} |" not in guide] == []


def test_the_licence_is_the_whole_of_apache_2():
    assert sha256_file(ROOT / "LICENSE") == APACHE


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_a_page_uses_the_words_of_the_glossary(path):
    if path.name in {"glossary.md", "how-to-talk-about-shortcuts.md"}:
        return
    assert not re.findall(r"ground[ -]truth|unbiased|debias(?!ing skin)|artefact-free", path.read_text(), re.IGNORECASE)
