"""Score tables made by hand or drawn, for the tests of `measure`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from medveil.core.claims import PairClaims

Table = Callable[..., PairClaims]


@pytest.fixture
def table() -> Table:
    """Builds claims from rows (probe subject, probe image, gallery subject, gallery image, score)."""

    def build(rows: Sequence[tuple[str, str, str, str, float]], condition: str = "release") -> PairClaims:
        columns = list(zip(*rows, strict=True))
        return PairClaims(
            *(np.array(c, dtype=str) for c in columns[:4]),
            score=np.array(columns[4], dtype=np.float64),
            attack="test.attack",
            condition=condition,
            notes={"detected": 1.0},
        )

    return build


@pytest.fixture
def everyone(table: Table) -> Callable[..., PairClaims]:
    """Claims on all pairs of `persons`, normal scores, mated ones higher by `shift`."""

    def build(
        persons: int,
        shift: float,
        *,
        seed: int = 0,
        scans: int = 1,
        photos: int = 1,
        condition: str = "release",
    ) -> PairClaims:
        rng = np.random.default_rng(seed)
        return table(
            [
                (f"s{i:03}", f"scan{a}", f"s{j:03}", f"photo{b}", float(rng.normal() + shift * (i == j)))
                for i in range(persons)
                for a in range(scans)
                for j in range(persons)
                for b in range(photos)
            ],
            condition,
        )

    return build
