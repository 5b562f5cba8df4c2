"""What is no head, or not one head: refused, or handled right, never done wrong; see README.md.

python -m benchmarks.defacing.oddities
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from benchmarks.defacing.heads import PASS_SHARE, covered

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Outcome
from medveil.core.seeds import Seeds
from medveil.protect.deface.erase import Erase
from medveil.simulate.face_parts import face_parts
from medveil.simulate.head import Head
from medveil.simulate.oddities import ODDITIES
from medveil.simulate.person import draw_person
from medveil.simulate.placing import view_of
from medveil.simulate.scan import Scan, Scanner, head_for, scan

HERE = Path(__file__).parent
NO_HEAD_MM = 3.0
HEADS = {
    "face wrapped round the edge, 25 mm": Scanner(wrap_mm=25.0),
    "face wrapped round the edge, 8 mm": Scanner(wrap_mm=8.0),
    "metal artefact, 9 mm": Scanner(metal_mm=9.0),
    "metal artefact, 20 mm": Scanner(metal_mm=20.0),
    "CT with metal and table": Scanner(contrast="CT", metal_mm=15.0, table=True),
    "strong noise": Scanner(noise=20.0),
    "strong ghost": Scanner(ghost=0.25),
    "strong bias": Scanner(bias=0.9),
    "slab above the eyes": Scanner(crop_below_mm=5.0),
    "crown cut by 50 mm": Scanner(crop_top_mm=65.0),
    "face cut in front": Scanner(crop_front_mm=70.0),
}
Labels = npt.NDArray[np.uint8]
PEOPLE = 3  # of each kind of `WRAPS`


@dataclass(frozen=True)
class Fold:
    """A view that ends so many mm inside the head (negative: in the air) at the ends of an axis, and folds there."""

    axis: int
    low_mm: float
    high_mm: float


AIR = -500.0
WRAPS: dict[str, Scanner | Fold] = {
    "face wrapped, 25 mm": Scanner(wrap_mm=25.0),
    "face wrapped, 8 mm": Scanner(wrap_mm=8.0),
    "face wrapped onto the back of the head, 12 mm": Fold(1, 0.0, 12.0),
    "right ear wrapped, 12 mm": Fold(0, AIR, 12.0),
    "both ears wrapped, 12 mm": Fold(0, 12.0, 12.0),
    "chin wrapped, 50 mm of neck and chin": Fold(2, 50.0, AIR),
}


@dataclass
class Row:
    """One odd image and what became of it; `outcome` is refused, correct or WRONG."""

    name: str
    outcome: str = "refused"
    reason: str = ""
    cpu_s: float = 0.0
    removed_ml: float | None = None
    brain_voxels: int | None = None
    covered: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def line(self) -> str:
        """As one row of the table in README.md."""
        if self.outcome == "refused":
            what = self.reason.split(":")[0]  # the numbers behind it stand in the JSON
        elif self.brain_voxels is None:
            what = f"accepted, {self.removed_ml:.0f} ml removed"
        else:
            bare = {k: round(v, 3) for k, v in self.covered.items() if v < PASS_SHARE}
            least = min(self.covered.values(), default=1.0)
            what = f"brain voxels {self.brain_voxels}, least covered part {least:.3f}"
            what += f", under the limit: {bare}" if bare else ""
        return f"| {self.name} | {self.outcome} | {what} |"


def tried(row: Row, image: Image) -> Outcome | None:
    """Deface, and write down a refusal."""
    start = time.process_time()
    try:
        outcome = Erase().apply(image)
    except Refusal as refusal:
        row.reason, row.cpu_s = str(refusal), time.process_time() - start
        return None
    row.cpu_s = time.process_time() - start
    failed = [k for k, v in outcome.proofs.items() if not v]
    if failed:
        row.reason = f"a proof failed: {', '.join(failed)}"
        return None
    row.removed_ml, row.remarks = outcome.measured["removed_ml"], outcome.remarks
    return outcome


def no_head(name: str, image: Image) -> Row:
    """What holds no head, or two, must be refused: there is nothing right to do with it."""
    row = Row(name)
    if tried(row, image) is not None:
        row.outcome = "WRONG"
    return row


def odd_head(name: str, index: int, seeds: Seeds, scanner: Scanner) -> Row:
    """A head under a hard condition: refused, or all skin altered and no brain."""
    person = draw_person(seeds, index)
    head = head_for(person, scanner)
    seen = scan(person, seeds, scanner=scanner, head=head)
    return judged(Row(name), seen.image, seen.brain_mask, skins(head, seen, scanner))


def folded_head(name: str, index: int, seeds: Seeds, fold: Fold) -> Row:
    """The same, with a wide scan folded afterwards, noise and all: the scanner itself wraps along y only."""
    person = draw_person(seeds, index)
    head = head_for(person, Scanner())
    seen = scan(person, seeds, scanner=Scanner(), head=head)
    mm, others = seen.image.spacing_mm[fold.axis], tuple({0, 1, 2} - {fold.axis})
    at = np.flatnonzero((seen.labels > 0).any(axis=others))
    first = max(0, int(at[0] + round(fold.low_mm / mm)))
    end = min(seen.labels.shape[fold.axis], int(at[-1] + 1 - round(fold.high_mm / mm)))
    view = tuple(slice(first, end) if axis == fold.axis else slice(None) for axis in range(3))

    def beyond(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        planes = np.moveaxis(array, fold.axis, 0)
        out = np.zeros_like(planes[first:end])
        out[: len(planes) - end] = planes[end:]
        below = out[len(out) - first :]
        below[:] = np.where(below == 0, planes[:first], below)
        return np.moveaxis(out, 0, fold.axis)

    affine = seen.image.affine.copy()
    affine[:3, 3] += affine[:3, fold.axis] * first
    image = Image(seen.image.data[view] + beyond(seen.image.data), affine)
    skin = face_parts(head, seen)
    return judged(Row(name), image, seen.brain_mask[view], {"": skin[view], ", wrapped": beyond(skin)})


def judged(row: Row, image: Image, brain: npt.NDArray[np.bool_], skin_of: dict[str, Labels]) -> Row:
    """Deface, and hold the outcome against the truth."""
    outcome = tried(row, image)
    if outcome is None or outcome.altered is None:
        return row
    row.brain_voxels = int((outcome.altered & brain).sum())
    for where, skin in skin_of.items():
        row.covered |= {part + where: share for part, share in covered(skin, outcome.altered).items()}
    whole = all(share >= PASS_SHARE for share in row.covered.values())
    row.outcome = "correct" if whole and not row.brain_voxels else "WRONG"
    return row


def skins(head: Head, seen: Scan, scanner: Scanner) -> dict[str, Labels]:
    """The true skin of each part: where it is, and where it came in again at the other edge of the view."""
    beyond = view_of(scanner, head, seen.pose).wrapped
    if not beyond:
        return {"": face_parts(head, seen)}
    i, j, k = seen.labels.shape
    whole = face_parts(head, replace(seen, labels=np.zeros((i, j + beyond, k), np.uint8)))
    again = np.zeros((i, j, k), np.uint8)
    again[:, :beyond] = whole[:, j:]
    return {"": whole[:, :j], ", wrapped": again}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=51)
    options.add_argument("--only", default="", help="names that hold this text")
    options.add_argument("--to", type=Path, default=HERE / "oddities.json")
    a = options.parse_args()
    seeds, rows = Seeds(a.seed), []

    def keep(row: Row) -> None:
        rows.append(row)
        print(f"{row.line()} {row.cpu_s:.0f} CPU s; {'; '.join(row.remarks)}", flush=True)
        found: dict[str, Any] = {"seed": a.seed, "rows": [asdict(r) for r in rows]}
        a.to.write_text(json.dumps(found, indent=1) + "\n")

    for name, make in ODDITIES.items():
        if a.only in name:
            keep(no_head(name.replace("_", " "), make(NO_HEAD_MM, seeds)))
    for index, (name, scanner) in enumerate(HEADS.items()):
        if a.only in name:
            keep(odd_head(name, index, seeds, scanner))
    for name, how in WRAPS.items():
        for index in range(PEOPLE) if a.only in name else ():
            title = f"{name}, person {index + 1}"
            keep(
                folded_head(title, index, seeds, how)
                if isinstance(how, Fold)
                else odd_head(title, index, seeds, how)
            )
    print("\n| image | outcome | |\n|---|---|---|\n" + "\n".join(r.line() for r in rows))
    wrong = sum(r.outcome == "WRONG" for r in rows)
    print(f"{len(rows)} images, {wrong} done wrong")


if __name__ == "__main__":
    main()
