"""A head that moves during a series is covered in every volume, and its brain is kept in every volume."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.core.seeds import Seeds
from medveil.locate.head import Location
from medveil.protect.deface import method
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.method import Change
from medveil.protect.deface.motion import displacement_mm, farthest_mm, movements, over_all
from medveil.protect.deface.site import Site
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, scan

VOLUMES = 10


@pytest.fixture(scope="module")
def series() -> Scan:
    """A restless person: 3 mm and 3 degrees (standard deviations) from volume to volume."""
    scanner = Scanner(contrast="bold", spacing_mm=3.5, volumes=VOLUMES, motion_mm=3.0, motion_deg=3.0)
    return scan(draw_person(Seeds(17), 1), Seeds(17), scanner=scanner)


@pytest.fixture(scope="module")
def moves(series: Scan) -> tuple[np.ndarray, ...]:
    return movements(series.image)


def _true_move(series: Scan, volume: int) -> np.ndarray:
    """(4, 4) RAS mm in the first volume to RAS mm in another one."""
    return series.poses[volume] @ np.linalg.inv(series.poses[0])


def _where(mask: Mask, series: Scan, volume: int) -> tuple[np.ndarray, ...]:
    """Voxels to which the marked voxels of the first volume have moved, those still in view."""
    affine = series.image.affine
    to_voxel = np.linalg.inv(affine) @ _true_move(series, volume) @ affine
    at = np.round(np.argwhere(mask) @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(int)
    at = at[((at >= 0) & (at < mask.shape)).all(1)]
    return tuple(at.T)


def _nose(series: Scan) -> Mask:
    """Tissue of the first volume in the foremost 15 mm of the head."""
    tissue = series.labels > 0
    front = np.flatnonzero(tissue.any((0, 2))).max()
    out = np.zeros_like(tissue)
    near = front - round(15 / series.image.spacing_mm[1])
    out[:, near:] = tissue[:, near:]
    return out


def test_movements_between_volumes_are_found_to_a_fraction_of_a_voxel(
    series: Scan, moves: tuple[np.ndarray, ...]
) -> None:
    centre = series.pose[:3, 3]
    wrong = [
        displacement_mm(np.linalg.inv(moves[v] @ np.linalg.inv(moves[0])) @ _true_move(series, v), centre)
        for v in range(VOLUMES)
    ]
    assert max(wrong) < 1.0
    assert max(displacement_mm(_true_move(series, v), centre) for v in range(VOLUMES)) > 8.0


def test_a_still_head_does_not_move(series: Scan) -> None:
    noise = np.random.default_rng(3).normal(0, 4, (*series.image.data.shape[:3], 4))
    still = series.image.data[..., :1] + np.round(noise).astype(np.int16)
    moves = movements(Image(still, series.image.affine))
    assert all((m == np.eye(4)).all() for m in moves)
    assert farthest_mm(moves, series.image) == 0


def test_an_empty_volume_moves_nothing(series: Scan) -> None:
    data = series.image.data.copy()
    data[..., 4] = 0
    moves = movements(series.image.with_data(data))
    assert len(moves) == VOLUMES


def test_a_volume_that_fits_nowhere_refuses_the_series(series: Scan) -> None:
    data = series.image.data.copy()
    data[..., 9] = np.random.default_rng(1).integers(0, 800, data.shape[:3])
    with pytest.raises(Refusal) as caught:
        movements(series.image.with_data(data))
    assert caught.value.reason == "motion not trusted"


def test_a_mask_that_reaches_the_border_still_does_after_it_moved() -> None:
    mask = np.zeros((20, 24, 18), bool)
    mask[:, 16:] = True
    back, turned = np.eye(4), np.eye(4)
    back[1, 3] = -9.0
    turned[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    out = over_all(mask, np.diag([3.0, 3.0, 3.0, 1.0]), (back, turned))
    assert out[:, 13:].all()
    assert not out[:, 12].all()


def _true_place(series: Scan) -> Location:
    from medveil.simulate.brain import brain_affine

    affine = series.pose @ brain_affine(draw_person(Seeds(17), 1))
    return Location(affine, {}, "mr", {})


def test_erasing_covers_the_nose_and_keeps_the_brain_in_every_volume(
    series: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(method, "locate", lambda image, modality, given: _true_place(series))
    out = Erase().apply(series.image)
    assert out.measured["motion_max_mm"] > 5
    one = Erase().apply(series.image.with_data(series.image.data[..., 0]))
    assert (out.altered & ~one.altered).any()
    for volume in range(VOLUMES):
        assert out.altered[_where(_nose(series), series, volume)].mean() > 0.995
        assert not out.altered[_where(series.brain_mask, series, volume)].any()
        assert out.protected[_where(series.brain_mask, series, volume)].all()
        changed = out.image.data[..., volume] != series.image.data[..., volume]
        assert not changed[~out.altered].any()


def test_what_motion_adds_to_a_pasted_face_is_air(series: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    from medveil.protect.deface.erase import Erase

    def paste(step: Erase, site: Site) -> Change:
        altered = np.zeros(site.shape, bool)
        altered[8:12, -12:-6, 8:12] = True
        return Change(altered, np.where(altered, 500.0, -1.0).astype(np.float32))

    monkeypatch.setattr(method, "locate", lambda image, modality, given: _true_place(series))
    monkeypatch.setattr(Erase, "change", paste)
    out = Erase().apply(series.image)
    found = np.unique(out.image.data[out.altered])
    assert set(found.tolist()) == {500, int(series.image.values().min())}


def test_that_air_is_read_from_kept_voxels_alone(series: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    """`deface.replace` promises that nothing is read from where another face goes, how dark it is included."""
    region = np.zeros(series.image.data.shape[:3], bool)
    region[8:12, -12:-6, 8:12] = True
    data = series.image.data + np.int16(100)
    data[region] = 0
    pasted = Change(region, np.full(region.shape, 500.0, np.float32))
    monkeypatch.setattr(method, "locate", lambda image, modality, given: _true_place(series))
    monkeypatch.setattr(Erase, "change", lambda step, site: pasted)
    out = Erase().apply(series.image.with_data(data))
    assert (out.altered & ~region).any()
    least = int(data[~out.altered].min())
    assert least >= 100
    assert set(np.unique(out.image.data[out.altered]).tolist()) == {500, least}
