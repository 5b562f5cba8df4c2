"""A scan carries its truth; a rescan is another day of the same person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from medveil.core.seeds import Seeds
from medveil.simulate.head import Head, build_head
from medveil.simulate.person import draw_person
from medveil.simulate.placing import draw_pose
from medveil.simulate.scan import Scan, Scanner, scan
from medveil.simulate.tissues import Tissue

SEEDS = Seeds(11)
PERSON = draw_person(SEEDS, 0)


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(PERSON, 2.0)


@pytest.fixture(scope="module")
def rough() -> Head:
    return build_head(PERSON, 4.0)


@pytest.fixture(scope="module")
def plain(head: Head) -> Scan:
    return scan(PERSON, SEEDS, head=head)


@pytest.fixture(scope="module")
def ct(head: Head) -> Scan:
    return scan(PERSON, SEEDS, head=head, scanner=Scanner("CT", noise=2.0))


def test_the_image_is_whole_numbers_with_slope_one(plain: Scan) -> None:
    image = plain.image
    assert image.data.dtype == np.int16
    assert (image.slope, image.intercept) == (1.0, 0.0)
    assert image.spacing_mm == (2.0, 2.0, 2.0)
    assert plain.brain_mask.shape == image.data.shape == plain.labels.shape


def test_the_same_visit_gives_the_same_bytes_with_or_without_a_head_at_hand(plain: Scan) -> None:
    again = scan(PERSON, SEEDS)
    assert again.image.data.tobytes() == plain.image.data.tobytes()
    assert again.pose.tobytes() == plain.pose.tobytes()


def test_a_rescan_is_another_day_of_the_same_head(plain: Scan, head: Head) -> None:
    other = scan(PERSON, SEEDS, head=head, visit=1)
    assert np.abs(other.pose - plain.pose).max() > 0.1
    assert (other.image.data != plain.image.data).mean() > 0.5
    # Carried back into the head's frame by its own pose, each visit sees the same skin.
    points = np.argwhere(np.abs(head.phi) < 0.3)[::50] * head.spacing_mm + head.origin_mm
    points = points[points[:, 2] > -60]
    outward = np.sign(points - [0, 10, 10]) * 6.0
    for visit in (plain, other):
        inside, outside = (seen_at(visit, points + k * outward) for k in (-0.5, 1.0))
        assert np.median(inside) > 5 * np.median(outside)


def to_mm(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def seen_at(scan_: Scan, head_mm: np.ndarray) -> np.ndarray:
    scanner_mm = head_mm @ scan_.pose[:3, :3].T + scan_.pose[:3, 3]
    to_voxel = np.linalg.inv(scan_.image.affine)
    at = scanner_mm @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    return np.asarray(map_coordinates(scan_.image.values(), at.T, order=1))


def test_the_pose_is_rigid_and_its_inverse_brings_points_back() -> None:
    pose = draw_pose(np.random.default_rng(0), 6.0, 3.0)
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    points = np.array([[0.0, 90, -30, 1], [40, 0, 60, 1]])
    assert np.allclose(points @ pose.T @ np.linalg.inv(pose).T, points)


def test_the_pose_leads_from_the_eye_of_the_head_to_the_eye_in_the_scan(plain: Scan, head: Head) -> None:
    eyes = np.argwhere(plain.labels == Tissue.EYE)
    eyes_mm = eyes @ plain.image.affine[:3, :3].T + plain.image.affine[:3, 3]
    truth = np.mean(head.eye_centres, axis=0)
    assert np.linalg.norm(eyes_mm.mean(axis=0) - (plain.pose[:3, :3] @ truth + plain.pose[:3, 3])) < 3


def test_the_truths_of_a_scan_agree_with_each_other(plain: Scan) -> None:
    inside = plain.labels[plain.brain_mask]
    assert np.isin(inside, (Tissue.GREY, Tissue.WHITE, Tissue.CSF)).mean() > 0.97
    seen = plain.image.data
    head_level = np.median(seen[plain.labels == Tissue.FAT])
    assert np.median(seen[plain.labels == Tissue.AIR]) < 0.05 * head_level


def test_contrasts_of_one_visit_share_their_pose(plain: Scan, ct: Scan) -> None:
    assert np.array_equal(ct.pose, plain.pose)
    assert np.array_equal(ct.labels, plain.labels)


def test_ct_is_in_hounsfield_units(ct: Scan) -> None:
    seen = {t: float(np.median(ct.image.data[ct.labels == t])) for t in Tissue}
    assert seen[Tissue.AIR] == pytest.approx(-1000, abs=15)
    assert 15 < seen[Tissue.GREY] < 60
    assert -15 < seen[Tissue.CSF] < 60
    assert 20 < seen[Tissue.MUSCLE] < 70
    assert seen[Tissue.FAT] < 20
    assert seen[Tissue.BONE] > 500
    assert ct.image.data.min() >= -1024


def test_tracer_gathers_in_the_brain(head: Head) -> None:
    pet = scan(PERSON, SEEDS, head=head, scanner=Scanner("pet"))
    inside = np.median(pet.image.data[pet.brain_mask])
    assert inside > 3 * np.median(pet.image.data[pet.labels == Tissue.MUSCLE])
    assert inside > 3 * np.median(pet.image.data[pet.labels == Tissue.SKIN])


def test_voxels_may_be_longer_along_one_axis(head: Head) -> None:
    thick = scan(PERSON, SEEDS, head=head, scanner=Scanner(spacing_mm=(2.0, 2.0, 5.0)))
    assert thick.image.spacing_mm == (2.0, 2.0, 5.0)
    assert thick.image.data.shape[2] < 60
    assert 900 < thick.brain_mask.sum() * 20 / 1000 < 1750


def test_cropping_cuts_the_view_and_nothing_else(head: Head, plain: Scan) -> None:
    cut = scan(
        PERSON,
        SEEDS,
        head=head,
        scanner=Scanner(crop_below_mm=-71.0, crop_top_mm=90.0, crop_front_mm=96.0),
    )
    lo = cut.image.affine[:3, 3]
    hi = lo + np.array(cut.image.data.shape) * 2.0
    assert lo[2] == -71.0
    assert hi[2] <= 92.0
    assert hi[1] <= 98.0
    assert np.array_equal(cut.pose, plain.pose)


def test_noise_bias_and_ghosts_are_settings(head: Head) -> None:
    clear = scan(PERSON, SEEDS, head=head, scanner=Scanner(noise=0.1, bias=0.0))
    ghost = scan(PERSON, SEEDS, head=head, scanner=Scanner(noise=0.1, bias=0.0, ghost=0.2))
    air = clear.labels == Tissue.AIR
    assert clear.image.data[air].mean() < 15
    assert ghost.image.data[air].mean() > 2 * clear.image.data[air].mean()


@pytest.mark.parametrize(
    "settings",
    [
        {"contrast": "x-ray"},
        {"spacing_mm": 0.0},
        {"spacing_mm": (1.0, 1.0, -1.0)},
        {"size": 0.0},
        {"storage": "RAR"},
        {"volumes": 0},
        {"wrap_mm": -1.0},
        {"table": True},
        {"contrast": "pet", "metal_mm": 10.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Scanner(**settings)  # type: ignore[arg-type]


def test_every_volume_of_a_series_has_its_own_pose_and_the_first_has_the_scans(rough: Head) -> None:
    moving = Scanner("bold", spacing_mm=4.0, volumes=3, motion_mm=6.0, motion_deg=6.0)
    series = scan(PERSON, SEEDS, head=rough, scanner=moving)
    single = scan(PERSON, SEEDS, head=rough, scanner=replace(moving, volumes=1))
    assert series.image.data.shape == (*single.image.data.shape, 3)
    assert np.array_equal(series.image.data[..., 0], single.image.data)
    assert np.array_equal(series.poses[0], series.pose)
    # Fluid is the brightest there is: each volume's pose finds it where the head has it, another's does not.
    fluid = np.argwhere(single.labels == Tissue.CSF)[::5]
    head_mm = to_mm(np.linalg.inv(single.pose), to_mm(single.image.affine, fluid))
    for t in (1, 2):
        volume = series.image.with_data(series.image.data[..., t])
        right, wrong = (
            seen_at(replace(series, image=volume, pose=pose), head_mm).mean()
            for pose in (series.poses[t], series.pose)
        )
        assert right > 1.08 * wrong


def test_a_wrapped_face_leaves_in_front_and_comes_in_behind(rough: Head) -> None:
    clear = Scanner(spacing_mm=4.0, noise=0.1, bias=0.0)
    whole = scan(PERSON, SEEDS, head=rough, scanner=clear)
    folded = scan(PERSON, SEEDS, head=rough, scanner=replace(clear, wrap_mm=20.0))
    n = folded.image.data.shape[1]
    assert n < whole.image.data.shape[1]
    behind = folded.image.data[:, :5].astype(int) - whole.image.data[:, :5]
    in_front = whole.image.data[:, n : n + 5]
    assert in_front.max() > 300
    assert np.corrcoef(behind.ravel(), in_front.ravel())[0, 1] > 0.99
    assert np.array_equal(folded.labels, whole.labels[:, :n])


def test_shoulders_come_into_a_view_that_reaches_down_to_them() -> None:
    body = scan(PERSON, SEEDS, scanner=Scanner(spacing_mm=4.0, shoulders=True))
    wide = (body.labels > 0).any(axis=1).sum(axis=0) * 4.0
    assert wide[5] > 330
    assert wide[len(wide) // 2 :].max() < 240


def test_a_couch_lies_behind_the_head_and_is_no_part_of_it(rough: Head) -> None:
    plain, couch = (
        scan(PERSON, SEEDS, head=rough, scanner=Scanner("CT", spacing_mm=4.0, noise=0.5, table=table))
        for table in (False, True)
    )
    thing = (couch.image.data > -300) & (couch.labels == Tissue.AIR)
    back = np.argwhere(plain.labels > 0)[:, 1].min() + couch.image.data.shape[1] - plain.image.data.shape[1]
    assert thing[:, :back].sum() > 2000
    assert (couch.labels > 0).sum() == (plain.labels > 0).sum()


@pytest.mark.parametrize("contrast", ["T1w", "CT", "bold"])
def test_metal_harms_the_mouth_and_spares_the_brain(rough: Head, contrast: str) -> None:
    clear = Scanner(contrast, spacing_mm=4.0)  # type: ignore[arg-type]
    plain, metal = (
        scan(PERSON, SEEDS, head=rough, scanner=replace(clear, metal_mm=mm)) for mm in (0.0, 15.0)
    )
    changed = np.abs(metal.image.data.astype(int) - plain.image.data) > 40
    assert changed.sum() > 100
    assert not changed[plain.brain_mask].any()


def test_a_crop_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="crop"):
        Scanner(crop_below_mm=100.0, crop_top_mm=90.0).view_mm()


def test_a_scan_prints_its_grid_and_no_person(plain: Scan) -> None:
    assert repr(plain) == f"Scan({plain.image!r})"
