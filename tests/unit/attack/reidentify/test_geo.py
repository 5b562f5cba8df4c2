"""Scores of the geometry attack: proportions drop pose and size, and tell made-up people apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.reidentify.geo import MIRROR, POINTS, Geo, from_the_front, proportions
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

from .stub import Rows, StubObserver, cohort, seen


def faces(n: int, seed: int = 0) -> np.ndarray:
    """(n, 68, 2) landmarks of made-up people: one scattered face, moved a little for each."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, size=(68, 2)) + 0.05 * rng.normal(size=(n, 68, 2))


def people(n: int, noise: float = 0.005) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(1)
    base = faces(n)
    scans = {
        (f"s{i:03d}", "T1w"): seen(landmarks=base[i] + noise * rng.normal(size=(3, 68, 2))) for i in range(n)
    }
    photos = {(f"s{i:03d}", "1"): seen(landmarks=base[i : i + 1] * 1.7 + 0.2) for i in range(n)}
    return scans, photos


def attack(
    scans: Rows, photos: Rows, background: Cohort | None = None, others: Rows | None = None
) -> PairClaims:
    threat = Threat(gallery=cohort(photos, "photo"), background=background)
    observer = StubObserver(scans, {**photos, **(others or {})})
    return Geo().run(cohort(scans), threat, condition="release", observer=observer)


def test_proportions_forget_place_size_and_roll() -> None:
    face = faces(1)
    a = np.radians(20)
    turned = 3.0 * face @ np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) + 7.0
    assert proportions(face).shape == (1, 190)
    assert np.allclose(proportions(turned), proportions(face))


def test_proportions_of_a_face_and_of_its_mirror_image_agree() -> None:
    face = faces(1)
    mirrored = face.copy()
    mirrored[:, POINTS] = face[:, MIRROR] * [-1, 1]
    assert np.allclose(proportions(mirrored), proportions(face))


def test_the_mirror_of_the_mirror_is_the_point_itself() -> None:
    partner = dict(zip(POINTS, MIRROR, strict=True))
    assert len(set(POINTS)) == 20
    assert all(partner[partner[p]] == p for p in POINTS)


def test_people_are_told_apart_by_their_proportions() -> None:
    claims = attack(*people(12))
    score = claims.score.reshape(12, 12)
    assert (score.argmax(axis=1) == np.arange(12)).all()
    assert score.max() <= 0
    assert score.min() >= -2


def test_a_background_standardises_the_photographs() -> None:
    scans, photos = people(12)
    others = {(f"b{i:03d}", "1"): seen(landmarks=face[None]) for i, face in enumerate(faces(20, seed=0))}
    claims = attack(scans, photos, cohort(others, "photo"), others)
    assert np.isfinite(claims.score).all()
    assert (claims.score.reshape(12, 12).argmax(axis=1) == np.arange(12)).mean() > 0.5


def test_landmarks_that_fall_together_are_scored_like_all_others() -> None:
    scans, photos = people(4)
    scans["s000", "T1w"] = seen(landmarks=np.zeros((3, 68, 2)))
    assert np.isfinite(attack(scans, photos).score).all()
    same = {k: seen(landmarks=np.zeros((3, 68, 2))) for k in scans}
    assert np.ptp(attack(same, photos).score) == 0


def test_one_probe_and_one_candidate_are_scored() -> None:
    scans, photos = people(1)
    assert attack(scans, photos).score.shape == (1,)


def in_space(n: int) -> np.ndarray:
    """(n, 68, 3) RAS+ mm: the made-up faces with depths of their own; x to the right of the picture."""
    rng = np.random.default_rng(5)
    flat = 100 * faces(n)
    flat = flat.mean(axis=0) + 0.3 * (flat - flat.mean(axis=0))  # people alike enough for pose to matter
    flat[:, 36:42], flat[:, 42:48] = (30.0, 40.0), (70.0, 40.0)  # eyes level, chin straight below
    flat[:, 8] = (50.0, 110.0)
    depth = rng.uniform(0, 40, size=(n, 68))
    depth[:, 36:48], depth[:, 8] = 10.0, 10.0
    return np.stack([flat[..., 0], depth, -flat[..., 1]], axis=-1)


def turned(points: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    a, b = np.radians([yaw, pitch])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return points @ (about_z @ about_x).T + 20.0


def test_depth_gives_a_turned_head_the_proportions_of_one_that_looks_ahead() -> None:
    points = in_space(1)[0]
    straight = proportions(from_the_front(points)[None])
    assert np.allclose(
        from_the_front(points) - from_the_front(points)[8], (points - points[8])[:, [0, 2]] * [1, -1]
    )
    for yaw, pitch in ((25, 0), (0, 20), (-30, 10)):
        assert np.allclose(proportions(from_the_front(turned(points, yaw, pitch))[None]), straight)
        flat = turned(points, yaw, pitch)[:, [0, 2]] * [1, -1]
        assert np.abs(proportions(flat[None]) - straight).max() > 0.05


def test_with_depth_people_are_recognised_though_every_scan_is_turned() -> None:
    points = in_space(12)
    rng = np.random.default_rng(2)
    scans: Rows = {}
    photos: Rows = {}
    for i in range(12):
        there = turned(points[i], *rng.uniform(-40, 40, size=2))
        flat = there[:, [0, 2]] * [1, -1]
        scans[f"s{i:03d}", "T1w"] = replace(
            seen(landmarks=np.repeat(flat[None], 3, 0)), points_mm=np.repeat(there[None], 3, 0)
        )
        photos[f"s{i:03d}", "1"] = seen(landmarks=from_the_front(points[i])[None])
    right = {}
    for depth in (True, False):
        observer = StubObserver(scans, photos)
        threat = Threat(gallery=cohort(photos, "photo"))
        claims = Geo(depth=depth).run(cohort(scans), threat, condition="original", observer=observer)
        right[depth] = (claims.score.reshape(12, 12).argmax(axis=1) == np.arange(12)).sum()
    assert right[True] == 12
    assert right[False] < 9


def test_points_without_extent_have_a_front_too() -> None:
    assert np.isfinite(proportions(from_the_front(np.zeros((68, 3)))[None])).all()


def test_settings_are_checked_and_described() -> None:
    with pytest.raises(UsageError, match="no such face"):
        Geo(face="half")  # type: ignore[arg-type]
    assert "in space" in Geo(depth=True).describe()
    assert "inner face" in Geo(face="bald").describe()
    with pytest.raises(UsageError, match="shrinkage"):
        Geo(shrinkage=1.5)
    assert isinstance(Geo(), PairAttack)
    assert "190 distances" in Geo().describe()
