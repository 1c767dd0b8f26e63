"""A run folder: one configuration, its stages, and what is finished.

``run.json`` says which configuration the folder belongs to and, for every finished stage, the
fingerprint of its inputs and the SHA-256 of its outputs. A stage counts as done only if both still
hold; so a run that was killed goes on where it stopped when the same command is typed again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shortcut_audit.config import Config
from shortcut_audit.errors import BusyError, InputError, OutputError, UsageError
from shortcut_audit.lock import locked
from shortcut_audit.provenance import PRIVATE, fingerprint, sha256_file, write_json
from shortcut_audit.runtime import say

RECORD = "run.json"
RUNS = Path("runs")


def run_fingerprint(command: str, config: Config, given: Mapping[str, str] | None = None) -> str:
    """Return what identifies a run: command, configuration, and digests of models that were ``given``.

    What is asked of the models is not part of it, but for the summarizer: it chooses the checkpoint.
    """
    settings = config.model_dump(mode="json", exclude={"evaluate"})
    return fingerprint({
        "command": command, **settings, "summarizer": config.evaluate.summarizer, "given": dict(given or {})
    })  # fmt: skip


class Run:
    """One run folder, open for work.

    Args:
        folder: where it lies.
        config: its configuration.
        record: the content of ``run.json``.
    """

    def __init__(self, folder: Path, config: Config, record: dict[str, Any]) -> None:
        self.folder = folder
        self.config = config
        self._record = record

    @property
    def command(self) -> str:
        """The command that made the run."""
        return str(self._record["command"])

    @property
    def fingerprint(self) -> str:
        """What the folder belongs to: see :func:`run_fingerprint`."""
        return str(self._record["fingerprint"])

    @property
    def began(self) -> str:
        """When it began, in UTC, as text that sorts."""
        return str(self._record["began"])

    @property
    def finished(self) -> bool:
        """Whether the command ran to its end."""
        return bool(self._record["finished"])

    @property
    def begun(self) -> bool:
        """Whether anything was computed: a stage is finished that does more than copy the manifest."""
        return bool(set(self._record["stages"]) - {"data"})

    def path(self, name: str) -> Path:
        """Return the path of an output."""
        return self.folder / name

    def digest(self, name: str) -> str:
        """Return the SHA-256 of an output, as recorded when its stage ended.

        Raises:
            UsageError: no finished stage left that output.
        """
        for stage in self._record["stages"].values():
            if name in stage["outputs"]:
                return str(stage["outputs"][name])
        raise UsageError(f"{self.folder} has no {name}; run the stage that makes it first")

    @property
    def outputs(self) -> set[str]:
        """File names that finished stages left and that are still there."""
        return {
            name for stage in self._record["stages"].values() for name in stage["outputs"] if self.path(name).is_file()
        }

    def has(self, name: str) -> bool:
        """Whether a finished stage left that output and it is still there."""
        return name in self.outputs

    def intact(self, name: str) -> bool:
        """Whether an output is there as its stage left it."""
        return self.has(name) and sha256_file(self.path(name)) == self.digest(name)

    def stage(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        work: Callable[[], None],
        whole: Callable[[], bool] = lambda: True,
    ) -> None:
        """Do a stage unless it is done.

        Args:
            name: of the stage.
            inputs: all that decides its outputs, JSON-able; digests for files.
            outputs: file names in the run folder.
            work: writes them.
            whole: whether what an output needs beside it (the parts of a view) is as it was written; asked only
                where the outputs are.
        """
        wanted = fingerprint(inputs)
        if self._is_done(name, wanted, outputs, whole):
            say(f"{name}: done before, taken as it is")
            return
        self._record["stages"].pop(name, None)
        self._save()
        work()
        digests = {output: sha256_file(self.path(output)) for output in outputs}
        self._record["stages"][name] = {"inputs": wanted, "outputs": digests}
        self._save()

    def _is_done(self, name: str, wanted: str, outputs: Sequence[str], whole: Callable[[], bool]) -> bool:
        entry = self._record["stages"].get(name)
        if entry is None or entry["inputs"] != wanted or set(entry["outputs"]) != set(outputs):
            return False
        for output, digest in entry["outputs"].items():
            path = self.path(output)
            if not path.is_file() or sha256_file(path) != digest:
                say(f"{name}: {path.name} is missing or altered; making it again")
                return False
        if not whole():
            say(f"{name}: what belongs to {', '.join(outputs)} is missing or altered; making it again")
            return False
        return True

    def finish(self) -> None:
        """Record that the command ran to its end."""
        self._record["finished"] = True
        self._save()

    def _save(self) -> None:
        write_json(self.path(RECORD), self._record, mode=PRIVATE)


@contextmanager
def open_run(
    command: str, config: Config, *, out: Path | None, new: bool, given: Mapping[str, str] | None = None
) -> Iterator[Run]:
    """Open the folder of a run, and hold it while it is worked on.

    ``out`` names it; else the newest unfinished run of the same command, configuration and ``given``
    models (name to SHA-256) under ``./runs`` goes on, unless ``new``; else a new folder is made.

    Raises:
        BusyError: the folder belongs to another configuration, holds something else, or is in use.
    """
    wanted = run_fingerprint(command, config, given)
    folder = out or (None if new else _unfinished(wanted)) or _new_folder(config.name, wanted)
    record = _record_for(folder, wanted, command, config)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    was_empty = not (folder / RECORD).exists()
    was_finished, stages = record["finished"], dict(record["stages"])
    record["finished"] = False
    run = Run(folder, config, record)
    try:
        with locked(folder):
            run._save()  # noqa: SLF001 (same module)
            yield run
            run.finish()
    except (UsageError, InputError, OutputError, BusyError):
        if was_empty and not run.begun:
            _take_back(run, made)
        elif was_finished and record["stages"] == stages:
            run.finish()  # as it was: what was refused is not unfinished
        raise


def _take_back(run: Run, made: list[Path]) -> None:
    """Remove what a run left whose input was refused before anything was computed, and the folders made for it."""
    for path in run.folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in made:
        with suppress(OSError):  # another run may lie in it by now
            folder.rmdir()


def read_run(folder: Path) -> Run:
    """Open an existing run.

    Raises:
        UsageError: the folder is not a run.
        OutputError: its record cannot be read.
    """
    if not (folder / RECORD).is_file():
        raise UsageError(f"{folder} is not a run folder ({RECORD} is not there); name one with --run")
    record = _read_record(folder)
    try:
        return Run(folder, Config.model_validate(record["config"]), record)
    except ValidationError as error:
        key = ".".join(map(str, error.errors()[0]["loc"]))
        raise OutputError(
            f"{folder / RECORD} holds a configuration that this version does not know ('{key}'); run the command again"
        ) from error


@contextmanager
def hold(run: Run) -> Iterator[Run]:
    """Hold an existing run while it is worked on."""
    with locked(run.folder):
        yield run


def newest_run(holding: str, under: Path = RUNS) -> Path | None:
    """Return the run that began last of those with the output ``holding``; a demo only if there is no other.

    ``holding`` is a regular expression of file names.
    """
    found = [
        (run.command != "demo", run.began, run.folder)
        for run in _runs(under)
        if any(re.fullmatch(holding, name) for name in run.outputs)
    ]
    return max(found)[2] if found else None


def _runs(under: Path) -> Iterator[Run]:
    """Yield the runs in a folder; one that cannot be read is named and passed over."""
    for record in under.glob(f"*/{RECORD}"):
        try:
            yield read_run(record.parent)
        except OutputError as error:
            say(f"passed over: {error}")


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text())
        _ = [record[key] for key in ("command", "fingerprint", "config", "began", "stages", "finished")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path} is damaged and cannot be read; start again with --new or another --out") from error
    return dict(record)


def _record_for(folder: Path, wanted: str, command: str, config: Config) -> dict[str, Any]:
    """Return the record of a folder, or that of a fresh one."""
    if (folder / RECORD).is_file():
        record = _read_record(folder)
        if record["fingerprint"] != wanted:
            raise BusyError(
                f"{folder} belongs to another run ('audit {record['command']}' with another configuration); "
                "choose another --out, or type that run's command again to go on with it"
            )
        return record
    if folder.is_dir() and any(folder.iterdir()):
        raise BusyError(f"{folder} is not empty and not a run of ours; choose another --out")
    return {
        "command": command,
        "fingerprint": wanted,
        "config": config.model_dump(mode="json"),
        "began": datetime.now(UTC).isoformat(),
        "stages": {},
        "finished": False,
    }


def _unfinished(wanted: str) -> Path | None:
    candidates = [(run.began, run.folder) for run in _runs(RUNS) if run.fingerprint == wanted and not run.finished]
    if not candidates:
        return None
    folder = max(candidates)[1]
    say(f"Going on with the unfinished run {folder} (a new one: --new)")
    return folder


def _new_folder(name: str, wanted: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return RUNS / f"{stamp}-{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}-{wanted[:4]}"
