"""Scores of the embedding attack: by hand, for every pair, and blind to who is who."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.reidentify.calibrate import symmetric_norm
from medveil.attack.reidentify.embedding import Embedding
from medveil.attack.reidentify.eyes import DLIB, Resnet
from medveil.core.claims import COLUMNS, PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

from .stub import Rows, StubObserver, cohort, seen


def attack(
    probes: Rows,
    photos: Rows,
    background: Cohort | None = None,
    others: Rows | None = None,
    **settings: object,
) -> PairClaims:
    observer = StubObserver({**probes, **(others or {})}, {**photos, **(others or {})})
    threat = Threat(gallery=cohort(photos, "photo"), background=background)
    return Embedding(**settings).run(cohort(probes), threat, condition="original", observer=observer)  # type: ignore[arg-type]


def flat(*values: float) -> np.ndarray:
    out = np.zeros(128)
    out[: len(values)] = values
    return out


def people(n: int, seed: int = 0, noise: float = 0.3, photos: int = 2) -> tuple[Rows, Rows]:
    """n people with an identity each, a common offset of scans, another of photographs."""
    rng = np.random.default_rng(seed)
    who = rng.normal(size=(n, 128))
    offset = 3 * rng.normal(size=(2, 128))
    scans: Rows = {}
    pictures: Rows = {}
    for i in range(n):
        scans[f"s{i:03d}", "T1w"] = seen(who[i] + offset[0] + noise * rng.normal(size=(3, 128)))
        for k in range(photos):
            pictures[f"s{i:03d}", f"p{k}"] = seen(who[i] + offset[1] + noise * rng.normal(size=(1, 128)))
    return scans, pictures


def matrix(claims: PairClaims) -> np.ndarray:
    return claims.score.reshape(-1, len(np.unique(claims.gallery_subject)))


def test_centring_by_the_others_equals_the_sum_done_by_hand() -> None:
    scans = {
        ("a", "T1w"): seen([flat(1, 0)]),
        ("b", "T1w"): seen([flat(0, 2)]),
        ("c", "T1w"): seen([flat(2, 1)]),
    }
    photos = {("a", "1"): seen([flat(5, 1)]), ("b", "1"): seen([flat(3, 2)]), ("c", "1"): seen([flat(4, 6)])}
    score = matrix(attack(scans, photos, views=1))
    # Scan a: (1, 0) - ((0, 2) + (2, 1)) / 2 = (0, -1.5). Photograph b: (3, 2) - ((5, 1) + (4, 6)) / 2 = (-1.5, -1.5).
    assert np.isclose(score[0, 1], 1.5 * 1.5 / (1.5 * np.hypot(1.5, 1.5)))
    # Scan c: (2, 1) - (0.5, 1) = (1.5, 0). Photograph a: (5, 1) - (3.5, 4) = (1.5, -3).
    assert np.isclose(score[2, 0], 1.5 / np.hypot(1.5, 3.0))


def test_views_and_photographs_are_averaged() -> None:
    scans = {
        ("a", "T1w"): seen([flat(2, 0), flat(0, 2), flat(100, 0)]),
        ("b", "T1w"): seen([flat(-1, 1)] * 3),
    }
    photos = {("a", "1"): seen([flat(1)]), ("a", "2"): seen([flat(0, 1)]), ("b", "1"): seen([flat(1, -1)])}
    claims = attack(scans, photos, views=2, centring="none")
    assert np.isclose(matrix(claims)[0, 0], 1.0)  # (1, 1) against (.5, .5); the third view is not used
    assert claims.gallery_image.tolist() == ["mean of 2", "mean of 1"] * 2


def test_there_is_one_finite_score_for_every_probe_image_and_candidate() -> None:
    scans, photos = people(7)
    scans["s000", "T2w"] = scans["s003", "T1w"]
    claims = attack(scans, photos)
    pairs = set(zip(claims.probe_subject, claims.probe_image, claims.gallery_subject, strict=True))
    assert len(claims.score) == len(pairs) == 8 * 7
    assert np.isfinite(claims.score).all()
    assert np.abs(attack(scans, photos, normalise=False).score).max() <= 1 + 1e-9


def test_scores_are_normalised_unless_that_is_turned_off() -> None:
    scans, photos = people(9)
    plain, norm = (matrix(attack(scans, photos, normalise=on)) for on in (False, True))
    assert np.allclose(norm, symmetric_norm(plain, np.array([s for s, _ in scans])))
    assert not np.allclose(norm, plain)


def test_the_settings_choose_the_eye() -> None:
    assert Embedding().eye() == DLIB
    assert Embedding(face="bald", harmonise=True).eye() == Resnet("bald", True)
    with pytest.raises(UsageError, match="known are raw, bald"):
        Embedding(face="hairy")  # type: ignore[arg-type]
    assert "brows to chin" in Embedding(face="bald").describe()
    assert "grey" in Embedding(harmonise=True).describe()


def test_people_are_recognised_across_the_gap_between_scans_and_photographs() -> None:
    score = matrix(attack(*people(12)))
    assert (score.argmax(axis=1) == np.arange(12)).all()


def test_sixty_people_and_two_hundred_are_scored_at_once() -> None:
    for n in (60, 200):
        assert matrix(attack(*people(n))).shape == (n, n)


def test_labels_do_not_enter_the_scores() -> None:
    """Renaming the people of the gallery reorders the columns and changes no number."""
    scans, photos = people(6)
    names = {f"s{i:03d}": f"x{5 - i}" for i in range(6)}
    renamed = {(names[s], n): o for (s, n), o in photos.items()}
    assert np.allclose(matrix(attack(scans, renamed)), matrix(attack(scans, photos))[:, ::-1])


def test_identical_pictures_of_everybody_tell_nothing() -> None:
    """An empty release: every probe looks the same, so every score is 0 and no rank is better than chance."""
    _, photos = people(5)
    scans = {(f"s{i:03d}", "T1w"): seen([flat(0.3, 0.1)] * 3) for i in range(5)}
    assert (attack(scans, photos).score == 0).all()


def test_a_lone_probe_is_centred_by_the_background() -> None:
    scans, photos = people(9, seed=3)
    lone = {("s000", "T1w"): scans["s000", "T1w"]}
    others = {k: o for side in (scans, photos) for k, o in side.items() if k[0] != "s000"}
    background = Cohort(
        cohort({k: o for k, o in scans.items() if k[0] != "s000"}).records
        + cohort({k: o for k, o in photos.items() if k[0] != "s000"}, "photo").records
    )
    score = matrix(attack(lone, photos, background, others))
    assert score[0].argmax() == 0
    assert matrix(attack(lone, photos)).shape == (1, 9)  # without a background: uncentred, and still scored


def test_a_background_is_needed_where_it_is_asked_for() -> None:
    with pytest.raises(UsageError, match="background"):
        attack(*people(3), centring="background")


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="views"):
        Embedding(views=11)
    with pytest.raises(UsageError, match="centring"):
        Embedding(centring="mine")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least one"):
        attack({}, {})


def test_claims_hold_what_was_seen_and_no_truth() -> None:
    scans, photos = people(3)
    scans["s001", "T1w"] = seen(scans["s001", "T1w"].embedding, detected=False)
    claims = attack(scans, photos)
    assert claims.notes == {
        "probe_detected": pytest.approx(2 / 3),
        "gallery_detected": 1.0,
        "probe_empty": 0.0,
    }
    assert {f.name for f in fields(claims)} == {*COLUMNS, "notes"}
    assert (claims.attack, claims.condition) == ("reidentify.embedding", "original")


def test_it_is_an_attack_and_says_what_it_does() -> None:
    for centring in ("auto", "background", "leave-own-out", "none"):
        one = Embedding(centring=centring)  # type: ignore[arg-type]
        assert isinstance(one, PairAttack)
        assert "3 sides" in one.describe()
