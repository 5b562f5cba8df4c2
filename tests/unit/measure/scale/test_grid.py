"""A grid that is counted says what the same scores say when they are sorted."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pytest

from medveil.core.claims import PairClaims
from medveil.core.errors import UsageError
from medveil.core.findings import Condition
from medveil.core.seeds import Seeds
from medveil.measure.scale import cells as cells_module
from medveil.measure.scale import grid as grid_module
from medveil.measure.scale.cells import Cells, Finder
from medveil.measure.scale.count import count
from medveil.measure.scale.look import look
from medveil.measure.scale.measure import measure_grid
from medveil.measure.scale.persons import person_counts
from medveil.measure.scale.shuffled import _aucs, null_of, p_of, shuffles
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import judge
from medveil.measure.verification.auc import auc
from medveil.measure.verification.battery import Battery

SEEDS = Seeds(3)
EXACT = (
    "auc",
    "eer",
    "eer_interpolated",
    "linkability",
    "linkability_pav",
    "rank_1",
    "rank_5",
    "rank_1_of_10",
    "min_cllr",
    "zebra_population",
    "zebra_individual",
    "dir_at_fpir_10",
    "dir_left_out_fpir_10",
)


@dataclass
class InMemory:
    score: np.ndarray
    probe: np.ndarray
    gallery: np.ndarray
    persons: int
    attack: str = "test.attack"
    condition: str = "release"

    def rows(self, start: int, stop: int) -> np.ndarray:
        return self.score[start:stop]


def cohort(
    persons: int,
    scans: int = 1,
    photos: int = 1,
    *,
    strangers: int = 0,
    kind: type = np.float32,
    signal: float = 1.0,
    decimals: int | None = None,
    seed: int = 0,
) -> InMemory:
    """Inner products of noisy views, gallery columns in random order; what is odd about a person stays."""
    rng = np.random.default_rng(seed)
    everyone = persons + strangers
    identity = signal * rng.normal(size=(everyone, 4))
    odd = rng.normal(size=(2, everyone, 4))
    probe = np.repeat(np.arange(everyone), scans)
    gallery = rng.permutation(np.repeat(np.arange(persons), photos))
    a = (identity + odd[0])[probe] + 0.5 * rng.normal(size=(len(probe), 4))
    b = (identity + odd[1])[gallery] + 0.5 * rng.normal(size=(len(gallery), 4))
    score = (a @ b.T).astype(kind)
    return InMemory(score if decimals is None else score.round(decimals), probe, gallery, everyone)


def as_claims(grid: InMemory) -> PairClaims:
    row, column = np.nonzero(~np.isnan(grid.score))
    labels = grid.probe[row], row, grid.gallery[column], column
    score = grid.score[row, column].astype(np.float64)
    return PairClaims(*(x.astype(str) for x in labels), score, grid.attack, grid.condition, {})


def both(grid: InMemory, rounds: int = 200) -> tuple[Condition, Condition]:
    small = summarise(as_claims(grid), None, seeds=SEEDS, rounds=rounds, null_rounds=10)
    return small, measure_grid(grid, seeds=SEEDS, rounds=rounds, null_rounds=10)[0]


GRIDS = {
    "one image each": cohort(60),
    "several images, ties": cohort(35, 3, 3, decimals=1, seed=1),
    "strangers, double": cohort(25, 2, 1, strangers=60, kind=np.float64, seed=2),
    "no signal": cohort(50, signal=0.0, seed=3),
    "perfect": cohort(40, signal=30.0, seed=4),
    "two persons": cohort(2, 2, 2, seed=5),
    "one gallery person": cohort(1, 2, 3, strangers=4, seed=6),
}


@pytest.mark.parametrize("name", GRIDS)
def test_every_value_is_that_of_the_small_table(name: str) -> None:
    small, large = both(GRIDS[name], rounds=60)
    for metric in EXACT:
        a, b = small.estimates[metric], large.estimates[metric]
        assert b.value == (None if a.value is None else pytest.approx(a.value, abs=1e-9)), metric
        assert b.n == a.n
    a, b = small.estimates["d_prime"], large.estimates["d_prime"]
    assert b.value == (None if a.value is None else pytest.approx(a.value, rel=2e-3))
    assert large.estimates["eer_step"].value is None
    assert (large.persons, large.mated, large.non_mated) == (small.persons, small.mated, small.non_mated)
    np.testing.assert_allclose(large.curves.cmc, small.curves.cmc)
    np.testing.assert_allclose(large.curves.tpr, small.curves.tpr, atol=1e-9)
    np.testing.assert_allclose(large.curves.rank1_by_size, small.curves.rank1_by_size)


@pytest.mark.parametrize("name", ["one image each", "several images, ties", "strangers, double"])
def test_intervals_agree_with_the_exact_bootstrap(name: str) -> None:
    small, large = both(GRIDS[name])
    for metric in EXACT:
        a, b = small.estimates[metric], large.estimates[metric]
        if a.low is None or metric.startswith("zebra_ind"):
            assert b.low == a.low
            continue
        width = a.high - a.low
        assert b.high - b.low == pytest.approx(width, rel=0.25), metric
        assert abs(b.low - a.low) < 0.2 * width, metric
        assert abs(b.high - a.high) < 0.2 * width, metric


@pytest.mark.slow
def test_widths_agree_within_a_few_per_cent_on_average() -> None:
    ratios = []
    for seed in range(3):
        small, large = both(cohort(60, seed=10 + seed), rounds=500)
        for metric in ("auc", "eer", "linkability", "linkability_pav", "min_cllr", "d_prime"):
            a, b = small.estimates[metric], large.estimates[metric]
            ratios.append((b.high - b.low) / (a.high - a.low))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)
    assert np.std(ratios) < 0.08


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one image each", "several images, ties", "no signal"])
def test_p_and_null_agree_with_those_of_the_small_table(name: str) -> None:
    grid = GRIDS[name]
    small = summarise(as_claims(grid), None, seeds=SEEDS, rounds=400, null_rounds=10)
    null = null_condition(as_claims(grid), seeds=SEEDS, rounds=200)
    large, guess = measure_grid(grid, seeds=SEEDS, rounds=400, null_rounds=200)
    for metric in ("auc", "rank_1"):
        a, b = small.estimates[metric].p_value, large.estimates[metric].p_value
        assert b == pytest.approx(a, abs=4 * np.sqrt(a * (1 - a) / 400) + 1e-3)
    for metric in ("auc", "eer", "linkability", "linkability_pav", "min_cllr", "rank_1", "rank_5"):
        a, b = null.estimates[metric], guess.estimates[metric]
        spread = (a.high - a.low) / 4
        assert b.value == pytest.approx(a.value, abs=4 * spread / np.sqrt(200) + 1e-3), metric
        assert b.chance == pytest.approx(a.chance, abs=4 * spread / np.sqrt(200) + 1e-3), metric
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.35, abs=0.02), metric
    assert guess.label == "null"


def test_verdicts_are_those_of_the_small_table() -> None:
    leaky, silent = cohort(60, seed=20), cohort(60, signal=0.0, seed=21)
    expected = {"leak": leaky, "no evidence of a leak": silent}
    original, null = measure_grid(cohort(60, signal=3.0, seed=22), seeds=SEEDS, null_rounds=100)
    for verdict, grid in expected.items():
        release, _ = measure_grid(grid, seeds=SEEDS, null_rounds=100)
        assert judge("a", "b", {}, original, release, null).verdict == verdict


def test_workers_and_blocks_do_not_change_a_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = cohort(40, 2, 2, seed=8)
    one = measure_grid(grid, seeds=SEEDS, rounds=40, null_rounds=20, jobs=1)
    two = measure_grid(grid, seeds=SEEDS, rounds=40, null_rounds=20, jobs=2)
    assert [asdict(c) for c in one] == [asdict(c) for c in two]
    monkeypatch.setattr(grid_module, "BLOCK", 300)  # several blocks in each stripe
    blocked, _ = measure_grid(grid, seeds=SEEDS, rounds=40, null_rounds=20)
    for metric in EXACT:
        assert blocked.estimates[metric].value == pytest.approx(one[0].estimates[metric].value, abs=1e-12)


def test_pairs_that_were_not_compared_take_no_part() -> None:
    grid = cohort(40, seed=9)
    grid.score[np.random.default_rng(0).random(grid.score.shape) < 0.05] = np.nan
    small, large = both(grid, rounds=60)
    for metric in EXACT:
        if metric == "rank_1_of_10" or metric.startswith(("dir", "rank")):
            continue
        assert large.estimates[metric].value == pytest.approx(small.estimates[metric].value, abs=1e-9)
    for metric in ("rank_1", "rank_5"):
        assert large.estimates[metric].value == pytest.approx(small.estimates[metric].value)
        assert large.estimates[metric].chance == pytest.approx(small.estimates[metric].chance)
    assert large.estimates["auc"].p_value is not None
    grid.score[np.random.default_rng(1).random(grid.score.shape) < 0.3] = np.nan
    thin, null = measure_grid(grid, seeds=SEEDS, rounds=40, null_rounds=20)
    assert thin.estimates["auc"].p_value is None
    assert "too few persons" in thin.estimates["auc"].note
    assert null.estimates["linkability"].value is None


def test_more_mated_scores_than_cells_err_by_no_more_than_the_note_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = cohort(40, 3, 3, seed=11)
    small, exact = both(grid, rounds=40)
    assert "off by at most" not in exact.estimates["auc"].note
    monkeypatch.setattr(cells_module, "RUNGS", 30)
    monkeypatch.setattr(cells_module, "POOLED", 16)
    rough, _ = measure_grid(grid, seeds=SEEDS, rounds=40, null_rounds=10)
    note = rough.estimates["auc"].note
    bound = float(note.split("off by at most ")[1].split(";")[0])
    off = abs(rough.estimates["auc"].value - small.estimates["auc"].value)
    assert 0 < off <= bound * 1.5 < 0.05  # the note rounds to one digit
    assert rough.estimates["linkability"].value == pytest.approx(small.estimates["linkability"].value)
    assert rough.estimates["rank_1"].value == small.estimates["rank_1"].value


def test_nobody_on_both_sides_is_an_error_and_one_person_is_undefined() -> None:
    grid = cohort(5)
    grid.gallery = grid.gallery + 5
    grid.persons = 10
    with pytest.raises(UsageError, match="no pair shows one person"):
        measure_grid(grid, seeds=SEEDS)
    condition, null = measure_grid(cohort(1, 2, 2), seeds=SEEDS, rounds=10)
    assert all(e.value is None for c in (condition, null) for e in c.estimates.values())
    assert (condition.mated, condition.non_mated) == (4, 0)


def test_constant_scores_say_nothing() -> None:
    grid = cohort(12)
    grid.score[:] = 7.0
    condition, _ = measure_grid(grid, seeds=SEEDS, rounds=40, null_rounds=20)
    values = {k: e.value for k, e in condition.estimates.items()}
    assert (values["auc"], values["rank_1"], values["linkability"]) == (0.5, 0.0, 0.0)
    assert condition.estimates["auc"].p_value == 1.0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [1.0, 1e-6, 1e30, 0.0])
def test_cells_found_by_table_are_those_of_a_binary_search(kind: type, spread: float) -> None:
    rng = np.random.default_rng(0)
    scores = (5 + spread * rng.standard_cauchy(20_000)).astype(kind)
    inner = np.unique(
        np.concatenate([scores[:400], np.nextafter(scores[:400], kind(np.inf)), [scores.min()]])
    )
    edges = np.append(inner, kind(np.inf)).astype(kind)
    asked = np.concatenate([scores, inner, [kind(np.nan)]])
    found = Finder.of(edges)(asked)
    np.testing.assert_array_equal(found, np.searchsorted(edges, asked, side="right") - 1)
    assert found[-1] == len(edges) - 1


def test_coarse_cells_never_span_two_bins_and_counts_add_up() -> None:
    grid = cohort(40, 2, 2, seed=12)
    looked = look(grid, SEEDS, 1)
    cells = Cells.of(looked, np.float32, grid.persons)
    for c in np.unique(cells.coarse):
        assert len(np.unique(cells.bin[cells.coarse == c])) == 1
    drawn = shuffles(grid.persons, np.arange(40), 5, 5, (np.random.default_rng(0), np.random.default_rng(1)))
    counts = count(grid, cells, drawn, 1)
    assert counts.all.sum() == grid.score.size
    assert counts.as_probe.sum() == counts.as_gallery.sum() == grid.score.size
    assert (counts.free.sum(axis=1) == 40 * 4).all()
    assert (counts.deranged.sum(axis=1) == 40 * 4).all()
    assert counts.total.sum() == pytest.approx(grid.score.astype(float).sum(), rel=1e-6)


def test_each_shuffle_is_measured_as_if_it_were_the_truth() -> None:
    """Brute force, shuffle by shuffle: who is called a mate, what is left out, and how ties count."""
    grid = cohort(12, 2, 2, strangers=3, decimals=0, seed=13)
    looked = look(grid, SEEDS, 1)
    cells = Cells.of(looked, np.float32, grid.persons)
    drawn = shuffles(grid.persons, np.arange(12), 4, 4, (np.random.default_rng(0), np.random.default_rng(1)))
    counts = count(grid, cells, drawn, 1)
    mated_cell = cells.finder()(looked.mated.astype(np.float32))
    mated = np.bincount(mated_cell, minlength=cells.size)
    value = np.divide(counts.total, counts.all, out=np.zeros(cells.size), where=counts.all > 0)
    null = null_of(looked, counts, cells, Battery.of_cells(value, cells.bins, cells.bin), mated, drawn)
    true = grid.probe[:, None] == grid.gallery
    best = np.array([grid.score[:, grid.gallery == g].max(axis=1) for g in range(12)]).T
    for r, mate in enumerate(drawn.deranged):
        claimed = mate[grid.probe][:, None] == grid.gallery
        assert not (claimed & true).any()
        assert null.values["auc"][r] == pytest.approx(auc(grid.score[claimed], grid.score[~claimed & ~true]))
        for k in (1, 5):
            hits = []
            for i in np.flatnonzero(grid.probe < 12):
                others = np.delete(best[i], grid.probe[i])
                hits.append((others >= best[i, mate[grid.probe[i]]]).sum() <= k)
            assert null.values[f"rank_{k}"][r] == pytest.approx(np.mean(hits))
    # Scores are whole numbers here, fewer than the quantiles: rounding to these changes nothing.
    aucs = _aucs(counts, cells)
    assert (drawn.free[0] == np.arange(15)).all()
    for r, mate in enumerate(drawn.free):
        claimed = mate[grid.probe][:, None] == grid.gallery
        assert aucs[r] == pytest.approx(auc(grid.score[claimed], grid.score[~claimed]))
    reached = [p >= aucs[0] - 1e-12 for p in aucs[1:]]
    assert p_of(looked, counts, cells, drawn).auc == (1 + sum(reached)) / 5


def test_a_round_has_the_right_counts_and_the_right_change_with_each_person() -> None:
    grid = cohort(15, 2, 3, strangers=4, decimals=1, seed=14)
    looked = look(grid, SEEDS, 1)
    cells = Cells.of(looked, np.float32, grid.persons)
    none = shuffles(grid.persons, np.arange(15), 0, 0, (np.random.default_rng(0),) * 2)
    counts = count(grid, cells, none, 1)
    finder = cells.finder()
    people = person_counts(counts, cells, finder(looked.mated.astype(np.float32)), looked.mated_person)
    true = grid.probe[:, None] == grid.gallery
    where = cells.coarse[finder(grid.score.ravel())].reshape(grid.score.shape)

    def exact(weight: np.ndarray) -> np.ndarray:
        w = np.where(true, weight[grid.probe][:, None], weight[grid.probe][:, None] * weight[grid.gallery])
        parts = [np.bincount(where[k], weights=w[k], minlength=people.mated.shape[1]) for k in (true, ~true)]
        return np.array(parts)

    step = 1e-2
    one = np.ones(grid.persons)
    (whole,) = people.tallies([one])
    np.testing.assert_allclose([whole.mated, whole.non_mated], exact(one), rtol=1e-5)
    for i in range(grid.persons):
        moved = one + step * (np.arange(grid.persons) == i)
        (up,) = people.tallies([moved])
        change = np.array([up.mated, up.non_mated]) - exact(one)
        np.testing.assert_allclose(change, exact(moved) - exact(one), atol=step * 0.1)
