"""Pixels from the cache against decoding the JPEGs, in one run.

``python -m tests.benchmarks.pixel_cache``. Made-up JPEGs of 320 x 390 at quality 95, as CheXpert's small release
has them. Target: at least 5 times as fast on two cores. Both bring the train split to 1 x 320 x 320 and touch every
pixel once, as a first epoch does; from the cache, the checksum of every image is compared too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from scipy.ndimage import gaussian_filter

from shortcut_audit.config import ImageConfig
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.pixel_cache import film_pixels
from shortcut_audit.stages.prepare import prepare

SIZE, SHAPE, TARGET, TIMES = 320, (320, 390), 5, 3


def made_up(root: Path, images: int) -> Manifest:
    """Smooth grey pictures with the noise of a film."""
    rng = np.random.default_rng(0)
    for number in range(images):
        smooth = gaussian_filter(rng.normal(size=SHAPE), 12)
        grey = 128 + 60 * smooth / smooth.std() + rng.normal(0, 4, SHAPE)
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(root / f"{number}.jpg", quality=95)
    names = [str(number) for number in range(images)]
    frame = pl.DataFrame({"sample_id": names, "image": [f"{name}.jpg" for name in names], "split": ["train"] * images})
    return Manifest.from_frame(frame, card=DataCard(name="made up"), root=root, where="made up")


def seconds(manifest: Manifest) -> float:
    start = time.perf_counter()
    pixels, _ = film_pixels(manifest, size=SIZE, channels=1)
    pixels.sum(dtype=np.int64)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        decoded = made_up(Path(folder), asked.images)
        prepare(decoded, Path(folder) / "out", ImageConfig(size=SIZE, channels=1))
        cached = replace(decoded, cache=Path(folder) / "out")
        pairs = [(seconds(decoded), seconds(cached)) for _ in range(TIMES)]
    slow, fast = (float(np.median(column)) for column in zip(*pairs, strict=True))
    print(
        f"{asked.images:,} JPEGs of {SHAPE[1]} x {SHAPE[0]}: decoded {slow:.2f} s, from the cache {fast:.3f} s,",
        end=" ",
    )
    print(f"{slow / fast:.0f} times as fast (target {TARGET})", flush=True)


if __name__ == "__main__":
    main()
