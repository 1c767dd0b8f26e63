"""``audit data`` looks, counts and refuses before anything is trained."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

CONFIG = """
dataset:
  name: table
  table:
    file: films.csv
    columns:
      image: path
      patient: who
      split: part
      labels: {finding: y}
      attributes: {tube: tube, view: view}
"""
HEADER = ("path", "who", "part", "y", "tube", "view")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Eight grey films of eight patients, a table and a configuration that maps its columns."""
    rows = []
    for number in range(8):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / f"{number}.png")
        part = "train" if number < 4 else "test"
        tube = "" if number == 7 else str(number // 2 % 2)
        rows.append([f"{number}.png", f"p{number}", part, str(number % 2), tube, "[ap]" if number % 3 else "pa"])
    write(tmp_path / "films.csv", rows)
    (tmp_path / "mine.yaml").write_text(CONFIG)
    return tmp_path / "films.csv"


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))[1:]


def test_check_counts_splits_and_labels_by_attribute_and_leaves_nothing(audit, films, files):
    before = files()

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--json", "--quiet")

    told = json.loads(ran.stdout)
    assert (0, "", before) == (ran.returncode, ran.stderr, files())
    assert told["splits"] == [
        {"split": "train", "images": 4, "patients": 4}, {"split": "test", "images": 4, "patients": 4}
    ]  # fmt: skip
    tube = [cell for cell in told["cells"] if cell["attribute"] == "tube"]
    assert [(cell["value"], cell["positive"], cell["negative"]) for cell in tube] == [
        ("0", 2, 2), ("1", 1, 2), (None, 1, 0)
    ]  # fmt: skip
    assert told["unreadable"] == {}


def test_check_tells_people_the_same_with_names_as_they_are(audit, films):
    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".")

    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["train", "4", "4"] in lines
    assert ["finding", "tube", "not", "known", "1", "0", "0", "0"] in lines
    assert ["finding", "view", "[ap]", "3", "2", "0", "0"] in lines
    assert "all 8 images that were opened can be read" in ran.stdout


def test_check_does_not_count_a_finding_against_itself(audit, films):
    config = films.with_name("mine.yaml")
    config.write_text(config.read_text().replace("{finding: y}", "{finding: y, tube: tube}"))
    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--json", "--quiet")
    pairs = {(cell["finding"], cell["attribute"]) for cell in json.loads(ran.stdout)["cells"]}
    assert pairs == {("finding", "tube"), ("finding", "view"), ("tube", "view")}


def test_check_names_images_without_a_finding_that_have_one(audit, films):
    columns = films.read_text().splitlines()
    healthy = ["none", "1", "0", "0", "0", "1", "1", "", "0"]
    films.write_text("".join(f"{line},{more}\n" for line, more in zip(columns, healthy, strict=True)))
    config = films.with_name("mine.yaml")
    config.write_text(config.read_text().replace("{finding: y}", "{finding: y, no_finding: none}"))

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".")

    assert "images labelled No Finding: 3; with another finding as well, seen or uncertain: 1\n" in ran.stdout
    assert "  finding 1; 5.png: look which label is wrong, or is no finding\n" in ran.stdout


@pytest.mark.parametrize(("policy", "counted"), [("negative", "count as 0"), ("ignore", "are left out")])
def test_check_says_what_blank_labels_count_as(audit, films, policy, counted):
    rows = rows_of(films)
    rows[2][3] = rows[5][3] = ""
    write(films, rows)

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--set", f"dataset.blank={policy}")

    assert f"note: blank labels of 8 images {counted} (dataset.blank: {policy}): finding 2" in ran.stdout


def test_one_unreadable_image_is_named_and_counted_by_group(audit, films, tmp_path):
    (tmp_path / "3.png").write_bytes(b"no picture")

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".")

    assert ran.returncode == 0
    assert "1 of 8 images could not be read" in ran.stdout
    assert "label.finding=1: 1" in ran.stdout
    assert "3.png" in ran.stdout
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["label.finding=1", "1", "of"] in [line[:3] for line in lines]
    assert "difference of shares (95 %)" in ran.stdout
    assert "pairs across splits of the 7 images look alike" in ran.stdout


def test_of_many_unreadable_images_ten_are_named(audit, films):
    write(films, [[f"gone/{number}.png", f"p{number}", "train", "1", "0", "pa"] for number in range(12)])

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--quiet")

    assert ran.returncode == 4
    assert ran.stdout.count("no such file") == 10
    assert "  and 2 more (--json)" in ran.stdout.splitlines()


def test_too_many_missing_images_are_4_after_the_counts(audit, films, tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.png").unlink()

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--quiet")

    assert ran.returncode == 4
    assert "4 of 8 images are missing or cannot be read, more than max(3, 1 %)" in ran.stderr
    assert "3.png: no such file" in ran.stdout
    assert ["train", "4", "4"] in [line.split() for line in ran.stdout.splitlines()]


@pytest.mark.parametrize(
    ("row", "column", "value", "told"),
    [
        (2, 3, "2", ["films.csv", "row 3", "2"]),
        (5, 1, "p0", ["'p0'", "dataset.allow_shared_patients"]),
        (5, 2, "holdout", ["holdout", "dataset.table.splits"]),
    ],
)
def test_content_that_must_not_be_trained_on_is_4_and_nothing_is_printed_or_left(
    audit, films, files, row, column, value, told
):
    rows = rows_of(films)
    rows[row][column] = value
    write(films, rows)
    before = files()

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".")

    assert (4, "", before) == (ran.returncode, ran.stdout, files())
    assert len(ran.stderr.splitlines()) == 1
    assert all(word in ran.stderr for word in told)


def test_patients_in_two_splits_are_a_note_where_the_user_allows_them(audit, films):
    rows = rows_of(films)
    rows[5][1] = "p0"
    write(films, rows)

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--set", "dataset.allow_shared_patients=true")

    assert ran.returncode == 0
    assert "note: 1 patient is" in ran.stdout


def test_a_label_that_is_constant_in_a_split_is_noted(audit, films):
    rows = [[*row[:3], "1" if row[2] == "test" else row[3], *row[4:]] for row in rows_of(films)]
    write(films, rows)

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".")

    assert "note: 'finding' is 1 in every labelled image of test: nothing to rank there" in ran.stdout


def test_spellings_of_one_patient_in_two_splits_are_noted(audit, films):
    rows = rows_of(films)
    rows[5][1] = "P001"
    write(films, rows)

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".")

    assert ran.returncode == 0
    assert (
        "note: patients in two splits whose ids differ only in case, spaces or leading zeros: 1 ('P001' and 'p1'); "
        "if that is one person, write one id"
    ) in ran.stdout


@pytest.mark.parametrize(("policy", "constant"), [("negative", False), ("ignore", True)])
def test_a_label_that_is_1_or_blank_is_constant_only_where_blanks_are_left_out(audit, films, policy, constant):
    """As No Finding of CheXpert is."""
    write(films, [[*row[:3], row[3].replace("0", ""), *row[4:]] for row in rows_of(films)])

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--set", f"dataset.blank={policy}")

    assert ("note: 'finding' is 1 in every labelled image of train and test" in ran.stdout) == constant


def test_a_column_that_is_not_there_is_2_with_the_nearest(audit, films):
    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--set", "dataset.table.columns.patient=whom")

    assert ran.returncode == 2
    assert "films.csv" in ran.stderr
    assert "did you mean 'who'?" in ran.stderr


def test_an_unknown_data_set_is_2_with_the_nearest(audit):
    ran = audit("data", "check", "--dataset", "chexprt")

    assert ran.returncode == 2
    assert "no dataset is called 'chexprt' (did you mean 'chexpert'?)" in ran.stderr


def test_a_data_set_without_a_root_is_2_and_says_both_ways(audit):
    ran = audit("data", "check", "--dataset", "chexpert")

    assert ran.returncode == 2
    assert "--root" in ran.stderr
    assert "SHORTCUT_AUDIT_DATA" in ran.stderr


def test_a_misspelt_key_of_the_configuration_is_2_naming_file_and_key(audit, films, tmp_path, files):
    (tmp_path / "mine.yaml").write_text("clasifier: {epochs: 2}\n")
    before = files()

    ran = audit("data", "check", "--config", "mine.yaml")

    assert (2, before) == (ran.returncode, files())
    assert "mine.yaml: unknown key 'clasifier' (did you mean 'classifier'?)" in ran.stderr


def test_prepare_writes_the_manifest_for_its_owner_only_and_never_over_that_of_other_data(
    audit, films, tmp_path, files
):
    command = ("data", "prepare", "--config", "mine.yaml", "--root", ".", "--out", "prepared", "--json")
    first, again = audit(*command), audit(*command)
    write(films, rows_of(films)[:6])
    before = files()

    other = audit(*command)

    told = json.loads(first.stdout)
    assert (told["manifest"], told["images"]) == ("prepared/manifest.csv", 8)
    assert (again.returncode, json.loads(again.stdout)) == (0, told)
    assert (tmp_path / "prepared" / "manifest.csv").stat().st_mode & 0o777 == 0o600
    assert "label.finding" in (tmp_path / "prepared" / "manifest.csv").read_text()
    assert (other.returncode, other.stdout, files()) == (73, "", before)
    assert other.stderr == "error: prepared holds the manifest.csv of other data; choose another folder with --out\n"


def test_synth_renders_films_that_check_can_open_and_says_what_is_wrong_in_them(audit, tmp_path):
    few = [word for split in ("train", "val", "test") for word in ("--set", f"dataset.options.{split}=8")]
    few += ["--set", "dataset.options.label_error=.1"]

    made = audit("data", "synth", "--out", "films", *few, "--quiet")
    checked = audit("data", "check", "--dataset", "synthetic_cxr", "--root", "films", *few, "--json", "--quiet")

    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == "films/manifest.csv: 24 images; it holds ids, so keep it to yourself\n"
    told = json.loads(checked.stdout)
    assert [split["images"] for split in told["splits"]] == [8, 8, 8]
    assert "labels are wrong at a rate of 0.1; where one is, its severity is blank (label_error)" in told["notes"]


def test_synth_renders_nothing_over_films_of_other_options(audit, tmp_path, files):
    few = [word for split in ("train", "val", "test") for word in ("--set", f"dataset.options.{split}=8")]
    audit("data", "synth", "--out", "films", *few, "--quiet")
    before = files()

    other = audit("data", "synth", "--out", "films", *few, "--seed", "1")

    assert (other.returncode, other.stdout, files()) == (73, "", before)
    assert "films holds synthetic films of other options; name another folder with --out or --root" in other.stderr


def test_synth_leaves_a_folder_of_your_own_as_it_is(audit, tmp_path, files):
    (tmp_path / "mine/images").mkdir(parents=True)
    (tmp_path / "mine/images/train-00000-0.png").write_bytes(b"my own")
    before = files()

    ran = audit("data", "synth", "--out", "mine")
    looked = audit("data", "check", "--dataset", "synthetic_cxr", "--root", "mine")

    told = "mine is not empty and holds no synthetic films (images); films are rendered into a new or an empty folder: "
    for one in (ran, looked):
        assert (one.returncode, one.stdout, files()) == (73, "", before)
        assert f"{told}name another folder with --out or --root" in one.stderr


def test_synth_renders_dermoscopic_images_that_lint_can_look_at(audit, tmp_path):
    few = [word for split in ("train", "val", "test") for word in ("--set", f"dataset.options.{split}=16")]
    few += ["--set", "dataset.options.size=32", "--set", "dataset.options.rates={ruler: [1, 0]}"]

    made = audit("data", "synth", "--dataset", "synthetic_derm", "--out", "derm", *few, "--quiet")
    looked = audit("data", "lint", "--dataset", "synthetic_derm", "--root", "derm", *few, "--json", "--quiet")

    assert made.stdout == "derm/manifest.csv: 48 images; it holds ids, so keep it to yourself\n"
    said = {one["clue"]: one["said"] for one in json.loads(looked.stdout)["clues"]}
    assert (looked.returncode, said["attribute.ruler"]) == (0, "given away")


def test_synth_of_a_set_that_is_not_rendered_is_2(audit, files):
    ran = audit("data", "synth", "--dataset", "chexpert", "--out", "films")

    assert (ran.returncode, files()) == (2, {})
    assert "the data set 'chexpert' is not rendered; expected --dataset synthetic_cxr or synthetic_derm" in ran.stderr


def test_check_says_what_goes_with_what_and_what_occurs_twice(audit, films, tmp_path):
    Image.new("L", (8, 8), 20).save(tmp_path / "3.png")

    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--json", "--quiet")
    text = audit("data", "check", "--config", "mine.yaml", "--root", ".").stdout

    told = json.loads(ran.stdout)
    tube = [one for one in told["associations"] if one["attribute"] == "tube"]
    assert [(one["split"], one["with_positive"], one["positive"]) for one in tube] == [("train", 1, 2), ("test", 0, 1)]
    assert tube[0]["auroc"]["value"] == 0.5
    assert [same["samples"] for same in told["same_files"]] == [["1.png", "3.png"]]
    assert "1.png, 3.png (train)" in text
    # Flat pictures are all alike, and the count by chance says so.
    assert told["near_pairs"]["found"] == told["near_pairs"]["compared"] == told["near_pairs"]["expected"] == 16


def test_check_can_open_none_and_refuses_another_word_before_it_reads(audit, films, files):
    ran = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--decode", "none")
    assert "no image was opened (--decode none)" in ran.stdout
    few = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--decode", "3")
    assert "all 3 images that were opened can be read" in few.stdout
    other = audit("data", "check", "--config", "mine.yaml", "--root", ".", "--decode", "some")
    assert (other.returncode, other.stdout) == (2, "")
    assert "--decode: 'some' is neither all nor none nor a number of images" in other.stderr


def test_prepare_never_writes_over_a_manifest_that_somebody_else_wrote(audit, films, tmp_path, files):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "manifest.csv").write_text("id,path\n1,a.png\n")
    before = files()

    ran = audit("data", "prepare", "--config", "mine.yaml", "--root", ".", "--out", "theirs")

    assert (ran.returncode, files()) == (73, before)
    assert "theirs holds the manifest.csv of other data; choose another folder with --out" in ran.stderr


def test_a_prepared_folder_is_read_with_the_configuration_that_it_was_made_with(audit, films):
    mine = ("--config", "mine.yaml", "--decode", "none")
    assert audit("data", "prepare", "--config", "mine.yaml", "--root", ".", "--out", "prepared").returncode == 0

    ran = audit("data", "check", *mine, "--dataset", "prepared", "--root", "prepared")

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.replace("dataset prepared", "") == audit("data", "check", *mine, "--root", ".").stdout


def test_prepared_pixels_are_said_with_how_to_use_them(audit, films, tmp_path):
    command = ("data", "prepare", "--config", "mine.yaml", "--root", ".", "--out", "prepared", "--pixels")

    first, again = audit(*command), audit(*command)
    checked = audit("data", "check", "--dataset", "prepared", "--root", "prepared")

    assert first.stdout == again.stdout
    assert "pixels of 8 images, 1 x 96 x 96; use them: --dataset prepared --root prepared" in first.stdout
    assert (tmp_path / "prepared/pixels_1x96.npy").stat().st_mode & 0o777 == 0o600
    assert "images that were opened can be read" in checked.stdout
    other = audit(*command[:-2], "small", "--pixels", "--set", "image.size=32", "--set", "image.channels=3")
    use = "use them: --dataset prepared --root small --set image.size=32 --set image.channels=3"
    assert f"pixels of 8 images, 3 x 32 x 32; {use}" in other.stdout


PREPARED = ("data", "prepare", "--config", "mine.yaml", "--root", ".", "--out", "signed")
AGAINST = ("data", "check", "--config", "mine.yaml", "--root", ".", "--decode", "none", "--against", "signed")


def test_check_against_a_manifest_says_that_nothing_differs_also_where_the_folder_was_moved(audit, films, tmp_path):
    told = json.loads(audit(*PREPARED, "--json").stdout)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in (*tmp_path.glob("*.png"), films):
        path.rename(moved / path.name)

    ran = audit(*AGAINST, "--root", "elsewhere")
    record = json.loads(audit(*AGAINST[:-1], "signed/manifest.csv", "--root", "elsewhere", "--json").stdout)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "against signed: nothing differs: 8 samples, 7 columns" in ran.stdout
    assert f"  fingerprint of both: {told['fingerprint']}" in ran.stdout
    assert (record["changes"]["changed"], record["changes"]["fingerprint"]) == ([], told["fingerprint"])


def test_check_against_a_manifest_says_every_sample_column_and_cell_that_differs_and_ends_with_4(audit, films, files):
    audit(*PREPARED)
    rows = rows_of(films)
    rows[1][3], rows[2][3], rows[3][4] = "0", "1", ""
    rows[0][0] = "8.png"
    write(films, rows)
    more = ("--set", "dataset.attributes={ap: 'view = [ap]'}", "--set", "dataset.allow_shared_patients=true")
    before = files()

    ran, record = audit(*AGAINST, *more), json.loads(audit(*AGAINST, *more, "--json").stdout)["changes"]

    assert (ran.returncode, files()) == (4, before)
    lines = ran.stdout.splitlines()
    at = lines.index("against signed, 7 samples and 7 columns of both:")
    assert [" ".join(line.split()) for line in lines[at + 1 : at + 9]] == [
        f"fingerprint of signed: {record['fingerprint_before']}",
        "samples new: 1: 8.png",
        "samples gone: 1: 0.png",
        "column samples the first",
        "label.finding 2 1.png: 1 -> 0",
        "attribute.tube 1 3.png: 1 -> blank",
        "columns new: attribute.ap",
        "(--attributes, --config and --set make columns: type those that the manifest was made with)",
    ]
    assert ran.stderr == (
        "error: the data set is not the one of signed (samples new: 1, samples gone: 1, columns with other values: 2, "
        "columns new: 1); find out what was changed, or, if it was meant, write a new manifest with 'audit data "
        "prepare'\n"
    )
    labels = record["changed"][0]
    assert (labels["column"], labels["number"], len(labels["first"])) == ("label.finding", 2, 2)
    assert labels["first"][0] == {"sample": "1.png", "before": "1", "after": "0"}
    assert (record["gone"], record["columns_new"]) == ({"number": 1, "first": ["0.png"]}, ["attribute.ap"])


def test_check_against_a_manifest_says_what_else_its_fingerprint_holds(audit, films):
    audit(*PREPARED)
    write(films, rows_of(films)[::-1])

    ran = audit(*AGAINST, "--set", "dataset.licence=ours")

    assert ran.returncode == 0
    assert "nothing differs: 8 samples, 7 columns" in ran.stdout
    assert ": what differs is the order of rows and the data card (licence)" in ran.stdout


def test_check_against_a_folder_without_a_manifest_is_2_before_anything_is_read(audit, films, files):
    before = files()

    ran = audit(*AGAINST)

    assert (ran.returncode, ran.stdout, files()) == (2, "", before)
    assert ran.stderr.startswith("error: --against signed: there is no manifest.csv; name a folder that 'audit data")


def test_check_against_the_manifest_of_other_data_is_4_and_prints_nothing(audit, films):
    audit(*PREPARED)
    write(films, [[f"other/{row[0]}", *row[1:]] for row in rows_of(films)])

    ran = audit(*AGAINST)

    assert (ran.returncode, ran.stdout) == (4, "")
    assert "signed: none of its 8 samples ('0.png') is in 'films' ('other/0.png'); name the manifest of" in ran.stderr


def test_check_says_which_tables_are_as_their_sums_and_ends_with_4_where_one_is_not(audit, films, tmp_path):
    (tmp_path / "more.tsv").write_text("a")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in (films, tmp_path / "more.tsv")]
    (tmp_path / "SHA256SUMS.txt").write_text("\n".join([*lines, f"{'0' * 64}  gone.csv"]) + "\n")
    typed = ("data", "check", "--config", "mine.yaml", "--decode", "none")

    good = audit(*typed)
    assert good.returncode == 0
    assert "tables as SHA256SUMS.txt lists them: 2: films.csv, more.tsv\n" in good.stdout

    write(films, rows_of(films)[::-1])
    bad = audit(*typed, "--json")
    assert bad.returncode == 4
    assert bad.stderr == (
        "error: films.csv is not the file that SHA256SUMS.txt lists (tables that are not: 1); find out what changed "
        "it, or fetch it again\n"
    )
    assert json.loads(bad.stdout)["checksums"] == [
        {"file": "SHA256SUMS.txt", "same": ["more.tsv"], "changed": ["films.csv"], "unpacked": []}
    ]

    (tmp_path / "SHA256SUMS.txt").write_text("nothing\n")
    assert "SHA256SUMS.txt lists no table that is here\n" in audit(*typed).stdout


def test_check_counts_masks_names_a_structure_that_none_holds_and_the_first_that_cannot_be_read(audit, films, tmp_path):
    for number in range(8):
        drawn = Image.new("L", (8, 8), 0)
        drawn.putpixel((1, 1), 2 * (number % 2))
        drawn.save(tmp_path / f"m{number}.png")
    (tmp_path / "m3.png").write_bytes(b"no picture")
    rows = [[*row, f"m{row[0]}", f"m{row[0]}#7"] for row in rows_of(films)]
    rows[0][3] = "1"
    with films.open("w", newline="") as stream:
        csv.writer(stream).writerows([[*HEADER, "drawn", "typo"], *rows])
    masks = CONFIG.rstrip() + "\n      masks: {finding: drawn, typo: typo}\n"
    (tmp_path / "mine.yaml").write_text(masks)

    ran = audit("data", "check", "--config", "mine.yaml")

    assert ran.returncode == 0
    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert "finding 7 4 1 of 4 0 of 3 0 0 0.png" in lines
    assert "typo 7 7" in lines
    assert "typo: no mask has a pixel; if the cells name a number of a label map (map.png#2), look" in ran.stdout
    assert f"finding: 1 cannot be read; 3.png: {tmp_path / 'm3.png'}: not one of PNG" in ran.stdout


@pytest.mark.parametrize(("root", "said"), [("films.csv", "is a file; unpack it"), ("gone", "there is no such folder")])
def test_a_root_that_is_no_folder_is_said(audit, films, root, said):
    ran = audit("data", "check", "--config", "mine.yaml", "--root", root)

    assert ran.returncode == 2
    assert f"error: {root}: {said}" in ran.stderr
