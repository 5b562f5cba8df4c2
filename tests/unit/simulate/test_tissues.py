"""Under the skin: a brain inside a skull inside a scalp, and grey levels in the order that textbooks give."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, distance_transform_edt

from medveil.core.seeds import Seeds
from medveil.simulate.anatomy import FLUID_MM, tissues_of
from medveil.simulate.brain import brain_affine, brain_in, head_to_template, room_for_brain
from medveil.simulate.head import Head, build_head
from medveil.simulate.person import draw_person
from medveil.simulate.tissues import CONTRASTS, SKIN_MM, Tissue, Tissues

SEEDS = Seeds(11)


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(draw_person(SEEDS, 1), 2.0)


@pytest.fixture(scope="module")
def tissues(head: Head) -> Tissues:
    return tissues_of(head)


def where(tissues: Tissues, *kinds: Tissue) -> np.ndarray:
    return np.isin(tissues.labels, kinds)


def test_the_brain_lies_inside_the_skull_of_everybody() -> None:
    for i in range(3):
        head = build_head(draw_person(SEEDS, i, rho=0.0), 2.0)
        labels = tissues_of(head).labels
        brain = np.isin(labels, (Tissue.GREY, Tissue.WHITE))
        brain[:, :, head.axes[2] < -25] = False  # the cord leaves the skull
        # Two voxels on, only what belongs to a head: nobody's brain touches skin or air.
        around = labels[binary_dilation(brain, iterations=1) & ~brain]
        touching = np.isin(around, (Tissue.SKIN, Tissue.AIR)).mean()
        assert touching < 0.002
        assert head.phi[brain].max() < -5


def test_brains_have_the_volume_of_brains() -> None:
    for i in range(2):
        head = build_head(draw_person(SEEDS, i), 2.0)
        millilitres = (brain_in(head).inside > 0.5).sum() * 8 / 1000
        assert 950 < millilitres < 1750


def test_every_tissue_is_there(tissues: Tissues) -> None:
    counts = np.bincount(tissues.labels.ravel(), minlength=len(Tissue))
    for tissue in Tissue:
        assert counts[tissue] > 5, tissue.name


def test_skin_is_outside_and_air_outside_is_air(head: Head, tissues: Tissues) -> None:
    assert (tissues.labels[head.phi > 0] == Tissue.AIR).all()
    skin = where(tissues, Tissue.SKIN)
    assert head.phi[skin].min() >= -SKIN_MM - 1e-4
    assert not where(tissues, Tissue.BONE, Tissue.MARROW, Tissue.TOOTH)[head.phi > -3].any()


@pytest.mark.parametrize("index", [0, 3, 7])
def test_a_small_brain_in_a_large_head_has_thicker_bone_and_not_a_lake_around_it(index: int) -> None:
    head = build_head(draw_person(Seeds(5), index, spread=1.3), 2.0)
    found = tissues_of(head)
    inside = np.zeros(head.phi.shape, bool)
    inside[found.brain.where] = found.brain.inside > 0.5
    off_mm = distance_transform_edt(~inside) * head.spacing_mm
    vault = np.s_[:, :, head.axes[2] > 35]
    fluid = (found.labels == Tissue.CSF) & ~inside
    assert off_mm[vault][fluid[vault]].max() < FLUID_MM + head.spacing_mm
    bone = where(found, Tissue.BONE, Tissue.MARROW)
    # Between the skin and the fluid there is bone all along: no ray leaves the skull without meeting it.
    shell = binary_dilation(fluid | inside, iterations=1) & ~fluid & ~inside
    assert bone[vault][shell[vault]].mean() > 0.99


def test_a_ray_from_the_crown_meets_the_layers_in_order(head: Head, tissues: Tissues) -> None:
    i, j = (int(np.argmin(np.abs(a))) for a in head.axes[:2])
    down = tissues.labels[i, j, ::-1]
    down = down[down != Tissue.AIR]
    first = {int(t): int(np.argmax(down == t)) for t in np.unique(down)}
    assert first[Tissue.SKIN] < first[Tissue.FAT] < first[Tissue.BONE] < first[Tissue.CSF]


def test_the_warp_and_the_affine_know_each_other(head: Head) -> None:
    person = head.person
    affine = brain_affine(person)
    centre = affine[:3, :3] @ np.array([0.0, -20.0, 10.0]) + affine[:3, 3]
    back = head_to_template(person, centre[None])[0]
    assert np.linalg.norm(back - [0, -20, 10]) < 20
    room, _ = room_for_brain(person)
    assert (np.diag(affine)[:3] <= room + 1e-9).all()


def test_few_heads_are_too_small_for_their_brain() -> None:
    people = [draw_person(SEEDS, i, rho=0.0, confounder=0.0) for i in range(200)]
    shrunk = [(p.brain_scale > room_for_brain(p)[0]).any() for p in people]
    assert np.mean(shrunk) < 0.15


@pytest.mark.parametrize(
    ("contrast", "order"),
    [
        ("T1w", (Tissue.BONE, Tissue.CSF, Tissue.MUSCLE, Tissue.GREY, Tissue.WHITE, Tissue.FAT)),
        ("T2w", (Tissue.BONE, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY, Tissue.CSF)),
        ("FLAIR", (Tissue.BONE, Tissue.CSF, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY)),
        ("PDw", (Tissue.BONE, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY)),
        ("CT", (Tissue.FAT, Tissue.CSF, Tissue.WHITE, Tissue.GREY, Tissue.MUSCLE, Tissue.BONE)),
        ("pet", (Tissue.FAT, Tissue.CSF, Tissue.SKIN, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY)),
        ("T2starw", (Tissue.BONE, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY, Tissue.CSF)),
        ("UNIT1", (Tissue.CSF, Tissue.BONE, Tissue.MUSCLE, Tissue.GREY, Tissue.WHITE, Tissue.FAT)),
        ("bold", (Tissue.BONE, Tissue.FAT, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY, Tissue.CSF)),
        ("asl", (Tissue.FAT, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY)),
        ("dwi", (Tissue.BONE, Tissue.FAT, Tissue.MUSCLE, Tissue.WHITE, Tissue.GREY, Tissue.CSF)),
    ],
)
def test_each_contrast_has_its_textbook_order(
    tissues: Tissues, contrast: str, order: tuple[Tissue, ...]
) -> None:
    seen = tissues.grey_levels(contrast)  # type: ignore[arg-type]
    found = [float(np.median(seen[where(tissues, t)])) for t in order]
    assert all(a < b for a, b in pairwise(found))
    if contrast != "UNIT1":  # whose air is noise around the middle of its range
        assert min(CONTRASTS[contrast]) == CONTRASTS[contrast][Tissue.AIR]
    assert len(CONTRASTS[contrast]) == len(Tissue)


def test_marbling_is_the_persons_own_and_fat_is_the_days(head: Head, tissues: Tissues) -> None:
    again = tissues_of(head)
    assert again.labels.tobytes() == tissues.labels.tobytes()
    fatter = tissues_of(head, fat_mm=5.0)
    assert where(fatter, Tissue.FAT).sum() > where(tissues, Tissue.FAT).sum()
    vault = np.s_[:, :, head.axes[2] > 40]
    bone = [where(t, Tissue.BONE, Tissue.MARROW)[vault] for t in (fatter, tissues)]
    assert np.array_equal(*bone)  # no diet changes a skull
