"""Shards made one after the other, or shared out among processes.

The caller alone writes: a process gets the pixels of a shard's films and gives its bytes back. The bytes of a shard do
not depend on who makes it, as long as every process computes with as many threads.
"""

from __future__ import annotations

import copy
import os
import signal
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.queues import SimpleQueue
from threading import Thread

import torch

from shortcut_audit.errors import UsageError
from shortcut_audit.masks.shard_maker import Made, ShardMaker
from shortcut_audit.shapes import Bytes8

AHEAD = 2
"""Shards a process that are given out: one in work, one waiting."""
_maker: ShardMaker
"""Of this process, where it is one that makes shards for another."""


def make_shards(
    maker: ShardMaker, pixels: Bytes8, shards: Sequence[int], processes: int
) -> Generator[tuple[int, Made]]:
    """Yield shards as they are made, in any order.

    Args:
        maker: makes one.
        pixels: of all samples (N,C,H,W).
        shards: numbers of the shards.
        processes: of 1 this process makes them; else so many others do, at most one a shard, with this process's
            threads shared out, each with a copy of the network, on a GPU of its own where there are several.

    Raises:
        UsageError: a process was ended from outside.
        InputError: see :meth:`ShardMaker.make`.
    """
    processes = min(processes, len(shards))
    if processes > 1:
        yield from _elsewhere(maker, pixels, shards, processes)
        return
    for shard in shards:
        yield shard, maker.make(shard, pixels[maker.films(shard)])


def _elsewhere(maker: ShardMaker, pixels: Bytes8, shards: Sequence[int], processes: int) -> Generator[tuple[int, Made]]:
    context = get_context("spawn")
    devices = context.SimpleQueue()
    for number in range(processes):
        devices.put(_device(maker.explainer.device, number))
    sent = copy.deepcopy(maker)
    sent.explainer.move_to(torch.device("cpu"))
    threads = max(torch.get_num_threads() // processes, 1)
    with ProcessPoolExecutor(processes, context, _begin, (sent, devices, threads)) as pool:
        try:
            yield from _as_made(pool, maker, pixels, shards, AHEAD * processes)
        except BrokenProcessPool as error:
            raise UsageError(
                f"--processes: one of {processes} processes was ended from outside, for want of memory perhaps; "
                "what was made is kept: type the same command with fewer"
            ) from error
        except BaseException:
            for child in active_children():
                child.terminate()  # what they are at is of no use any more, and may take minutes
            raise


def _as_made(
    pool: ProcessPoolExecutor, maker: ShardMaker, pixels: Bytes8, shards: Sequence[int], most: int
) -> Generator[tuple[int, Made]]:
    """Give out shards, at most so many at once: each holds the pixels of its films."""
    todo, given = list(reversed(shards)), dict[Future[Made], int]()
    while todo or given:
        while todo and len(given) < most:
            shard = todo.pop()
            given[pool.submit(_make, shard, pixels[maker.films(shard)])] = shard
        done, _ = wait(given, return_when=FIRST_COMPLETED)
        for future in done:
            yield given.pop(future), future.result()


def _device(own: torch.device, number: int) -> torch.device:
    """Return where a process computes: GPUs in turn, or where this process does."""
    return torch.device("cuda", number % torch.cuda.device_count()) if own.type == "cuda" else own


def _begin(maker: ShardMaker, devices: SimpleQueue[torch.device], threads: int) -> None:
    """Make ready a process that makes shards."""
    global _maker  # noqa: PLW0603 - the pool hands a process nothing else to keep
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who gave out the work ends it
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    maker.explainer.move_to(devices.get())
    _maker = maker


def _make(shard: int, stored: Bytes8) -> Made:
    return _maker.make(shard, stored)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its processes; they would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(1)
