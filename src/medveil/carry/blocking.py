"""Blocking: how much better an attack gets when it first asks the table who is possible.

    the attack alone ──> rank-1          the attack inside the block that the table leaves ──> rank-1 with the table

It is told beside the attack, with no verdict of its own: what the table alone gives away is for `link.table`.
"""

from __future__ import annotations

from dataclasses import replace

from medveil.attack.link.blocking import blocked
from medveil.attack.link.table import Table, comparable
from medveil.attack.observer import Observer
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.findings import Condition
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.measure.summary import summarise

NAME = "rank_1_with_table"


def with_table(
    condition: Condition, claims: PairClaims, probes: Cohort, threat: Threat, *, seeds: Seeds, rounds: int
) -> Condition:
    """The condition with `rank_1_with_table` beside its other estimates, where both sides have a table.

    Chance is that of guessing inside the block: the mean of one over its size.
    """
    if not comparable(probes.participants, threat.gallery.participants):
        return condition
    table = Table().run(probes, threat, condition=claims.condition, observer=Observer())
    both = blocked(claims, table)
    estimate = replace(
        summarise(both, None, seeds=seeds, rounds=rounds).estimates["rank_1"],
        name=NAME,
        chance=both.notes["block_chance"],
        p_value=None,
        note="the same attack among those whom the table leaves: "
        f"{both.notes['block_mean']:.1f} candidates on average",
    )
    return replace(condition, estimates={**condition.estimates, NAME: estimate})
