"""From brain to face: what is learned, from whom, and that nothing is read into nothing."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.link.aligned import Aligned
from medveil.attack.link.lattice import lattice
from medveil.attack.observer import Look, Observer
from medveil.attack.reidentify.from_brain import FromBrain
from medveil.attack.reidentify.observe import Observation, Photograph
from medveil.attack.reidentify.ridge import PENALTIES, ridge, shades
from medveil.attack.reidentify.tabled import tabled
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.threat import Threat

MM = 6.0
MODES = 5


def never() -> Image:
    raise AssertionError("a stub observer opens nothing")


class World(Observer):
    """People with a face, a brain that follows it in part, a size, an age and a sex; seen without images.

    Args:
        rho: share of a brain's pattern that is the face's own. sized: whether the size follows the face as well.
        aged: whether age and sex shape faces. like: what all photographs share.
    """

    def __init__(
        self, people: int, rho: float, *, sized: float = 0.0, aged: float = 0.0, like: float = 9.0
    ) -> None:
        super().__init__()
        rng, fixed, grid = np.random.default_rng(0), np.random.default_rng(99), lattice(MM)
        patterns = [grid.smooth(fixed.normal(size=len(grid.tissue)), 1.2) for _ in range(MODES)]
        faces = fixed.normal(size=(MODES + 2, 128))
        self.who = [f"s{i:03}" for i in range(people)]
        latent, own = rng.normal(size=(2, people, MODES))
        age, sex = rng.uniform(20, 80, people), rng.choice([-1, 1], people)
        self.table = {
            w: {"age": str(int(a)), "sex": "M" if s > 0 else "F"}
            for w, a, s in zip(self.who, age, sex, strict=True)
        }
        shown = np.column_stack([latent, aged * (age - 50) / 15, aged * sex])
        face = like + shown @ faces + 0.5 * rng.normal(size=(people, 128))
        brain = rho * latent + np.sqrt(1 - rho**2) * own
        self._face, self._brain = (
            face,
            [grid.tissue + sum(w * p for w, p in zip(row, patterns, strict=True)) for row in brain],
        )
        self._size = np.exp(0.03 * (sized * latent[:, :3] + (1 - sized) * rng.normal(size=(people, 3))))

    def see(self, cohort: Cohort, look: Look) -> dict:  # type: ignore[override,type-arg]
        return {(r.subject, r.name): self._one(self.who.index(r.subject), look) for r in cohort}

    def _one(self, i: int, look: Look) -> Aligned | Observation:
        if isinstance(look, Photograph):
            return Observation(self._face[i][None], np.zeros((1, 68, 2)), np.array([True]))
        affine = np.diag([*self._size[i], 1.0])
        return Aligned(np.asarray(self._brain[i], dtype=np.float32), affine, located=True, empty=False)

    def cohort(self, who: list[str], *kinds: str, table: bool = True) -> Cohort:
        rows = {w: self.table[w] for w in who} if table else {}
        return Cohort(tuple(Record(w, k, never, contrast=k) for w in who for k in kinds), rows)

    def attacked(self, others: int = 120, *, probes: int = 40, **settings: object) -> PairClaims:
        learn, test = self.who[:others], self.who[others : others + probes]
        threat = Threat(self.cohort(test, "photo"), self.cohort(learn, "photo", "T1w"))
        attack = FromBrain(spacing_mm=MM, **settings)  # type: ignore[arg-type]
        return attack.run(self.cohort(test, "T1w"), threat, condition="original", observer=self)


def auc(claims: PairClaims) -> float:
    mated = claims.probe_subject == claims.gallery_subject
    m, n = claims.score[mated], claims.score[~mated]
    return float((m[:, None] > n[None]).mean())


def test_a_face_that_follows_the_brain_is_found() -> None:
    claims = World(160, rho=0.9).attacked()
    assert auc(claims) > 0.85
    assert claims.notes["explained"] > 0.2
    assert claims.notes["learned_from"] == 120


def test_what_all_photographs_share_counts_for_nothing() -> None:
    far, near = (World(50, rho=0.9, like=like).attacked(others=40, probes=8) for like in (9.0, 0.0))
    assert np.allclose(far.score, near.score)


def test_a_face_that_does_not_is_not() -> None:
    claims = World(160, rho=0.0).attacked()
    assert abs(auc(claims) - 0.5) < 0.12
    assert claims.notes["explained"] < 0.05


def test_more_of_the_face_in_the_brain_finds_more_people() -> None:
    low, middle, high = (auc(World(160, rho=rho).attacked()) for rho in (0.0, 0.5, 0.9))
    assert low < middle < high


def test_size_that_both_share_is_left_out_on_request() -> None:
    world = World(160, rho=0.0, sized=1.0)
    assert auc(world.attacked()) > 0.7
    assert abs(auc(world.attacked(size=False)) - 0.5) < 0.12


def test_the_table_alone_finds_what_age_and_sex_tell_and_no_more() -> None:
    world = World(160, rho=0.0, aged=1.5)
    assert auc(world.attacked(features="table")) > 0.75
    assert abs(auc(world.attacked(features="brain")) - 0.5) < 0.12
    plain = World(160, rho=0.9, aged=0.0)
    assert abs(auc(plain.attacked(features="table")) - 0.5) < 0.12
    assert auc(World(160, rho=0.9, aged=1.5).attacked(features="brain+table")) > 0.9


def test_nothing_is_learned_from_the_people_under_attack() -> None:
    """Other probes beside one change nothing in its scores."""
    world = World(160, rho=0.9)
    many, few = world.attacked(probes=40), world.attacked(probes=3)
    three = world.who[120:123]
    kept = np.isin(many.probe_subject, three) & np.isin(many.gallery_subject, three)
    assert np.allclose(many.score[kept], few.score)


def test_too_few_others_are_refused() -> None:
    world = World(60, rho=0.9)
    with pytest.raises(UsageError, match="19 people in the background"):
        world.attacked(others=19)
    assert len(world.attacked(others=20, probes=5).score) == 25
    test = world.who[40:]
    none = Threat(world.cohort(test, "photo"))
    with pytest.raises(UsageError, match="0 people in the background"):
        FromBrain().run(world.cohort(test, "T1w"), none, condition="x", observer=world)
    only_scans = Threat(world.cohort(test, "photo"), world.cohort(world.who[:40], "T1w"))
    with pytest.raises(UsageError, match="scans and photographs"):
        FromBrain().run(world.cohort(test, "T1w"), only_scans, condition="x", observer=world)


def test_a_release_without_photographs_of_candidates_is_refused() -> None:
    world = World(30, rho=0.0)
    threat = Threat(world.cohort(world.who, "T1w"))
    with pytest.raises(UsageError, match="photograph of a candidate"):
        FromBrain().run(world.cohort(world.who, "T1w"), threat, condition="x", observer=world)


def test_settings_that_make_no_sense_are_refused() -> None:
    for settings in ({"features": "ears"}, {"components": 0}, {"spacing_mm": 9.0}):
        with pytest.raises(UsageError):
            FromBrain(**settings)  # type: ignore[arg-type]


def test_the_table_is_read_as_numbers() -> None:
    rows = {"a": {"age": "55", "sex": "M"}, "b": {"age": "n/a", "gender": "female"}, "c": {"age": "89+"}}
    cohort = Cohort(tuple(Record(s, "T1w", never) for s in rows), rows)
    out = tabled(cohort, "x")
    assert np.allclose(out[0], [1.0, 1.0, 1.0])
    assert np.allclose(out[1], [2.7, 2.7**2, -1.0])  # the age that is not told: the mean of those told
    assert np.allclose(out[2], [4.4, 4.4**2, 0.0])


def test_a_table_that_tells_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="tells neither"):
        tabled(Cohort((Record("a", "T1w", never),), {"a": {"age": "n/a"}}), "x")


def test_the_penalty_is_chosen_by_people_left_out() -> None:
    """The closed form equals fitting again without each person, the mean of the targets and of the features apart."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(14, 3)), rng.normal(size=(14, 2))
    y = y + 2 * x[:, :1]
    x, y = (x - x.mean(0)) / x.std(0), y - y.mean(0)
    found = ridge(x, y)
    errors = []
    for penalty in PENALTIES * len(x):
        total = 0.0
        for i in range(len(x)):
            keep = np.arange(len(x)) != i
            design = np.column_stack([x[keep], np.ones(len(x) - 1)])
            weights = np.diag([penalty] * 3 + [0.0])  # the mean is not penalised
            slopes = np.linalg.solve(design.T @ design + weights, design.T @ y[keep])
            total += float(((y[i] - np.append(x[i], 1.0) @ slopes) ** 2).sum())
        errors.append(total)
    best = PENALTIES[int(np.argmin(errors))] * len(x)
    assert np.allclose(found.slopes, np.linalg.solve(x.T @ x + best * np.eye(3), x.T @ y))
    mean_only = sum(float(((y[i] - np.delete(y, i, 0).mean(0)) ** 2).sum()) for i in range(len(y)))
    assert np.isclose(found.explained, 1 - min(errors) / mean_only)


def test_axes_are_those_along_which_people_differ_each_once() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, 50)) * np.array([60.0] + [1.0] * 49)
    twice = np.concatenate([rows, rows[:1]])
    once = shades(rows, np.arange(6), 3)
    again = shades(twice, np.array([0, 1, 2, 3, 4, 5, 0]), 3)
    assert once.shape == (4, 50)
    assert np.allclose(np.abs(once), np.abs(again))
    assert np.allclose(once[1:] @ once[1:].T, np.eye(3), atol=1e-9)
    assert abs(once[1, 0]) > 0.9


def test_equal_brains_teach_nothing() -> None:
    assert shades(np.ones((5, 9)), np.arange(5), 3).shape == (1, 9)
    world = World(60, rho=0.0)
    world._brain = [np.asarray(lattice(MM).tissue)] * 60
    claims = world.attacked(others=30, probes=10, size=False)
    assert np.isfinite(claims.score).all()


def test_it_is_an_attack_that_says_what_it_does() -> None:
    assert isinstance(FromBrain(), PairAttack)
    assert FromBrain.needs == "photographs"
    said = {FromBrain(features=f).describe() for f in ("brain", "table", "brain+table")}  # type: ignore[arg-type]
    assert len(said) == 3
    assert "shape of the brain" in FromBrain(size=False).describe()
