"""Open set: the person may be in nobody's gallery, and a name is only worth something above a threshold.

    FPIR(t) = share of searches without a mate in which somebody reaches t,
    DIR(t)  = share of searches with a mate in which the mate is alone on top, above t.

That needs probes of people who are in no gallery, and users rarely have any. A closed set makes its own: each
probe is searched twice, once in the whole gallery and once with its mate left out.

    whole gallery      mate 0.9   b 0.4   c 0.3     found, if 0.9 lies above the threshold
    mate left out                 b 0.4   c 0.3     false alarm, if 0.4 reaches it

The searches of the second kind have a gallery one person smaller, and the same people on both sides; intervals
are over persons. A guesser has the mate on top 1 / G of the time, and above the threshold in about `fpir` of them.

Source: ISO/IEC 19795-1; Phillips, Grother & Micheals, Handbook of Face Recognition (2005), ch. 14, on open-set tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.estimate import Estimate
from medveil.core.scores import Scores
from medveil.measure.verification.identification import FEWEST_FALSE_ALARMS, Rankings, dir_name
from medveil.measure.verification.tally import Floats, Ints


@dataclass(frozen=True, eq=False)
class Searches:
    """What each probe image found in its gallery: all that identification needs, one row a probe.

    Args:
        person: (I,) person shown.
        rank: (I,) worst rank of the mate, 0 if the gallery does not hold them.
        size: (I,) people in the gallery.
        mate: (I,) best score of the mate, minus infinity if absent.
        rival: (I,) best score of anybody else, minus infinity if there is nobody.
    """

    person: Ints
    rank: Ints
    size: Ints
    mate: Floats
    rival: Floats

    @staticmethod
    def of(rankings: Rankings) -> Searches:
        at, there = rankings.entries(rankings.person)
        others = rankings.score.copy()
        others[at[there]] = -np.inf
        row = rankings.key // rankings.persons
        return Searches(
            person=rankings.person,
            rank=np.where(there, rankings.rank[at], 0),
            size=rankings.size,
            mate=np.where(there, rankings.score[at], -np.inf),
            rival=np.maximum.reduceat(others, np.searchsorted(row, np.arange(len(rankings.person)))),
        )

    @property
    def mated(self) -> npt.NDArray[np.bool_]:
        """(I,) whether the gallery holds the mate."""
        return np.asarray(self.rank > 0, dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class OpenSet:
    """One FPIR on one set of searches, ready to be asked again with other weights.

    Args:
        name: key of the estimate.
        fpir: false positive identification rate.
        known: (M,) which searches look for somebody who is there.
        strangers: (U,) which look for somebody who is not, best score falling.
        alarm: (U,) that best score.
        found: (M,) score of the mate where alone on top, else minus infinity.
        chance: value of a guesser.
        how: how the strangers were come by.
    """

    name: str
    fpir: float
    known: Ints
    strangers: Ints
    alarm: Floats
    found: Floats
    chance: float | None
    how: str

    @staticmethod
    def with_strangers(s: Searches, fpir: float) -> OpenSet:
        """The strangers are the probes without a mate in the gallery."""
        how = f"open set: rank 1 and above a threshold that {fpir:g} of {{}} unmated probes reach"
        return _open_set(dir_name(fpir), s, fpir, np.flatnonzero(s.mated), np.flatnonzero(~s.mated), how)

    @staticmethod
    def left_out(s: Searches, fpir: float) -> OpenSet:
        """The strangers are the mated probes themselves, each with its mate left out of the gallery."""
        both = np.flatnonzero(s.mated & (s.size > 1))
        how = (
            "open set made from a closed one: each of {} probes is also searched with its mate left out of the "
            f"gallery, and {fpir:g} of those searches reach the threshold"
        )
        return _open_set(left_out_name(fpir), s, fpir, both, both, how)

    @property
    def lack(self) -> str:
        """Why there is no such number; empty if there is."""
        needed = int(np.ceil(FEWEST_FALSE_ALARMS / self.fpir))
        if len(self.strangers) >= needed and len(self.known):
            return ""
        who = "a mate" if self.name == left_out_name(self.fpir) else "no mate"
        lack = f"needs {needed} probes with {who} in the gallery, there are {len(self.strangers)}"
        return lack if len(self.known) else "no probe has a mate"

    def rate(self, weight: Floats) -> float:
        """DIR with each probe image weighted, (I,); not-a-number if either kind has no weight."""
        w, known = weight[self.strangers], weight[self.known]
        if w.sum() <= 0 or known.sum() <= 0:
            return float("nan")
        share = np.cumsum(w) / w.sum()
        over = int(np.searchsorted(share, self.fpir + 1e-12, side="right"))
        # A false alarm too many falls at this score; whatever lies strictly above it is allowed.
        limit = self.alarm[over] if over < len(w) else -np.inf
        return float(known @ (self.found > limit) / known.sum())

    def estimate(self, persons: Ints) -> Estimate:
        """The rate with every probe once, still without an interval; None and the reason if probes are too few."""
        n = len(np.unique(persons[self.known]))
        if self.lack:
            return Estimate(self.name, None, n=n, better="lower", note=self.lack)
        value = self.rate(np.ones(len(persons)))
        note = self.how.format(len(self.strangers))
        return Estimate(self.name, value, n=n, better="lower", chance=self.chance, note=note)


def left_out_name(fpir: float) -> str:
    """Key of the estimate, with the FPIR in per cent.

    >>> left_out_name(0.01)
    'dir_left_out_fpir_01'
    """
    return f"dir_left_out_fpir_{round(100 * fpir):02d}"


def _open_set(name: str, s: Searches, fpir: float, known: Ints, strangers: Ints, how: str) -> OpenSet:
    order = np.argsort(-s.rival[strangers], kind="stable")
    return OpenSet(
        name=name,
        fpir=fpir,
        known=known,
        strangers=strangers[order],
        alarm=s.rival[strangers][order],
        found=np.where(s.rank[known] == 1, s.mate[known], -np.inf),
        chance=float(fpir * (1 / s.size[known]).mean()) if len(known) else None,
        how=how,
    )


def dir_at_fpir(scores: Scores, fpir: float) -> Estimate:
    """Detection and identification rate at rank 1, with the strangers there are; lower is more private.

    The threshold is the lowest among the scores whose FPIR does not exceed `fpir`.

    Returns:
        Value None with a note unless at least 10 / fpir probes have no mate in the gallery.
    """
    searches = Searches.of(Rankings.of(scores))
    return OpenSet.with_strangers(searches, fpir).estimate(searches.person)


def dir_left_out(scores: Scores, fpir: float) -> Estimate:
    """The same with everybody left out of the gallery in turn, in place of strangers.

    Returns:
        Value None with a note unless at least 10 / fpir probes have a mate and a rival.
    """
    searches = Searches.of(Rankings.of(scores))
    return OpenSet.left_out(searches, fpir).estimate(searches.person)
