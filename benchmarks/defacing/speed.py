"""CPU seconds and memory of protecting one 1 mm head, beside quickshear with the same brain mask; see README.md.

python -m benchmarks.defacing.speed --heads 5 [--quickshear PYTHON]

PYTHON is an interpreter of an environment in which quickshear is installed; left out, only medveil is timed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io import nifti

# Each run is a process of its own, so that its clock and its memory are its own; imports count.
MEDVEIL = """
import sys
from pathlib import Path
from medveil.io import nifti
from medveil.protect.deface.{module} import {cls}
from medveil.protect.verify import verify_image
source = nifti.read(Path(sys.argv[1]))
outcome = {cls}().apply(source)
nifti.write(outcome.image, Path(sys.argv[3]))
written = nifti.read(Path(sys.argv[3]))
assert all(verify_image(source, written, outcome.altered, outcome.protected).values())
"""
QUICKSHEAR = """
import sys
import nibabel as nib, numpy as np
from quickshear import quickshear
image, brain = nib.load(sys.argv[1]), nib.load(sys.argv[2])
quickshear(image, brain).to_filename(sys.argv[3])
"""


def run(python: str, code: str, *paths: Path) -> tuple[float, float]:
    """CPU seconds and megabytes at most, of a child process."""
    measure = (
        "import resource,subprocess,sys; r=subprocess.run([sys.executable,'-c',*sys.argv[1:]],stderr=subprocess.PIPE);"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(u.ru_utime+u.ru_stime, u.ru_maxrss/1024); sys.stderr.buffer.write(r.stderr[-2000:]); sys.exit(r.returncode)"
    )
    done = subprocess.run(
        [python, "-c", measure, code, *map(str, paths)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    if done.returncode:
        sys.exit(f"a run failed: {done.stderr[-500:]}")
    seconds, megabytes = done.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def write_head(index: int, seed: int, folder: Path) -> tuple[Path, Path]:
    """A 1 mm T1w head on a 256^3 grid, and its true brain mask."""
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    seeds = Seeds(seed)
    seen = scan(draw_person(seeds, index), seeds, scanner=Scanner(spacing_mm=1.0))
    noise = seeds.stream("benchmark/speed", index)
    cut = tuple(slice(0, min(256, n)) for n in seen.image.data.shape)
    data = noise.integers(0, 20, (256, 256, 256)).astype(np.int16)
    brain = np.zeros(data.shape, np.uint8)
    at = tuple(slice((256 - (c.stop)) // 2, (256 - c.stop) // 2 + c.stop) for c in cut)
    top = tuple(slice(n - c.stop, n) for n, c in zip(seen.image.data.shape, cut, strict=True))
    data[at], brain[at] = seen.image.data[top], seen.brain_mask[top]
    affine = seen.image.affine.copy()
    affine[:3, 3] += [t.start - a.start for t, a in zip(top, at, strict=True)]
    paths = folder / f"{index}.nii.gz", folder / f"{index}-brain.nii.gz"
    nifti.write(Image(data, affine), paths[0])
    nifti.write(Image(brain, affine), paths[1])
    return paths


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--heads", type=int, default=5)
    options.add_argument("--seed", type=int, default=71)
    options.add_argument("--quickshear", default="")
    a = options.parse_args()
    programs: dict[str, tuple[str, str]] = {
        "medveil erase": (sys.executable, MEDVEIL.format(module="erase", cls="Erase")),
        "medveil shear": (sys.executable, MEDVEIL.format(module="shear", cls="Shear")),
    }
    if a.quickshear:
        programs["quickshear (brain mask given)"] = (a.quickshear, QUICKSHEAR)
    got: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        for index in range(a.heads):
            image, brain = write_head(index, a.seed, Path(folder))
            for name, (python, code) in programs.items():  # in turn, so that a busy machine hits all alike
                got[name].append(run(python, code, image, brain, Path(folder) / "out.nii.gz"))
                print(
                    f"head {index} {name:32}{got[name][-1][0]:7.1f} CPU s {got[name][-1][1]:7.0f} MB",
                    flush=True,
                )
    for name, values in got.items():
        v: Any = np.array(values)
        print(
            f"{name:32} CPU s median {np.median(v[:, 0]):.1f} ({v[:, 0].min():.1f} to {v[:, 0].max():.1f}), MB {v[:, 1].max():.0f}"
        )


if __name__ == "__main__":
    main()
