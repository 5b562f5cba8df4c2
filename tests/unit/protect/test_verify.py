"""Proofs: every voxel is held against its source, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import VerificationFailed
from medveil.core.image import Image
from medveil.protect.verify import changed_voxels, count_voxels, verify_image

FACE = np.zeros((4, 4, 4), bool)
FACE[:, 3, :2] = True
BRAIN = np.zeros((4, 4, 4), bool)
BRAIN[1:3, 1:3, 1:3] = True


def image(dtype: str = "<i2", shape: tuple[int, ...] = (4, 4, 4), **fields: float) -> Image:
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return Image(data, np.eye(4), **fields)  # type: ignore[arg-type]


def changed(source: Image, *where: tuple[int, ...], value: float = -7) -> Image:
    data = source.data.copy()
    for at in where:
        data[at] = value
    return source.with_data(data)


def test_a_good_release_passes_all_proofs() -> None:
    source = image()
    released = changed(source, (0, 3, 0), (2, 3, 1))
    assert verify_image(source, released, FACE, BRAIN) == {
        "same grid, type and scaling": True,
        "kept voxels identical": True,
        "something was altered": True,
        "protected voxels unchanged": True,
    }
    assert count_voxels(source, released, FACE, BRAIN) == {
        "voxels": 64,
        "voxels_changed": 2,
        "voxels_allowed_to_change": 8,
        "voxels_changed_outside": 0,
        "protected_voxels": 8,
        "protected_voxels_changed": 0,
    }


@pytest.mark.parametrize(
    ("where", "failing"),
    [
        ([], {"something was altered"}),
        ([(0, 0, 0)], {"kept voxels identical"}),
        ([(1, 1, 1)], {"kept voxels identical", "protected voxels unchanged"}),
    ],
)
def test_each_fault_fails_its_proof(where: list[tuple[int, ...]], failing: set[str]) -> None:
    source = image()
    proofs = verify_image(source, changed(source, *where), FACE, BRAIN)
    assert {name for name, held in proofs.items() if not held} == failing


def test_the_brain_counts_even_where_altering_was_allowed() -> None:
    source = image()
    everywhere = np.ones((4, 4, 4), bool)
    proofs = verify_image(source, changed(source, (1, 1, 1)), everywhere, BRAIN)
    assert proofs["kept voxels identical"]
    assert not proofs["protected voxels unchanged"]


def test_steps_without_masks_must_change_nothing() -> None:
    source = image()
    assert verify_image(source, source, None, None) == {
        "same grid, type and scaling": True,
        "kept voxels identical": True,
    }
    assert not verify_image(source, changed(source, (0, 3, 0)), None, None)["kept voxels identical"]


def test_in_a_series_every_volume_counts() -> None:
    source = image(shape=(4, 4, 4, 3))
    assert verify_image(source, changed(source, (0, 3, 0, 2)), FACE, BRAIN)["kept voxels identical"]
    assert not verify_image(source, changed(source, (1, 1, 1, 2)), FACE, BRAIN)["protected voxels unchanged"]
    assert (
        count_voxels(source, changed(source, (0, 3, 0, 0), (0, 3, 0, 2)), None, None)["voxels_changed"] == 1
    )


@pytest.mark.parametrize("dtype", ["<f4", ">f8"])
def test_numbers_are_compared_as_bits(dtype: str) -> None:
    source = changed(image(dtype), (0, 0, 0), value=np.nan)
    same = changed_voxels(source, source.with_data(source.data.copy()))
    assert same is not None
    assert not same.any()
    minus = source.data.copy()
    minus[0, 0, 0] = -0.0
    plus = source.data.copy()
    plus[0, 0, 0] = 0.0
    differs = changed_voxels(source.with_data(minus), source.with_data(plus))
    assert differs is not None
    assert differs.sum() == 1


@pytest.mark.parametrize(
    "other",
    [
        image(">i2"),
        image("<i4"),
        image(slope=2.0),
        image(intercept=1.0),
        image(shape=(4, 4, 5)),
        Image(image().data, np.diag([2.0, 1, 1, 1])),
    ],
)
def test_another_grid_type_or_scaling_proves_nothing(other: Image) -> None:
    assert not any(verify_image(image(), other, FACE, BRAIN).values())
    assert not any(verify_image(image(), other, None, None).values())
    with pytest.raises(VerificationFailed):
        count_voxels(image(), other, None, None)


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="mask"):
        verify_image(image(), image(), FACE[:3], None)


def test_a_transposed_layout_in_memory_makes_no_difference() -> None:
    source = image()
    released = source.with_data(np.asfortranarray(source.data))
    assert verify_image(source, released, None, BRAIN)["protected voxels unchanged"]
