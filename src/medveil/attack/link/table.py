"""Table: link rows of a released participants table to rows that name their people.

    released   34  M  right          known   34  M  right   Ann?        2 facts agree: +log2(1 / how common)
                                             35  M  right   had a birthday between the tables
                                             34  F  right   impossible
                                             n/a M  right   says nothing of age: no evidence

No image is looked at. Each fact adds the logarithm of how much likelier it is in two rows of one person than in rows of
two people: a rare value that agrees counts for more than a common one. `Firm` facts (age, sex, date of birth, hand, height)
cannot disagree by more than their tolerance: a clash makes the pair impossible. Others (weight, site, dates that may
have been shifted) only make it less likely. Bands and open ends (`30-39`, `89+`) agree with what lies in them.

Source: Fellegi & Sunter, JASA 64 (1969); how common a value is comes from both tables together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.core.cells import canonical, day, span
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.quasi import Kind, columns_of, kind_of
from medveil.core.threat import Threat

if TYPE_CHECKING:
    from medveil.attack.observer import Observer

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Row = Mapping[str, str]

CLASH_BITS = 10_000.0
"""Evidence against a pair that cannot be one person: finite, and more than any table can outweigh."""
_ANYTHING = Kind("", "quasi-identifier", "", ())


@dataclass(frozen=True)
class Table:
    """Compare released rows with rows that name people, fact by fact.

    Args:
        columns: which columns; empty: all quasi-identifiers (by their names) that both tables have.
        age_years: by how much an age may differ, since tables are made at different times.
        height_cm, weight_kg: by how much these may differ.
        drift: 0 to 0.5, share of people whose true values differ between two tables within what is allowed, or
            beyond it where a fact is not firm.
    """

    columns: tuple[str, ...] = ()
    age_years: float = 1.0
    height_cm: float = 3.0
    weight_kg: float = 5.0
    drift: float = 0.2

    name: ClassVar[str] = "link.table"
    summary: ClassVar[str] = (
        "links rows of the released table to rows that name people, by the facts they share"
    )
    needs: ClassVar[Known] = "table"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if min(self.age_years, self.height_cm, self.weight_kg) < 0:
            raise UsageError("link.table: a tolerance is negative, expected 0 or more")
        if not 0 < self.drift <= 0.5:
            raise UsageError("link.table: drift is out of range, expected above 0 and at most 0.5")

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score in bits for each probe image and candidate; below -CLASH_BITS / 2 the pair is impossible.

        Raises:
            UsageError: no probes or candidates, a side without a table, or no column in common.
        """
        if not len(probes) or not len(threat.gallery):
            raise UsageError("attack: expected at least one probe image and one candidate")
        released, known = probes.participants, threat.gallery.participants
        columns = self.columns or comparable(released, known)
        self._refuse(released, known, columns)
        who, people = probes.subjects, threat.gallery.subjects
        a, b = [released.get(s, {}) for s in who], [known.get(p, {}) for p in people]
        bits = sum((self._evidence(a, b, c) for c in columns), np.zeros((len(who), len(people))))
        row = {s: i for i, s in enumerate(who)}
        score = bits[[row[r.subject] for r in probes]]  # (images, candidates)
        left = (bits > -CLASH_BITS / 2).sum(axis=1)  # (subjects,)
        n, g = score.shape
        return PairClaims(
            probe_subject=np.repeat(np.array([r.subject for r in probes]), g),
            probe_image=np.repeat(np.array([r.name for r in probes]), g),
            gallery_subject=np.tile(np.array(people), n),
            gallery_image=np.full(n * g, "table"),
            score=score.reshape(n * g),
            attack=self.name,
            condition=condition,
            notes={
                "columns_compared": float(len(columns)),
                "candidates_left": float(left.mean()),
                "one_candidate_left": float((left == 1).mean()),
                "no_candidate_left": float((left == 0).mean()),
            },
        )

    def describe(self) -> str:
        """In words, what the attack will do."""
        which = ", ".join(self.columns) if self.columns else "all quasi-identifiers that both tables have"
        return (
            f"compare each row of the released table with what is known of each candidate ({which}): a value that "
            f"agrees counts by how rare it is, ages may differ by {self.age_years:g} years, a clash of age, sex, "
            "date of birth, hand or height excludes a candidate"
        )

    def _refuse(self, released: Mapping[str, Row], known: Mapping[str, Row], columns: Sequence[str]) -> None:
        for rows, whose in ((released, "the released images"), (known, "the candidates")):
            if not rows:
                raise UsageError(
                    f"link.table: {whose} come with no table", hint="it needs participants.tsv on both sides"
                )
        theirs = set(columns_of(released.values())), set(columns_of(known.values()))
        if not columns or not all(c in side for c in columns for side in theirs):
            raise UsageError(
                "link.table: the two tables do not both have the columns to compare",
                hint="name columns that both have, as link.table.columns",
            )

    def _evidence(self, a: Sequence[Row], b: Sequence[Row], column: str) -> Floats:
        """(A, B) bits for one column."""
        kind = kind_of(column) or _ANYTHING
        allowed = {"age": self.age_years, "height": self.height_cm, "weight": self.weight_kg}
        allowance = allowed.get(kind.name, kind.tolerance)
        cells = [row.get(column, "") for row in (*a, *b)]
        spans = [span(c) for c in cells if canonical(c) is not None]
        numbers = all(s is not None for s in spans)
        near, exact, said = (
            _numbers(cells, allowance) if numbers else _words([_spelt(kind, c) for c in cells])
        )
        whole = all(s is None or s[0] == np.floor(s[0]) for s in spans)
        if not (whole and kind.name == "age"):
            exact = (
                near  # nobody's weight is measured the same twice: to agree is to lie within the allowance
            )
        n = len(a)
        if not (near & said)[:n, n:].any():
            return np.zeros((n, len(b)))  # other codes, other units, or dates that were shifted
        common = np.maximum((exact & said).sum(axis=1) / np.maximum(said.sum(axis=1), 1), 1e-9)  # (A+B,)
        # The coarser of the two sides decides how much agreement means: everybody lies in a band of all ages.
        chance = np.maximum(common[:n, None], common[None, n:])
        kept = (
            1.0 if kind.firm and exact is near else 1 - self.drift
        )  # share of people whose rows agree exactly
        near, exact, said = (m[:n, n:] for m in (near, exact, said))
        agree = np.maximum(np.log2(kept / chance), 0.0)
        close = np.log2(self.drift / 2 / chance)
        # Two people disagree so often; one person does so only by drift.
        other = (
            np.full_like(chance, -CLASH_BITS)
            if kind.firm
            else np.log2(self.drift / np.maximum(1 - chance, self.drift))
        )
        bits = np.where(exact, agree, np.where(near, close, other))
        return np.asarray(np.where(said, bits, 0.0))


def comparable(released: Mapping[str, Row], known: Mapping[str, Row]) -> tuple[str, ...]:
    """Quasi-identifiers, by their names, that both tables have; empty if there is nothing to link by."""
    both = set(columns_of(known.values()))
    names = [c for c in columns_of(released.values()) if c in both]
    kinds = {c: kind_of(c) for c in names}
    return tuple(c for c, k in kinds.items() if k is not None and k.role == "quasi-identifier")


def _spelt(kind: Kind, cell: str) -> str:
    """One spelling of what two tables may spell differently: `Male` and `M`, a date with and without its time."""
    if kind.name in ("sex", "handedness") and cell.strip().isalpha() and canonical(cell) is not None:
        return cell.strip()[0]
    date = day(cell) if "date" in kind.name else None
    return cell if date is None else f"day {date}"


def _numbers(cells: Sequence[str], allowance: float) -> tuple[Bools, Bools, Bools]:
    """(N, N) within the allowance, exactly, and whether both cells say anything; numbers, bands, open ends."""
    ends = [span(c) if canonical(c) is not None else None for c in cells]
    low = np.array([np.nan if e is None else e[0] for e in ends])
    high = np.array([np.nan if e is None else e[1] for e in ends])
    said = ~np.isnan(low)
    # How far apart the nearest ends are; nothing where two bands share a value.
    apart = np.maximum(low[:, None] - high[None, :], low[None, :] - high[:, None])
    with np.errstate(invalid="ignore"):
        return apart <= allowance, apart <= 0, said[:, None] & said[None, :]


def _words(cells: Sequence[str]) -> tuple[Bools, Bools, Bools]:
    codes: dict[str, int] = {}
    values = [canonical(c) for c in cells]
    code = np.array([-1 if v is None else codes.setdefault(v, len(codes)) for v in values])
    same = code[:, None] == code[None, :]
    said = (code[:, None] >= 0) & (code[None, :] >= 0)
    return same, same, said
