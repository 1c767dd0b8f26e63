"""The page: one file, offline, the same bytes for the same result, every number with its n."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from fake_audit import MODELS, empty_result, full_data, full_result
from read_page import Page

from shortcut_audit.audit.result.result import AuditResult, read_result, write_result
from shortcut_audit.errors import OutputError, UsageError
from shortcut_audit.report.numbers import count
from shortcut_audit.report.render import render_html, write_report
from shortcut_audit.report.sections import ordered_sections

SHA = "0123456789abcdef" * 4
MIB = 1 << 20


def render(result: AuditResult) -> Page:
    return Page(render_html(result, source_sha256=SHA))


def changed(**fields) -> AuditResult:
    return AuditResult.model_validate({**full_data(), **fields})


@pytest.fixture(scope="module")
def page() -> Page:
    return render(full_result())


def test_the_same_result_gives_the_same_bytes(tmp_path):
    write_result(full_result(), tmp_path / "audit.json")

    again = read_result(tmp_path / "audit.json")
    assert render_html(full_result(), source_sha256=SHA) == render_html(again, source_sha256=SHA)


def test_the_page_neither_needs_torch_nor_depends_on_the_hash_seed(tmp_path):
    path = tmp_path / "audit.json"
    write_result(full_result(), path)
    code = (
        "import sys; from pathlib import Path; from shortcut_audit.report.render import write_report;"
        f"write_report(Path({str(path)!r})); print(sorted({{'torch', 'polars', 'h5py'}} & set(sys.modules)))"
    )
    pages = []
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert told.stdout.strip() == "[]"
        pages.append((tmp_path / "report.html").read_bytes())
    assert pages[0] == pages[1]


def test_the_policy_admits_one_style_and_one_script_by_hash_and_nothing_else(page):
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    wanted = {
        part: base64.b64encode(hashlib.sha256(page.raw[part].encode()).digest()).decode()
        for part in ("style", "script")
    }
    assert policy["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{wanted['style']}'; "
        f"script-src 'sha256-{wanted['script']}'; base-uri 'none'; form-action 'none'"
    )
    assert (len(page.all("style")), len(page.all("script"))) == (1, 1)


def test_the_policy_stands_before_anything_it_governs(page):
    names = [tag for tag, _ in page.elements]
    assert page.elements[names.index("meta") + 1][1].get("http-equiv") == "Content-Security-Policy"


def test_nothing_is_loaded_and_every_link_stays_on_the_page(page):
    allowed = {"html", "head", "meta", "title", "style", "body", "script", "img", "svg", "a"}
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert not {"srcset", "xlink:href", "action", "poster", "data"} & set(attributes)
        assert tag in allowed or tag not in {"link", "iframe", "object", "embed", "base", "form", "video", "use"}
    assert all(a["src"].startswith("data:image/png;base64,") for a in page.all("img"))
    assert all(a["href"].startswith("#") for a in page.all("a"))
    assert not re.search(r"url\(|@import|https?:", page.raw["style"])
    assert not re.search(r"fetch|XMLHttp|import|https?:|innerHTML|localStorage", page.raw["script"])


def test_ids_are_unique_and_every_link_and_reference_has_its_target(page):
    assert len(set(page.ids)) == len(page.ids)
    wanted = [a["href"][1:] for a in page.all("a")]
    for _, attributes in page.elements:
        wanted += [attributes[name] for name in ("aria-labelledby", "aria-describedby") if name in attributes]
    assert set(wanted) <= set(page.ids)


def test_sections_cases_checks_and_verdicts_can_be_linked_to(page):
    wanted = {"verdict", "checks", "case-0007", "check-gap-classifier-pneumothorax-chest_tube",
              "verdict-classifier-pneumothorax-chest_tube"}  # fmt: skip
    assert wanted <= set(page.ids)


def test_headings_go_down_without_a_step_left_out(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_section_appears_in_order_even_where_there_is_nothing_to_show(page):
    names = [section.name for section in ordered_sections()]
    for found in (page, render(empty_result())):
        assert [a["id"] for a in found.all("section")] == names


def test_an_empty_audit_gives_a_reason_in_every_section():
    page = render(empty_result())
    reasons = len(page.all("p", class_="nothing"))
    assert reasons >= 12
    assert "INSUFFICIENT" in render_html(empty_result(), source_sha256=SHA)
    assert "No verdict" in page.text
    assert "The audit computed no number." in page.text


def test_every_metric_is_shown_with_its_n_and_interval_or_reason(page):
    rows = page.rows["numbers"][1:]
    result = full_result()
    assert len(rows) == len(result.metrics)
    for metric, cells in zip(result.metrics, rows, strict=True):
        assert cells[:4] == [metric.model, metric.finding, metric.attribute, metric.group]
        assert cells[4].startswith(metric.name)
        assert cells[6:10] == [count(n) for n in (metric.n, metric.n_pos, metric.n_neg, metric.n_patients)]
        if metric.value is None:
            assert cells[5] == f"not computed ({metric.reason})"
        else:
            assert "CI" in cells[5]


def test_what_is_not_known_is_never_shown_as_none_or_nan():
    for result in (full_result(), empty_result()):
        page = render(result)
        assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b", page.text)


def test_the_first_words_are_status_both_answers_and_what_was_not_asked(page):
    text = page.text[page.text.index("Skip to") :]
    words = ["FAIL", "Asked: gap and reliance, for chest tube. Not asked: any other attribute.",
             "The score depends on chest tube.", "BEYOND", "SHOWN"]  # fmt: skip
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert places[-1] < text.index("CONCERN", places[0] + 200)


def test_a_question_that_was_not_asked_is_named_and_not_answered():
    verdicts = [{**full_data()["verdicts"][0], "status": "concern", "rule": "ask:gap:beyond", "answers": ["gap"]}]
    text = render(changed(verdicts=verdicts)).text

    assert "Asked: gap, for chest tube. Not asked: reliance (whether the score follows" in text
    assert text.count("NOT ASKED") == 1


def test_the_configuration_says_what_was_asked_where_a_model_had_no_skill():
    provenance = {**full_data()["provenance"], "config": {"evaluate": {"ask": "reliance"}}}
    verdicts = [{**full_data()["verdicts"][0], "status": "insufficient", "rule": "skill", "answers": ["skill"]}]
    text = render(changed(verdicts=verdicts, provenance=provenance)).text

    assert "Asked: reliance, for chest tube. Not asked: gap (whether performance holds" in text


def test_verdicts_come_worst_first_with_word_symbol_and_four_numbers(page):
    order = [a["class"].split()[1] for a in page.all("article") if a.get("class", "").startswith("verdict ")]
    assert order == ["fail", "concern", "insufficient", "pass"]
    assert len(page.all("dl", class_="tiles")) == len(MODELS)
    for words in ("✖ FAIL", "! CONCERN", "? INSUFFICIENT", "✔ PASS"):
        assert words in page.text


def test_the_designed_shift_stands_in_for_a_gap_that_is_not_defined():
    metrics = [
        {**m, "value": None, "low": None, "high": None, "reason": "reversed by design"}
        if m["name"] == "auroc_gap"
        else m
        for m in full_data()["metrics"]
    ]
    shift = {**full_data()["metrics"][0], "name": "designed_shift", "value": 0.321, "low": 0.3, "high": 0.34}
    text = render(changed(metrics=[*metrics, shift])).text

    assert "Designed shift0.321" in re.sub(r"\s+", " ", text)


def test_the_footer_says_what_the_page_is_and_what_it_was_made_from(page):
    end = page.text[-220:]
    assert "Research tool, not a medical device." in end
    assert SHA in end


def test_the_wording_rules_hold(page):
    banned = r"\b(unbiased|safe|no shortcut|proves|explains|the model thinks|causes|ground truth|artifacts?)\b"
    for found in (page, render(empty_result())):
        assert not re.search(banned, found.text, re.IGNORECASE)


def test_more_than_six_verdicts_fold_the_rest_away():
    verdicts = [{**full_data()["verdicts"][0], "model": f"m{n}"} for n in range(9)]
    assert "3 more verdicts, none of them worse" in render(changed(verdicts=verdicts)).text


def test_a_result_with_many_pictures_and_numbers_stays_within_six_mebibytes():
    example = full_data()["examples"][0]
    large = [{**layer, "uri": layer["uri"][:23] + "A" * 60_000} for layer in example["layers"]]
    examples = [{**example, "case": f"case {n:04d}", "layers": large} for n in range(120)]
    metrics = [{**m, "model": f"{m['model']} {n}", "role": "model"} for n in range(21) for m in full_data()["metrics"]]
    result = changed(examples=examples, metrics=metrics)

    html = render_html(result, source_sha256=SHA)

    assert len(html.encode()) < 6 * MIB
    assert "more are in audit.json only, to keep this page small" in html


def test_the_full_page_is_small(page):
    assert len(render_html(full_result(), source_sha256=SHA).encode()) < MIB // 2


def test_no_template_or_module_marks_a_text_as_safe():
    from importlib.resources import files

    package = files("shortcut_audit.report")
    template = package.joinpath("template.html").read_text()
    assert not re.search(r"\|\s*safe\b|autoescape", template)
    sources = {path.name: path.read_text() for path in package.iterdir() if path.name.endswith(".py")}
    sources |= {path.name: path.read_text() for path in package.joinpath("sections").iterdir() if path.is_file()}
    for name, source in sources.items():
        calls = re.findall(r"""Markup\((?!"[^"]*"\)|'[^']*'\))""", source)
        assert len(calls) == (1 if name == "render.py" else 0), f"{name} makes markup of something that is not constant"


def test_the_report_is_written_beside_its_audit_with_the_hash_of_it(tmp_path):
    path = tmp_path / "audit.json"
    write_result(full_result(), path)
    before = path.read_bytes()

    written = write_report(tmp_path, ("html", "json", "csv", "md", "junit"))

    tables = ["metrics", "comparisons", "operating_points", "seeds", "curves", "answers", "verdicts"]
    names = ["report.html", "audit.json", *(f"{table}.csv" for table in tables), "report.md", "report.junit.xml"]
    assert [found.name for found in written] == names
    assert all(found.parent == tmp_path and found.stat().st_size for found in written)
    assert path.read_bytes() == before
    assert hashlib.sha256(before).hexdigest() in (tmp_path / "report.html").read_text()


def test_a_file_can_be_named_in_place_of_its_folder(tmp_path):
    path = tmp_path / "other.json"
    write_result(full_result(), path)
    assert write_report(path) == [tmp_path / "report.html"]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    write_result(full_result(), tmp_path / "audit.json")
    with pytest.raises(UsageError, match=r"'htm' \(did you mean 'html'\?\); there are: html, json, csv, md, junit"):
        write_report(tmp_path, ("csv", "htm"))
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


def test_a_folder_without_an_audit_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"audit\.json is not there; run 'audit evaluate' first"):
        write_report(tmp_path)
