"""The truth about a face: each part lies where a person has it, on skin and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from medveil.core.seeds import Seeds
from medveil.simulate.face_parts import FacePart, face_parts
from medveil.simulate.head import Head
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, head_for, scan
from medveil.simulate.tissues import Tissue

SEEDS = Seeds(5)
PERSON = draw_person(SEEDS, 3, spread=1.3)
SCANNER = Scanner(spacing_mm=2.0)


@pytest.fixture(scope="module")
def head() -> Head:
    return head_for(PERSON, SCANNER)


@pytest.fixture(scope="module")
def seen(head: Head) -> Scan:
    return scan(PERSON, SEEDS, head=head, scanner=SCANNER)


def head_mm(seen: Scan, where: np.ndarray) -> np.ndarray:
    back = np.linalg.inv(seen.pose) @ seen.image.affine
    return np.asarray(np.argwhere(where) @ back[:3, :3].T + back[:3, 3])


def test_every_part_has_skin_and_all_of_it_borders_outside_air(head: Head, seen: Scan) -> None:
    parts = face_parts(head, seen)
    assert set(np.unique(parts)) == {0, *FacePart}
    near_air = binary_dilation(seen.labels == Tissue.AIR, np.ones((3, 3, 3), bool), iterations=2)
    assert near_air[parts > 0].all()
    assert not parts[seen.brain_mask].any()


def test_the_well_known_points_of_a_face_lie_on_the_parts_of_their_name(head: Head, seen: Scan) -> None:
    parts, points = face_parts(head, seen), PERSON.landmarks_mm()
    expected = {"nose_tip": FacePart.NOSE, "nasion": FacePart.NOSE, "stomion": FacePart.MOUTH}
    for name, part in expected.items():
        to_part = np.linalg.norm(head_mm(seen, parts == part) - points[name], axis=1)
        assert to_part.min() < 5.0, name
    for centre in head.eye_centres:
        lids = head_mm(seen, parts == FacePart.EYES)
        assert np.linalg.norm(lids - centre, axis=1).min() < 16.0
    for part in (FacePart.EARS, FacePart.CHEEKS, FacePart.EYES):
        x = head_mm(seen, parts == part)[:, 0]
        assert 0.35 < (x > 0).mean() < 0.65


def test_parts_have_the_area_of_parts_of_a_face_whatever_the_voxel(head: Head, seen: Scan) -> None:
    fine = np.bincount(face_parts(head, seen).ravel(), minlength=7)[1:] * 4.0
    coarse = scan(PERSON, SEEDS, head=head, scanner=replace(SCANNER, spacing_mm=4.0))
    rough = np.bincount(face_parts(head, coarse).ravel(), minlength=7)[1:] * 16.0
    assert (fine > 1500).all()
    assert (fine < 40000).all()
    # An ear is thinner than 4 mm: some of it has no voxel that is at least half ear.
    assert rough[:-1] == pytest.approx(fine[:-1], rel=0.25)


def test_the_cut_of_the_neck_and_of_the_view_are_no_skin(head: Head) -> None:
    cut = scan(PERSON, SEEDS, head=head, scanner=replace(SCANNER, crop_front_mm=80.0))
    parts = face_parts(head, cut)
    front = parts[:, -1]
    inside = cut.labels[:, -1] != Tissue.AIR
    assert (front > 0).sum() < 0.25 * inside.sum()


def test_parts_follow_the_motion_between_volumes(head: Head) -> None:
    moving = replace(SCANNER, spacing_mm=4.0, volumes=2, motion_mm=20.0, motion_deg=0.0)
    series = scan(PERSON, SEEDS, head=head, scanner=moving)
    first, second = (
        np.argwhere(face_parts(head, series, volume=t) == FacePart.NOSE).mean(axis=0) for t in (0, 1)
    )
    moved = (second - first) * 4.0
    assert moved == pytest.approx(series.poses[1][:3, 3] - series.poses[0][:3, 3], abs=1.5)
