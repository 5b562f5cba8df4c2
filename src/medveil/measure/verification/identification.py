"""Identification: does the right person come out on top, and how often is nobody the right answer.

A probe image is ranked against all persons of the gallery; a person with several gallery images counts with the
best of them. Ties take the WORST rank, else scores that say nothing would look perfect.

Closed set (the person is known to be in the gallery): rank-k and the CMC. They fall with the size of the
gallery, so chance, k / G, stands beside them. Open set (the person may be absent, as in a social network):
DIR at a given FPIR, in `open_set`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.scores import Scores
from medveil.measure.verification.tally import Floats, Ints

FEWEST_FALSE_ALARMS = 10  # an FPIR is only estimated where at least so many unmated probes would exceed it


@dataclass(frozen=True, eq=False)
class Rankings:
    """Every (probe image, gallery person) once, with its worst rank in that probe's list.

    Args:
        key: (E,) image * persons + gallery person, ascending.
        score: (E,) best score over the person's gallery images.
        rank: (E,) worst rank, 1 = alone at the top.
        person: (I,) person shown on each probe image.
        size: (I,) gallery persons each probe image was compared with.
        top: (I,) best score of each probe image, whoever it belongs to.
        persons: persons in all.
    """

    key: Ints
    score: Floats
    rank: Ints
    person: Ints
    size: Ints
    top: Floats
    persons: int

    @staticmethod
    def of(scores: Scores) -> Rankings:
        images, image = np.unique(scores.probe_image, return_inverse=True)
        person = np.zeros(len(images), dtype=np.int64)
        person[image] = scores.probe
        key, entry = np.unique(image * scores.persons + scores.gallery, return_inverse=True)
        best = np.full(len(key), -np.inf)
        np.maximum.at(best, entry, scores.score)
        row = key // scores.persons
        return Rankings(
            key=key.astype(np.int64),
            score=best,
            rank=_worst_ranks(row, best),
            person=person,
            size=np.bincount(row, minlength=len(images)),
            top=np.maximum.reduceat(best, np.searchsorted(row, np.arange(len(images)))),
            persons=scores.persons,
        )

    def entries(self, person: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Where in the lists `person` (one per probe image) stands: (I,) index and whether they are there."""
        wanted = np.arange(len(self.person)) * self.persons + person
        at = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return at, (self.key[at] == wanted) & (person >= 0)

    def ranks(self, mate: Ints | None = None, *, drop_true: bool = False) -> Ints:
        """Rank of the mate of each probe image; 0 where they are not in the gallery.

        Args:
            mate: (persons,) whom to take for the mate of each person, -1 for nobody; default: themselves.
            drop_true: rank as if the person really shown were not in the gallery.
        """
        claimed = self.person if mate is None else mate[self.person]
        at, there = self.entries(claimed)
        rank = np.where(there, self.rank[at], 0)
        if drop_true:
            true_at, true_there = self.entries(self.person)
            ahead = true_there & there & (self.score[true_at] >= self.score[at]) & (claimed != self.person)
            rank = rank - ahead
        return rank


def rank_k(scores: Scores, k: int = 1) -> float:
    """Share of mated probe images whose mate is within the top k; chance is k / G. Lower is more private.

    Returns not-a-number if no probe has a mate in the gallery.
    """
    ranks = Rankings.of(scores).ranks()
    ranks = ranks[ranks > 0]
    return float((ranks <= k).mean()) if len(ranks) else float("nan")


def cmc(scores: Scores, longest: int | None = None) -> Floats:
    """Cumulative match characteristic: rank-k rate for k = 1, 2, ... up to the size of the gallery.

    Args:
        scores: at least one probe must have a mate in the gallery, else an empty array is returned.
        longest: at most so many ranks.
    """
    rankings = Rankings.of(scores)
    ranks = rankings.ranks()
    size = int(rankings.size.max())
    return cmc_of(ranks[ranks > 0], min(size, longest or size))


def cmc_of(ranks: Ints, longest: int, weight: Floats | None = None) -> Floats:
    """Rank-k rates of ranks, k = 1..longest, each probe with its weight; empty if the weights sum to 0."""
    count = np.bincount(np.minimum(ranks, longest + 1), weights=weight, minlength=longest + 2)
    total = count.sum()
    return np.cumsum(count[1 : longest + 1]) / total if total > 0 else np.empty(0)


def expected_rank_k(rankings: Rankings, k: int) -> float | None:
    """Rank-k rate of an attacker who guesses: the mean of k / G over mated probes."""
    size = rankings.size[rankings.ranks() > 0]
    return float(np.minimum(k / size, 1.0).mean()) if len(size) else None


def dir_name(fpir: float) -> str:
    """Key of the estimate, with the FPIR in per cent.

    >>> dir_name(0.01), dir_name(0.1)
    ('dir_at_fpir_01', 'dir_at_fpir_10')
    """
    return f"dir_at_fpir_{round(100 * fpir):02d}"


def _worst_ranks(row: Ints, score: Floats) -> Ints:
    """Rank of each entry among those of its row; tied entries all take the last place of the tie."""
    order = np.lexsort((-score, row))
    r, s = row[order], score[order]
    place = np.arange(len(r)) - np.searchsorted(r, r)
    last_of_tie = np.ones(len(r), dtype=np.bool_)
    last_of_tie[:-1] = (r[1:] != r[:-1]) | (s[1:] != s[:-1])
    ends = np.flatnonzero(last_of_tie)
    end = ends[np.searchsorted(ends, np.arange(len(r)))]
    rank = np.empty(len(r), dtype=np.int64)
    rank[order] = place[end] + 1
    return rank
