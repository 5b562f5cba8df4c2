"""Guess sex, age and a diagnosis of simulated people from their images; see README.md."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import binom

from medveil.attack.observer import Observer
from medveil.carry.inferring import infer
from medveil.cli.talk import Terminal
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import Refusal
from medveil.core.estimate import Estimate
from medveil.core.image import Image
from medveil.core.inference import Inference
from medveil.core.seeds import Seeds
from medveil.io import nifti
from medveil.measure.guesses.power import smallest_accuracy
from medveil.measure.verification.bootstrap import wilson
from medveil.protect.deface.erase import Erase
from medveil.simulate.cohort import SimulatedCohort, simulate_cohort
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner

HERE = Path(__file__).parent
# Boutet et al. 2023, table II: accuracy of age, gender, ethnicity. All multiples of .2: perhaps 5 people.
TABLE_II = {"ID photograph": (0.4, 1.0, 0.4), "MRI render": (0.6, 0.4, 0.8)}
OURS = {"ID photograph": "photograph", "MRI render": "original render"}
PEOPLE_OF_TABLE_II = 5


def kept(record: Record, folder: Path) -> tuple[Record, Record | None]:
    """One scan on disk, built if it is not there yet, and without its face; None where that is refused."""
    path, other = folder / f"{record.subject}.nii.gz", folder / f"{record.subject}-erased.nii.gz"
    original = replace(record, open=partial(nifti.read, path))
    if not path.exists():
        scan = record.open()
        with suppress(Refusal):
            nifti.write(Erase().apply(scan).image, other)
        nifti.write(scan, path)
    return original, replace(record, open=partial(nifti.read, other)) if other.exists() else None


def photographed(record: Record, folder: Path) -> Record:
    """One photograph on disk, as an array."""
    path = folder / f"{record.subject}.npy"
    if not path.exists():
        np.save(path, record.open().data)
    return replace(record, open=partial(_photograph, path))


def _photograph(path: Path) -> Image:
    return Image(np.load(path, allow_pickle=False), np.eye(4), kind="photo")


def participants(people: SimulatedCohort, args: argparse.Namespace) -> Mapping[str, Mapping[str, str]]:
    """Age and sex as simulated, a band of age, and an invented diagnosis that wide ventricles make likely."""
    rng = Seeds(args.seed).stream("benchmark/diagnosis")
    rows = {}
    for index, (label, row) in enumerate(people.scans.participants.items(), start=args.first):
        person = draw_person(Seeds(args.seed), index, confounder=args.confounder)
        ill = person.ventricles_mm + rng.normal(0, 1.0) > 1.5
        age = int(row["age"])
        band = "20-39" if age < 40 else "40-64" if age < 65 else "65-85"
        rows[label] = {**row, "age_band": band, "group": "patient" if ill else "control"}
    return rows


def built(
    people: SimulatedCohort, truth: Mapping[str, Mapping[str, str]], args: argparse.Namespace, folder: Path
) -> tuple[Cohort, Cohort, Cohort | None]:
    """Originals, the same without faces, and photographs, all on disk."""
    pool = Parallel(n_jobs=args.jobs, return_as="generator", batch_size=1)
    pairs = list(pool(delayed(kept)(r, folder) for r in people.scans))
    photos = None
    if not args.no_photographs:
        records = tuple(pool(delayed(photographed)(r, folder) for r in people.photographs))
        photos = Cohort(records, simulated=True)
    originals = Cohort(tuple(o for o, _ in pairs), truth, simulated=True)
    return originals, Cohort(tuple(e for _, e in pairs if e is not None), simulated=True), photos


def run(args: argparse.Namespace, folder: Path, observer: Observer) -> dict[str, Any]:
    talk, start = Terminal(), time.time()
    people = simulate_cohort(
        args.people, seed=args.seed, first=args.first, confounder=args.confounder, photos=1,
        scanner=Scanner(spacing_mm=args.spacing),
    )  # fmt: skip
    truth = participants(people, args)
    originals, erased, photos = built(people, truth, args, folder)
    building, start = time.time() - start, time.time()
    guess = partial(infer, observer=observer, seeds=Seeds(args.seed), talk=talk)
    # Nothing is released beside the images; then age and sex are.
    found = guess(originals, erased, photos, attributes=("sex", "age", "age_band", "group"))
    told = {s: {k: row[k] for k in ("age", "sex")} for s, row in truth.items()}
    tabled = guess(originals, replace(erased, participants=told), photos, attributes=("group",))
    return {
        "people": args.people,
        "refused": len(originals) - len(erased),
        "seed": args.seed,
        "spacing_mm": args.spacing,
        "confounder": args.confounder,
        "seconds_building": round(building),
        "seconds_inferring": round(time.time() - start),
        "nothing released but images": [f.to_json() for f in found],
        "age and sex released": [f.to_json() for f in tabled],
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The tables, as markdown."""
    out = []
    for title in ("nothing released but images", "age and sex released"):
        for data in result[title]:
            f = Inference.from_json(data)
            out += [
                "",
                f"**{f.attribute}**, {title}, {f.people} people, {f.classes or 'numbers'}: {f.verdict}.",
                "",
            ]
            names = ["mae", "r"] if f.numeric else ["balanced_accuracy", "accuracy", "auc"]
            names += ["gain_over_prior"]
            names += ["with_table", "gain_over_table"] if f.baseline == "table" else []
            out += ["| condition | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
            for label, e in f.conditions.items():
                out.append(f"| {label} | " + " | ".join(_cell(e.get(n)) for n in names) + " |")
            out += ["", f.reason]
    return [*out, "", *table_ii(result)]


def _cell(e: Estimate | None) -> str:
    if e is None or e.value is None:
        return "-"
    interval = f" [{e.low:.2f}, {e.high:.2f}]" if e.low is not None and e.high is not None else ""
    p = f", p {e.p_value:.3f}" if e.p_value is not None else ""
    return f"{e.value:.2f}{interval}{p}"


def table_ii(result: dict[str, Any]) -> list[str]:
    """The published table beside ours: accuracy of age (three bands), sex, ethnicity."""
    found = {f["attribute"]: Inference.from_json(f) for f in result["nothing released but images"]}
    n = PEOPLE_OF_TABLE_II
    out = [
        "| | property | published | Wilson, if 5 people | ours | five of our people would give |",
        "|---|---|---|---|---|---|",
    ]
    for source, published in TABLE_II.items():
        for name, key, value in zip(
            ("age", "sex", "ethnicity"), ("age_band", "sex", None), published, strict=True
        ):
            low, high = wilson(value, n)
            e = found[key].conditions.get(OURS[source], {}).get("accuracy") if key else None
            five = "-"
            if e is not None and e.value is not None:
                a, b = (binom.ppf(q, n, e.value) / n for q in (0.025, 0.975))
                five = f"{a:.1f} to {b:.1f}"
            out.append(f"| {source} | {name} | {value:.1f} | [{low:.2f}, {high:.2f}] | {_cell(e)} | {five} |")
    two, three = smallest_accuracy(n, 1 / 2), smallest_accuracy(n, 1 / 3)
    out += [
        "",
        f"Five people show an attack on two classes only from an accuracy of {two:.2f} on, on three from {three:.2f} "
        "(one-sided 5 %, power 80 %).",
    ]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--confounder", type=float, default=1.0)
    parser.add_argument("--spacing", type=float, default=3.0, help="edge of the voxels, mm")
    parser.add_argument(
        "--folder", type=Path, help="an existing folder to keep the images in, for another run"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-photographs", action="store_true")
    parser.add_argument("--to", type=Path, default=HERE / "result.json")
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        result = run(args, args.folder or Path(scratch), Observer(n_jobs=args.jobs))
    args.to.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(result)))
    print(f"\nbuilding {result['seconds_building']} s, inferring {result['seconds_inferring']} s")


if __name__ == "__main__":
    main()
