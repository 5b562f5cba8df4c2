"""A head is one closed, seamless piece, the same for the same person, and mirrors as people do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label, map_coordinates

from medveil.core.seeds import Seeds
from medveil.simulate.field import Field, ellipsoid, rotation, round_cone, smooth_min, sphere
from medveil.simulate.head import FEATURES, Expression, Head, build_head
from medveil.simulate.person import Person, draw_person

SEEDS = Seeds(11)


@pytest.fixture(scope="module")
def heads() -> list[Head]:
    return [build_head(draw_person(SEEDS, i), 2.0) for i in range(8)]


def depth(head: Head, points_mm: np.ndarray) -> np.ndarray:
    """phi at points (N, 3) in mm, by linear interpolation."""
    at = (np.atleast_2d(points_mm) - head.origin_mm) / head.spacing_mm
    return np.asarray(map_coordinates(head.phi, at.T, order=1, mode="nearest"))


def skin_y(head: Head, x: float, z: float) -> float:
    """How far forward the skin lies at (x, z), mm."""
    y = np.arange(0.0, 136.0, 0.25)
    inside = depth(head, np.stack([np.full_like(y, x), y, np.full_like(y, z)], 1)) < 0
    return float(y[np.flatnonzero(inside)[-1]])


def test_primitives_have_the_distances_that_geometry_gives() -> None:
    one = np.float32([[[0.0]]])
    ball = sphere((0, 0, 0), 10)
    assert ball.distance(one + 13, one, one).item() == pytest.approx(3)
    assert ball.distance(one, one, one).item() == pytest.approx(-10, rel=1e-3)
    bar = round_cone((0, 0, 0), (10, 0, 0), 2, 2)
    assert bar.distance(one + 5, one + 6, one).item() == pytest.approx(4)
    egg = ellipsoid((0, 0, 0), (4, 8, 2), rotation(2, np.pi / 2))
    assert egg.distance(one + 8, one, one).item() == pytest.approx(0, abs=1e-5)
    assert np.allclose(egg.hi, [8, 4, 2])
    assert float(smooth_min(np.float32(3), np.float32(9), 5)) == 3


def test_a_union_changes_nothing_outside_its_box() -> None:
    field = Field((-30, -30, -30), (30, 30, 30), 2.0)
    field.fill(sphere((0, 0, 0), 12))
    before = field.phi.copy()
    field.union(sphere((14, 0, 0), 4), 3.0)
    changed = np.argwhere(field.phi != before) * 2.0 + field.origin_mm
    assert changed[:, 0].min() > 0
    assert field.phi.dtype == np.float32


def test_the_same_person_has_the_same_head_to_the_last_bit(heads: list[Head]) -> None:
    again = build_head(draw_person(SEEDS, 0), 2.0)
    assert again.phi.tobytes() == heads[0].phi.tobytes()


def test_a_head_is_inside_in_the_middle_and_outside_at_the_border(heads: list[Head]) -> None:
    for head in heads:
        assert depth(head, np.array([0.0, 0.0, 20.0]))[0] < -40
        phi = head.phi
        above_shoulders = phi[:, :, head.axes[2] > -140]
        for side in (above_shoulders[0], above_shoulders[-1], above_shoulders[:, 0], above_shoulders[:, -1]):
            assert side.min() > 0
        assert phi[:, :, -1].min() > 0
        assert phi[:, :, 0].min() < 0  # the neck is cut by the grid


def test_a_head_is_one_piece(heads: list[Head]) -> None:
    for head in heads:
        assert label(head.phi < 0)[1] == 1


def test_landmarks_lie_on_the_skin(heads: list[Head]) -> None:
    for head in heads:
        marks = head.person.landmarks_mm()
        for name, point in marks.items():
            if not name.startswith("eye"):
                assert abs(depth(head, point)[0]) < 4.5, name
        for centre in (marks["eye_left"], marks["eye_right"]):
            assert -15 < depth(head, centre)[0] < -9


def test_eyes_ears_and_levels_are_handed_on(heads: list[Head]) -> None:
    head = heads[0]
    assert [c.shape for c in head.eye_centres] == [(3,), (3,)]
    assert head.eye_centres[0][0] < 0 < head.eye_centres[1][0]
    assert set(head.levels) == {"tip_z", "sub_z", "sto_z", "chin_z", "ment_z"}
    ears = np.argwhere((head.phi < 0) & (head.phi_without_ears > 0)) * head.spacing_mm + head.origin_mm
    assert np.abs(ears[:, 0]).min() > 45
    assert (ears[:, 0] > 0).any()
    assert (ears[:, 0] < 0).any()
    assert float(head.profile(-30.0)) == pytest.approx(92, abs=12)
    mouth = head.lip(np.float32([0.0]), np.float32([head.levels["sto_z"] + 3.0]))
    assert 0 < mouth.t_upper[0] < 1
    assert mouth.out_mm[0] > 1


def test_a_mirrored_person_has_the_mirrored_head(heads: list[Head]) -> None:
    mirrored = build_head(heads[1].person.mirrored(), 2.0)
    near = np.abs(heads[1].phi) < 5  # deep inside, the order of the two sockets leaves a trace
    assert np.abs(mirrored.phi[::-1] - heads[1].phi)[near].max() < 0.05


def test_there_are_no_seams_across_the_cheeks(heads: list[Head]) -> None:
    # A box that is too tight leaves a straight line at one height; a jump in the third difference shows it.
    for head in heads[:4]:
        field = Field((-80, 40, -95), (80, 76, 20), 1.0)
        for feature in FEATURES:
            feature(field, head.geometry)
        x = np.abs(field.axes[0]) > 32
        cheeks = (np.abs(field.phi) < 1.5)[:, :, 1:-2] & x[:, None, None]
        bend = np.where(cheeks, np.abs(np.diff(field.phi, 3, axis=2)), 0).sum(axis=(0, 1))
        by_height = bend / np.maximum(cheeks.sum(axis=(0, 1)), 20)
        assert by_height.max() < 0.03


def test_a_slice_of_the_field_is_continuous_from_feature_to_feature(heads: list[Head]) -> None:
    # A box that is too tight would leave a step in phi; a distance changes by at most its step length.
    for head in heads:
        near = np.abs(head.phi) < 4
        for axis in range(3):
            step = np.abs(np.diff(head.phi, axis=axis))
            skin = np.take(near, range(near.shape[axis] - 1), axis)
            assert np.quantile(step[skin], 0.999) < 1.7 * head.spacing_mm


@pytest.mark.slow
def test_coarse_and_fine_grids_show_the_same_forehead(heads: list[Head]) -> None:
    fine = build_head(heads[2].person, 1.0)
    for x in (-30.0, 0.0, 30.0):
        for z in (40.0, 60.0):
            assert abs(skin_y(fine, x, z) - skin_y(heads[2], x, z)) < 0.5


def test_open_eyes_and_a_smile_change_the_face_and_leave_the_skull(heads: list[Head]) -> None:
    rest = build_head(heads[3].person, 2.0, eyes_open=1.0, box="photo")
    smile = build_head(heads[3].person, 2.0, eyes_open=1.0, box="photo", expression=Expression(smile=1.0))
    moved = np.abs(smile.phi - rest.phi) > 0.05
    where = np.argwhere(moved & (np.abs(rest.phi) < 3)) * 2.0 + rest.origin_mm
    assert len(where) > 100
    assert where[:, 2].max() < 0  # nothing above the eyes
    assert where[:, 1].min() > 0  # nothing behind the ears
    eye = rest.eye_centres[1] + [0, 12.6, 0]
    assert depth(rest, eye)[0] > depth(heads[3], eye)[0]


def test_age_lengthens_ears_and_thins_lips() -> None:
    def aged(person: Person, name: str) -> float:
        return person.shape[name]

    young = [p for p in (draw_person(SEEDS, i) for i in range(80)) if p.age_years < 40]
    old = [p for p in (draw_person(SEEDS, i) for i in range(80)) if p.age_years > 65]
    for name, sign in (("ear_l", 1), ("lipU", -1), ("nlf", 1), ("bag", 1), ("hollow", 1)):
        change = np.mean([aged(p, name) for p in old]) - np.mean([aged(p, name) for p in young])
        assert sign * change > 0, name


def test_every_feature_alone_changes_only_the_field_it_is_given() -> None:
    from medveil.simulate.features.geometry import Geometry

    geometry = Geometry(draw_person(SEEDS, 2))
    base = Field((-104, -122, -150), (104, 138, 142), 4.0)
    FEATURES[0](base, geometry)
    for feature in FEATURES[1:]:
        field = Field((-104, -122, -150), (104, 138, 142), 4.0)
        field.phi[...] = base.phi
        feature(field, geometry)
        assert np.isfinite(field.phi).all(), feature.__name__
        assert field.phi.dtype == np.float32
