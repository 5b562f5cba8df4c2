"""However a head lies and however its volume is stored, the truth of the scan stays true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medveil.core.seeds import Seeds
from medveil.simulate.head import Head, build_head
from medveil.simulate.person import draw_person
from medveil.simulate.placing import rigid, stored_as
from medveil.simulate.scan import Scan, Scanner, scan
from medveil.simulate.scanner import STORAGES
from medveil.simulate.tissues import Tissue

SEEDS = Seeds(11)
PERSON = draw_person(SEEDS, 0)
UPRIGHT = Scanner(spacing_mm=4.0)


@pytest.fixture(scope="module")
def body() -> Head:
    return build_head(PERSON, 3.0, box="body")


@pytest.fixture(scope="module")
def upright(body: Head) -> Scan:
    return scan(PERSON, SEEDS, head=body, scanner=UPRIGHT)


def centre_in_head_mm(seen: Scan, mask: np.ndarray) -> np.ndarray:
    back = np.linalg.inv(seen.pose) @ seen.image.affine
    return np.asarray(np.argwhere(mask).mean(axis=0) @ back[:3, :3].T + back[:3, 3])


@pytest.mark.parametrize(
    "settings",
    [
        {"turn_deg": (30.0, 0.0, 0.0)},
        {"turn_deg": (-40.0, 10.0, 20.0)},
        {"turn_deg": (0.0, 0.0, 75.0)},
        {"move_mm": (40.0, -300.0, 120.0)},
        {"oblique_deg": (25.0, -5.0, 15.0)},
        {"size": 0.75},
        {"storage": "PIR"},
        {"spacing_mm": (3.0, 4.0, 6.0), "storage": "ASL", "oblique_deg": (0.0, 20.0, 0.0)},
        {"turn_deg": (20.0, 0.0, 0.0), "move_mm": (0.0, 50.0, 0.0), "size": 1.1, "storage": "LPI"},
    ],
    ids=str,
)
def test_brain_and_eyes_stay_where_the_pose_says(
    body: Head, upright: Scan, settings: dict[str, object]
) -> None:
    seen = scan(PERSON, SEEDS, head=body, scanner=replace(UPRIGHT, **settings))  # type: ignore[arg-type]
    assert seen.brain_mask.shape == seen.labels.shape == seen.image.data.shape
    brain = [centre_in_head_mm(s, s.brain_mask) for s in (seen, upright)]
    assert np.abs(brain[0] - brain[1]).max() < 0.4
    eyes = centre_in_head_mm(seen, np.isin(seen.labels, (Tissue.EYE, Tissue.LENS)))
    assert np.linalg.norm(eyes - np.mean(body.eye_centres, axis=0)) < 2.0
    size = np.linalg.det(seen.pose[:3, :3])
    millilitres = [s.brain_mask.sum() * np.prod(s.image.spacing_mm) for s in (seen, upright)]
    assert millilitres[0] == pytest.approx(millilitres[1] * size, rel=0.02)
    # The grey levels lie where the labels are: matter is bright where the mask says brain.
    assert np.median(seen.image.data[seen.brain_mask]) > 2 * np.median(seen.image.data)


@pytest.mark.parametrize("turn", [(45.0, 0.0, 0.0), (-45.0, 0.0, 0.0), (0.0, 40.0, 0.0), (0.0, 0.0, 90.0)])
def test_the_view_grows_until_it_holds_a_turned_head(body: Head, turn: tuple[float, float, float]) -> None:
    seen = scan(PERSON, SEEDS, head=body, scanner=replace(UPRIGHT, turn_deg=turn))
    skin = np.argwhere(np.abs(body.phi) < 2.0) * body.spacing_mm + body.origin_mm
    skin = skin[skin[:, 2] > body.levels["ment_z"]]
    to_voxel = np.linalg.inv(seen.image.affine) @ seen.pose
    at = skin @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    assert (at > 0).all()
    assert (at < np.array(seen.image.data.shape) - 1).all()
    angles = seen.pose[:3, :3] @ np.array([0.0, 1.0, 0.0])
    assert np.degrees(np.arcsin(angles[2])) == pytest.approx(turn[0], abs=1e-6)


def test_a_crop_still_crops_a_turned_head_and_follows_a_moved_one(body: Head) -> None:
    settings = replace(UPRIGHT, crop_top_mm=60.0)
    turned = scan(PERSON, SEEDS, head=body, scanner=replace(settings, turn_deg=(20.0, 0.0, 0.0))).image
    moved = scan(PERSON, SEEDS, head=body, scanner=replace(settings, move_mm=(0.0, 0.0, 500.0))).image
    top = [image.affine[2, 3] + 4.0 * image.data.shape[2] for image in (turned, moved)]
    assert top == pytest.approx([60.0, 560.0], abs=4.0)


def test_all_48_storages_show_the_same_world() -> None:
    from nibabel.orientations import aff2axcodes

    assert len(set(STORAGES)) == 48
    data = np.arange(3 * 4 * 5 * 2).reshape(3, 4, 5, 2)
    oblique = rigid(np.array([10.0, -20.0, 5.0]), np.array([1.0, 2.0, 3.0])) @ np.diag([2.0, 3.0, 4.0, 1.0])
    spots = np.argwhere(np.ones((3, 4, 5), bool))
    world = spots @ oblique[:3, :3].T + oblique[:3, 3]
    for storage in STORAGES:
        stored, affine = stored_as(data, oblique, storage)
        assert "".join(aff2axcodes(affine)) == storage
        back = np.linalg.inv(affine)
        at = np.rint(world @ back[:3, :3].T + back[:3, 3]).astype(int)
        assert np.array_equal(stored[tuple(at.T)], data[tuple(spots.T)])


def test_storage_changes_the_order_of_a_scan_and_nothing_else(body: Head, upright: Scan) -> None:
    other = scan(PERSON, SEEDS, head=body, scanner=replace(UPRIGHT, storage="SLP"))
    for mine, theirs in zip(
        (upright.image.data, upright.labels, upright.brain_mask),
        (other.image.data, other.labels, other.brain_mask),
        strict=True,
    ):
        assert np.array_equal(mine, theirs[:, ::-1, ::-1].transpose(1, 2, 0))
