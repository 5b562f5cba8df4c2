"""Linking heads: faces by renders of both sides, and the vault that defacing leaves."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.link.head import Head
from medveil.attack.link.outline import Outline, Shape, _radii, vault
from medveil.attack.observer import Look, Observer
from medveil.attack.reidentify.observe import Observation, Renders
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.threat import Threat
from medveil.locate.register import CENTRE

Rows = dict[tuple[str, str], np.ndarray]


def never() -> Image:
    raise AssertionError("a stub observer opens nothing")


def cohort(rows: Rows) -> Cohort:
    return Cohort(tuple(Record(s, n, never, contrast="T1w") for s, n in rows))


class Stub(Observer):
    """Has seen these numbers, as an embedding or as an outline."""

    def __init__(self, *rows: Rows) -> None:
        super().__init__()
        self._rows = {k: v for r in rows for k, v in r.items()}

    def see(self, cohort: Cohort, look: Look) -> dict:  # type: ignore[override,type-arg]
        return {(r.subject, r.name): self._as(look, self._rows[r.subject, r.name]) for r in cohort}

    def _as(self, look: Look, row: np.ndarray) -> Observation | Shape:
        if isinstance(look, Outline):
            return Shape(row, located=True, empty=False)
        assert isinstance(look, Renders)
        views = np.repeat(row[None].astype(np.float32), look.views, axis=0)
        return Observation(views, np.zeros((look.views, 68, 2)), np.full(look.views, True))


def attack(probes: Rows, gallery: Rows, **settings: object) -> np.ndarray:
    claims = Head(**settings).run(  # type: ignore[arg-type]
        cohort(probes), Threat(cohort(gallery)), condition="original", observer=Stub(probes, gallery)
    )
    assert claims.attack == "link.head"
    return claims.score.reshape(len(probes), -1)


def row(*values: float) -> np.ndarray:
    return np.array([*values], dtype=float)


@pytest.mark.parametrize("what", ["face", "outline"])
def test_each_side_is_centred_by_its_own_others(what: str) -> None:
    probes = {("p", "1"): row(1, 0), ("q", "1"): row(0, 2), ("r", "1"): row(2, 1)}
    gallery = {("a", "1"): row(105, 51), ("b", "1"): row(103, 52), ("c", "1"): row(104, 56)}
    score = attack(probes, gallery, what=what)
    # Probe p: (1, 0) - ((0, 2) + (2, 1)) / 2 = (0, -1.5). Candidate b: (103, 52) - (104.5, 53.5) = (-1.5, -1.5).
    assert np.isclose(score[0, 1], np.sqrt(0.5))
    # Probe r: (2, 1) - (0.5, 1) = (1.5, 0). Candidate a: (105, 51) - (103.5, 54) = (1.5, -3).
    assert np.isclose(score[2, 0], 1.5 / np.hypot(1.5, 3.0))


def test_one_candidate_alone_is_compared_as_it_is() -> None:
    score = attack({("p", "1"): row(1, 0), ("q", "1"): row(0, 1)}, {("a", "1"): row(2, 0)})
    assert np.allclose(score, [[1.0], [0.0]])


def test_scans_of_one_candidate_are_averaged() -> None:
    probes = {("p", "1"): row(1, 0), ("q", "1"): row(-1, 0)}
    gallery = {("a", "1"): row(1, 0), ("a", "2"): row(0, 1), ("b", "1"): row(-1, 0)}
    score = attack(probes, gallery, what="outline")
    # Of both images of a, b is taken away: (2, 0) and (1, 1); p without q is (2, 0).
    assert np.isclose(score[0, 0], (1.0 + np.sqrt(0.5)) / 2)


def test_a_map_gives_nobody_twice() -> None:
    probes = {("p", "1"): row(1.0, 0.1), ("q", "1"): row(1.0, 0.0), ("r", "1"): row(-2, 1)}
    gallery = {("a", "1"): row(1.0, 0.0), ("b", "1"): row(0.9, 0.4), ("c", "1"): row(-2, 1)}
    best = attack(probes, gallery, match="one-to-one").argmax(axis=1)
    assert sorted(best) == [0, 1, 2]


@pytest.mark.parametrize("what", ["face", "outline"])
def test_linked_people_are_found_and_strangers_are_not(what: str) -> None:
    rng = np.random.default_rng(0)
    who = rng.normal(size=(40, 30))
    probes = {(f"s{i:02}", "1"): w + 5 + 0.4 * rng.normal(size=30) for i, w in enumerate(who)}
    gallery = {(f"s{i:02}", "2"): w - 3 + 0.4 * rng.normal(size=30) for i, w in enumerate(who)}
    strangers = {(f"s{i:02}", "3"): rng.normal(size=30) for i in range(40)}
    off = ~np.eye(40, dtype=bool)
    score = attack(probes, gallery, what=what)
    assert np.diag(score).min() > score[off].max()
    null = attack(probes, strangers, what=what)
    assert abs((np.diag(null)[:, None] > null[off][None]).mean() - 0.5) < 0.15


def test_directions_of_the_vault_leave_face_and_neck_out() -> None:
    out = vault()
    assert np.allclose(np.linalg.norm(out, axis=1), 1.0)
    assert 200 < len(out) < 400
    assert out[:, 2].min() > 0.1
    assert out[out[:, 1] > 0.9].size == 0


def test_an_ellipsoid_is_measured_to_a_millimetre_however_it_is_turned() -> None:
    half, mm = np.array([70.0, 92.0, 80.0]), 2.0
    ijk = np.indices((110, 110, 110)) * mm - 109.0
    turn = np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 1]])
    own = np.einsum("ba,bijk->aijk", turn, ijk)
    head = ((own / half[:, None, None, None]) ** 2).sum(axis=0) <= 1
    affine = np.eye(4)
    affine[:3, :3] = turn * 0.9  # a brain smaller than the template: the head is measured all the same
    affine[:3, 3] = -affine[:3, :3] @ CENTRE
    expected = 1 / np.sqrt(((vault() / half) ** 2).sum(axis=1))
    assert np.abs(_radii(head, np.full(3, -109.0), affine) - expected).max() < 1.5


def test_an_empty_image_has_an_outline_of_nothing() -> None:
    out = Outline()(Image(np.zeros((20, 20, 20), dtype=np.int16), np.diag([4.0, 4.0, 4.0, 1.0])))
    assert out.empty
    assert not out.radius_mm.any()


def test_what_cannot_work_is_refused_in_words() -> None:
    for settings in ({"what": "ears"}, {"match": "all"}, {"views": 0}):
        with pytest.raises(UsageError):
            Head(**settings)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no scans in the gallery"):
        Head().run(cohort({("a", "1"): row(1)}), Threat(Cohort(())), condition="x", observer=Observer())


def test_it_is_an_attack_that_says_what_it_does() -> None:
    assert isinstance(Head(), PairAttack)
    assert Head.needs == "scans"
    assert "dlib" in Head().describe()
    assert "vault" in Head(what="outline", match="one-to-one").describe()
