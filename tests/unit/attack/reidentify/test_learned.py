"""The learned attack: what it learns from, what it refuses to learn from, and that nobody stands on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.reidentify.embedding import Embedding
from medveil.attack.reidentify.learned import FEWEST_OTHERS, Learned, learn
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

from .stub import Rows, StubObserver, cohort, seen

SIZE = 40  # of the made-up embeddings: small ones are learned fast


def people(n: int, prefix: str, seed: int, loud: float = 4.0) -> tuple[Rows, Rows]:
    """Identity in all directions alike; fourteen of them are drowned in what differs from picture to picture."""
    rng = np.random.default_rng(seed)
    noise = np.r_[np.full(14, loud), np.full(SIZE - 14, 0.8)]
    offset = 2 * np.random.default_rng(99).normal(size=(2, SIZE))
    scans: Rows = {}
    photos: Rows = {}
    for i in range(n):
        who = rng.normal(size=SIZE)
        scans[f"{prefix}{i:03d}", "T1w"] = seen(
            who + offset[0] + noise * rng.normal(size=(1, SIZE)).repeat(3, 0)
        )
        photos[f"{prefix}{i:03d}", "p1"] = seen(who + offset[1] + noise * rng.normal(size=(1, SIZE)))
    return scans, photos


def setting(others: int, n: int = 40) -> tuple[Cohort, Threat, StubObserver]:
    scans, photos = people(n, "s", 1)
    more_scans, more_photos = people(others, "b", 2)
    background = Cohort((*cohort(more_scans), *cohort(more_photos, "photo")))
    threat = Threat(cohort(photos, "photo"), background if others else None)
    return cohort(scans), threat, StubObserver({**scans, **more_scans}, {**photos, **more_photos})


def auc(claims: PairClaims) -> float:
    mated = claims.probe_subject == claims.gallery_subject
    return float((claims.score[mated][:, None] > claims.score[~mated][None]).mean())


@pytest.mark.parametrize("how", ["within", "svm"])
def test_what_differs_within_a_person_is_learned_from_others(how: str) -> None:
    probes, threat, observer = setting(60)
    plain = auc(Embedding(centring="background").run(probes, threat, condition="original", observer=observer))
    claims = Learned(how=how).run(probes, threat, condition="original", observer=observer)  # type: ignore[arg-type]
    assert plain < 0.93
    assert auc(claims) > plain + 0.02
    assert claims.notes["background_people"] == 60
    assert claims.attack == "reidentify.learned"
    assert len(claims.score) == 40 * 40


def test_whitening_equals_the_sum_done_by_hand() -> None:
    """Two directions: scan and photograph of a person differ by 4 along the first, by 1 along the second."""
    photos = np.array([[3.0, 1.0], [-3.0, -1.0]] * 10)
    scans = photos + np.array([[4.0, 1.0], [4.0, -1.0], [-4.0, 1.0], [-4.0, -1.0]] * 5)
    score, shrinkage = learn("within", scans, photos)
    # Half the differences: covariance diag(4, 1/4), mean 17/8; shrunk towards it by the chosen setting.
    scale = 1 / np.sqrt((1 - shrinkage) * np.array([4, 0.25]) + shrinkage * 17 / 8)
    a, b = np.array([1.0, 2.0]) * scale, np.array([2.0, 1.0]) * scale
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert np.isclose(score(np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]]))[0, 0], expected)


def test_few_other_people_are_refused_and_counted() -> None:
    for others in (0, FEWEST_OTHERS - 1):
        probes, threat, observer = setting(others)
        with pytest.raises(
            UsageError, match=f"of {others} people who are not candidates, expected at least 20"
        ):
            Learned().run(probes, threat, condition="original", observer=observer)


def test_candidates_in_the_background_teach_nothing() -> None:
    """The mated pairs of the candidates would be the answer: they are not learned from, nor counted."""
    probes, threat, observer = setting(FEWEST_OTHERS)
    assert threat.background is not None
    mixed = Threat(threat.gallery, Cohort((*threat.background, *probes, *threat.gallery)))
    a = Learned().run(probes, threat, condition="original", observer=observer)
    b = Learned().run(probes, mixed, condition="original", observer=observer)
    assert np.array_equal(a.score, b.score)
    half = Threat(threat.gallery, Cohort(tuple(r for r in threat.background if r.contrast == "photo")))
    with pytest.raises(UsageError, match="of 0 people"):
        Learned().run(probes, half, condition="original", observer=observer)


def test_where_there_is_nothing_to_learn_guessing_stays_guessing() -> None:
    """Background pairs that are not mated: the attack runs, and scores strangers no better than chance."""
    rng = np.random.default_rng(3)
    rows = [
        {(f"{p}{i:02d}", "x"): seen(rng.normal(size=(1, SIZE)).repeat(3, 0)) for i in range(40)} for p in "bs"
    ]
    photos = [{k: seen(rng.normal(size=(1, SIZE))) for k in r} for r in rows]
    background = Cohort((*cohort(rows[0]), *cohort(photos[0], "photo")))
    observer = StubObserver({**rows[0], **rows[1]}, {**photos[0], **photos[1]})
    for how in ("within", "svm"):
        one = Learned(how=how)  # type: ignore[arg-type]
        claims = one.run(
            cohort(rows[1]),
            Threat(cohort(photos[1], "photo"), background),
            condition="null",
            observer=observer,
        )
        assert 0.35 < auc(claims) < 0.65


def test_the_same_input_gives_the_same_scores() -> None:
    probes, threat, observer = setting(25)
    for how in ("within", "svm"):
        one = Learned(how=how)  # type: ignore[arg-type]
        runs = [one.run(probes, threat, condition="x", observer=observer).score for _ in range(2)]
        assert np.array_equal(*runs)


def test_it_is_an_attack_and_its_settings_are_checked() -> None:
    assert isinstance(Learned(), PairAttack)
    assert "SVM" in Learned(how="svm").describe()
    with pytest.raises(UsageError, match="known are within, svm"):
        Learned(how="deep")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="views"):
        Learned(views=0)
