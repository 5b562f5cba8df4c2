"""What one head costs the attacker: find it, render it from ten sides, find and embed ten faces; see README.md.

Processor seconds of this process (all its threads), the best of a few rounds, models and window warm.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from medveil.attack.reidentify.depth import on_skin
from medveil.attack.reidentify.eyes import DLIB
from medveil.attack.reidentify.recogniser import recogniser
from medveil.attack.reidentify.render import VIEWS, camera_of, pictures
from medveil.attack.reidentify.surface import find_head
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io import nifti
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan


def timed(what: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    out = what()
    return out, time.process_time() - start


def once(image: Image, views: int) -> dict[str, float]:
    """Processor seconds of each stage."""
    head, finding = timed(lambda: find_head(image))
    shots, rendering = timed(lambda: pictures(head, views))
    found, locating = timed(lambda: [recogniser().find(p, box) for p, box in shots])
    _, embedding = timed(lambda: [DLIB(p, f) for (p, _), f in zip(shots, found, strict=True)])
    cameras = [camera_of(head, v, 400) for v in VIEWS[:views]]
    _, laying = timed(lambda: on_skin(head, cameras, [f.landmarks_px for f in found]))
    return {
        "find the head": finding, "render": rendering, "find the faces": locating, "embed": embedding,
        "lay landmarks on the skin": laying,
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--image", type=Path, help="a NIfTI file; default: a simulated person at 1 mm")
    options.add_argument("--views", type=int, default=10)
    options.add_argument("--rounds", type=int, default=3)
    a = options.parse_args()
    if a.image:
        image = nifti.read(a.image)
    else:
        seeds = Seeds(0)
        image = scan(draw_person(seeds, 0), seeds, scanner=Scanner(spacing_mm=(1.0, 1.0, 1.0))).image
    once(image, 1)  # models, window, libraries
    rounds = [once(image, a.views) for _ in range(a.rounds)]
    best = {stage: min(r[stage] for r in rounds) for stage in rounds[0]}
    for stage, seconds in best.items():
        print(f"{stage:28} {seconds:6.2f} s")
    print(
        f"{'together':28} {sum(best.values()):6.2f} s for {a.views} views of {np.prod(image.data.shape):,} voxels"
    )


if __name__ == "__main__":
    main()
