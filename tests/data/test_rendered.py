"""Films go into a folder of their own and nobody else's; errors of labels leave pixels alone and are said."""

import json

import numpy as np
import pytest

from shortcut_audit.data.manifest import DataCard
from shortcut_audit.data.rendered import error_notes, films, with_errors
from shortcut_audit.errors import BusyError

CARD = DataCard(name="films", licence="ours", release="one")
OTHER = DataCard(name="films", licence="ours", release="two")

ROWS = [
    {
        "label.ill": str(n % 2),
        "severity.ill": "0.1",
        "attribute.tube": "1",
        "counterpart.tube": "a.png",
        "mask.ill": "m",
    }
    for n in range(1000)
]


def test_without_errors_rows_are_as_they_were():
    assert with_errors(ROWS, labels=0.0, attributes=0.0, seed=0) == ROWS


def test_labels_and_attributes_are_wrong_at_their_rates_apart_and_what_hangs_on_them_is_blank():
    wrong = with_errors(ROWS, labels=0.2, attributes=0.1, seed=0)

    labels = np.array([a["label.ill"] != b["label.ill"] for a, b in zip(ROWS, wrong, strict=True)])
    tubes = np.array([a["attribute.tube"] != b["attribute.tube"] for a, b in zip(ROWS, wrong, strict=True)])
    assert labels.mean() == pytest.approx(0.2, abs=0.04)
    assert tubes.mean() == pytest.approx(0.1, abs=0.03)
    assert np.corrcoef(labels, tubes)[0, 1] == pytest.approx(0, abs=0.1)
    assert [row["severity.ill"] is None for row in wrong] == labels.tolist()
    assert [row["counterpart.tube"] is None for row in wrong] == tubes.tolist()
    assert all(row["mask.ill"] == "m" for row in wrong)
    assert (
        wrong
        == with_errors(ROWS, labels=0.2, attributes=0.1, seed=0)
        != with_errors(ROWS, labels=0.2, attributes=0.1, seed=1)
    )


def test_errors_are_said_with_their_rates():
    assert error_notes(labels=0, attributes=0) == ()
    assert error_notes(labels=0.1, attributes=0.25) == (
        "labels are wrong at a rate of 0.1; where one is, its severity is blank (label_error)",
        "attributes are wrong at a rate of 0.25, each apart; where one is, its counterpart is blank (attribute_error)",
    )


def under(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def paint(root, *, stop=False):
    """Return a renderer of two pictures that is stopped after the first."""

    def make():
        rows = [{"sample_id": f"{n}", "image": f"images/{n}.png", "split": "test", "label.ill": n} for n in (0, 1)]
        for n in (0, 1):
            (root / f"images/{n}.png").write_bytes(b"picture")
            if stop:
                raise KeyboardInterrupt
        return rows

    return make


def refused(root, card, text):
    before = under(root)
    with pytest.raises(BusyError) as told:
        films(root, card, lambda: pytest.fail("rendered"))
    assert str(told.value) == text
    assert under(root) == before


@pytest.mark.parametrize("there", [False, True])
def test_films_are_rendered_into_a_new_or_an_empty_folder_and_found_again(tmp_path, there):
    root = tmp_path / "set"
    if there:
        root.mkdir()
    made = films(root, CARD, paint(root))
    assert {path.name for path in root.iterdir()} == {"images", "switched", "masks", "manifest.csv", "manifest.json"}
    again = films(root, CARD, lambda: pytest.fail("rendered again"))
    assert again.frame.equals(made.frame)


@pytest.mark.parametrize(
    "name", ["images/0.png", "notes.txt", "manifest.csv", "manifest.json", "unfinished.json", ".x"]
)
def test_a_folder_that_holds_anything_else_is_left_as_it_is(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("my own")
    refused(
        tmp_path,
        CARD,
        f"{tmp_path} is not empty and holds no synthetic films ({name.split('/')[0]}); films are rendered into a new "
        "or an empty folder: name another folder with --out or --root",
    )


def test_of_a_full_folder_three_names_are_told(tmp_path):
    for n in range(5):
        (tmp_path / f"{n}.txt").touch()
    with pytest.raises(BusyError, match=r"no synthetic films \(0.txt, 1.txt, 2.txt and 2 more\); films are"):
        films(tmp_path, CARD, lambda: pytest.fail("rendered"))


def test_films_that_were_stopped_go_on_with_their_own_options_only(tmp_path):
    root = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        films(root, CARD, paint(root, stop=True))
    refused(
        root,
        OTHER,
        f"{root} holds synthetic films of other options, whose rendering was stopped; name another folder with --out "
        "or --root, or give the options they were begun with to finish them",
    )
    assert len(films(root, CARD, paint(root))) == 2
    assert not (root / "unfinished.json").exists()
    refused(root, OTHER, f"{root} holds synthetic films of other options; name another folder with --out or --root")


def test_films_that_were_stopped_while_the_first_or_the_last_file_was_written_go_on(tmp_path):
    (tmp_path / ".unfinished.json.77.tmp").write_text("{")
    films(tmp_path, CARD, paint(tmp_path))
    (tmp_path / "manifest.csv").unlink()
    (tmp_path / "unfinished.json").write_text(json.dumps({"release": "one"}))
    assert len(films(tmp_path, CARD, paint(tmp_path))) == 2
