"""With the table an attack has fewer candidates to be wrong about; what that wins is told beside it."""

from __future__ import annotations

import numpy as np

from medveil.carry.blocking import NAME, with_table
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.measure.summary import summarise

PEOPLE = [f"sub-{i:02d}" for i in range(12)]
FACTS = {p: {"age": str(20 + 5 * (i // 2)), "sex": "MF"[i % 2]} for i, p in enumerate(PEOPLE)}


def never() -> Image:
    raise AssertionError("no image is opened")


def cohort(facts: dict[str, dict[str, str]]) -> Cohort:
    return Cohort(tuple(Record(p, "T1w", never) for p in PEOPLE), facts)


def guesser() -> PairClaims:
    n = len(PEOPLE)
    return PairClaims(
        np.repeat(PEOPLE, n), np.full(n * n, "T1w"), np.tile(PEOPLE, n), np.full(n * n, ""),
        np.random.default_rng(4).normal(size=n * n), "test.guesser", "release", {},
    )  # fmt: skip


def test_facts_that_part_everybody_let_a_guesser_name_everybody() -> None:
    claims, seeds = guesser(), Seeds(0)
    alone = summarise(claims, None, seeds=seeds, rounds=100)
    both = with_table(alone, claims, cohort(FACTS), Threat(cohort(FACTS)), seeds=seeds, rounds=100)
    rank = both.estimates[NAME]
    assert alone.estimates["rank_1"].value is not None
    assert alone.estimates["rank_1"].value < 0.5
    assert rank.value == 1.0
    assert rank.chance == 1.0  # the block holds one person: the table alone has done it
    assert rank.p_value is None
    assert {k: v for k, v in both.estimates.items() if k != NAME} == alone.estimates


def test_sex_alone_halves_the_candidates() -> None:
    sexes = {p: {"sex": row["sex"]} for p, row in FACTS.items()}
    claims, seeds = guesser(), Seeds(0)
    alone = summarise(claims, None, seeds=seeds, rounds=100)
    both = with_table(alone, claims, cohort(sexes), Threat(cohort(sexes)), seeds=seeds, rounds=100)
    assert both.estimates[NAME].chance == 1 / 6


def test_without_a_table_on_both_sides_nothing_is_added() -> None:
    claims, seeds = guesser(), Seeds(0)
    alone = summarise(claims, None, seeds=seeds, rounds=100)
    assert with_table(alone, claims, cohort(FACTS), Threat(cohort({})), seeds=seeds, rounds=100) is alone
    assert with_table(alone, claims, cohort({}), Threat(cohort(FACTS)), seeds=seeds, rounds=100) is alone
