"""Fixtures that every part of the tests may use. Look-alike trees are made by the modules in ``trees/``."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# On a loaded machine an example takes any time; how long is for the benchmarks to say.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Two processes of tests with threads of their own each get in each other's way. Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background ignores Ctrl-C, and so would every program that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real images; a test that needs it is skipped where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real images are not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def odd(real_data):
    """The folder of odd DICOM files; a test that needs it is skipped where it is missing."""
    folder = real_data / "dicom_odd" / "files"
    if not folder.is_dir():
        pytest.skip(f"odd DICOM files are not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def configs():
    """The folder of configurations that are shipped."""
    return Path(__file__).resolve().parents[1] / "configs"
