"""What 'audit doctor' looks at: one function a question, each returns what it found.

A package that is not there is no failure: 'audit evaluate --scores' and 'audit report' need few.
"""

from __future__ import annotations

import io
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from shortcut_audit.runtime import THREAD_VARIABLES, usable_cores

State = Literal["ok", "note", "broken"]
GIB = 2**30
FREE_DISK, FREE_MEMORY = 5 * GIB, 3 * GIB
"""What 'audit demo' is promised to need, with room to spare."""
FORBIDDEN_LIGHTNING = ("2.6.2", "2.6.3")
"""Releases of 'lightning' that were published by an intruder."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, what was found and what helps."""

    check: str
    state: State
    found: str
    advice: str = ""


def python() -> Finding:
    """Which Python runs, on what."""
    return Finding(check="python", state="ok", found=f"{platform.python_version()}, {platform.platform()}")


def packages() -> Iterator[Finding]:
    """Is each package we name there, and new enough?"""
    yield Finding(check="shortcut-audit", state="ok", found=version("shortcut-audit"))
    for line in requires("shortcut-audit") or ():
        if "extra ==" not in line:
            name, floor = _requirement(line)
            yield _package(name, floor)


def _requirement(line: str) -> tuple[str, str]:
    """Split ``name<0.30,>=0.29`` into name and floor."""
    name = re.match(r"[\w.-]+", line)
    floor = re.search(r">=\s*([\w.]+)", line)
    return name.group() if name else line, floor.group(1) if floor else "0"


def _package(name: str, floor: str) -> Finding:
    found = _version(name)
    if found is None:
        return Finding(
            check=name, state="note", found="not installed", advice=f"python -m pip install '{name}>={floor}'"
        )
    if _numbers(found) < _numbers(floor):
        return Finding(check=name, state="broken", found=f"{found}, expected {floor} or newer",
                       advice=f"python -m pip install --upgrade '{name}>={floor}'")  # fmt: skip
    return Finding(check=name, state="ok", found=found)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])


def lightning() -> Finding:
    """Is one of the two poisoned releases installed?"""
    found = _version("lightning")
    if found in FORBIDDEN_LIGHTNING:
        return Finding(check="lightning", state="broken", found=f"{found}, a release published by an intruder",
                       advice="python -m pip uninstall lightning, and change the secrets of this machine")  # fmt: skip
    return Finding(check="lightning", state="ok", found=f"{found or 'not installed'}, not a forbidden release")


def vision_ops() -> Finding:
    """Do torch and torchvision belong together? Boxes go through an operator compiled against torch."""
    if not (find_spec("torch") and find_spec("torchvision")):
        return Finding(check="torchvision operators", state="note", found="torch or torchvision is not installed")
    try:
        import torch
        from torchvision.ops import nms

        nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([1.0]), 0.5)
    except Exception as error:  # noqa: BLE001 (a broken pair raises whatever it likes)
        return Finding(check="torchvision operators", state="broken", found=f"{type(error).__name__}: {error}",
                       advice="install torch and torchvision of one release, from one index")  # fmt: skip
    return Finding(check="torchvision operators", state="ok", found="nms runs")


def threads() -> Finding:
    """Do BLAS and OpenMP use more threads than there are cores?"""
    cores = usable_cores()
    asked = {name: os.environ.get(name, "not set") for name in THREAD_VARIABLES}
    found = f"{cores} cores; " + ", ".join(f"{name}={value}" for name, value in asked.items())
    over = any(value.isdigit() and int(value) > cores for value in asked.values())
    return Finding(check="cores and threads", state="note" if over else "ok", found=found,
                   advice="more threads than cores make everything slower" if over else "")  # fmt: skip


def memory() -> Finding:
    """Is there enough memory for the demo?"""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    few = total < FREE_MEMORY
    return Finding(check="memory", state="note" if few else "ok",
                   found=f"{free / GIB:.1f} GiB free of {total / GIB:.1f}",
                   advice="'audit demo' needs 3 GiB" if few else "")  # fmt: skip


def disk() -> Finding:
    """Is there enough space in the working folder?"""
    free = shutil.disk_usage(Path.cwd()).free
    few = free < FREE_DISK
    return Finding(check="free disk", state="note" if few else "ok", found=f"{free / GIB:.1f} GiB in {Path.cwd()}",
                   advice="run folders hold weights and masks: free some space" if few else "")  # fmt: skip


def writing() -> Finding:
    """Can a file be written and renamed in the working folder?"""
    from shortcut_audit.errors import OutputError
    from shortcut_audit.provenance import write_atomic

    try:
        with tempfile.TemporaryDirectory(prefix=".audit-doctor-", dir=Path.cwd()) as folder:
            write_atomic(Path(folder) / "probe", b"probe")
    except (OSError, OutputError) as error:
        return Finding(check="write and rename", state="broken", found=str(error),
                       advice="start in a folder you may write to, or use --out")  # fmt: skip
    return Finding(check="write and rename", state="ok", found=f"works in {Path.cwd()}")


def hdf5() -> Finding:
    """Does HDF5 give back what was put in, compressed and with checksums, as masks.h5 needs it?"""
    if not find_spec("h5py"):
        return Finding(check="HDF5 round trip", state="note", found="h5py is not installed")
    import h5py
    import numpy as np

    memory, planes = io.BytesIO(), np.arange(256, dtype=np.uint8).reshape(4, 64)
    try:
        with h5py.File(memory, "w", libver=("v110", "v110")) as file:
            file.create_dataset("planes", data=planes, chunks=(1, 64), compression="gzip", fletcher32=True)
        with h5py.File(memory, "r") as file:
            same = bool(np.array_equal(file["planes"][:], planes))
    except (OSError, ValueError) as error:
        return Finding(check="HDF5 round trip", state="broken", found=str(error), advice="install h5py again")
    return Finding(check="HDF5 round trip", state="ok" if same else "broken",
                   found=f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}, gzip and fletcher32",
                   advice="" if same else "other bytes came back: install h5py again")  # fmt: skip


def datasets() -> Finding:
    """Which data sets lie under SHORTCUT_AUDIT_DATA?"""
    from shortcut_audit.data.datasets import DATASETS

    root = os.environ.get("SHORTCUT_AUDIT_DATA")
    if not root:
        return Finding(check="data sets", state="note", found="SHORTCUT_AUDIT_DATA is not set",
                       advice="set it to the folder that holds data sets by name, or use --root")  # fmt: skip
    if not Path(root).is_dir():
        return Finding(check="data sets", state="broken", found=f"SHORTCUT_AUDIT_DATA={root} is not a folder",
                       advice="set it to the folder that holds data sets by name")  # fmt: skip
    there = [name for name in DATASETS.names() if (Path(root) / name).is_dir()]
    return Finding(check="data sets", state="ok" if there else "note", found=f"{root}: {', '.join(there) or 'none'}",
                   advice="" if there else f"known names: {', '.join(DATASETS.names())}")  # fmt: skip


def browser() -> Finding:
    """Is there a Chromium to print the report to PDF with?"""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return Finding(check="browser", state="ok" if found else "note", found=found or "no Chromium",
                   advice="" if found else "any browser opens report.html; none is needed to make it")  # fmt: skip


CHECKS: tuple[Callable[[], Finding], ...] = (
    python, threads, memory, disk, writing, lightning, vision_ops, hdf5, datasets, browser,
)  # fmt: skip


def examine() -> list[Finding]:
    """Look at everything; the home folder is shown as ``~``."""
    findings = [*(check() for check in CHECKS), *packages()]
    home = str(Path.home())
    return [
        Finding(check=f.check, state=f.state, found=f.found.replace(home, "~"), advice=f.advice.replace(home, "~"))
        for f in findings
    ]
