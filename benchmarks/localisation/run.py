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
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.template import template
from medveil.simulate.brain import head_to_template
from medveil.simulate.person import Person, draw_person
from medveil.simulate.scan import Scan, Scanner, scan

COLUMNS = ("inner_ratio", "peak_ratio", "scale_max", "scale_min", "skin_mm")
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
    best_affine_mm: float | None = None

    def line(self) -> str:
        if self.refused:
            return f"{self.image:<28}{self.cpu_s:6.1f}  refused: {self.refused}"
        m = self.measured or {}
        signals = "".join(f"{m['confidence_' + c]:12.2f}" for c in COLUMNS)
        said = "" if self.brain_voxels_altered is None else f"{self.brain_voxels_altered:8d}"
        if self.error_mm is not None:
            said += f"{self.error_mm:7.2f}{self.error_95_mm:7.2f}{self.best_affine_mm:7.2f}"
        return f"{self.image:<28}{self.cpu_s:6.1f}{signals}{m['removed_ml']:9.0f}{said}  {'; '.join(self.remarks)}"


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
                row.brain_voxels_altered = int((outcome.altered & seen.brain_mask).sum())
                row.error_mm, row.error_95_mm, row.best_affine_mm = errors(
                    person, seen, np.linalg.inv(outcome.affine_to_mni)
                )
            yield row


def errors(person: Person, seen: Scan, affine: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Error in mm over the brain: mean, 95th percentile, and the mean that the best affine would have."""
    at = np.argwhere(seen.brain_mask)
    at = at[:: max(1, len(at) // 4000)]
    ras = at @ seen.image.affine[:3, :3].T + seen.image.affine[:3, 3]
    to_head = np.linalg.inv(seen.pose)
    mni = head_to_template(person, ras @ to_head[:3, :3].T + to_head[:3, 3])
    off = np.linalg.norm(mni @ affine[:3, :3].T + affine[:3, 3] - ras, axis=1)
    columns = np.column_stack([mni, np.ones(len(mni))])
    best = np.linalg.norm(columns @ np.linalg.lstsq(columns, ras, rcond=None)[0] - ras, axis=1)
    return float(off.mean()), float(np.percentile(off, 95)), float(best.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with heads/ and bids/; left out: no real heads")
    parser.add_argument("--simulated", type=int, default=12, help="how many people")
    parser.add_argument("--contrasts", default="T1w", help="of the simulated, separated by commas, or all")
    parser.add_argument("--tilt-deg", type=float, default=6.0, help="sd of the heads' pitch")
    parser.add_argument(
        "--seed", type=int, default=7, help="of the simulated people; 7 was used to set thresholds"
    )
    parser.add_argument("--to", type=Path, help="JSON file to write")
    given = parser.parse_args()
    for mm in (2.0, 4.0, 8.0):  # read once, before the clocks run
        template(mm)
    contrasts = CONTRASTS if given.contrasts == "all" else tuple(given.contrasts.split(","))
    head = "".join(f"{c:>12}" for c in COLUMNS)
    print(f"{'image':<28}{'cpu_s':>6}{head}{'removed':>9}{'altered':>8}{'error':>7}{'95 %':>7}{'best':>7}")
    rows = []
    sources = [real(given.data)] if given.data else []
    for source in [*sources, simulated(given.simulated, contrasts, given.tilt_deg, given.seed)]:
        for row in source:
            print(row.line(), flush=True)
            rows.append(asdict(row))
    if given.to:
        given.to.write_text(
            json.dumps({"format": "medveil-localisation", "version": 1, "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
