"""People from a face basis: what is drawn, what is measured, and that scan and photograph show one head."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.simulate.basis import model as model_module
from medveil.simulate.basis.anatomy import VAULT_MM, VAULT_TO_MM, _behind, _raised
from medveil.simulate.basis.model import FaceBasis, read_basis
from medveil.simulate.basis.person import BasisPerson, draw_basis_person, weights_to_brain
from medveil.simulate.basis.sculpt import _seal
from medveil.simulate.brain import CLEARANCE_MM
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.face_parts import FacePart, face_parts
from medveil.simulate.field import Field, ellipsoid, moved
from medveil.simulate.head import Expression, Head, build_head
from medveil.simulate.person import PARAMETERS, Z_LIMIT
from medveil.simulate.photograph import sit
from medveil.simulate.scan import Scan, scan
from medveil.simulate.tissues import Tissue

from .basis_heads import write

SEEDS = Seeds(3)


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory) -> FaceBasis:
    return read_basis(write(tmp_path_factory.mktemp("basis") / "head.npz"))


@cache
def head_of(person: BasisPerson, eyes_open: float = 0.0, smile: float = 0.0) -> Head:
    return build_head(person, 2.0, eyes_open=eyes_open, expression=Expression(smile=smile))


@pytest.fixture(scope="module")
def person(basis: FaceBasis) -> BasisPerson:
    return draw_basis_person(SEEDS, 0, basis)


@pytest.fixture(scope="module")
def seen(person: BasisPerson) -> Scan:
    return scan(person, SEEDS, head=head_of(person))


def phi_at(head: Head, points_mm: np.ndarray) -> np.ndarray:
    at = (np.atleast_2d(points_mm) - head.origin_mm) / head.spacing_mm
    return np.asarray(map_coordinates(head.phi, at.T, order=1))


def test_the_same_seed_is_the_same_person_and_another_index_is_another(basis: FaceBasis) -> None:
    one, same, other = (draw_basis_person(SEEDS, i, basis) for i in (4, 4, 5))
    assert np.array_equal(one.weights, same.weights)
    assert np.array_equal(one.brain, same.brain)
    assert not np.allclose(one.z, other.z)
    assert np.abs(one.z).max() <= Z_LIMIT


def test_settings_change_the_person_but_not_the_draws(basis: FaceBasis) -> None:
    plain = draw_basis_person(SEEDS, 4, basis)
    for settings in ({"spread": 0.5}, {"rho": 0.9}, {"confounder": 0.0}):
        changed = draw_basis_person(SEEDS, 4, basis, **settings)
        assert np.array_equal(changed.z, plain.z)
        assert (changed.sex, changed.age_years) == (plain.sex, plain.age_years)


def test_without_confounder_weights_are_spread_times_identity(basis: FaceBasis) -> None:
    one = draw_basis_person(SEEDS, 4, basis, spread=0.7, confounder=0.0)
    assert np.allclose(one.weights, 0.7 * one.z)


def test_sex_moves_the_measures_the_way_the_table_says(basis: FaceBasis) -> None:
    people = [draw_basis_person(SEEDS, i, basis, spread=0.0, confounder=1.0) for i in range(30)]
    older = [p for p in people if p.age_years > 45]
    men, women = ([p for p in older if p.sex == s] for s in (1, -1))
    assert min(len(men), len(women)) >= 3
    for name in ("low_h", "jaw_low", "mid_w"):
        assert PARAMETERS[name].per_sex > 0
        ahead = np.mean([p.shape[name] for p in men]) - np.mean([p.shape[name] for p in women])
        assert 0.15 < ahead < 3 * PARAMETERS[name].per_sex, name


def test_rho_ties_the_brain_to_the_own_weights_and_to_nothing_else(basis: FaceBasis) -> None:
    a = weights_to_brain(16)
    assert np.allclose(a @ a.T, np.eye(14))
    tied = draw_basis_person(SEEDS, 4, basis, rho=1.0)
    assert np.allclose(tied.brain, a @ tied.z)
    people = [draw_basis_person(SEEDS, i, basis, rho=0.0) for i in range(300)]
    z, brain = np.array([p.z for p in people]), np.array([p.brain for p in people])
    scale = np.array([p.brain_scale for p in people])
    r = np.corrcoef(np.c_[z, brain].T)[:16, 16:]
    assert np.abs(r).max() < 0.25  # 224 correlations of 300 people: about 3.8 standard errors
    assert np.sqrt((r**2).mean()) < 0.075
    sizes = np.corrcoef(np.c_[z, scale].T)[:16, 16:]
    assert np.sqrt((sizes**2).mean()) < 0.1
    assert scale.std(axis=0).min() > 0.01


@pytest.mark.parametrize("rho", [-0.1, 1.1, float("nan")])
def test_rho_is_a_share(basis: FaceBasis, rho: float) -> None:
    with pytest.raises(UsageError, match="rho"):
        draw_basis_person(SEEDS, 0, basis, rho=rho)


def test_every_measure_has_a_value_and_is_of_human_size(person: BasisPerson) -> None:
    assert set(person.shape) == set(PARAMETERS)
    assert all(np.isfinite(v) for v in person.shape.values())
    for name in ("cr_w", "cr_h", "ipd", "fiss_w", "mouth_w", "low_h", "mid_w"):
        assert person.shape[name] == pytest.approx(PARAMETERS[name].mean, rel=0.35), name
    at = person.levels_mm()
    assert at["tip_z"] > at["sub_z"] > at["sto_z"] > at["chin_z"] > at["ment_z"]


def test_the_frame_has_its_origin_between_the_ears_at_the_height_of_the_eyes(person: BasisPerson) -> None:
    left, right = person.eye_centres_mm()
    assert left[0] < 0 < right[0]
    assert left[2] + right[2] == pytest.approx(0, abs=1e-6)
    canals = person.anatomy.skin[list(person.basis.model.layout.canals)].mean(axis=0)
    assert canals[:2] == pytest.approx([0, 0], abs=1e-6)


def test_landmarks_lie_on_the_skin_of_the_scan(person: BasisPerson) -> None:
    marks = person.landmarks_mm()
    for name in ("nasion", "nose_tip", "subnasale", "mouth_left", "mouth_right"):
        assert abs(phi_at(head_of(person), marks[name])[0]) < 3.0, name  # this nose is sharper than noses are
    assert (phi_at(head_of(person), np.array([marks["eye_left"], marks["eye_right"]])) < -8).all()


def test_the_crown_is_raised_and_the_face_is_not() -> None:
    skin = np.array([[0.0, 90, 20], [0, 60, VAULT_TO_MM], [0, 0, 110], [0, 100, -40]])
    moved = _raised(skin)[:, 2] - skin[:, 2]
    assert moved.tolist() == pytest.approx([0, VAULT_MM, VAULT_MM, 0])


def test_an_eyeball_is_moved_back_behind_its_lids_and_never_forward() -> None:
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rim = np.stack([12 * np.cos(turn), np.full(40, 9.0), 5 * np.sin(turn)], axis=1)
    moved = _behind(np.zeros(3), 13.0, rim)
    assert moved[[0, 2]] == pytest.approx([0, 0], abs=1e-9)
    assert moved[1] < -2
    assert np.percentile(np.linalg.norm(rim - moved, axis=1), 25) > 13.9
    far = np.array([0.0, -20.0, 0.0])
    assert np.allclose(_behind(far, 13.0, rim), far)


def test_eyes_open_and_smiles_change_the_face_there_and_nowhere_else(person: BasisPerson) -> None:
    shut, opened = head_of(person), head_of(person, 1.0)
    x, y, z = (a.reshape([-1 if i == k else 1 for k in range(3)]) for i, a in enumerate(shut.axes))
    away = (np.abs(z) > 30) | (y < 30) | (np.abs(x) > 62)
    changed = np.abs(shut.phi - opened.phi)
    assert changed[np.broadcast_to(away, changed.shape)].max() < 1e-3
    assert changed.max() > 1.0
    smiling = np.abs(head_of(person, 1.0, 1.0).phi - opened.phi)
    skin = np.abs(opened.phi) < 1.5
    near_mouth = skin & (np.abs(z - person.levels_mm()["sto_z"]) < 15) & (y > 40)
    crown = skin & (z > 30) & (np.abs(x) < 200) & (y > -1e3)
    assert smiling[near_mouth].max() > 1.0
    assert smiling[crown].max() < 0.05


def test_an_open_eye_shows_its_ball_and_a_shut_one_does_not(person: BasisPerson) -> None:
    for index, centre in enumerate(person.eye_centres_mm()):
        rim = person.anatomy.rims[index]
        towards = np.array([rim[:, 0].mean(), 0, rim[:, 2].mean()]) - centre * [1, 0, 1]
        radius = person.anatomy.eye_radius_mm
        depth = np.sqrt(radius**2 - towards[0] ** 2 - towards[2] ** 2)
        pole = centre + towards + [0, depth, 0]
        assert abs(phi_at(head_of(person, 1.0), pole)[0]) < 0.8
        assert phi_at(head_of(person), pole)[0] < -0.5


def test_the_gap_between_lips_is_shut_behind_a_groove(person: BasisPerson) -> None:
    head = head_of(person)
    field = Field.around(head.phi.copy(), head.axes)
    mark = person.anatomy.landmarks
    middle = mark[[62, 66]].mean(axis=0)
    field.subtract(ellipsoid(moved(middle, y=-8), (25, 14, 2.5)), 0.5)
    behind, before = moved(middle, y=-2.0), moved(middle, y=6.0)
    gaping = Head(field.phi.copy(), *_rest(head))
    assert phi_at(gaping, behind)[0] > 1.0
    _seal(field, person.geometry(0.0, Expression()))
    shut = Head(field.phi, *_rest(head))
    assert phi_at(shut, behind)[0] < -0.3
    assert phi_at(shut, before)[0] > 4.0  # the groove in front stays
    assert np.abs(shut.phi - gaping.phi)[:, :, head.axes[2] > -20].max() == 0.0


def _rest(head: Head) -> tuple[Any, ...]:
    return head.axes, head.origin_mm, head.spacing_mm, head.phi_without_ears, head.geometry


def test_pigments_find_the_edges_of_the_lids_where_the_mesh_has_them(person: BasisPerson) -> None:
    geometry = person.geometry(1.0, Expression())
    for index, rim in enumerate(person.anatomy.rims):
        over, under, q = geometry.lid_edges(rim, index)
        inner = q > 0.2
        assert inner.sum() > 8
        # The rim of this model is a staircase, so not all of its corners lie on the lids' curves.
        assert np.median(np.minimum(np.abs(over), np.abs(under))[inner]) < 0.5
        middle = rim.mean(axis=0, keepdims=True)
        over, under, q = geometry.lid_edges(middle, index)
        assert (over < -1).all()
        assert (under < -1).all()
        assert q[0] > 0.9
        assert geometry.lid_edges(middle + np.array([40.0, 0, 0]), index).q[0] < -1


def test_ears_are_gone_from_the_head_without_them_and_the_rest_is_the_same(person: BasisPerson) -> None:
    head = head_of(person)
    lost = head.phi_without_ears - head.phi
    assert lost.min() > -1e-6
    assert lost.max() > 5.0
    x, y, z = (a.reshape([-1 if i == k else 1 for k in range(3)]) for i, a in enumerate(head.axes))
    elsewhere = np.broadcast_to((y > 45) | (y < -60) | (z > 45) | (z < -80) | (np.abs(x) < 30), lost.shape)
    assert np.abs(lost[elsewhere]).max() < 1e-6


def test_the_brain_lies_in_bone_under_the_skin(person: BasisPerson, seen: Scan) -> None:
    litres = seen.brain_mask.sum() * 8e-6
    assert 0.8 < litres < 1.8
    to_head = np.linalg.inv(seen.pose) @ seen.image.affine
    at = np.argwhere(seen.brain_mask) @ to_head[:3, :3].T + to_head[:3, 3]
    assert phi_at(head_of(person), at).max() < -(CLEARANCE_MM - 5.0)
    there = set(np.unique(seen.labels))
    wanted = {Tissue.SKIN, Tissue.FAT, Tissue.BONE, Tissue.GREY, Tissue.WHITE, Tissue.CSF, Tissue.EYE}
    assert wanted <= there


def test_every_part_of_the_face_is_found_on_the_skin(person: BasisPerson, seen: Scan) -> None:
    parts = face_parts(head_of(person), seen)
    assert set(np.unique(parts)) == {0, *FacePart}
    assert not parts[seen.brain_mask].any()
    back = np.linalg.inv(seen.pose) @ seen.image.affine
    for part, name in ((FacePart.NOSE, "nose_tip"), (FacePart.MOUTH, "stomion")):
        at = np.argwhere(parts == part) @ back[:3, :3].T + back[:3, 3]
        assert np.linalg.norm(at - person.landmarks_mm()[name], axis=1).min() < 6.0
    ears = np.argwhere(parts == FacePart.EARS) @ back[:3, :3].T + back[:3, 3]
    assert 0.3 < (ears[:, 0] > 0).mean() < 0.7
    assert np.abs(ears[:, 0]).min() > 50


def test_the_mirror_image_is_the_head_mirrored(person: BasisPerson) -> None:
    mirrored = person.mirrored()
    assert np.allclose(mirrored.mirrored().anatomy.skin, person.anatomy.skin)
    left, right = person.eye_centres_mm()
    assert np.allclose(mirrored.eye_centres_mm(), [right * [-1, 1, 1], left * [-1, 1, 1]])
    marks, other = person.landmarks_mm(), mirrored.landmarks_mm()
    assert np.allclose(other["mouth_left"], marks["mouth_right"] * [-1, 1, 1])
    assert np.allclose(mirrored.anatomy.rims[0], person.anatomy.rims[1] * [-1, 1, 1])
    one, two = head_of(person), head_of(mirrored)
    assert one.phi.shape == two.phi.shape
    near = np.abs(one.phi) < 2.5
    assert np.percentile(np.abs(two.phi[::-1] - one.phi)[near], 99.5) < 0.2


def test_a_head_too_long_for_the_grid_gets_a_longer_grid(person: BasisPerson) -> None:
    lo, hi = np.array([-104.0, -122, -150]), np.array([104.0, 138, 142])
    same_lo, same_hi = person.box(lo, hi)
    assert np.array_equal(same_lo, lo)
    assert (same_hi >= hi).all()
    small_lo, small_hi = person.box(lo / 2, hi / 2)
    top = person.anatomy.skin.max(axis=0)
    assert (small_hi > top + 5).all()
    assert small_lo[2] == lo[2] / 2  # the neck is cut where the grid ends


def test_photographs_show_the_person_with_a_face_of_their_own(person: BasisPerson) -> None:
    image = sit(person, SEEDS, 3.0).shot(0, size_px=100)
    assert image.data.shape == (100, 100, 3)
    assert image.data.std() > 10
    again = sit(person, SEEDS, 3.0).shot(0, size_px=100)
    assert np.array_equal(image.data, again.data)


def test_a_view_down_to_the_body_has_shoulders(person: BasisPerson) -> None:
    body = build_head(person, 4.0, box="body")
    low = body.phi[:, :, int(np.searchsorted(body.axes[2], -230.0))] < 0
    neck = body.phi[:, :, int(np.searchsorted(body.axes[2], -130.0))] < 0
    assert low.any(axis=1).sum() > 1.8 * neck.any(axis=1).sum()


def _opened(pair: tuple[object, int]) -> bytes:
    cohort, k = pair
    image: Image = cohort.scans.records[k].open()  # type: ignore[attr-defined]
    return image.data.tobytes()


@pytest.mark.slow
def test_a_cohort_takes_a_basis_and_opens_the_same_in_another_process(basis: FaceBasis) -> None:
    simulated = simulate_cohort(2, seed=3, face_basis=basis, photos=1)
    assert simulated.scans.simulated
    assert simulated.scans.subjects == simulated.photographs.subjects == ("sub-001", "sub-002")
    here = _opened((simulated, 1))
    model_module._read.cache_clear()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert next(iter(pool.map(_opened, [(simulated, 1)]))) == here


def _drawn(**settings: object) -> BasisPerson:
    record = simulate_cohort(1, seed=3, photos=0, **settings).scans.records[0]  # type: ignore[arg-type]
    drawn: BasisPerson = record.open.someone.draw()  # type: ignore[attr-defined]
    return drawn


def test_a_person_keeps_their_index_whatever_the_cohort(basis: FaceBasis) -> None:
    one = _drawn(first=2, face_basis=basis)
    assert np.array_equal(one.weights, draw_basis_person(SEEDS, 2, basis).weights)


def test_spread_is_one_for_a_basis_unless_it_is_said(basis: FaceBasis) -> None:
    plain = _drawn(face_basis=basis)
    assert np.array_equal(plain.weights, _drawn(face_basis=basis, spread=1.0).weights)
    assert not np.allclose(plain.weights, _drawn(face_basis=basis, spread=1.3).weights)
    assert np.array_equal(_drawn().z, _drawn(spread=1.3).z)
    assert dict(_drawn().shape) == dict(_drawn(spread=1.3).shape)


def test_a_person_is_sent_without_the_meshes(person: BasisPerson) -> None:
    assert len(person.anatomy.skin)
    sent = pickle.dumps(person)
    assert len(sent) < 20_000
    back = pickle.loads(sent)  # noqa: S301 - our own bytes, as joblib sends them
    assert np.allclose(back.anatomy.skin, person.anatomy.skin)
    assert dict(back.shape) == dict(person.shape)
    assert "0" in repr(back)
    assert "/" not in repr(back)


def test_weights_of_another_person_change_the_head(basis: FaceBasis, person: BasisPerson) -> None:
    other = replace(draw_basis_person(SEEDS, 1, basis), sex=person.sex)
    one, two = head_of(person).phi, head_of(other).phi
    assert one.shape == two.shape
    assert np.abs(one - two)[np.abs(one) < 2].mean() > 1.0
