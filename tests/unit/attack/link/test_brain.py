"""Linking brains: the alignment, what is compared, and that nobody is left out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.link.aligned import Aligned, AlignedBrain
from medveil.attack.link.assignment import one_to_one
from medveil.attack.link.brain import Brain
from medveil.attack.link.harmonise import harmonised
from medveil.attack.link.lattice import lattice
from medveil.attack.link.scans import per_candidate
from medveil.attack.link.settle import settled
from medveil.attack.link.similarity import SINGLE, Brains, normalised, similarity
from medveil.attack.observer import Look, Observer
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.locate.grid import grid_affine, isotropic
from medveil.locate.register import apart_mm
from medveil.locate.template import template
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, scan

COARSE = Scanner(spacing_mm=3.0)
OTHER = replace(COARSE, noise=6.0, bias=0.3)
PEOPLE = 3


@cache
def visit(number: int, scanner: Scanner) -> Cohort:
    both = simulate_cohort(PEOPLE, seed=4, rho=0.0, visits=2, photos=0, scanner=scanner).scans
    return Cohort(tuple(r for r in both if r.session == f"ses-{number}"), both.participants, simulated=True)


@cache
def observer() -> Observer:
    """One for all tests of this file, so that every scan is aligned once."""
    return Observer()


@cache
def truth() -> Scan:
    seeds = Seeds(9)
    return scan(draw_person(seeds, 1), seeds, scanner=COARSE)


@cache
def whole() -> Aligned:
    return AlignedBrain()(truth().image)


class Renamed(Observer):
    """Has seen people under their own names, and knows them under others."""

    def see(self, cohort: Cohort, look: Look) -> dict[tuple[str, str], Aligned]:  # type: ignore[override,type-arg]
        own = [replace(r, subject=r.subject.removeprefix("x-")) for r in cohort]
        seen = observer().see(Cohort(tuple(own)), look)
        return {(r.subject, r.name): seen[o.subject, o.name] for r, o in zip(cohort, own, strict=True)}


def renamed(cohort: Cohort) -> Cohort:
    return Cohort(tuple(replace(r, subject=f"x-{r.subject}") for r in cohort))


def matrix(attack: Brain, probes: Cohort, gallery: Cohort) -> np.ndarray:
    claims = attack.run(probes, Threat(gallery), condition="original", observer=observer())
    return claims.score.reshape(len(probes), -1)


# What is compared, by hand.


def test_scores_are_put_in_units_of_their_rows_and_columns() -> None:
    score = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 1.0], [2.0, 1.0, 3.0]])
    z = 1 / np.sqrt(2 / 3)
    out = normalised(score)
    assert np.isclose(out[0, 0], (z + z) / 2)  # of 3, 1, 2 and of the column 3, 1, 2
    assert np.isclose(out[0, 2], (0.0 + 0.0) / 2)
    assert np.isclose(out[1, 1], 0.0)  # neither row nor column varies
    assert np.isclose(out[2, 0], (0.0 + 0.0) / 2)


def test_one_row_alone_is_normalised_by_itself() -> None:
    out = normalised(np.array([[1.0, 2.0, 3.0]]))
    assert np.allclose(out, np.array([[-1.0, 0.0, 1.0]]) / np.sqrt(2 / 3))


def test_a_single_pair_has_a_score() -> None:
    assert normalised(np.array([[0.7]])) == 0.0


def test_a_map_gives_nobody_twice_and_lifts_its_pairs_above_all_others() -> None:
    # Freely, both probes take candidate 0. The best map: a -> 1 (9), b -> 0 (8), 17 in all, against 10 + 1.
    score = np.array([[10.0, 9.0], [8.0, 1.0]])
    out = one_to_one(score, np.array(["a", "b"]))
    assert np.allclose(out, [[10.0, 9.0 + 10.0], [8.0 + 10.0, 1.0]])


def test_images_of_one_label_go_to_one_candidate() -> None:
    score = np.array([[5.0, 0.0], [3.0, 4.0], [4.0, 3.0]])  # a, a, b; means of a: 4, 2
    out = one_to_one(score, np.array(["a", "a", "b"]))
    assert out.argmax(axis=1).tolist() == [0, 0, 1]


@pytest.mark.parametrize("shape", [(2, 4), (4, 2)])
def test_a_map_of_unequal_sides_leaves_some_out(shape: tuple[int, int]) -> None:
    score = np.random.default_rng(0).normal(size=shape)
    out = one_to_one(score, np.arange(shape[0]).astype(str))
    lifted = out > score + 0.5
    assert lifted.sum() == 2
    assert lifted.sum(axis=0).max() == lifted.sum(axis=1).max() == 1


def test_a_candidate_with_two_scans_has_their_mean() -> None:
    gallery = Cohort(tuple(Record(s, n, observer) for s, n in (("b", "1"), ("a", "1"), ("b", "2"))))  # type: ignore[arg-type]
    people, score = per_candidate(np.array([[1.0, 5.0, 3.0]]), gallery)
    assert people.tolist() == ["a", "b"]
    assert np.allclose(score, [[5.0, 2.0]])


def brains(n: int, seed: int = 0, mm: float = 6.0, noise: float = 0.0) -> np.ndarray:
    """Template and own smooth differences; the noise of another day."""
    grid, who, day = lattice(mm), np.random.default_rng(7), np.random.default_rng(seed)
    own = [grid.tissue + grid.smooth(who.normal(0, 0.5, len(grid.tissue)), 0.7) for _ in range(n)]
    return np.stack([b + noise * day.normal(size=len(b)) for b in own]).astype(np.float32)


def side(values: np.ndarray, kind: str = "T1w") -> Brains:
    n = len(values)
    return Brains(values, np.array([f"s{i}" for i in range(n)]), np.array([kind] * n))


def test_information_of_a_brain_about_itself_is_two_and_about_nothing_one() -> None:
    grid = lattice(6.0)
    values = np.random.default_rng(0).normal(size=(2, len(grid.tissue))).astype(np.float32)
    score = similarity(side(values), side(values), grid, "information")
    assert np.allclose(np.diag(score), 2.0)
    assert np.allclose(score[[0, 1], [1, 0]], 1.0, atol=0.01)


@pytest.mark.parametrize("how", [*SINGLE, "fused"])
def test_every_similarity_tells_brains_apart(how: str) -> None:
    score = similarity(
        side(brains(5, 1, noise=0.1)),
        side(brains(5, 2, noise=0.1)),
        lattice(6.0),
        how,  # type: ignore[arg-type]
    )
    assert (np.diag(score) > score[~np.eye(5, dtype=bool)].max()).all()


@pytest.mark.parametrize("how", ["correlation", "local", "gradient"])
def test_what_all_others_share_counts_for_nothing(how: str) -> None:
    """Two brains of one study with a common artefact do not look alike for it."""
    grid = lattice(6.0)
    artefact = grid.smooth(np.random.default_rng(3).normal(0, 3.0, len(grid.tissue)), 0.7)
    values = brains(6)
    clean = similarity(side(values[:3]), side(values[3:]), grid, how)  # type: ignore[arg-type]
    marked = similarity(side(values[:3] + artefact), side(values[3:] + artefact), grid, how)  # type: ignore[arg-type]
    assert np.abs(marked).max() < 0.5  # the artefact is six times as strong as any person
    assert np.abs(clean).max() < 0.5


def test_what_is_not_in_view_neither_helps_nor_harms() -> None:
    values = brains(5, 1)
    cut = values.copy()
    cut[:, : len(cut[0]) // 3] = np.nan
    for how in SINGLE:
        score = similarity(side(cut), side(values), lattice(6.0), how)
        assert np.isfinite(score).all()
        assert (score.argmax(axis=1) == np.arange(5)).all(), how


def test_other_contrasts_turn_into_the_shades_of_the_template() -> None:
    grid = lattice(3.0)
    rng = np.random.default_rng(0)
    noisy = grid.tissue + rng.normal(0, 0.02, len(grid.tissue)).astype(np.float32)
    dark, bright = harmonised(noisy, grid), harmonised(900 - 800 * noisy, grid)
    assert np.corrcoef(dark, grid.tissue)[0, 1] > 0.9
    assert np.corrcoef(dark, bright)[0, 1] > 0.9


# The alignment.


def test_a_known_displacement_of_the_template_is_found_to_a_third_of_a_millimetre() -> None:
    from scipy import ndimage as ndi

    t, grid = template(), lattice(3.0)
    known = np.eye(4)
    known[:3, :3] = [[1.02, 0.03, 0.0], [-0.02, 0.97, 0.02], [0.01, 0.0, 1.03]]
    known[:3, 3] = [2.0, -1.5, 1.0]
    into = np.linalg.inv(grid_affine(t.origin, t.mm)) @ np.linalg.inv(known)

    def at(affine: np.ndarray) -> np.ndarray:
        """The template, seen where `known` puts it."""
        index = into @ affine
        voxels = grid.points @ index[:3, :3].T + index[:3, 3]
        return ndi.map_coordinates(t.tissue, voxels.T, order=1).astype(np.float32)

    assert apart_mm(settled(at, np.eye(4), 3.0), known) < 0.3
    assert apart_mm(np.eye(4), known) > 2.5


def test_a_brain_is_found_and_shows_what_the_template_shows() -> None:
    out = whole()
    assert out.located
    assert not out.empty
    assert np.corrcoef(out.values, lattice(3.0).tissue)[0, 1] > 0.8


def faceless(image: Image) -> Image:
    """All before the brain gone, from the eyes down."""
    data = image.data.copy()
    ijk = np.argwhere(np.ones(data.shape, dtype=bool))
    world = ijk @ image.affine[:3, :3].T + image.affine[:3, 3]
    head_mm = world @ np.linalg.inv(truth().pose)[:3, :3].T + np.linalg.inv(truth().pose)[:3, 3]
    gone = (head_mm[:, 1] > 35) & (head_mm[:, 2] < 0)
    data[tuple(ijk[gone].T)] = 0
    return image.with_data(data)


def test_a_head_without_a_face_lands_in_the_same_place() -> None:
    assert apart_mm(AlignedBrain()(faceless(truth().image)).affine, whole().affine) < 0.3


def test_a_bare_brain_lands_in_the_same_place() -> None:
    image = truth().image
    bare = AlignedBrain()(image.with_data(np.where(truth().brain_mask, image.data, 0)))
    assert bare.located
    assert apart_mm(bare.affine, whole().affine) < 1.0


def test_storage_order_and_scaling_change_nothing() -> None:
    image = truth().image
    flipped = Image(image.data[::-1].transpose(2, 0, 1), _flipped(image), slope=3.0, intercept=5.0)
    assert np.allclose(AlignedBrain()(flipped).values, whole().values, atol=0.02)


def _flipped(image: Image) -> np.ndarray:
    """The affine after the first axis was reversed and the axes were put in the order 2, 0, 1."""
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (image.data.shape[0] - 1)
    affine[:3, 0] *= -1
    return affine[:, [2, 0, 1, 3]]


@pytest.mark.slow
def test_a_series_is_averaged() -> None:
    image = truth().image
    series = Image(np.stack([image.data] * 3, axis=-1), image.affine)
    assert np.allclose(AlignedBrain()(series).values, whole().values, atol=1e-4)


ODD = {
    "empty": np.zeros((20, 20, 20), dtype=np.int16),
    "constant": np.full((20, 20, 20), 7, dtype=np.int16),
    "noise": np.random.default_rng(0).normal(100, 10, (16, 16, 16)).astype(np.float32),
    "slice": np.random.default_rng(0).integers(0, 90, (40, 40, 1)).astype(np.int16),
    "voxel": np.ones((1, 1, 1), dtype=np.int16),
    "nan": np.full((16, 16, 16), np.nan, dtype=np.float32),
    "ball": np.where(((np.indices((40, 40, 40)) - 20) ** 2).sum(0) < 200, 300, 4).astype(np.int16),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "ball" else n for n in ODD])
def test_no_image_is_refused(name: str) -> None:
    out = AlignedBrain(6.0)(Image(ODD[name], np.diag([3.0, 3.0, 3.0, 1.0])))
    assert not out.located
    assert out.values.shape == lattice(6.0).tissue.shape
    assert np.isfinite(out.values).any()
    assert out.empty == (name not in ("noise", "ball"))  # of a single slice, too little is in view


@pytest.mark.slow
def test_a_mask_of_labels_is_looked_at_all_the_same() -> None:
    labels = Image(truth().labels, truth().image.affine, kind="labels")
    assert np.isfinite(AlignedBrain(6.0)(labels).values).any()


# The attack.


@pytest.mark.parametrize("how", [*SINGLE, "fused"])
def test_the_same_people_are_found_in_the_scans_of_another_scanner(how: str) -> None:
    score = matrix(Brain(similarity=how), visit(1, COARSE), visit(2, OTHER))  # type: ignore[arg-type]
    mated = np.diag(score)
    assert (mated > score[~np.eye(PEOPLE, dtype=bool)].max()).all()


@pytest.mark.slow
def test_people_are_found_across_contrasts() -> None:
    score = matrix(Brain(), visit(1, replace(COARSE, contrast="T2w")), visit(2, OTHER))
    assert (score.argmax(axis=1) == np.arange(PEOPLE)).all()


def test_names_of_people_and_order_of_scans_change_no_score() -> None:
    probes, gallery = visit(1, COARSE), visit(2, OTHER)
    usual = matrix(Brain(), probes, gallery)
    turned = Cohort(tuple(reversed(probes.records)))
    assert np.allclose(matrix(Brain(), turned, gallery), usual[::-1], atol=1e-5)
    score = Brain().run(probes, Threat(renamed(gallery)), condition="x", observer=Renamed()).score
    assert np.allclose(score.reshape(PEOPLE, -1), usual, atol=1e-5)


def test_strangers_get_scores_and_none_stands_out() -> None:
    probes, gallery = visit(1, COARSE).of("sub-001"), visit(2, OTHER).of("sub-002", "sub-003")
    score = matrix(Brain(similarity="correlation"), probes, gallery)
    assert np.abs(score).max() < 0.6


def test_one_probe_and_one_candidate_get_a_score() -> None:
    for how in ("fused", "correlation"):
        score = matrix(Brain(similarity=how), visit(1, COARSE).of("sub-001"), visit(2, OTHER).of("sub-001"))  # type: ignore[arg-type]
        assert score.shape == (1, 1)


def test_a_map_finds_everybody() -> None:
    score = matrix(Brain(match="one-to-one"), visit(1, COARSE), visit(2, OTHER))
    assert (score.argmax(axis=1) == np.arange(PEOPLE)).all()
    assert np.diag(score).min() > score[~np.eye(PEOPLE, dtype=bool)].max()


def test_an_empty_scan_among_the_probes_is_scored_and_noted() -> None:
    blank = Record("z", "T1w", lambda: Image(ODD["empty"], np.eye(4)), contrast="T1w")
    probes = Cohort((*visit(1, COARSE).records, blank))
    claims = Brain().run(probes, Threat(visit(2, OTHER)), condition="release", observer=observer())
    assert claims.notes["probe_empty"] == claims.notes["probe_located"] / 3 == 0.25
    assert len(claims.score) == 4 * PEOPLE


def test_claims_are_of_every_pair_and_show_no_one() -> None:
    claims = Brain().run(visit(1, COARSE), Threat(visit(2, OTHER)), condition="x", observer=observer())
    assert len(claims.score) == PEOPLE**2
    assert claims.attack == "link.brain"
    assert claims.gallery_image[0] == "mean of 1"
    assert "sub" not in repr(claims) + repr(whole()) + repr(side(np.zeros((1, 1))))


def test_what_cannot_work_is_refused_in_words() -> None:
    photo = Cohort((Record("a", "photo-1", lambda: Image(ODD["empty"], np.eye(4)), contrast="photo"),))
    with pytest.raises(UsageError, match="no scans in the gallery"):
        Brain().run(visit(1, COARSE), Threat(photo), condition="x", observer=observer())
    with pytest.raises(UsageError, match="no scans in the release"):
        Brain().run(photo, Threat(visit(1, COARSE)), condition="x", observer=observer())
    with pytest.raises(UsageError, match="no such similarity"):
        Brain(similarity="looks")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no such match"):
        Brain(match="any")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="spacing_mm"):
        Brain(spacing_mm=0.5)


def test_it_is_an_attack_that_says_what_it_does() -> None:
    assert isinstance(Brain(), PairAttack)
    assert Brain.needs == "scans"
    assert Brain().describe() != Brain(match="one-to-one").describe() != Brain(similarity="local").describe()


def test_the_lattice_lies_where_the_template_lies() -> None:
    grid, t = lattice(4.0), template()
    nearest = np.rint((grid.points - t.origin) / t.mm).astype(int)
    assert t.brain[tuple(nearest.T)].mean() > 0.97
    values, affine = grid.volume(grid.tissue), grid.affine
    assert isotropic(values, affine, 4.0).values.max() > 0.5
