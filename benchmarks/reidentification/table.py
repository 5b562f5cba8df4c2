"""Every attack against every way of defacing, on one cohort; see README.md.

python -m benchmarks.reidentification.table --people 120 --jobs 2
python -m benchmarks.reidentification.table --people 120 --jobs 2 --basis ict_facekit_60.npz
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.defacing.methods import METHODS, located
from benchmarks.reidentification.store import stored
from joblib import Parallel, delayed

from medveil import recipe
from medveil.attack.observer import Observer
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import Refusal
from medveil.core.release import Given
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io import nifti
from medveil.measure.summary import null_condition, summarise
from medveil.simulate.cohort import simulate_cohort

HERE = Path(__file__).parent
ATTACKS = ("reidentify.embedding", "reidentify.geo", "reidentify.learned", "link.head", "link.brain")
CONDITIONS = ("original", "erase", "erase, deep", "replace", "shear", "scramble, smooth", "strip")
SHOWN = ("auc", "eer", "linkability", "rank_1", "dir_left_out_fpir_10")


def deface(record: Record, to_mni: np.ndarray[Any, Any], method: str, folder: Path) -> Record | str:
    """One head after one method, kept on disk; the reason if that is refused."""
    path = folder / f"{record.subject}.nii.gz"
    if not path.exists():
        use, settings = METHODS[method]
        try:
            outcome = recipe.part("protect", use, **settings).apply(
                record.open(), Given(affine_to_mni=to_mni)
            )
        except Refusal as refusal:
            return refusal.reason
        nifti.write(outcome.image, path)
    return replace(record, open=partial(nifti.read, path))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=120)
    options.add_argument("--others", type=int, default=40, help="other people, for attacks that learn")
    options.add_argument("--seed", type=int, default=91)
    options.add_argument("--spread", type=float, help="of the people; 1.3 for sculpted ones, 1.0 for a basis")
    options.add_argument("--basis", type=Path, help="statistical head model; analytic heads without")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--attacks", nargs="*", default=list(ATTACKS))
    options.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    options.add_argument("--work", type=Path, default=Path("/tmp/medveil-table"))  # noqa: S108
    options.add_argument("--to", type=Path)
    a = options.parse_args()
    start, seeds = time.time(), Seeds(a.seed)
    kind = "basis" if a.basis else "analytic"
    pool = Parallel(n_jobs=a.jobs, batch_size=1)

    def said(text: str) -> None:
        print(f"{time.time() - start:6.0f} s  {text}", flush=True)

    more = {"face_basis": _basis(a.basis)} if a.basis else {}
    if a.spread:
        kind, more["spread"] = f"{kind}-{a.spread:g}", a.spread
    work = a.work / f"{kind}-{a.seed}"
    to = a.to or HERE / f"table-{kind}.json"
    both = simulate_cohort(a.people + a.others, seed=a.seed, visits=2, rho=0.0, **more)
    visits = [Cohort(tuple(r for r in both.scans if r.session == s)) for s in ("ses-1", "ses-2")]
    people, others = both.scans.subjects[: a.people], both.scans.subjects[a.people :]
    scans = stored(visits[0], work / "scans", a.jobs)
    rescans = stored(visits[1].of(*people), work / "rescans", a.jobs)
    photographs = stored(both.photographs, work / "photographs", a.jobs)
    said("simulated")
    places = dict(zip(scans.subjects, pool(delayed(located)(r) for r in scans), strict=True))
    found = [r for r in scans if places[r.subject] is not None]
    said(f"{len(found)} of {len(scans)} heads located")

    galleries = {"photographs": photographs.of(*people), "scans": rescans}
    observer = Observer(n_jobs=a.jobs)
    attacks = [recipe.part("attack", name) for name in a.attacks]
    rows: list[dict[str, Any]] = []

    def row(attack: str, label: str, estimates: dict[str, Any], notes: dict[str, float]) -> None:
        figures = {k: vars(estimates[k]) for k in SHOWN if k in estimates}
        rows.append({"attack": attack, "condition": label, "notes": notes, **figures})
        said(f"{attack:22} {label:18} " + "  ".join(f"{k} {estimates[k]}" for k in SHOWN if k in estimates))
        settings = {k: getattr(a, k) for k in ("people", "others", "seed")} | {"cohort": kind, "rho": 0.0}
        to.write_text(json.dumps({"settings": settings, "refused": refused, "rows": rows}, indent=1) + "\n")

    refused: dict[str, int] = {}
    for label in a.conditions:
        everybody = Cohort(tuple(found))
        if label != "original":
            folder = work / label.replace(" ", "-").replace(",", "")
            folder.mkdir(parents=True, exist_ok=True)
            done = pool(delayed(deface)(r, places[r.subject], label, folder) for r in found)
            everybody = Cohort(tuple(d for d in done if isinstance(d, Record)))
            refused[label] = len(done) - len(everybody)
        release = everybody.of(*people)
        # Whoever knows the method protects the heads that they learn from in the same way.
        background = Cohort((*everybody.of(*others), *photographs.of(*others)), both.scans.participants)
        for attack in attacks:
            threat = Threat(galleries[attack.needs], background if attack.learns else None)
            claims = attack.run(release, threat, condition=label, observer=observer)
            condition = summarise(claims, None, seeds=seeds)
            row(attack.name, label, condition.estimates, dict(claims.notes))
            if label == "original":
                row(attack.name, "null", null_condition(claims, None, seeds=seeds).estimates, {})


def _basis(path: Path) -> Any:
    from medveil.simulate.basis.model import read_basis

    return read_basis(path)


if __name__ == "__main__":
    main()
