"""The four conditions of Boutet et al. (2023) on simulated people, beside the paper's own figures; see README.md.

T2w scans, T1w scans ──Deepface | GEO, raw | bald──> EER, AUC, D_sys with intervals, and what 49 people can show
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.reidentification.store import stored

from medveil.attack.observer import Observer
from medveil.attack.reidentify.by_embedding import ByEmbedding
from medveil.attack.reidentify.deepface import Deepface
from medveil.attack.reidentify.embedding import Embedding
from medveil.attack.reidentify.geo import Geo
from medveil.attack.reidentify.learned import Learned
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.measure.summary import null_condition, summarise
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.scan import Scanner

HERE = Path(__file__).parent
PAPER = {  # table I: EER, AUC, D_sys; N = 49, T2w
    ("Deepface", "raw"): (0.41, 0.54, 0.07),
    ("Deepface", "bald"): (0.32, 0.71, 0.18),
    ("GEO", "raw"): (0.36, 0.64, 0.11),
    ("GEO", "bald"): (0.38, 0.64, 0.13),
}
FIGURES = ("eer", "auc", "linkability", "rank_1")


def attacks(everything: bool) -> dict[tuple[str, str], ByEmbedding | Geo]:
    """The four conditions, ours where the paper's network is not on disk, and what else is asked for."""
    out: dict[tuple[str, str], ByEmbedding | Geo] = {
        ("Deepface", "raw"): Deepface(face="raw"),
        ("Deepface", "bald"): Deepface(face="bald"),
        ("embedding (dlib)", "raw"): Embedding(face="raw"),
        ("embedding (dlib)", "bald"): Embedding(face="bald"),
        ("GEO", "raw"): Geo(face="raw"),
        ("GEO", "bald"): Geo(face="bald"),
    }
    if everything:
        out |= {
            ("embedding (dlib), as before: no normalisation", "raw"): Embedding(normalise=False),
            ("embedding (dlib), no centring, no normalisation", "raw"): Embedding(
                centring="none", normalise=False
            ),
            ("GEO with depth", "raw"): Geo(depth=True),
        }
    return out


LEARNERS: dict[str, Learned | Embedding] = {
    "embedding (dlib), in halves": Embedding(),
    "learned within, from the other half": Learned(),
    "learned by SVM, from the other half": Learned(how="svm"),
}


def in_halves(one: Learned | Embedding, scans: Cohort, photographs: Cohort, observer: Observer) -> PairClaims:
    """Each half of the people attacked by someone who has scans and photographs of the other half."""
    halves = [scans.subjects[::2], scans.subjects[1::2]]
    done = []
    for who, others in (halves, halves[::-1]):
        background = Cohort((*scans.of(*others), *photographs.of(*others)))
        threat = Threat(photographs.of(*who), background)
        done.append(one.run(scans.of(*who), threat, condition="original", observer=observer))
    columns = ("probe_subject", "probe_image", "gallery_subject", "gallery_image", "score")
    both = [np.concatenate([getattr(d, c) for d in done]) for c in columns]
    return PairClaims(*both, one.name, "original", done[0].notes)


def row_of(claims: PairClaims, seed: int) -> dict[str, Any]:
    """The figures of one condition, and the range in which guessing would lie."""
    found = summarise(claims, None, seeds=Seeds(seed))
    null = null_condition(claims, None, seeds=Seeds(seed))
    row: dict[str, Any] = dict(found.notes)
    for name in FIGURES:
        e, chance = found.estimates[name], null.estimates[name]
        row[name] = {
            "value": e.value, "low": e.low, "high": e.high,
            "guess": chance.value, "guess_low": chance.low, "guess_high": chance.high,
        }  # fmt: skip
        print(f"    {name:12} {e}   guessing: {chance}", flush=True)
    return row


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=49)
    options.add_argument("--seed", type=int, default=31)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--contrasts", nargs="+", default=["T2w", "T1w"])
    options.add_argument("--everything", action="store_true", help="also what the paper has not")
    options.add_argument("--work", type=Path, default=Path("/tmp/medveil-paper"))  # noqa: S108
    options.add_argument("--to", type=Path, default=HERE / "paper.json")
    a = options.parse_args()
    start = time.time()
    rows: list[dict[str, Any]] = []
    observer = Observer(n_jobs=a.jobs)
    photographs: Cohort | None = None
    for contrast in a.contrasts:
        # One photograph each, as in the paper (whose gallery held strangers as well).
        who = simulate_cohort(a.people, seed=a.seed, photos=1, scanner=Scanner(contrast=contrast))
        scans = stored(who.scans, a.work / contrast, a.jobs)
        photographs = photographs or stored(who.photographs, a.work / "photo", a.jobs)
        threat = Threat(gallery=photographs)
        for (attack, face), one in attacks(a.everything).items():
            paper = PAPER.get((attack, face))
            beside = (
                f"   paper (T2w): EER {paper[0]:.2f} AUC {paper[1]:.2f} D {paper[2]:.2f}" if paper else ""
            )
            print(f"{contrast} {attack}, {face}{beside}", flush=True)
            row: dict[str, Any] = {"contrast": contrast, "attack": attack, "face": face, "paper": paper}
            try:
                claims = one.run(scans, threat, condition="original", observer=observer)
                row |= row_of(claims, a.seed)
            except UsageError as missing:
                print(f"    not measured: {missing}", flush=True)
                row["not_measured"] = str(missing)
            rows.append(row)
            save(a.to, {"people": a.people, "seed": a.seed}, rows)  # a run that is stopped loses nothing
        for attack, learner in LEARNERS.items() if a.everything else ():
            print(f"{contrast} {attack}", flush=True)
            claims = in_halves(learner, scans, photographs, observer)
            rows.append(
                {
                    "contrast": contrast,
                    "attack": attack,
                    "face": "raw",
                    "paper": None,
                    **row_of(claims, a.seed),
                }
            )
            save(a.to, {"people": a.people, "seed": a.seed}, rows)
        print(f"seconds: {time.time() - start:.0f}")


def save(path: Path, settings: dict[str, int], rows: list[dict[str, Any]]) -> None:
    """Write the rows; older rows of the same people, other than these, stay."""

    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return row["contrast"], row["attack"], row["face"]

    if path.exists():
        before = json.loads(path.read_text())
        fresh = {key(r) for r in rows}
        rows = rows + [r for r in before["rows"] if before["settings"] == settings and key(r) not in fresh]
    path.write_text(json.dumps({"settings": settings, "rows": sorted(rows, key=key)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
