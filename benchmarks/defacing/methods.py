"""Every method of defacing against the same attacks, on the same heads; see README.md.

python -m benchmarks.defacing.methods --people 60 --jobs 2
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.reidentification.store import stored
from joblib import Parallel, delayed
from scipy import ndimage as ndi

from medveil import recipe
from medveil.attack.observer import Observer
from medveil.attack.reidentify.embedding import Embedding
from medveil.attack.reidentify.geo import Geo
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import Refusal
from medveil.core.findings import Condition
from medveil.core.release import Given
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io import nifti
from medveil.locate.head import locate
from medveil.measure.summary import null_condition, summarise
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan

HERE = Path(__file__).parent
ATTACKS = (Embedding(), Geo())
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "erase": ("deface.erase", {}),
    "erase, deep": ("deface.erase", {"deep": True}),
    "erase, deep, forehead": ("deface.erase", {"deep": True, "forehead": True}),
    "shear": ("deface.shear", {}),
    "replace": ("deface.replace", {}),
    "scramble, smooth": ("deface.scramble", {"how": "smooth"}),
    "scramble, noise": ("deface.scramble", {"how": "noise"}),
    "scramble, ripple": ("deface.scramble", {"how": "ripple"}),
    "strip": ("deface.strip", {}),
    "like pydeface": ("deface.like_pydeface", {}),
    "like mri_deface": ("deface.like_mri_deface", {}),
    "like fsl_deface": ("deface.like_fsl_deface", {}),
    "like mask_face": ("deface.like_maskface", {}),
    "like AnonyMI": ("deface.like_anonymi", {}),
}


@dataclass(frozen=True)
class Defaced:
    """One head after one method: the record of the result, or why there is none."""

    record: Record | None
    refused: str = ""
    removed_ml: float = np.nan
    nearest_mm: float = np.nan
    brain_voxels: int = 0
    covered: dict[str, float] | None = None


def located(record: Record) -> np.ndarray[Any, Any] | None:
    """Where the head is; searched for once, and told to every method."""
    try:
        return np.linalg.inv(locate(record.open()).affine)
    except Refusal:
        return None


def deface(
    record: Record, to_mni: np.ndarray[Any, Any], brain: np.ndarray[Any, Any], method: str, folder: Path
) -> Defaced:
    use, settings = METHODS[method]
    image = record.open()
    try:
        outcome = recipe.part("protect", use, **settings).apply(image, Given(affine_to_mni=to_mni))
    except Refusal as refusal:
        return Defaced(None, refused=refusal.reason)
    path = folder / f"{record.subject}.nii.gz"
    nifti.write(outcome.image, path)
    to_brain = ndi.distance_transform_edt(~brain, sampling=image.spacing_mm)
    changed = outcome.altered & (outcome.image.data != image.data)
    return Defaced(
        replace(record, open=partial(nifti.read, path)),
        removed_ml=outcome.measured["removed_ml"],
        nearest_mm=float(to_brain[changed].min()) if changed.any() else np.nan,
        brain_voxels=int((changed & brain).sum()),
        covered={k[8:]: v for k, v in outcome.measured.items() if k.startswith("covered_")},
    )


def row_of(attack: str, condition: Condition) -> dict[str, Any]:
    """Print the four figures everybody asks for, and return them for the result file."""
    row: dict[str, Any] = {"attack": attack, "condition": condition.label, **condition.notes}
    for name in ("auc", "eer", "linkability", "rank_1"):
        e = condition.estimates[name]
        row[name] = {"value": e.value, "low": e.low, "high": e.high, "p": e.p_value}
        print(f"{attack:38} {condition.label:9} {name:12} {e}")
    return row


def true_brain(seed: int, spread: float, index: int) -> np.ndarray[Any, Any]:
    """The brain of one person of the cohort, on the grid of their scan."""
    seeds = Seeds(seed)
    return scan(draw_person(seeds, index, spread=spread), seeds, scanner=Scanner()).brain_mask


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=60)
    options.add_argument("--others", type=int, default=0)
    options.add_argument("--seed", type=int, default=41)
    options.add_argument("--spread", type=float, default=1.3)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--methods", nargs="*", default=list(METHODS), help="names; all by default")
    options.add_argument("--work", type=Path, default=Path("/tmp/medveil-methods"))  # noqa: S108
    options.add_argument("--to", type=Path, default=HERE / "methods.json")
    a = options.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    start, seeds = time.time(), Seeds(a.seed)
    pool = Parallel(n_jobs=a.jobs, batch_size=1)

    everybody = simulate_cohort(a.people + a.others, seed=a.seed, spread=a.spread)
    scans = stored(everybody.scans, a.work / "scans", a.jobs)
    photographs = stored(everybody.photographs, a.work / "photographs", a.jobs)
    people, others = scans.subjects[: a.people], scans.subjects[a.people :]
    background = (
        Cohort((*scans.of(*others), *photographs.of(*others)), {}, simulated=True) if others else None
    )
    threat = Threat(gallery=photographs.of(*people), background=background)
    observer = Observer(n_jobs=a.jobs)

    records = list(scans.of(*people))
    places = pool(delayed(located)(r) for r in records)
    brains = pool(delayed(true_brain)(a.seed, a.spread, i) for i in range(a.people))
    found = [(r, p, b) for r, p, b in zip(records, places, brains, strict=True) if p is not None]
    original = Cohort(tuple(r for r, _, _ in found), {}, simulated=True)
    print(f"{len(found)} of {len(records)} heads located; seconds so far: {time.time() - start:.0f}")

    def attacked(cohort: Cohort, label: str) -> dict[str, PairClaims]:
        return {t.name: t.run(cohort, threat, condition=label, observer=observer) for t in ATTACKS}

    rows: list[dict[str, Any]] = []

    def keep(method: str, claims: dict[str, PairClaims], more: dict[str, Any]) -> None:
        for name, claim in claims.items():
            rows.append(
                {"method": method, **row_of(f"{method}: {name}", summarise(claim, None, seeds=seeds)), **more}
            )
        settings = {k: getattr(a, k) for k in ("people", "others", "seed", "spread")}
        a.to.write_text(json.dumps({"settings": settings, "rows": rows}, indent=1) + "\n")

    before = attacked(original, "original")
    keep("nothing", before, {})
    for name, claim in before.items():
        rows.append(
            {"method": "chance", **row_of(f"chance: {name}", null_condition(claim, None, seeds=seeds))}
        )
    for method in a.methods:
        folder = a.work / method.replace(" ", "-").replace(",", "")
        folder.mkdir(exist_ok=True)
        done = pool(delayed(deface)(r, p, b, method, folder) for r, p, b in found)
        good = [d for d in done if d.record is not None]
        release = Cohort(tuple(d.record for d in good if d.record), {}, simulated=True)
        more = {
            "refused": len(done) - len(good),
            "removed_ml": float(np.mean([d.removed_ml for d in good])),
            "nearest_mm": float(np.nanmin([d.nearest_mm for d in good])),
            "brain_voxels_changed": sum(d.brain_voxels for d in good),
            "covered": {
                part: float(np.mean([d.covered[part] for d in good if d.covered and part in d.covered]))
                for part in good[0].covered or {}
            },
        }
        print(method, more, f"| seconds so far: {time.time() - start:.0f}", flush=True)
        keep(method, attacked(release, "release"), more)


if __name__ == "__main__":
    main()
