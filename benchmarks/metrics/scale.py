"""Are a hundred million scores measured in a minute and two gigabytes, with intervals as honest as of few?

python benchmarks/metrics/scale.py [matrix] [table] [coverage] [--people 10000] [--rows 3000] [--trials 100] [--jobs 1]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from run import NAMES, SEEDS, _truth, cohort

from medveil.core.scores import Scores
from medveil.io.score_matrix import write_matrix
from medveil.measure.scale.measure import measure_grid


def blocks(people: int, height: int = 500) -> Iterator[np.ndarray]:
    """Inner products of noisy 8-dimensional views of people, some rows at a time."""
    rng = SEEDS.stream("bench/scale")
    identity = 1.2 * rng.normal(size=(people, 8))
    scan, photo = identity + rng.normal(size=(2, people, 8))
    for start in range(0, people, height):
        yield (scan[start : start + height] @ photo.T / 8).astype(np.float32)


def matrix(people: int, jobs: int) -> None:
    """`medveil measure` of a matrix of people x people scores, original and release alike in size."""
    with tempfile.TemporaryDirectory() as folder:
        labels = [(f"s{i}", "") for i in range(people)]
        write_matrix(Path(folder) / "release", blocks(people), labels, labels)
        size = (Path(folder) / "release" / "scores.npy").stat().st_size / 1e9
        print(f"{people:,} x {people:,} scores in float32, {size:.1f} GB on disk, {jobs} process(es)")
        watched(["medveil", "measure", str(Path(folder) / "release"), "--jobs", str(jobs)])


def table(rows: int) -> None:
    """The same from CSV, rows x rows lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.csv"
        with open(path, "w") as file:
            file.write("probe_subject,probe_image,gallery_subject,gallery_image,score\n")
            for i, row in enumerate(np.concatenate(list(blocks(rows)))):
                file.write("".join(f"s{i},a,s{j},b,{x:.6f}\n" for j, x in enumerate(row)))
        print(f"{rows * rows:,} lines of CSV, {path.stat().st_size / 1e9:.1f} GB")
        watched(["medveil", "measure", str(path)])


def watched(command: list[str]) -> None:
    """Run a command; print wall time, CPU time and the largest sum of resident memory over its processes."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    start, peak = time.perf_counter(), 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, sum(_resident(pid) for pid in _tree(process.pid)))
            time.sleep(0.1)
        said = process.stdout.read() if process.stdout else ""
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"  wall {wall:.1f} s   CPU {cpu:.1f} s   peak {max(peak, after.ru_maxrss * 1024) / 1e9:.2f} GB")
    print("  " + "\n  ".join(said.splitlines()))


def coverage(trials: int) -> None:
    """How often the intervals of a counted grid hold the truth, as `run.py coverage` asks of small tables."""
    print(f"coverage of 95 % intervals from each person's counts, {trials} cohorts each")
    for persons, scans, photos in ((49, 1, 1), (30, 3, 5), (150, 1, 1)):
        rng = SEEDS.stream("bench/coverage", persons)
        truth = _truth(rng, persons, scans, photos)
        held: dict[str, list[tuple[bool, float]]] = defaultdict(list)
        for _ in range(trials):
            grid = AsGrid.of(cohort(rng, persons, scans, photos))
            found, _ = measure_grid(grid, seeds=SEEDS, rounds=300, null_rounds=5)
            for name in NAMES:
                e = found.estimates[name]
                held[name].append((e.low <= truth[name] <= e.high, e.high - e.low))
        print(f"  {persons} persons x {scans} scans x {photos} photographs")
        for name, rows in held.items():
            share, width = np.mean(rows, axis=0)
            print(f"    {name:15} truth {truth[name]:.3f}   covers {100 * share:3.0f} %   width {width:.3f}")


@dataclass
class AsGrid:
    """Scores of everybody against everybody, as a grid."""

    score: np.ndarray
    probe: np.ndarray
    gallery: np.ndarray
    persons: int
    attack: str = "bench"
    condition: str = "release"

    @staticmethod
    def of(scores: Scores) -> AsGrid:
        probes = int(scores.probe_image.max()) + 1
        square = scores.score.reshape(probes, -1)
        return AsGrid(
            square,
            scores.probe.reshape(square.shape)[:, 0],
            scores.gallery[: square.shape[1]],
            scores.persons,
        )

    def rows(self, start: int, stop: int) -> np.ndarray:
        return self.score[start:stop]


def _tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(p for child in children for p in _tree(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


if __name__ == "__main__":
    words = sys.argv[1:]
    asked = {
        w: int(words[words.index(w) + 1]) for w in ("--people", "--rows", "--trials", "--jobs") if w in words
    }
    wanted = [w for w in words if w in ("matrix", "table", "coverage")] or ["matrix", "table", "coverage"]
    if "matrix" in wanted:
        matrix(asked.get("--people", 10_000), asked.get("--jobs", 1))
    if "table" in wanted:
        table(asked.get("--rows", 3000))
    if "coverage" in wanted:
        coverage(asked.get("--trials", 100))
