"""Attack 60 simulated people before and after deface.erase; see README.md."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from medveil.attack.observer import Observer
from medveil.attack.reidentify.embedding import Embedding
from medveil.attack.reidentify.geo import Geo
from medveil.carry.talk import Talk
from medveil.cli.talk import Terminal
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import Refusal
from medveil.core.findings import Condition
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io import nifti
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import correct, judge
from medveil.protect.deface.erase import Erase
from medveil.simulate.cohort import simulate_cohort

HERE = Path(__file__).parent


def deface(record: Record, folder: Path) -> Record | str:
    """Erase the face of one scan and keep it on disk; the reason if that is refused."""
    try:
        outcome = Erase().apply(record.open())
    except Refusal as refusal:
        return refusal.reason
    path = folder / f"{record.subject}.nii.gz"
    nifti.write(outcome.image, path)
    return replace(record, open=partial(nifti.read, path))


def keep(record: Record, folder: Path) -> Record:
    """Build one simulated image once, and read it from disk from then on."""
    path = folder / f"{record.subject}-{record.name}.nii.gz"
    image = record.open()
    if record.contrast == "photo":
        return replace(record, open=partial(_itself, image))
    nifti.write(image, path)
    return replace(record, open=partial(nifti.read, path))


def _itself(image: Image) -> Image:
    return image


def stored(cohort: Cohort, folder: Path, jobs: int, talk: Talk, what: str) -> Cohort:
    """The cohort with every image built."""
    with talk.stage(f"simulating {what}") as progress:
        done = []
        pool = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
        for record in pool(delayed(keep)(r, folder) for r in cohort):
            done.append(record)
            progress(len(done), len(cohort))
    return Cohort(tuple(done), cohort.participants, cohort.simulated)


def row_of(attack: str, condition: Condition) -> dict[str, Any]:
    """Print the four figures everybody asks for, and return them for the result file."""
    row: dict[str, Any] = {"attack": attack, "condition": condition.label, **condition.notes}
    for name in ("auc", "eer", "linkability", "rank_1"):
        e = condition.estimates[name]
        row[name] = {"value": e.value, "low": e.low, "high": e.high, "p": e.p_value}
        print(f"{attack:38} {condition.label:9} {name:12} {e}")
    return row


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=60)
    options.add_argument("--others", type=int, default=30)
    options.add_argument("--seed", type=int, default=2)
    options.add_argument("--spread", type=float, default=1.3)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--work", type=Path, required=False, default=Path("/tmp/medveil-bench"))  # noqa: S108
    options.add_argument("--to", type=Path, default=HERE / "result.json")
    a = options.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    talk, start = Terminal(), time.time()

    everybody = simulate_cohort(a.people + a.others, seed=a.seed, spread=a.spread)
    scans = stored(everybody.scans, a.work, a.jobs, talk, "scans")
    photographs = stored(everybody.photographs, a.work, a.jobs, talk, "photographs")
    people = scans.subjects[: a.people]
    others = scans.subjects[a.people :]

    (a.work / "erased").mkdir(exist_ok=True)
    with talk.stage("defacing") as progress:
        erased: list[Record] = []
        refused: list[str] = []
        pool = Parallel(n_jobs=a.jobs, return_as="generator", batch_size=1)
        targets = scans.of(*people)
        for got in pool(delayed(deface)(r, a.work / "erased") for r in targets):
            (refused if isinstance(got, str) else erased).append(got)  # type: ignore[arg-type]
            progress(len(erased) + len(refused), len(targets))

    background = Cohort((*scans.of(*others), *photographs.of(*others)), {}, simulated=True)
    threat = Threat(gallery=photographs.of(*people), background=background)
    original, release = scans.of(*people), Cohort(tuple(erased), {}, simulated=True)
    observer = Observer(n_jobs=a.jobs)

    rows, judged = [], []
    # `auto` is what medveil does; `background` takes both means from the other people, as the claim says.
    for label, attack in (
        ("auto", Embedding()),
        ("background", Embedding(centring="background")),
        ("", Geo()),
    ):
        if label == "background":
            strict = summarise(
                attack.run(original, threat, condition="original", observer=observer),
                None,
                seeds=Seeds(a.seed),
            )
            rows.append(row_of(f"{attack.name}, means of others", strict))
            continue
        before = attack.run(original, threat, condition="original", observer=observer)
        after = attack.run(release, threat, condition="release", observer=observer)
        seeds = Seeds(a.seed)
        control, result = summarise(before, None, seeds=seeds), summarise(after, None, seeds=seeds)
        null = null_condition(before, None, seeds=seeds)
        judged.append(judge(attack.name, attack.summary, {}, control, result, null))
        for condition in (control, result, null):
            rows.append(row_of(attack.name, condition))
    for found in correct(judged):
        print(found.attack, "->", found.verdict, "|", found.reason)
    print("refused:", refused, "| seconds:", round(time.time() - start))
    settings = {"people": a.people, "others": a.others, "seed": a.seed, "spread": a.spread}
    a.to.write_text(json.dumps({"settings": settings, "refused": refused, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
