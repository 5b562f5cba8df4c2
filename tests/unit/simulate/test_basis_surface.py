"""From a cage of triangles to a signed distance: subdivision, caps, flat ears, nearest points."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import InputRefused
from medveil.simulate.basis import surface as module
from medveil.simulate.basis.mesh_field import MeshField
from medveil.simulate.basis.model import Model, read_basis
from medveil.simulate.basis.surface import _holes, _loop
from medveil.simulate.field import Field

from .basis_heads import write


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return read_basis(write(tmp_path_factory.mktemp("basis") / "head.npz")).model


OCTAHEDRON = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
OCTAHEDRON_FACES = np.array(
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
)


def test_loops_rules_on_an_octahedron_by_hand() -> None:
    matrix, faces = _loop(OCTAHEDRON_FACES, 6)
    points = matrix @ OCTAHEDRON
    assert len(points) == 6 + 12
    assert len(faces) == 4 * 8
    assert np.allclose(matrix.sum(axis=1), 1)
    # Valence 4: beta = (5/8 - (3/8 + cos(90)/4)^2) / 4 = 31/256; the neighbours of (1,0,0) sum to 0.
    assert points[0] == pytest.approx([1 - 4 * 31 / 256, 0, 0])
    # The edge from (1,0,0) to (0,1,0): 3/8 of both ends; the opposite corners (0,0,1), (0,0,-1) cancel.
    assert np.any(np.all(np.isclose(points, [0.375, 0.375, 0]), axis=1))


def test_loops_rule_for_three_neighbours_by_hand() -> None:
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    matrix, _ = _loop(tetrahedron, 4)
    # beta = (5/8 - (3/8 + cos(120)/4)^2) / 3 = (5/8 - 1/16) / 3 = 3/16
    assert matrix.toarray()[0] == pytest.approx([7 / 16, 3 / 16, 3 / 16, 3 / 16])


def test_subdivision_keeps_a_surface_closed_and_its_winding() -> None:
    _, faces = _loop(OCTAHEDRON_FACES, 6)
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    there = {(int(a), int(b)) for a, b in edges}
    assert len(there) == len(edges)
    assert {(b, a) for a, b in there} == there


def test_holes_are_found_in_order_round_their_rim() -> None:
    (rim,) = _holes(OCTAHEDRON_FACES[:4])
    assert sorted(rim.tolist()) == [0, 1, 2, 3]
    pairs = set(zip(rim.tolist(), np.roll(rim, -1).tolist(), strict=True))
    edges = OCTAHEDRON_FACES[:4][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    assert pairs <= {(int(a), int(b)) for a, b in edges}
    assert _holes(OCTAHEDRON_FACES) == []
    with pytest.raises(InputRefused, match="not one surface"):
        _holes(np.concatenate([OCTAHEDRON_FACES, OCTAHEDRON_FACES[:1]]))


def test_the_closed_skin_has_no_rim_and_its_normals_point_out(model: Model) -> None:
    surface = model.surface
    assert _holes(surface.faces) == []
    points, normals, near = surface.points(model.mean[: model.layout.skin].astype(float))
    middle = points[np.abs(points[:, 2]) < 40].mean(axis=0)
    crown = points[:, 2] > 60
    assert (((points - middle) * normals).sum(axis=1)[crown] > 0).all()
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
    assert 0.2 < np.median(near) < 2.5


def test_the_neck_goes_on_below_every_grid(model: Model) -> None:
    surface, skin = model.surface, model.mean[: model.layout.skin].astype(float)
    cage = surface.close @ skin + surface.shift
    assert cage[:, 2].min() == pytest.approx(
        skin[:, 2].min() - module.NECK_RINGS * module.NECK_STEP_MM, abs=0.1
    )


def test_ears_are_found_and_pressed_flat_and_nothing_else_moves(model: Model) -> None:
    surface, skin = model.surface, model.mean[: model.layout.skin].astype(float)
    flat = surface.without_ears(skin)
    moved = np.flatnonzero(np.linalg.norm(flat - skin, axis=1) > 1e-9)
    assert set(moved) <= set(surface.ears)
    tip = int(np.argmax(skin[:, 0]))
    assert tip in surface.ears
    assert skin[tip, 0] - flat[tip, 0] > 8.0
    # A soap film has no bulge: the head without ears is no wider than what surrounds the ears.
    rest = np.setdiff1d(np.arange(len(skin)), surface.ears)
    assert np.abs(flat[surface.ears, 0]).max() <= np.abs(skin[rest, 0]).max() + 1e-6


def ball(radius: float, n: int = 12000) -> MeshField:
    k = np.arange(n) + 0.5
    z, turn = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
    unit = np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], axis=1)
    near = np.sqrt(4 * np.pi * radius**2 / n)
    return MeshField(radius * unit + [3.0, 0.0, -2.0], unit, np.full(n, 0.6 * near))


@pytest.mark.parametrize("spacing_mm", [1.0, 1.5, 2.0])
def test_a_ball_of_points_has_the_distance_of_a_ball(spacing_mm: float) -> None:
    field = Field((-60, -60, -60), (60, 60, 60), spacing_mm)
    ball(40.0).write(field)
    x, y, z = field.coordinates()
    exact = np.sqrt((x - 3) ** 2 + y**2 + (z + 2) ** 2) - 40.0
    off = np.abs(field.phi - exact)
    assert off[np.abs(exact) < 2.0].max() < 0.1
    assert off[np.abs(exact) < 2.0].mean() < 0.02
    assert off[np.abs(exact) < 12.0].max() < 0.8
    assert off[exact > -20].max() < 2.0
    assert (np.sign(field.phi) == np.sign(exact))[np.abs(exact) > 0.1].all()


def test_a_thin_plate_has_two_sides_and_an_edge() -> None:
    """3 mm thick, as an ear is; beyond its edge the planes of its sides would say that one is inside."""
    side = np.arange(-20.0, 20.5, 0.5)
    x, y = (a.ravel() for a in np.meshgrid(side, side))
    top = np.stack([x, y, np.full_like(x, 1.5)], axis=1)
    edge, z = (a.ravel() for a in np.meshgrid(side, [-1.0, -0.5, 0.0, 0.5, 1.0]))
    walls = []
    for sign in (1.0, -1.0):
        at = np.full_like(edge, 20.0 * sign)
        walls += [(np.stack([at, edge, z], 1), [sign, 0, 0]), (np.stack([edge, at, z], 1), [0, sign, 0])]
    parts = [(top, [0, 0, 1.0]), (top * [1, 1, -1], [0, 0, -1.0]), *walls]
    points = np.concatenate([p for p, _ in parts])
    normals = np.concatenate([np.tile(np.array(n, float), (len(p), 1)) for p, n in parts])
    field = Field((-30, -30, -12), (30, 30, 12), 1.0)
    MeshField(points, normals, np.full(len(points), 0.3)).write(field)
    x, y, z = (a.astype(float) for a in field.coordinates())
    over = [np.abs(x) - 20, np.abs(y) - 20, np.abs(z) - 1.5]
    outside = np.sqrt(sum(np.maximum(o, 0) ** 2 for o in over))
    exact = outside + np.minimum(np.maximum(np.maximum(over[0], over[1]), over[2]), 0)
    near = np.abs(exact) < 2.0
    assert np.percentile(np.abs(field.phi - exact)[near], 99) < 0.45  # at the corners, where sides meet
    assert np.abs(field.phi - exact)[near].mean() < 0.05
    assert (np.sign(field.phi) == np.sign(exact))[np.abs(exact) > 0.4].all()


def test_a_head_is_its_own_mirror_image_of_its_mirrored_points(model: Model) -> None:
    points, normals, near = model.surface.points(model.mean[: model.layout.skin].astype(float))
    out = np.array([-1.0, 1.0, 1.0])
    one, two = (Field((-100, -80, -60), (100, 120, 100), 4.0) for _ in range(2))
    MeshField(points, normals, near).write(one)
    MeshField(points * out, normals * out, near).write(two)
    near_skin = np.abs(one.phi) < 8
    assert np.abs(one.phi - two.phi[::-1])[near_skin].max() < 0.5
