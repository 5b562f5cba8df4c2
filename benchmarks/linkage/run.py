"""Link two visits of simulated people, one of them defaced; see README.md."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from medveil.attack.link.aligned import AlignedBrain
from medveil.attack.link.brain import Brain
from medveil.attack.link.head import Head
from medveil.attack.observer import Observer
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import Refusal
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io import nifti
from medveil.measure.summary import null_condition, summarise
from medveil.protect.deface.erase import Erase
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.scan import Scanner

HERE = Path(__file__).parent
FIRST = Scanner()
SECOND = Scanner(noise=6.0, bias=0.3)  # twice as noisy, and a coil twice as uneven
BRAINS = {how: Brain(similarity=how) for how in ("fused", "correlation", "local", "gradient", "information")}  # type: ignore[arg-type]
ATTACKS: dict[str, Any] = {f"brain, {how}": attack for how, attack in BRAINS.items()} | {
    "brain, fused, one-to-one": Brain(match="one-to-one"),
    "head, face": Head(),
    "head, outline": Head(what="outline"),
}


def written(record: Record, folder: Path, erase: bool) -> Record | str:
    """One image on disk, erased or as it is, that of an earlier run if it is there; the reason if that was refused."""
    path = folder / f"{record.subject}-{record.name}.nii.gz"
    if path.exists():
        return replace(record, open=partial(nifti.read, path))
    image = record.open()
    if erase:
        try:
            image = Erase().apply(image).image
        except Refusal as refusal:
            return refusal.reason
    nifti.write(image, path)
    return replace(record, open=partial(nifti.read, path))


def side(records: list[Record], folder: Path, jobs: int, erase: bool = False) -> tuple[Cohort, list[str]]:
    """All images of one side on disk, and why some are not."""
    folder.mkdir(parents=True, exist_ok=True)
    got = Parallel(n_jobs=jobs, batch_size=1)(delayed(written)(r, folder, erase) for r in records)
    kept = tuple(g for g in got if isinstance(g, Record))
    return Cohort(kept, {}, simulated=True), [g for g in got if isinstance(g, str)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=100)
    options.add_argument("--seed", type=int, default=5)
    options.add_argument("--rho", type=float, default=0.0)
    options.add_argument("--second-mm", type=float, default=2.0, help="voxels of the second visit")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--without-heads", action="store_true", help="only the brains")
    options.add_argument("--work", type=Path, default=Path("/tmp/medveil-linkage"))  # noqa: S108
    options.add_argument("--to", type=Path, default=HERE / "result.json")
    a = options.parse_args()

    def visits(number: int, scanner: Scanner) -> list[Record]:
        both = simulate_cohort(a.people, seed=a.seed, visits=2, rho=a.rho, photos=0, scanner=scanner).scans
        return [r for r in both if r.session == f"ses-{number}"]

    work = (
        a.work / f"seed-{a.seed}-rho-{a.rho}-second-{a.second_mm}mm"
    )  # images of other settings lie elsewhere
    first, second = visits(1, FIRST), visits(2, replace(SECOND, spacing_mm=a.second_mm))
    original, _ = side(first, work / "first", a.jobs)
    gallery, _ = side(second, work / "second", a.jobs)
    release, refused = side(first, work / "erased", a.jobs, erase=True)
    threat, observer = Threat(gallery=gallery), Observer(n_jobs=a.jobs)

    start = time.time()
    for cohort in (release, gallery):
        observer.see(cohort, AlignedBrain())
    aligned = time.time() - start
    Brain().run(release, threat, condition="release", observer=observer)
    both = time.time() - start
    print(
        f"{len(release)} + {len(gallery)} scans: aligned in {aligned:.0f} s, compared in {both - aligned:.1f} s"
    )

    found = []
    for label, attack in ATTACKS.items():
        if a.without_heads and label.startswith("head"):
            continue
        for condition, probes in (("original", original), ("release", release)):
            claims = attack.run(probes, threat, condition=condition, observer=observer)
            result = [(condition, summarise(claims, None, seeds=Seeds(a.seed)))]
            if condition == "original":
                result.append(("null", null_condition(claims, None, seeds=Seeds(a.seed))))
            for name, summary in result:
                row: dict[str, Any] = {"attack": label, "condition": name, **claims.notes}
                for metric in ("auc", "eer", "linkability", "rank_1"):
                    e = summary.estimates[metric]
                    row[metric] = {"value": e.value, "low": e.low, "high": e.high, "p": e.p_value}
                auc, rank = summary.estimates["auc"], summary.estimates["rank_1"]
                print(f"{label:26} {name:9} AUC {auc}  rank-1 {rank}", flush=True)
                found.append(row)
    settings = {k: v for k, v in vars(a).items() if k not in ("to", "work", "jobs")}
    timing = {"aligned_s": round(aligned), "compared_s": round(both - aligned, 1), "jobs": a.jobs}
    a.to.write_text(
        json.dumps({"settings": settings, "refused": refused, "timing": timing, "rows": found}, indent=1)
        + "\n"
    )


if __name__ == "__main__":
    main()
