"""decode.by_neighbours: true components come together, decoys do not.

                 site above
                     |                 Windows overlap by half and images are smooth: what is chosen at a site is often
    site left ── this site ── right    chosen at the next, and components of one site come in company. Decoys are drawn
                     |                 one by one, so nothing around a decoy speaks for it.
                 site below

Without pairs: the log odds of the component in training, plus what its four neighbours say, as loudly as this very code
shows that neighbours agree. With pairs of other people: for each component a ridge regression of "is true here" on all
that is published at the five sites, once on what is there and once on its sign; both and the log odds go into one logistic
regression, so that the score is a log-likelihood ratio.

Source: notes of the first analysis of PRIMIS codes, where neighbouring sites shared 11.5 of 16 components and strangers 8.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import Floats, by_components, check, log_odds
from medveil.core.claims import Decoded
from medveil.core.sparse import PublicCode, SparseLevel

_RIDGE = 30.0  # sites' worth of "no relation"
_MOST_ROWS = 200_000  # of the logistic regression, which has four numbers to find

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ByNeighbours:
    """Score: how well a component fits what is published around it."""

    name: ClassVar[str] = "decode.by_neighbours"
    summary: ClassVar[str] = "takes components that go with others at the site and at its four neighbours"
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code; learns from `threat.pairs` where there are any."""
        check(codes, threat)
        levels = range(max((len(code.levels) for code in codes), default=0))
        company = [_Company.of(threat, n) for n in levels] if threat.pairs else []
        notes = {"people": float(len({p.group for p in threat.pairs}))}
        out = []
        for code in codes:
            scores = [
                company[n].scores(code, threat) if company else _agreement(code, threat, n)
                for n in range(len(code.levels))
            ]
            out.append(by_components(code, scores, threat, self.name, condition, notes))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "take the components that keep the company of true ones, at a site and its four neighbours"


def _agreement(code: PublicCode, threat: CodeThreat, index: int) -> Floats:
    """Log odds, and by how much more of the neighbours than usual the component is published, times what that means."""
    level = code.levels[index]
    there = _dense(level, np.ones(level.support.shape, np.float32))
    there -= there.mean(axis=0)
    beside = np.sum(_around(there, code, threat)[1:], axis=0)
    coupling = (there * beside).mean(axis=0) / np.maximum((there**2).mean(axis=0), 1e-3)  # (M,)
    said = np.take_along_axis(beside, level.support.astype(np.intp), axis=1)
    told = 2 * said * np.maximum(coupling, 0)[level.support]
    return np.asarray(log_odds(threat, index)[level.support] + told)


@dataclass(frozen=True, eq=False)
class _Company:
    """What was learned of one level.

    Args:
        index: which level.
        there, signed: (5 M, M) regressions, on what is published and on its signs.
        weights: (4,) of their predictions, the log odds and 1.
    """

    index: int
    there: Rows
    signed: Rows
    weights: Floats

    @staticmethod
    def of(threat: CodeThreat, index: int) -> _Company:
        from sklearn.linear_model import LogisticRegression

        there, signed = (_regressed(threat, index, signed=s) for s in (False, True))
        company = _Company(index, there, signed, np.zeros(4))
        every = max(1, sum(p.true[index].size for p in threat.pairs) // _MOST_ROWS)
        rows = [company._looked(p.code, threat).reshape(-1, 3)[::every] for p in threat.pairs]
        right = [p.true[index].ravel()[::every] for p in threat.pairs]
        fitted = LogisticRegression(max_iter=1000).fit(np.concatenate(rows), np.concatenate(right))
        return _Company(index, there, signed, np.append(fitted.coef_[0], fitted.intercept_))

    def scores(self, code: PublicCode, threat: CodeThreat) -> Floats:
        """(sites, S_x + S_n), a log-likelihood ratio."""
        return np.asarray(self._looked(code, threat) @ self.weights[:3] + self.weights[3])

    def _looked(self, code: PublicCode, threat: CodeThreat) -> Floats:
        """(sites, S_x + S_n, 3): what both regressions say of each published component, and its log odds."""
        level = code.levels[self.index]
        at = level.support.astype(np.intp)
        out = []
        for weights, entries in zip((self.there, self.signed), _entries(level), strict=True):
            near = np.concatenate(_around(_dense(level, entries), code, threat), axis=1)
            out.append(np.take_along_axis(near @ weights, at, axis=1) * entries)
        return np.stack([*out, log_odds(threat, self.index)[at]], axis=-1)


def _regressed(threat: CodeThreat, index: int, *, signed: bool) -> Rows:
    """Ridge regression of the true components of a site on what is published at it and around it, (5 M, M)."""
    gram = cross = np.zeros(())
    for pair in threat.pairs:
        level = pair.code.levels[index]
        entries = _entries(level)[signed]
        near = np.concatenate(_around(_dense(level, entries), pair.code, threat), axis=1)
        gram = gram + near.T @ near
        cross = cross + near.T @ _dense(level, entries * pair.true[index])
    gram[np.diag_indices_from(gram)] += _RIDGE
    return np.linalg.solve(gram, cross).astype(np.float32)


def _entries(level: SparseLevel) -> tuple[Rows, Rows]:
    """Of each published component 1, and its sign."""
    sign = np.sign(level.values).astype(np.float32)
    return np.ones_like(sign), sign


def _dense(level: SparseLevel, entries: Rows) -> Rows:
    """(sites, M), 0 where nothing is published."""
    out = np.zeros((level.sites, level.atoms), np.float32)
    np.put_along_axis(out, level.support.astype(np.intp), entries, axis=1)
    return out


def _around(dense: Rows, code: PublicCode, threat: CodeThreat) -> list[Rows]:
    """The sites themselves and those above, below, left and right of them, (sites, M) each; 0 beyond the border."""
    rows, cols = threat.net.settings.sites(code.height, code.width)
    wide = np.pad(dense.reshape(rows, cols, -1), ((1, 1), (1, 1), (0, 0)))
    places = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    return [wide[i : i + rows, j : j + cols].reshape(dense.shape) for i, j in places]
