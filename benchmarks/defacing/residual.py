"""The residual score (G6) of heads before and after each method, and of people who are or are not the same; see README.md.

python -m benchmarks.defacing.residual --people 12
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from benchmarks.defacing.methods import METHODS
from joblib import Parallel, delayed

from medveil import recipe
from medveil.attack.reidentify.surface import Head, find_head
from medveil.carry.residual import faces, residual
from medveil.core.errors import Refusal
from medveil.core.release import Given
from medveil.core.seeds import Seeds
from medveil.io import nifti
from medveil.locate.head import locate
from medveil.pipeline import Plan, release
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan

HERE = Path(__file__).parent
Array = npt.NDArray[Any]
COMPARED = ("erase", "erase, deep", "replace", "shear")
ROUNDS = 2000
MANY = 400  # images of the release whose page is extrapolated


@dataclass(frozen=True)
class Seen:
    """One person: descriptors (views, 128) of two visits and of the first one after each method, and G6 itself."""

    person: int
    first: Array
    second: Array
    released: dict[str, Array] = field(default_factory=dict)
    g6: dict[str, dict[str, float]] = field(default_factory=dict)


def descriptors(head: Head) -> Array:
    """(views, 128) what the recogniser says of a head from each side."""
    return np.array([f.embedding for f in faces(head)])


def apart(a: Array, b: Array) -> float:
    """Mean Euclidean distance of equal views, as `residual` takes it."""
    return float(np.linalg.norm(a - b, axis=1).mean())


def one_person(index: int, seed: int, spread: float, methods: list[str]) -> Seen:
    """Scan somebody twice (another pose, noise, bias and thickness of fat) and deface the first scan."""
    seeds = Seeds(seed)
    person = draw_person(seeds, index, spread=spread)
    image, again = (scan(person, seeds, visit=v, scanner=Scanner()).image for v in (0, 1))
    before = find_head(image)
    out = Seen(index, descriptors(before), descriptors(find_head(again)))
    try:
        to_mni = np.linalg.inv(locate(image).affine).astype(np.float64)
    except Refusal:
        return out
    for method in methods:
        use, settings = METHODS[method]
        try:
            done = recipe.part("protect", use, **settings).apply(image, Given(affine_to_mni=to_mni))
        except Refusal:
            continue
        after = find_head(done.image)
        out.g6[method] = residual(before, after)
        # Seen from where the original is, as `residual` does, for the comparison with other people.
        out.released[method] = descriptors(Head(after.mesh, before.focus_mm))
    return out


def described(values: dict[tuple[int, int], float], people: int, rng: np.random.Generator) -> dict[str, Any]:
    """Range, mean and its 95 % bootstrap interval over people: a pair counts as often as both its sides are drawn."""
    means = []
    for _ in range(ROUNDS):
        often = np.bincount(rng.integers(people, size=people), minlength=people)
        weights = [often[i] if i == j else often[i] * often[j] for i, j in values]
        if sum(weights):
            means.append(np.average(list(values.values()), weights=weights))
    low, high = np.percentile(means, (2.5, 97.5))
    v = np.array(list(values.values()))
    return {
        "n": len(v),
        "mean": float(v.mean()),
        "interval": [float(low), float(high)],
        "range": [float(v.min()), float(v.max())],
    }


def summary(seen: list[Seen], methods: list[str], rng: np.random.Generator) -> list[dict[str, Any]]:
    """One row a comparison, in the order of the table."""
    n, everybody = len(seen), range(len(seen))

    def row(name: str, values: dict[tuple[int, int], float], **more: Any) -> dict[str, Any]:
        return {"compared": name, **described(values, n, rng), **more}

    rows = [
        row("same person, two scans", {(i, i): apart(seen[i].first, seen[i].second) for i in everybody}),
        row(
            "two people",
            {(i, j): apart(seen[i].first, seen[j].first) for i, j in permutations(everybody, 2) if i < j},
        ),
    ]
    for method in methods:
        have = [i for i in everybody if method in seen[i].g6]
        if not have:
            continue
        g6 = [seen[i].g6[method] for i in have]
        fired = {
            f"detected_{when}": sum(g[f"face_detected_{when}"] for g in g6) for when in ("before", "after")
        }
        moved = [g["skin_moved_mm"] for g in g6 if "skin_moved_mm" in g]
        own = {(i, i): g["descriptor_distance"] for i, g in zip(have, g6, strict=True)}
        rows.append(row(f"{method}: own original", own, **fired, skin_moved_mm=[min(moved), max(moved)]))
        others = {
            (i, j): apart(seen[i].released[method], seen[j].first) for i in have for j in everybody if i != j
        }
        rows.append(row(f"{method}: others' originals", others))
    return rows


def page_bytes(people: int, seed: int) -> dict[str, float]:
    """Size of the internal page with one image and with more; what one more image adds, and 400 would."""
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in (1, people):
            root = Path(folder) / str(n)
            for record in simulate_cohort(n, seed=seed).scans:
                assert record.place is not None  # noqa: S101 - every simulated record has one
                path = root / "cohort" / record.place
                path.parent.mkdir(parents=True, exist_ok=True)
                nifti.write(record.open(), path)
            done = release(
                Plan(root / "cohort", root / "release", recipe.default(seed), simulated="sculpted people")
            )
            sizes[n] = done.internal.stat().st_size
    each = (sizes[people] - sizes[1]) / (people - 1)
    return {
        "images": people,
        "bytes": sizes[people],
        "bytes_an_image": each,
        f"bytes_extrapolated_to_{MANY}": sizes[1] + (MANY - 1) * each,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=12)
    options.add_argument("--seed", type=int, default=81)
    options.add_argument("--spread", type=float, default=1.3)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--methods", nargs="*", default=list(COMPARED))
    options.add_argument("--page", type=int, default=4, help="images of the page that is measured; 0 is none")
    options.add_argument("--to", type=Path, default=HERE / "residual.json")
    a = options.parse_args()
    seen: list[Seen] = []
    for one in Parallel(n_jobs=a.jobs, return_as="generator", batch_size=1)(
        delayed(one_person)(i, a.seed, a.spread, a.methods) for i in range(a.people)
    ):
        seen.append(one)
        print(f"person {one.person}: {one.g6}", flush=True)
    rows = summary(seen, a.methods, Seeds(a.seed).stream("benchmark/residual/bootstrap"))
    page = page_bytes(a.page, a.seed) if a.page > 1 else None
    people = [{"person": s.person, "g6": s.g6} for s in seen]
    found = {"seed": a.seed, "spread": a.spread, "rows": rows, "page": page, "people": people}
    a.to.write_text(json.dumps(found, indent=1) + "\n")
    print("\n| compared | pairs | distance | smallest to largest | detector before, after | skin moved mm |")
    print("|---|---|---|---|---|---|")
    for r in rows:
        (low, high), (least, most) = r["interval"], r["range"]
        fired = f"{r['detected_before']:.0f}, {r['detected_after']:.0f}" if "detected_after" in r else ""
        moved = "{:.1f} to {:.1f}".format(*r["skin_moved_mm"]) if "skin_moved_mm" in r else ""
        print(
            f"| {r['compared']} | {r['n']} | {r['mean']:.2f} [{low:.2f}, {high:.2f}] | {least:.2f} to {most:.2f} | {fired} | {moved} |"
        )
    if page:
        print(f"\npage: {page}")


if __name__ == "__main__":
    main()
