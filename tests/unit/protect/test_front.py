"""The air before a face, the skin under it, and what is neither."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.protect.deface.front import Front, front_of
from medveil.protect.deface.outline import Outline, outline

MM = 3.0
SHAPE = (60, 74, 100)
AFFINE = np.diag([MM, MM, MM, 1.0])
AFFINE[:3, 3] = -90.0, -110.0, -200.0


def _body(face_to_mm: float = 90.0) -> Mask:
    """A block that ends at MNI y `face_to_mm`, with a socket 12 mm deep and a cavity that opens downwards."""
    x, y, z = (AFFINE[a, 3] + MM * np.indices(SHAPE)[a] for a in range(3))
    body = (np.abs(x) < 72) & (y > -90) & (y < face_to_mm) & (z > -150) & (z < 70)
    socket = (np.abs(x - 30) < 14) & (np.abs(z + 40) < 12) & (y > face_to_mm - 12)
    cavity = (np.abs(x) < 9) & (y > 30) & (y < face_to_mm - 18) & (z < -60)
    return np.asarray(body & ~socket & ~cavity, dtype=bool)


def _lines(body: Mask) -> Outline:
    image = Image(np.where(body, 300, 3).astype(np.int16), AFFINE)
    return outline(image, np.eye(4), 1.0, hounsfield=False)


@pytest.fixture(scope="module")
def face() -> Front:
    return front_of(_lines(_body()))


def _at(face: Front, *point: float) -> bool:
    to_mni = np.eye(4)
    to_mni[:3, 3] = point
    return bool(face.skin((1, 1, 1), to_mni)[0, 0, 0])


def test_skin_is_what_lies_under_the_air_in_front(face: Front) -> None:
    assert _at(face, 0, 88, -20)
    assert _at(face, 0, 120, -20)  # the air itself
    assert not _at(face, 0, 75, -20)


def test_the_bottom_of_a_socket_is_skin(face: Front) -> None:
    assert _at(face, 30, 75, -40)
    assert not _at(face, 30, 60, -40)


def test_a_cavity_with_something_before_it_has_no_skin(face: Front) -> None:
    assert not _at(face, 0, 60, -80)
    assert not _at(face, 0, 32, -80)


def test_a_face_that_was_cut_off_is_no_face(face: Front) -> None:
    assert face.is_a_face
    assert not front_of(_lines(_body(face_to_mm=45.0))).is_a_face


def test_where_the_view_ends_nothing_is_known() -> None:
    x = np.indices(SHAPE)[1]
    kept = (AFFINE[1, 3] + MM * x < 81.0)[0, :, 0]
    image = Image(np.where(_body(), 300, 3).astype(np.int16)[:, kept], AFFINE)
    cut = front_of(outline(image, np.eye(4), 1.0, hounsfield=False))
    left = cut.met[8:27, 30:90]  # x from -56 to 0: to the right, the bottom of the socket is in view
    assert not np.isfinite(left).any()
    assert not cut.is_a_face
    assert not _at(cut, 0, 78, -20)


def test_an_outline_goes_down_to_faint_tissue_where_the_crown_is_bare() -> None:
    """A bright brain in a faint scalp: taken for air, the scalp would be left."""
    from scipy import ndimage as ndi

    from medveil.protect.deface.parts import near_brain

    brain = near_brain(SHAPE, AFFINE, 0.0, 1.0)
    scalp = ndi.binary_dilation(brain, iterations=5)
    values = np.where(brain, 400, np.where(scalp, 30, 1)).astype(np.int16)
    lines = outline(Image(values, AFFINE), np.eye(4), 1.0, hounsfield=False)
    assert lines.head[scalp].mean() > 0.95
    assert lines.bare < 0.3
