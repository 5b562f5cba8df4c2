"""Locate and deface real and simulated heads; print a table, write JSON.

python benchmarks/localisation/run.py --data FOLDER --simulated 12 --to results.json
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import nibabel as nib
import numpy as np

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.locate.template import template
from medveil.protect.deface.erase import Erase
from medveil.simulate.brain import head_to_template
from medveil.simulate.oddities import ODDITIES
from medveil.simulate.person import Person, draw_person
from medveil.simulate.scan import Scan, scan
from medveil.simulate.scanner import STORAGES, Scanner

COLUMNS = ("inner_ratio", "peak_ratio", "scale_max", "scale_min", "skin_mm", "agree_mm")
MIXED = ("T1w", "T2w", "FLAIR", "CT", "T1w", "pet", "UNIT1", "PDw", "T1w", "T2starw")  # in turn, in each half
SPACINGS = (2.0, 2.0, 3.0, (1.5, 1.5, 4.0), (1.5, 4.5, 1.5), 4.0, 6.0)
CROPS: tuple[dict[str, float], ...] = (
    {}, {}, {}, {}, {"crop_below_mm": -75.0}, {"crop_front_mm": 80.0}, {"crop_top_mm": 95.0}
)  # fmt: skip
WRONG_MM = 6.0  # an accepted fit with a larger mean error is a silent failure
CONTRASTS = ("T1w", "T2w", "FLAIR", "PDw", "CT", "pet")


@dataclass
class Row:
    """One image: what happened, and for a simulated head the truth."""

    image: str
    cpu_s: float
    refused: str = ""
    measured: dict[str, float] | None = None
    remarks: tuple[str, ...] = ()
    brain_voxels_altered: int | None = None
    error_mm: float | None = None
    error_95_mm: float | None = None
    error_max_mm: float | None = None
    best_affine_mm: float | None = None
    half: str = ""

    @property
    def is_silently_wrong(self) -> bool:
        return bool(self.brain_voxels_altered) or (self.error_mm or 0.0) > WRONG_MM

    def line(self) -> str:
        if self.refused:
            return f"{self.image:<44}{self.cpu_s:6.1f}  refused: {self.refused}"
        m = self.measured or {}
        signals = "".join(f"{m['confidence_' + c]:12.2f}" for c in COLUMNS)
        said = "" if self.brain_voxels_altered is None else f"{self.brain_voxels_altered:8d}"
        if self.error_mm is not None:
            said += f"{self.error_mm:7.2f}{self.error_95_mm:7.2f}{self.best_affine_mm:7.2f}"
            said += "  SILENTLY WRONG" * self.is_silently_wrong
        return f"{self.image:<44}{self.cpu_s:6.1f}{signals}{m['removed_ml']:9.0f}{said}  {'; '.join(self.remarks)}"


def deface(name: str, image: Image) -> tuple[Row, Any]:
    start = time.process_time()
    try:
        outcome = Erase().apply(image)
    except Refusal as refusal:
        return Row(name, time.process_time() - start, str(refusal)), None
    spent = time.process_time() - start
    return Row(name, spent, measured=dict(outcome.measured), remarks=outcome.remarks), outcome


def real(folder: Path) -> Iterator[Row]:
    for path in sorted([*folder.glob("heads/*.nii.gz"), *folder.glob("bids/**/anat/*.nii.gz")]):
        file = nib.load(path)
        stored = np.asanyarray(file.dataobj.get_unscaled())
        image = Image(stored, file.affine, slope=file.dataobj.slope, intercept=file.dataobj.inter)
        yield deface(path.name.removesuffix(".nii.gz")[:27], image)[0]


def simulated(people: int, contrasts: tuple[str, ...], tilt_deg: float, seed: int) -> Iterator[Row]:
    seeds = Seeds(seed)
    for contrast in contrasts:
        for index in range(people):
            person = draw_person(seeds, index)
            scanner = Scanner(contrast=contrast, tilt_deg=tilt_deg)  # type: ignore[arg-type]
            seen = scan(person, seeds, scanner=scanner)
            row, outcome = deface(f"simulated {contrast} {index}", seen.image)
            if outcome is not None:
                compare(row, outcome, person, seen)
            yield row


def mixed(people: int, seed: int, half: str) -> Iterator[Row]:
    """One head a person, each under conditions of its own: contrast, voxels, tilt, shift, crop, size, storage.

    Thresholds are set on the even half of the people and confirmed on the odd one.
    """
    seeds = Seeds(seed)
    for index in range(people):
        name = ("even", "odd")[index % 2]
        if half not in (name, "both"):
            continue
        rng = seeds.stream("benchmark/localisation", index)
        contrast = MIXED[index // 2 % len(MIXED)]
        axis = rng.normal(size=3)
        turn = axis / np.linalg.norm(axis) * rng.uniform(0, 45)
        scanner = Scanner(
            contrast=contrast,  # type: ignore[arg-type]
            spacing_mm=SPACINGS[rng.integers(len(SPACINGS))],
            turn_deg=tuple(turn),
            move_mm=tuple(rng.uniform(-50, 50, 3)),
            size=float(rng.uniform(0.8, 1.1)),
            noise=float(rng.uniform(2, 8)),
            storage=STORAGES[rng.integers(len(STORAGES))],
            **CROPS[rng.integers(len(CROPS))],
        )
        person = draw_person(seeds, index)
        seen = scan(person, seeds, scanner=scanner)
        crop = next((k.split("_")[1] for k in CROP_NAMES if getattr(scanner, k) is not None), "-")
        tilt = ",".join(f"{t:.0f}" for t in turn)
        row, outcome = deface(
            f"{index} {contrast} {tilt} x{scanner.size:.2f} {max(scanner.spacings_mm):g}mm {crop}", seen.image
        )
        row.half = name
        if outcome is not None:
            compare(row, outcome, person, seen)
        yield row


CROP_NAMES = ("crop_below_mm", "crop_front_mm", "crop_top_mm")


def compare(row: Row, outcome: Any, person: Person, seen: Scan) -> None:
    """Write into a row how far an outcome is from the truth."""
    row.brain_voxels_altered = int((outcome.altered & seen.brain_mask).sum())
    row.error_mm, row.error_95_mm, row.error_max_mm, row.best_affine_mm = errors(
        person, seen, np.linalg.inv(outcome.affine_to_mni)
    )


def oddities(seed: int) -> Iterator[Row]:
    """Images that are no head, at 3 mm."""
    for name, draw in ODDITIES.items():
        yield deface(f"oddity {name}", draw(3.0, Seeds(seed)))[0]


def errors(person: Person, seen: Scan, affine: np.ndarray[Any, Any]) -> tuple[float, float, float, float]:
    """Error in mm over the brain: mean, 95th percentile, maximum, and the mean of the best affine there is."""
    at = np.argwhere(seen.brain_mask)
    at = at[:: max(1, len(at) // 4000)]
    ras = at @ seen.image.affine[:3, :3].T + seen.image.affine[:3, 3]
    to_head = np.linalg.inv(seen.pose)
    mni = head_to_template(person, ras @ to_head[:3, :3].T + to_head[:3, 3])
    off = np.linalg.norm(mni @ affine[:3, :3].T + affine[:3, 3] - ras, axis=1)
    columns = np.column_stack([mni, np.ones(len(mni))])
    best = np.linalg.norm(columns @ np.linalg.lstsq(columns, ras, rcond=None)[0] - ras, axis=1)
    return float(off.mean()), float(np.percentile(off, 95)), float(off.max()), float(best.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with heads/ and bids/; left out: no real heads")
    parser.add_argument("--simulated", type=int, default=12, help="how many people")
    parser.add_argument("--contrasts", default="T1w", help="of the simulated, separated by commas, or all")
    parser.add_argument("--tilt-deg", type=float, default=6.0, help="sd of the heads' pitch")
    parser.add_argument(
        "--seed", type=int, default=7, help="of the simulated people; 7 was used to set thresholds"
    )
    parser.add_argument("--mixed", type=int, default=0, help="how many people under mixed conditions")
    parser.add_argument("--half", choices=("even", "odd", "both"), default="both", help="of the mixed")
    parser.add_argument("--oddities", action="store_true", help="images that are no head")
    parser.add_argument("--to", type=Path, help="JSON file to write")
    given = parser.parse_args()
    for mm in (2.0, 4.0, 8.0):  # read once, before the clocks run
        template(mm)
    contrasts = CONTRASTS if given.contrasts == "all" else tuple(given.contrasts.split(","))
    head = "".join(f"{c:>12}" for c in COLUMNS)
    print(f"{'image':<44}{'cpu_s':>6}{head}{'removed':>9}{'altered':>8}{'error':>7}{'95 %':>7}{'best':>7}")
    rows = []
    sources = [real(given.data)] if given.data else []
    sources.append(simulated(given.simulated, contrasts, given.tilt_deg, given.seed))
    sources.append(mixed(given.mixed, given.seed, given.half))
    sources += [oddities(given.seed)] if given.oddities else []
    for source in sources:
        for row in source:
            print(row.line(), flush=True)
            rows.append(asdict(row))
    if given.to:
        given.to.write_text(
            json.dumps({"format": "medveil-localisation", "version": 1, "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
