"""Fingerprint: known again after turning, padding, rescaling and erasing; never mistaken for a rescan."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.io.fingerprint import DRAWERS, fingerprint

RNG = np.random.default_rng(8)
HEAD = np.where(np.hypot(*np.ogrid[-1:1:48j, -1:1:40j])[..., None] * np.ones(36) < 0.8, 400, 0)


def scan(noise: int) -> np.ndarray:
    return (HEAD + np.abs(np.random.default_rng(noise).normal(0, 20, HEAD.shape))).astype(np.int16)


def image(data: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> Image:
    return Image(np.ascontiguousarray(data), np.diag([2.0, 2, 2, 1]), slope=slope, intercept=intercept)


def drawers(a: dict[str, str], b: dict[str, str]) -> int:
    return sum(a[k] == b.get(k) for k in a if k.startswith("voxels.sketch."))


SCAN = scan(1)
FIRST = fingerprint(image(SCAN))


def test_the_same_numbers_are_the_same_fingerprint_in_any_byte_order() -> None:
    assert fingerprint(image(SCAN.astype(">i2"))) == FIRST
    assert len([k for k in FIRST if k.startswith("voxels.sketch.")]) == DRAWERS


@pytest.mark.parametrize("how", ["flipped", "turned", "padded", "float", "rescaled"])
def test_a_copy_in_another_dress_is_known_by_its_values(how: str) -> None:
    other = {
        "flipped": image(SCAN[::-1, :, ::-1]),
        "turned": image(SCAN.transpose(2, 0, 1)),
        "padded": image(np.pad(SCAN, 4)),
        "float": image(SCAN.astype(np.float32)),
        "rescaled": image(SCAN * 2 + 3),
    }[how]
    if how == "padded":  # air that is not the commonest value is counted with the head's
        other = image(np.pad(np.where(HEAD > 0, SCAN, 0), 4))
        first = fingerprint(image(np.where(HEAD > 0, SCAN, 0)))
    else:
        first = FIRST
    found = fingerprint(other)
    assert found["voxels.exact"] != first["voxels.exact"]
    assert found["voxels.values"] == first["voxels.values"]
    if how != "rescaled":  # at the seam a padding makes a few runs that were not there
        assert drawers(found, first) >= (DRAWERS - 4 if how == "padded" else DRAWERS)


def test_a_rescaled_header_is_followed_by_the_sketch() -> None:
    real = fingerprint(image((SCAN * 2 + 3).astype(np.float32)))
    assert drawers(fingerprint(image(SCAN, slope=2, intercept=3)), real) == DRAWERS


def test_a_copy_of_which_a_part_was_erased_is_known_by_its_sketch() -> None:
    erased = SCAN.copy()
    erased[:, 24:, :20] = 0
    found = fingerprint(image(erased))
    assert found["voxels.values"] != FIRST["voxels.values"]
    assert DRAWERS * 0.4 < drawers(found, FIRST) < DRAWERS


def test_another_scan_of_the_same_head_shares_nothing() -> None:
    other = fingerprint(image(scan(2)))
    assert drawers(other, FIRST) == 0
    assert other["voxels.values"] != FIRST["voxels.values"]


def test_masks_and_blocks_have_no_fingerprint_but_their_copy() -> None:
    assert set(fingerprint(image((HEAD > 0).astype(np.uint8)))) == {"voxels.exact"}


def test_the_first_volume_of_a_series_gives_the_sketch() -> None:
    series = fingerprint(image(np.stack([SCAN, scan(3)], axis=-1)))
    assert drawers(series, FIRST) == DRAWERS


def test_volumes_thinner_than_a_run_have_no_sketch_along_it() -> None:
    assert "voxels.exact" in fingerprint(image(SCAN[:, :, :3]))
    tiny = fingerprint(image(SCAN[:4, :4, :4]))
    assert not any(k.startswith("voxels.sketch.") for k in tiny)
