"""What is no head, or not one head: refused, or handled right, never done wrong; see README.md.

python -m benchmarks.defacing.oddities
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks.defacing.heads import PASS_SHARE, covered

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.protect.deface.erase import Erase
from medveil.simulate.oddities import ODDITIES
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, scan

HEADS = {
    "face wrapped round the edge, 25 mm": Scanner(wrap_mm=25.0),
    "metal artefact, 20 mm": Scanner(metal_mm=20.0),
    "CT with metal and table": Scanner(contrast="CT", metal_mm=15.0, table=True),
    "strong noise": Scanner(noise=20.0),
    "strong ghost": Scanner(ghost=0.25),
    "strong bias": Scanner(bias=0.9),
    "slab above the eyes": Scanner(crop_below_mm=5.0),
    "crown cut by 50 mm": Scanner(crop_top_mm=65.0),
    "face cut in front": Scanner(crop_front_mm=70.0),
}


def said(image: Image) -> tuple[str, Any]:
    start = time.process_time()
    try:
        outcome = Erase().apply(image)
    except Refusal as refusal:
        return f"refused: {refusal} ({time.process_time() - start:.0f} s)", None
    failed = [k for k, v in outcome.proofs.items() if not v]
    if failed:
        return f"refused: a proof failed: {', '.join(failed)}", None
    removed = outcome.measured["removed_ml"]
    return (
        f"ACCEPTED, {removed:.0f} ml removed; {'; '.join(outcome.remarks)} ({time.process_time() - start:.0f} s)",
        outcome,
    )


def truth_of(seen: Scan, skin: Any, altered: Any) -> str:
    shares = covered(skin, altered)
    brain = int((altered & seen.brain_mask).sum())
    right = brain == 0 and all(c >= PASS_SHARE for c in shares.values())
    return f"{'right' if right else 'WRONG'}: brain voxels {brain}, parts covered { ({k: round(v, 3) for k, v in shares.items()}) }"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=51)
    a = options.parse_args()
    for name, make in ODDITIES.items():
        print(f"{name:36} {said(make(3.0, Seeds(a.seed)))[0]}", flush=True)
    seeds = Seeds(a.seed)
    for index, (name, scanner) in enumerate(HEADS.items()):
        person = draw_person(seeds, index)
        seen = scan(person, seeds, scanner=scanner)
        line, outcome = said(seen.image)
        print(
            f"{name:36} {line} {truth_of(seen, person, outcome) if outcome is not None else ''}", flush=True
        )


if __name__ == "__main__":
    main()
