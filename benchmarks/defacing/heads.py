"""Deface 300 simulated heads of every kind and hold the result against the truth; see README.md.

python -m benchmarks.defacing.heads --heads 300 --jobs 2
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.localisation.run import errors
from joblib import Parallel, delayed

from medveil.core.errors import Refusal
from medveil.core.release import NOTHING, Carried, Given
from medveil.core.seeds import Seeds
from medveil.locate.head import locate
from medveil.protect.deface.erase import Erase
from medveil.simulate.face_parts import FacePart, face_parts
from medveil.simulate.head import Head
from medveil.simulate.person import Person, draw_person
from medveil.simulate.scan import Scanner, head_for, scan
from medveil.simulate.scanner import STORAGES
from medveil.simulate.tissues import EPI

HERE = Path(__file__).parent
# Contrasts with the share of heads that have them, and their usual voxels (mm).
KINDS: tuple[tuple[str, float, tuple[Any, ...]], ...] = (
    ("T1w", 0.36, (1.0, 1.2, 1.5, 2.0, 3.0, (1.0, 1.0, 4.8))),
    ("T2w", 0.10, (1.5, 2.0, (1.0, 1.0, 5.0))),
    ("FLAIR", 0.10, (1.5, 2.0, (1.0, 1.0, 5.0))),
    ("PDw", 0.05, (2.0, (1.0, 1.0, 4.0))),
    ("CT", 0.10, (1.5, 2.0, (1.0, 1.0, 4.0))),
    ("pet", 0.06, (2.0, 3.0, 4.0)),
    ("T2starw", 0.05, (2.0, (1.0, 1.0, 3.0))),
    ("UNIT1", 0.06, (1.0, 1.5, 2.0)),
    ("bold", 0.06, (3.0, 2.5)),
    ("dwi", 0.03, (2.5, 2.0)),
    ("asl", 0.03, (3.0, 4.0, 6.0)),
)
PASS_SHARE = 0.995
TRUSTED_MM = 6.0
LEAST_VOXELS = 20


@dataclass
class Row:
    """One head: its conditions, and what happened."""

    index: int
    contrast: str
    spacing_mm: Any
    tilt: str
    crop: str
    size: float
    other: str
    cpu_s: float = 0.0
    refused: str = ""
    error_mm: float | None = None
    best_affine_mm: float | None = None
    brain_voxels: int | None = None
    covered: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    confidence: dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        if self.refused:
            return "refused"
        whole = all(c >= PASS_SHARE for c in self.covered.values())
        return "pass" if whole and not self.brain_voxels else "silent failure"


def conditions(index: int, seed: int) -> tuple[Row, Scanner]:
    """What head number `index` is like: the same whatever the code under test does."""
    rng = Seeds(seed).stream("benchmark/defacing/heads", index)
    weights = np.array([k[1] for k in KINDS])
    contrast, _, spacings = KINDS[rng.choice(len(KINDS), p=weights / weights.sum())]
    spacing = spacings[rng.integers(len(spacings))]
    tilt = ("usual", "to 20", "to 45")[rng.choice(3, p=(0.6, 0.25, 0.15))]
    turn = rng.normal(0, 1, 3) * (8.0, 3.0, 4.0)
    if tilt != "usual":
        most = 20.0 if tilt == "to 20" else 45.0
        axis = rng.uniform(-1, 1, 3)
        turn = axis / np.linalg.norm(axis) * rng.uniform(0.4, 1.0) * most
    move = rng.normal(0, 4.0, 3) if rng.random() < 0.8 else rng.uniform(-50, 50, 3)
    crop = ("none", "neck", "crown", "front", "slab above the mouth")[
        rng.choice(5, p=(0.7, 0.12, 0.08, 0.05, 0.05))
    ]
    if tilt == "to 45" or contrast in ("asl", "bold", "dwi"):
        crop = "none"
    size = float(np.round(rng.uniform(0.8, 1.06) if rng.random() < 0.3 else 1.0, 2))
    other = ("", "oblique", "shoulders", "ghost", "metal")[rng.choice(5, p=(0.66, 0.14, 0.08, 0.06, 0.06))]
    if other == "metal" and contrast == "pet":
        other = ""
    cut: dict[str, float] = {
        "none": {},
        "neck": {"crop_below_mm": -95.0 * size},
        "crown": {"crop_top_mm": 88.0 * size},
        "front": {"crop_front_mm": 92.0 * size},
        "slab above the mouth": {"crop_below_mm": -45.0 * size},
    }[crop]
    scanner = Scanner(
        contrast=contrast,  # type: ignore[arg-type]
        spacing_mm=spacing,
        turn_deg=tuple(float(t) for t in turn),  # type: ignore[arg-type]
        move_mm=tuple(float(m) for m in move),  # type: ignore[arg-type]
        size=size,
        storage=STORAGES[rng.integers(len(STORAGES))],
        noise=float(rng.uniform(2.0, 6.0)),
        bias=float(rng.uniform(0.05, 0.35)),
        oblique_deg=tuple(rng.uniform(-15, 15, 3).tolist()) if other == "oblique" else None,  # type: ignore[arg-type]
        shoulders=other == "shoulders",
        ghost=0.06 if other == "ghost" else 0.0,
        metal_mm=9.0 if other == "metal" else 0.0,
        **cut,
    )
    return Row(index, contrast, spacing, tilt, crop, size, other), scanner


def judged(index: int, seed: int, spread: float) -> Row:
    row, scanner = conditions(index, seed)
    seeds = Seeds(seed)
    person = draw_person(seeds, index, spread=spread)
    head = head_for(person, scanner)
    seen = scan(person, seeds, scanner=scanner, head=head)
    start = time.process_time()
    try:
        outcome = Erase().apply(seen.image, of_the_session(person, seeds, scanner, head))
    except Refusal as refusal:
        row.cpu_s, row.refused = time.process_time() - start, str(refusal)
        return row
    row.cpu_s = time.process_time() - start
    row.error_mm, *_, row.best_affine_mm = errors(person, seen, np.linalg.inv(outcome.affine_to_mni))
    row.brain_voxels = int((outcome.altered & seen.brain_mask).sum())
    row.covered = covered(face_parts(head, seen), outcome.altered)
    row.remarks = outcome.remarks
    row.confidence = {k[11:]: v for k, v in outcome.measured.items() if k.startswith("confidence_")}
    if not all(outcome.proofs.values()):
        row.refused = "a proof failed: " + ", ".join(k for k, v in outcome.proofs.items() if not v)
    return row


def of_the_session(person: Person, seeds: Seeds, scanner: Scanner, head: Head) -> Given:
    """For an echo-planar image, what a session brings along: a T1w of the same visit, located by itself.

    Alone such images are refused, as their fits are not good enough; `medveil release` carries locations over.
    """
    if scanner.contrast not in EPI:
        return NOTHING
    plain = replace(scanner, contrast="T1w", spacing_mm=2.0, volumes=1)
    image = scan(person, seeds, scanner=plain, head=head).image
    return Given(carried=Carried(image, np.linalg.inv(locate(image).affine)))


def covered(skin: np.ndarray[Any, Any], altered: np.ndarray[Any, Any]) -> dict[str, float]:
    """Share of the true skin of each part in view that was altered; parts with next to none of it are left out."""
    here = {part.name.lower(): skin == part for part in FacePart}
    return {name: float(altered[mask].mean()) for name, mask in here.items() if mask.sum() >= LEAST_VOXELS}


def table(rows: list[Row]) -> str:
    """Outcomes by each condition, and the failures one by one."""
    lines = []
    for name in ("contrast", "tilt", "crop", "other"):
        for value in sorted({str(getattr(r, name)) for r in rows}):
            some = [r for r in rows if str(getattr(r, name)) == value]
            counts = Counter(r.outcome for r in some)
            error = [r.error_mm for r in some if r.error_mm is not None]
            lines.append(
                f"{name:9}{value or 'plain':22}{len(some):5}{counts['pass']:6}{counts['refused']:9}{counts['silent failure']:8}"
                + (f"{np.mean(error):9.2f}{np.max(error):8.2f}" if error else "")
            )
    counts, n = Counter(r.outcome for r in rows), len(rows)
    error = [r.error_mm for r in rows if r.error_mm is not None]
    lines.append(
        f"pass {counts['pass']}/{n}, refused {counts['refused']}/{n}, silent failures {counts['silent failure']}/{n}"
    )
    if error:
        lines.append(
            f"error mm of accepted: mean {np.mean(error):.2f}, largest {np.max(error):.2f}, over {TRUSTED_MM:g}: {sum(e > TRUSTED_MM for e in error)}"
        )
    lines.append(
        f"CPU s: median {np.median([r.cpu_s for r in rows]):.1f}, largest {np.max([r.cpu_s for r in rows]):.1f}"
    )
    for r in rows:
        if r.outcome != "pass":
            bad = {k: round(v, 3) for k, v in r.covered.items() if v < PASS_SHARE}
            lines.append(
                f"  {r.index:4} {r.contrast} {r.spacing_mm} tilt {r.tilt}, crop {r.crop}, size {r.size}, {r.other or 'plain'}: "
                f"{r.refused or f'error {r.error_mm:.1f} mm, brain {r.brain_voxels}, {bad}'}"
            )
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--heads", type=int, default=300)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--seed", type=int, default=101)
    options.add_argument("--spread", type=float, default=1.3)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--to", type=Path, default=HERE / "heads.json")
    a = options.parse_args()
    rows: list[Row] = []
    pool = Parallel(n_jobs=a.jobs, return_as="generator", batch_size=1)
    for row in pool(delayed(judged)(i, a.seed, a.spread) for i in range(a.first, a.first + a.heads)):
        rows.append(row)
        print(
            f"{row.index:4} {row.contrast:8}{row.tilt:7}{row.crop:21}{row.size:5}{row.other:10}{row.cpu_s:6.1f} s  {row.outcome:15}"
            f"{'' if row.error_mm is None else f'{row.error_mm:.2f} mm'} {row.refused}",
            flush=True,
        )
        found = [{**asdict(r), "outcome": r.outcome} for r in rows]  # kept as it grows: such a run is long
        a.to.write_text(json.dumps({"seed": a.seed, "spread": a.spread, "rows": found}, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
