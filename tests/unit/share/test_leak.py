"""What an obfuscated level gives away at once: against hand-made cases and chance."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.share.base import SparseLevel, Statistics
from medveil.share.codec.decoys import add_decoys
from medveil.share.leak import PLAIN, _auc, _found, leak

from .sparse import made

KEY = bytes(range(32))


def level(support: list[list[int]], values: list[list[int]]) -> SparseLevel:
    return SparseLevel(np.array(support, np.uint16), np.array(values, np.int16), 6)


STATISTICS = Statistics(np.array([[5, 1, 5, 2, 9, 3]]), np.ones((1, 6, 8), np.int64), 10)


def test_a_case_counted_by_hand() -> None:
    true = level([[0, 3], [2, 4]], [[1, -4], [2, 2]])
    both = level([[0, 1, 3], [1, 2, 4]], [[1, 2, -4], [-3, 2, 2]])
    found = leak([true], [both], STATISTICS).levels[0]
    assert (found.level, found.sites, found.nonzeros, found.decoys) == (1, 2, 2, 1)
    # Magnitudes: true 1 4 2 2, decoys 2 3: of 8 pairs 4 > 2, 4 > 3 win, 2 = 2 twice by half.
    assert found.auc_by_magnitude == 3 / 8
    assert found.auc_by_frequency == 1  # decoys have frequency 1, true ones 2 and more
    assert found.found_by_frequency == 1
    assert found.found_by_magnitude == pytest.approx(
        (1 + 1) / 4
    )  # site 1: of 4 2 1 one, site 2: of 3 2 2 one
    assert found.found_by_chance == 2 / 3
    assert found.ambiguity_bits_upper_bound == pytest.approx(math.log2(3))


def test_the_area_is_that_of_all_pairs() -> None:
    random = np.random.default_rng(0)
    scores = random.integers(0, 6, (9, 5)).astype(np.int32)
    flags = random.random((9, 5)) < 0.4
    pairs = list(itertools.product(scores[flags], scores[~flags]))
    wins = sum((a > b) + (a == b) / 2 for a, b in pairs)
    assert _auc(scores, flags) == pytest.approx(wins / len(pairs))


def test_ties_are_worth_what_guessing_among_them_finds() -> None:
    scores = np.array([[3, 2, 2, 2, 1]], np.int32)
    flags = np.array([[False, True, True, False, False]])
    guesses = [{0, tie} for tie in (1, 2, 3)]  # the best two: the 3, and one of the tied
    expected = np.mean([len(guess & {1, 2}) / 2 for guess in guesses])
    assert _found(scores, flags, 2) == pytest.approx(expected)


def test_decoys_of_a_kind_are_told_by_chance_and_others_are_told() -> None:
    case = made(4000, 6)
    true, statistics = case.levels[0], case.statistics
    published, places = add_decoys(true, statistics, 0, 6, KEY)
    fair = leak([true], [published], statistics).levels[0]
    assert abs(fair.auc_by_magnitude - 0.5) < 0.06
    assert abs(fair.found_by_magnitude - fair.found_by_chance) < 0.06
    assert fair.auc_by_frequency > 0.55  # the most frequent ones are taken: this remains and is said
    loud = published.values.copy()
    decoy = np.ones(loud.shape, bool)
    np.put_along_axis(decoy, places.astype(int), False, axis=1)
    loud[decoy] = 7  # as the release of the paper does it: decoys beyond the true values
    told = leak([true], [SparseLevel(published.support, loud, true.atoms)], statistics).levels[0]
    assert told.auc_by_magnitude < 0.1


def test_it_is_said_plainly_and_in_json() -> None:
    case = made(50, 4, levels=2)
    both = [add_decoys(one, case.statistics, at, 4, KEY)[0] for at, one in enumerate(case.levels)]
    found = leak(case.levels, both, case.statistics)
    data = json.loads(json.dumps(found.to_json()))
    assert data["plainly"] == PLAIN
    assert [each["level"] for each in data["levels"]] == [1, 2]
    lines = found.lines()
    assert len(lines) == 3
    assert "not encryption" in lines[0]
    assert "85 to 99 %" in lines[0]
    assert "level 2: 4 true among 8" in lines[2]
    assert "50.0% by chance; at most 6.1 bits" in lines[2]


def test_levels_that_do_not_belong_together() -> None:
    case = made(50, 4)
    true = case.levels[0]
    published, _ = add_decoys(true, case.statistics, 0, 4, KEY)
    fewer = SparseLevel(published.support[:-1], published.values[:-1], 64)
    foreign = SparseLevel(published.support[::-1].copy(), published.values[::-1].copy(), 64)
    for levels, both in [([true], []), ([], []), ([true], [true]), ([true], [fewer]), ([true], [foreign])]:
        with pytest.raises(UsageError, match="leak"):
            leak(levels, both, case.statistics)
