"""Measure: a grid of scores becomes the same condition and null as a small table.

grid ── look ──> ranks, mated scores ──> cells ── count ──> counts ──┬── metrics
                                                                     ├── bootstrap over persons
                                                                     └── null, p
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.findings import Condition, Curves
from medveil.core.seeds import Seeds
from medveil.measure.curves import FPR, LONGEST_CMC, Rounds, no_curves, rate_curves
from medveil.measure.estimates import ABOUT, SPARSE, estimate, in_order, null_estimates
from medveil.measure.identify import identify
from medveil.measure.null import CROSSED, PermutationP
from medveil.measure.scale.cells import Cells
from medveil.measure.scale.count import Counts, Shuffles, count
from medveil.measure.scale.grid import Grid
from medveil.measure.scale.look import Looked, look
from medveil.measure.scale.persons import person_counts
from medveil.measure.scale.shuffled import no_null, null_of, p_of, shuffles
from medveil.measure.verification.battery import NAMES, Battery
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities
from medveil.measure.verification.roc import tpr_at
from medveil.measure.verification.tally import Floats, Ints, Tally

_LINEAR = "intervals from each person's counts in coarse cells, exact to first order"
_NO_STEP = "not computed for a grid of scores: eer_interpolated is within one mated pair of it"


def measure_grid(
    grid: Grid,
    *,
    seeds: Seeds,
    rounds: int = 1000,
    null_rounds: int = 200,
    level: float = 0.95,
    jobs: int = 1,
) -> tuple[Condition, Condition]:
    """Everything about one attack under one condition, and about its null.

    Args:
        grid: the scores.
        seeds: streams `measure/bootstrap`, `measure/derangements`, `measure/permutations`, `measure/sample`.
        rounds: bootstrap rounds and permutations.
        null_rounds: derangements.
        level: confidence level of the intervals.
        jobs: worker processes; the result does not depend on it.

    Returns:
        The condition, as `summarise` gives it, and the null, as `null_condition` does; notes say what is approximate.

    Raises:
        UsageError: nobody is on both sides.
    """
    looked = look(grid, seeds, jobs)
    if not len(looked.mated):
        raise UsageError(
            "measure: no pair shows one person on both sides",
            hint="give probe and gallery of one person the same label, or say who is who",
        )
    cells = Cells.of(looked, _dtype(grid), grid.persons)
    both = np.unique(looked.person[looked.rank > 0])
    streams = seeds.stream("measure/permutations"), seeds.stream("measure/derangements")
    shuffled = shuffles(grid.persons, both, rounds, null_rounds, streams)
    counts = count(grid, cells, shuffled, jobs)
    mated_cell = cells.finder()(looked.mated.astype(cells.edges.dtype))
    mated = np.bincount(mated_cell, minlength=cells.size).astype(np.int64)
    if counts.all.sum() == mated.sum():
        return _undefined(grid, looked), _undefined(grid, looked, "null")
    return _measured(grid, looked, counts, cells, shuffled, mated_cell, mated, seeds, rounds, level)


def _measured(
    grid: Grid,
    looked: Looked,
    counts: Counts,
    cells: Cells,
    shuffled: Shuffles,
    mated_cell: np.ndarray,
    mated: Ints,
    seeds: Seeds,
    rounds: int,
    level: float,
) -> tuple[Condition, Condition]:
    persons = len(np.unique(looked.person[looked.rank > 0]))
    tally = Tally(mated.astype(np.float64), (counts.all - mated).astype(np.float64))
    value = np.divide(counts.total, counts.all, out=np.zeros(cells.size), where=counts.all > 0)
    battery = Battery.of_cells(value, cells.bins, cells.bin)
    values, tpr = battery.rate(tally), tpr_at(tally, FPR)

    def draws() -> Iterator[Floats]:
        return multiplicities(grid.persons, rounds, seeds.stream("measure/bootstrap"))

    people = person_counts(counts, cells, mated_cell, looked.mated_person)
    samples, tpr_rounds = people.rounds(draws(), values, tpr)
    found = identify(looked.searches, draws(), level)
    crossed = counts.all.sum() >= CROSSED * len(grid.probe) * len(grid.gallery)
    null = null_of(looked, counts, cells, battery, mated, shuffled) if crossed else no_null()
    p = p_of(looked, counts, cells, shuffled) if crossed and persons > 1 else PermutationP(None, None)

    chances = {name: null.mean(name) for name in NAMES}
    if chances["auc"] is None:
        chances["auc"] = 0.5
    estimates = found.estimates | {
        n: estimate(n, v, samples[n], chances[n], level, persons) for n, v in values.items()
    }
    estimates = {n: _told(e, tally, cells) for n, e in estimates.items()}
    estimates["auc"] = replace(estimates["auc"], p_value=p.auc)
    estimates["rank_1"] = replace(estimates["rank_1"], p_value=p.rank_1)
    if not crossed:
        estimates["auc"] = replace(
            estimates["auc"], note=f"{estimates['auc'].note}; no p and no null: {SPARSE}"
        )

    boot = Rounds({}, tpr_rounds, found.rounds) if persons >= FEWEST_PERSONS else None
    curves = found.drawn_into(rate_curves(tpr, found.cmc, boot, level))
    curves = _histogram(curves, battery.binned(tally), cells.bins)
    condition = _condition(grid.condition, in_order(estimates), curves, grid, tally)

    sizes = looked.size[looked.rank > 0]
    rank_chances = {k: float(np.minimum(k / np.maximum(sizes - 1, 1), 1.0).mean()) for k in (1, 5)}
    about_null = in_order(null_estimates(null, rank_chances, persons, level, crossed=bool(crossed)))
    about_null = {n: _told(e, tally, cells) for n, e in about_null.items()}
    nobody = no_curves()
    if np.isfinite(null.tpr).any():
        places = np.arange(1, max(min(int(looked.size.max()) - 1, LONGEST_CMC), 1) + 1)
        guess = np.minimum(places[:, None] / np.maximum(sizes - 1, 1), 1.0).mean(axis=1)
        luck = Rounds({}, null.tpr, np.empty((0, len(places))))
        nobody = rate_curves(np.nanmean(null.tpr, axis=0), guess, luck, level)
        strangers = Tally(tally.non_mated, tally.non_mated)
        nobody = _histogram(nobody, battery.binned(strangers), cells.bins)
    return condition, _condition("null", about_null, nobody, grid, tally)


def _told(e: Estimate, tally: Tally, cells: Cells) -> Estimate:
    """The estimate with what is approximate about it; ranks are exact."""
    if e.name == "eer_step":
        return Estimate(e.name, None, n=e.n, better=e.better, note=_NO_STEP)
    if e.name not in NAMES or e.value is None:
        return e
    note = e.note if e.low is None or "derangements" in e.note else f"{e.note}, {_LINEAR}"
    if not cells.exact and e.name not in ("linkability", "d_prime"):
        m, n = tally.mated / tally.mated.sum(), tally.non_mated / tally.non_mated.sum()
        most = f", off by at most {0.5 * float(m @ n):.1g}" if e.name == "auc" else ""
        note += f"; scores counted in {cells.size:,} cells{most}"
    return replace(e, note=note)


def _histogram(curves: Curves, binned: Tally, edges: Floats) -> Curves:
    width = np.diff(edges)
    m, n = (x / max(x.sum(), 1.0) / width for x in (binned.mated, binned.non_mated))
    return replace(curves, bins=edges.tolist(), mated=m.tolist(), non_mated=n.tolist())


def _condition(
    label: str, estimates: dict[str, Estimate], curves: Curves, grid: Grid, tally: Tally
) -> Condition:
    m, n = int(tally.mated.sum()), int(tally.non_mated.sum())
    return Condition(label, estimates, curves, grid.persons, m, n)


def _undefined(grid: Grid, looked: Looked, label: str = "") -> Condition:
    note = "undefined: there is one person only, so nobody to be confused with"
    estimates = {
        name: Estimate(name, None, n=grid.persons, unit=unit, better=better, note=note)
        for name, (better, unit, _) in ABOUT.items()
    }
    one = Tally(np.array([float(len(looked.mated))]), np.zeros(1))
    return _condition(label or grid.condition, estimates, no_curves(), grid, one)


def _dtype(grid: Grid) -> np.dtype[np.floating]:
    return grid.rows(0, 1).dtype
