"""Are the intervals honest, the verdicts as rare and as able as they say, and the bootstrap fast enough?

python benchmarks/metrics/run.py [speed] [coverage] [verdict] [--trials 200]
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from medveil.core.claims import PairClaims
from medveil.core.scores import Scores
from medveil.core.seeds import Seeds
from medveil.measure.null import permutation_p
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import smallest_auc
from medveil.measure.verification.auc import auc
from medveil.measure.verification.battery import Battery
from medveil.measure.verification.bootstrap import basic, multiplicities, pair_weights, percentiles, wilson
from medveil.measure.verification.calibration import min_cllr
from medveil.measure.verification.eer import eer
from medveil.measure.verification.identification import Rankings, rank_k
from medveil.measure.verification.linkability import linkability

SEEDS = Seeds(20)
NAMES = ("auc", "eer", "linkability_pav", "min_cllr", "rank_1")
BIASED = {"eer": (0.0, 0.5), "linkability_pav": (0.0, 1.0), "min_cllr": (0.0, 1.0)}


def cohort(rng: np.random.Generator, persons: int, scans: int, photos: int, luck: float = 1.2) -> Scores:
    """Inner products of noisy views; what is odd about a person's scans is odd about all of them."""
    identity = rng.normal(size=(persons, 1, 4))
    odd = luck * rng.normal(size=(2, persons, 1, 4))
    scan = identity + odd[0] + 0.5 * rng.normal(size=(persons, scans, 4))
    photo = identity + odd[1] + 0.5 * rng.normal(size=(persons, photos, 4))
    return Scores(
        score=(scan.reshape(-1, 4) @ photo.reshape(-1, 4).T).ravel(),
        probe=np.repeat(np.arange(persons), scans * persons * photos),
        gallery=np.tile(np.repeat(np.arange(persons), photos), persons * scans),
        probe_image=np.repeat(np.arange(persons * scans), persons * photos),
        persons=persons,
    )


def as_claims(scores: Scores) -> PairClaims:
    """A score table as another tool would hand it over."""
    text = [x.astype(str) for x in (scores.probe, scores.probe_image, scores.gallery, scores.gallery)]
    return PairClaims(*text, score=scores.score, attack="bench", condition="release", notes={})


def speed() -> None:
    """1,000 rounds over 200 persons, and the same rounds by re-building and re-sorting the pairs."""
    from sklearn.metrics import roc_auc_score, roc_curve

    scores = cohort(SEEDS.stream("bench/speed"), 200, 1, 1)
    claims = as_claims(scores)
    whole = _seconds(lambda: summarise(claims, None, seeds=SEEDS, rounds=1000))
    chance = _seconds(lambda: null_condition(claims, seeds=SEEDS, rounds=500))
    battery = Battery.of(scores.score, len(scores.mated))

    def ours(rounds: int) -> None:
        for drawn in multiplicities(200, rounds, np.random.default_rng(0)):
            battery.measure(*pair_weights(scores, drawn))

    def rebuilt(rounds: int) -> None:
        rng = np.random.default_rng(0)
        matrix = scores.score.reshape(200, 200)
        for _ in range(rounds):
            who = rng.integers(0, 200, 200)
            same, mated = who[:, None] == who[None], np.eye(200, dtype=bool)
            keep = mated | ~same
            s, y = matrix[np.ix_(who, who)][keep], mated[keep]
            roc_auc_score(y, s)
            roc_curve(y, s)
            np.histogram(s[y], 20)
            np.histogram(s[~y], 20)

    ours(10), rebuilt(2)
    fast, slow = _seconds(lambda: ours(1000)), 20 * _seconds(lambda: rebuilt(50))
    print("speed, 200 x 200 pairs, CPU seconds")
    print(f"  bootstrap, 1,000 rounds of all ten pair metrics   {fast:6.2f} s")
    print(f"  AUC, ROC and histogram alone, pairs re-built      {slow:6.2f} s   ratio {slow / fast:.1f}")
    print(f"  summarise: bootstrap, derangements, permutations  {whole:6.2f} s")
    print(f"  null_condition, 500 derangements                  {chance:6.2f} s")


def coverage(trials: int) -> None:
    """How often a 95 % interval holds the truth: persons redrawn, and pairs redrawn."""
    print(f"coverage of 95 % intervals and their mean width, {trials} cohorts each")
    for persons, scans, photos in ((49, 1, 1), (30, 3, 5)):
        rng = SEEDS.stream("bench/coverage", persons)
        truth = _truth(rng, persons, scans, photos)
        held: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)
        for _ in range(trials):
            scores = cohort(rng, persons, scans, photos)
            for unit, intervals in _intervals(scores, rng).items():
                for name, (low, high) in intervals.items():
                    held[unit, name].append((low <= truth[name] <= high, high - low))
        print(f"  {persons} persons x {scans} scans x {photos} photographs")
        for (unit, name), rows in sorted(held.items(), key=lambda item: item[0][::-1]):
            share, width = np.mean(rows, axis=0)
            print(
                f"    {name:15} truth {truth[name]:.3f}   {unit:34} covers {100 * share:3.0f} %   width {width:.3f}"
            )


def verdict(trials: int) -> None:
    """False alarms under chance, and power at the smallest AUC that the report prints."""
    print(f"leak by permutations, {trials} cohorts each")
    for persons in (24, 49, 120):
        rng = SEEDS.stream("bench/verdict", persons)
        smallest, _ = smallest_auc(
            null_condition(as_claims(_shifted(rng, persons, 0.0)), seeds=SEEDS, rounds=300)
        )
        shift = float(ndtri(smallest or 1.0) * np.sqrt(2))
        alarms, hits = (
            np.mean([_leak(_shifted(rng, persons, s), rng) for _ in range(trials)]) for s in (0.0, shift)
        )
        print(
            f"  {persons:3} persons: at chance {100 * alarms:4.1f} %   at AUC {smallest:.3f} {100 * hits:3.0f} %"
        )


def _leak(scores: Scores, rng: np.random.Generator) -> bool:
    p = permutation_p(scores, rng, 500)
    return 2 * min(x for x in (p.auc, p.rank_1) if x is not None) < 0.05


def _shifted(rng: np.random.Generator, persons: int, shift: float) -> Scores:
    score = rng.normal(size=(persons, persons)) + shift * np.eye(persons)
    row, column = np.indices(score.shape)
    return Scores(score.ravel(), row.ravel(), column.ravel(), row.ravel(), persons)


def _truth(rng: np.random.Generator, persons: int, scans: int, photos: int) -> dict[str, float]:
    large = cohort(rng, 1500, 1, 1)
    ranks = [rank_k(cohort(rng, persons, scans, photos)) for _ in range(1500)]
    m, n = large.mated, large.non_mated
    return {
        "auc": auc(m, n),
        "eer": eer(m, n),
        "linkability_pav": linkability(m, n, method="pav"),
        "min_cllr": min_cllr(m, n),
        "rank_1": float(np.mean(ranks)),
    }


def _intervals(
    scores: Scores, rng: np.random.Generator, rounds: int = 300
) -> dict[str, dict[str, tuple[float, float]]]:
    battery, rankings = Battery.of(scores.score, len(scores.mated)), Rankings.of(scores)
    mated, hit = scores.is_mated, rankings.ranks() == 1
    by_person, redrawn, by_pair = (defaultdict(list) for _ in range(3))
    for drawn in multiplicities(scores.persons, rounds, rng):
        row, _ = battery.measure(*pair_weights(scores, drawn))
        weight = drawn[rankings.person]
        row["rank_1"] = float(weight @ hit / weight.sum())
        for name in NAMES:
            by_person[name].append(row[name])
        redrawn["rank_1"].append(_rank_1_among(scores, drawn))
        w = rng.poisson(1.0, len(mated)).astype(np.float64)
        row, _ = battery.measure(w * mated, w * ~mated)
        for name in NAMES[:-1]:
            by_pair[name].append(row[name])
    found = {
        "persons": by_person,
        "pairs": by_pair,
        "persons, gallery redrawn too": redrawn,
    }
    out = {
        unit: {name: percentiles(np.array(v)) or (0.0, 1.0) for name, v in values.items()}
        for unit, values in found.items()
    }
    value, _ = battery.measure(*pair_weights(scores, np.ones(scores.persons)))
    out["persons, basic"] = {
        name: basic(np.array(by_person[name]), value[name], bounds) or bounds
        for name, bounds in BIASED.items()
    }
    low, high = out["persons"]["rank_1"]
    other = wilson(float(hit.mean()), scores.persons)
    out["persons or Wilson, the wider"] = {"rank_1": (min(low, other[0]), max(high, other[1]))}
    return out


def _rank_1_among(scores: Scores, drawn: np.ndarray) -> float:
    """Rank-1 with the gallery shrunk to the persons drawn, as a bootstrap of everything would have it."""
    there = (drawn[scores.probe] > 0) & (drawn[scores.gallery] > 0)
    part = Scores(
        scores.score[there],
        scores.probe[there],
        scores.gallery[there],
        scores.probe_image[there],
        scores.persons,
    )
    rankings = Rankings.of(part)
    weight = drawn[rankings.person]
    return float(weight @ (rankings.ranks() == 1) / weight.sum())


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds, which do not depend on what else the machine does."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    words = sys.argv[1:]
    number = int(words[words.index("--trials") + 1]) if "--trials" in words else 200
    wanted = [w for w in words if w in ("speed", "coverage", "verdict")] or ["speed", "coverage", "verdict"]
    if "speed" in wanted:
        speed()
    if "coverage" in wanted:
        coverage(number)
    if "verdict" in wanted:
        verdict(number)
