"""Ctrl-C in a terminal reaches all processes of a command: it ends with one line, not with a traceback of each."""

import os
import signal
import subprocess
import sys
import time


def test_rendering_ends_with_one_line_and_no_process_is_left(tmp_path):
    words = ["data", "synth", "--out", str(tmp_path / "films"), "--set", "dataset.options.train=20000"]
    command = [sys.executable, "-m", "shortcut_audit_cli", *words]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)
    while not any((tmp_path / "films").rglob("*.png")):
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    # Streams that a process holds which was left behind would be waited for.
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("stopped")
