"""The skin of an egg whose every point is known, on grids of all kinds, and volumes that hold no head."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.reidentify import surface
from medveil.attack.reidentify.grid import head_grid
from medveil.attack.reidentify.surface import NOBODY, face_surface, find_head
from medveil.core.image import Image

from .heads import box, egg, flipped, surface_error_mm, turn

# The level lies below the middle of the step from air to skin, so the surface lies a little outside everywhere;
# that shift is the same for everybody. What must be small is how much it varies.
SHIFT_VOXELS, SPREAD_VOXELS = 0.55, 0.3


def judge(image: Image, voxel_mm: float) -> None:
    error = surface_error_mm(face_surface(image).vertices) / voxel_mm
    assert 0 <= error.mean() < SHIFT_VOXELS
    assert np.percentile(np.abs(error - error.mean()), 95) < SPREAD_VOXELS


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (3.0, 3.0, 3.0), (2.0, 2.0, 4.0)])
def test_the_surface_is_where_the_skin_is(spacing: tuple[float, float, float]) -> None:
    judge(egg(*box(spacing), nose=False), max(spacing))


@pytest.mark.parametrize(("pitch", "yaw"), [(12, 8), (-20, 0), (0, 35)])
def test_an_oblique_scan_gives_an_upright_head(pitch: float, yaw: float) -> None:
    affine, shape = box((2.0, 2.0, 2.0))
    judge(egg(turn(pitch, yaw) @ affine, shape, nose=False), 2.0)


@pytest.mark.parametrize(("axes", "order"), [((0,), (0, 1, 2)), ((1, 2), (2, 0, 1)), ((0, 1, 2), (1, 2, 0))])
def test_the_order_of_storage_does_not_matter(axes: tuple[int, ...], order: tuple[int, int, int]) -> None:
    plain = egg(*box((2.0, 2.0, 2.0)))
    other = face_surface(flipped(plain, axes, order))
    assert np.allclose(other.vertices, face_surface(plain).vertices, atol=1e-3)


def test_triangles_face_outwards() -> None:
    mesh = face_surface(egg(*box((2.0, 2.0, 2.0)), nose=False))
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    assert ((np.cross(b - a, c - a) * a).sum(axis=1) > 0).mean() > 0.99


def test_the_camera_aims_at_the_same_point_when_the_face_is_gone() -> None:
    affine, shape = box((2.0, 2.0, 2.0))
    whole = egg(affine, shape, noise=20)
    data = whole.data.copy()
    y = affine[1, 3] + 2.0 * np.arange(shape[1])
    z = affine[2, 3] + 2.0 * np.arange(shape[2])
    data[:, (y[:, None] > 45) & (z[None, :] < 20)] = 0
    before, after = find_head(whole), find_head(whole.with_data(data))
    assert np.allclose(before.focus_mm, after.focus_mm, atol=4.0)
    assert np.allclose(before.focus_mm[0], 0, atol=2.0)
    assert len(after.mesh.faces) > 1000


def test_a_crown_cut_by_the_field_of_view_is_allowed_for() -> None:
    affine, shape = box((2.0, 2.0, 2.0))
    whole = egg(affine, shape)
    cut = Image(whole.data[:, :, : shape[2] - 30], affine)  # 36 mm below the vertex
    assert abs(find_head(cut).focus_mm[2] - find_head(whole).focus_mm[2]) < 15


def test_a_series_is_averaged() -> None:
    affine, shape = box((4.0, 4.0, 4.0))
    one = egg(affine, shape)
    series = Image(np.stack([one.data, one.data], axis=3), affine)
    assert np.allclose(face_surface(series).vertices, face_surface(one).vertices)


def test_hounsfield_units_are_cut_at_the_skin() -> None:
    affine, shape = box((2.0, 2.0, 2.0))
    tissue = egg(affine, shape, nose=False)
    ct = Image((tissue.data.astype(np.int32) * 1060 // 1000 - 1000).astype(np.int16), affine)
    error = surface_error_mm(face_surface(ct).vertices) / 2.0
    assert np.abs(error).max() < 1.0


def test_a_small_scan_of_a_finer_grid_is_resampled_to_a_millimetre() -> None:
    affine, shape = box((2.0, 2.0, 2.0))
    fine = egg(affine @ np.diag([0.25, 0.25, 0.25, 1]), shape)
    grid = head_grid(fine)
    assert grid.spacing_mm == pytest.approx(1.0)
    world = grid.affine @ [0, 0, 0, 1]
    assert np.allclose(world[:3], affine[:3, 3])


@pytest.mark.parametrize(
    "data",
    [
        np.zeros((20, 20, 20), np.int16),
        np.full((20, 20, 20), 7, np.int16),
        np.full((20, 20, 20), np.nan, np.float32),
        np.full((1, 1, 1), 3.0, np.float32),
        np.pad(np.ones((9, 9, 9), np.float32), 9),
    ],
    ids=["empty", "constant", "not a number", "one voxel", "a speck"],
)
def test_a_volume_without_an_object_is_nobody(data: np.ndarray) -> None:
    assert find_head(Image(data, np.eye(4))) is NOBODY
    assert face_surface(Image(data, np.eye(4))).is_empty


def test_some_voxels_that_are_not_numbers_do_no_harm() -> None:
    affine, shape = box((2.0, 2.0, 2.0))
    data = egg(affine, shape).data.astype(np.float32)
    data[:4] = np.nan
    data[50, 60, 70] = np.inf
    judge(Image(data, affine), 2.0)


def test_noise_alone_gives_a_surface_or_nobody_but_no_error() -> None:
    noise = np.random.default_rng(0).normal(100, 30, (40, 40, 40)).astype(np.float32)
    find_head(Image(noise, np.eye(4)))


@pytest.mark.parametrize("shape", [(9, 8, 7), (1, 5, 5), (2, 2, 2)])
def test_erosion_is_that_of_scipy(shape: tuple[int, int, int]) -> None:
    from scipy.ndimage import binary_erosion

    mask = np.random.default_rng(0).random(shape) < 0.8
    assert np.array_equal(surface._eroded(mask), binary_erosion(mask, border_value=1))
