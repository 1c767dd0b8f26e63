"""Shards made one after the other, or shared out among processes.

The caller alone writes into the store: a process is sent the pixels of a shard's films, and leaves its bytes in a
scratch folder. The bytes of a shard do not depend on who makes it.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cached_property
from multiprocessing import active_children, get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from shortcut_audit.errors import UsageError
from shortcut_audit.masks.shard_maker import Made, ShardMaker
from shortcut_audit.runtime import end_with_parent, uninterrupted
from shortcut_audit.shapes import Bytes8

AHEAD = 2
"""Shards a process that are given out: one in work, one waiting."""
MAKER = "maker.pickle"


class _Worker:
    """What a process holds that makes shards for another."""

    def __init__(self, scratch: Path, device: torch.device) -> None:
        self.scratch, self._device = scratch, device

    @cached_property
    def maker(self) -> ShardMaker:
        """Load the maker with its network; not before there is someone to tell that it cannot be done."""
        written = (self.scratch / MAKER).read_bytes()
        maker: ShardMaker = pickle.loads(written)  # noqa: S301 - ours, from a folder that nobody else may read
        try:
            maker.explainer.move_to(self._device)
        except torch.OutOfMemoryError as error:
            raise UsageError(
                f"--processes: {self._device} has no room for one network more; type the same command with fewer"
            ) from error
        return maker


_worker: _Worker


def make_shards(
    maker: ShardMaker, pixels: Bytes8, shards: Sequence[int], processes: int
) -> Generator[tuple[int, Made]]:
    """Yield shards as they are made, in any order.

    Args:
        maker: makes one.
        pixels: of all samples (N,C,H,W).
        shards: numbers of the shards.
        processes: of 1 this process makes them; else so many others do, at most one a shard, each with as many
            threads as this one has and a copy of the network, on a GPU of its own where there are several.

    Raises:
        UsageError: a process was ended from outside, or has no room for the network.
        InputError: see :meth:`ShardMaker.make`.
    """
    processes = min(processes, len(shards))
    if processes > 1:
        yield from _elsewhere(maker, pixels, shards, processes)
        return
    for shard in shards:
        yield shard, maker.make(shard, pixels[maker.films(shard)])


def _elsewhere(maker: ShardMaker, pixels: Bytes8, shards: Sequence[int], processes: int) -> Generator[tuple[int, Made]]:
    context, others = get_context("spawn"), set(active_children())
    devices = context.SimpleQueue()
    for number in range(processes):
        devices.put(_device(maker.explainer.device, number))
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        _leave(maker, scratch / MAKER)
        begin = (scratch, devices, torch.get_num_threads())
        with ProcessPoolExecutor(processes, context, _begin, begin) as pool:
            try:
                yield from _as_made(pool, maker, pixels, shards, scratch, AHEAD * processes)
            except BaseException as error:
                for child in set(active_children()) - others:
                    child.terminate()  # what they are at is of no use any more, and may take minutes
                if not isinstance(error, BrokenProcessPool):
                    raise
                raise UsageError(
                    f"--processes: one of {processes} processes was ended from outside, for want of memory perhaps; "
                    "what was made is kept: type the same command with fewer"
                ) from error


def _leave(maker: ShardMaker, path: Path) -> None:
    """Write a maker where the others find it: what begins a process must be short, and tensors would go by a pipe."""
    sent = replace(maker, explainer=copy.deepcopy(maker.explainer))
    sent.explainer.move_to(torch.device("cpu"))
    path.write_bytes(pickle.dumps(sent))
    if maker.explainer.device.type == "cuda":
        torch.cuda.empty_cache()


def _as_made(
    pool: ProcessPoolExecutor, maker: ShardMaker, pixels: Bytes8, shards: Sequence[int], scratch: Path, most: int
) -> Generator[tuple[int, Made]]:
    """Give out shards, at most so many at once: each holds the pixels of its films."""
    todo, given = list(reversed(shards)), dict[Future[tuple[str, ...]], int]()
    while todo or given:
        with uninterrupted():
            while todo and len(given) < most:
                shard = todo.pop()
                given[pool.submit(_make, shard, pixels[maker.films(shard)])] = shard
        done, _ = wait(given, return_when=FIRST_COMPLETED)
        for future in done:
            shard = given.pop(future)
            conditions, path = future.result(), _path(scratch, shard)
            yield shard, Made(data=path.read_bytes(), conditions=conditions)
            path.unlink()


def _device(own: torch.device, number: int) -> torch.device:
    """Return where a process computes: GPUs in turn, or where this process does."""
    return torch.device("cuda", number % torch.cuda.device_count()) if own.type == "cuda" else own


def _path(scratch: Path, shard: int) -> Path:
    return scratch / f"shard-{shard}"


def _begin(scratch: Path, devices: SimpleQueue[torch.device], threads: int) -> None:
    """Make ready a process that makes shards."""
    global _worker  # noqa: PLW0603 - the pool hands a process nothing else to keep
    end_with_parent()
    torch.set_num_threads(threads)
    _worker = _Worker(scratch, devices.get())


def _make(shard: int, stored: Bytes8) -> tuple[str, ...]:
    """Make a shard, leave its bytes and return its conditions: an answer too short to be cut in the middle."""
    made = _worker.maker.make(shard, stored)
    _path(_worker.scratch, shard).write_bytes(made.data)
    return made.conditions
