"""The page in a real browser: the script runs under the policy, and nothing of a user's does."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from fake_audit import hostile_result
from read_page import Page

from shortcut_audit.report.render import render_html

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-logging=stderr"]
LUMINANCE = (0.2126, 0.7152, 0.0722)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_runs_our_script_only_and_reports_no_error(tmp_path):
    path = tmp_path / "report.html"
    payload = "\"><img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    path.write_text(render_html(hostile_result(payload, frozenset({"uri"})), source_sha256="0" * 64))

    told = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip

    page = Page(told.stdout)
    assert page.all("html", class_="js")
    assert page.all("button", id="theme", aria_pressed="false")
    assert "<title>owned" not in told.stdout
    assert not re.search(r"CONSOLE|Content Security Policy|net::ERR", told.stderr)


def colours(style: str, scheme: int) -> dict[str, str]:
    """The named colours of the style sheet in light (0) or dark (1)."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    return {name: found[scheme] for name, *found in pairs}


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * channel for weight, channel in zip(LUMINANCE, linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_has_enough_contrast_in_light_and_dark(scheme):
    style = Page(render_html(hostile_result(""), source_sha256="0" * 64)).raw["style"]
    found = colours(style, scheme)

    pairs = [(text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "card")]
    pairs += [(status, f"{status}-back") for status in ("fail", "concern", "pass", "insufficient")]
    low = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in pairs}
    assert min(low.values()) >= 4.5, low
    assert contrast(found["reliance"], found["paper"]) >= 2.4
