"""Drawing a release: a card's pictures for each image, and the numbers that were measured on the way."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image as Pillow

from medveil.carry import picturing
from medveil.carry.picturing import FRAME_PX, SLICES_PX, Drawn, draw
from medveil.carry.protecting import Protected
from medveil.carry.talk import Silent
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.core.release import Entry
from medveil.report.panels.side_by_side import FRAMES
from medveil.scene.slices import cut

RELEASED, REFUSED, DAMAGED = (PurePosixPath(f"sub-0{n}/anat/sub-0{n}_T1w.nii.gz") for n in (1, 2, 3))


def _damaged() -> Image:
    raise InputRefused("image: the compressed file is damaged")


@pytest.fixture(scope="module")
def without_face(head: Image) -> Image:
    data = head.data.copy()
    data[:, round(0.72 * data.shape[1]) :, : round(0.55 * data.shape[2])] = 0
    return head.with_data(data)


@pytest.fixture(scope="module")
def drawn(head: Image, without_face: Image) -> Drawn:
    """One image that was released without its face, one refused, and one that cannot be read at all."""
    entries = [
        Entry(place.parts[0], "T1w", "protected" if place == RELEASED else "refused", place=place)
        for place in (REFUSED, RELEASED, DAMAGED)
    ]
    released = Record("sub-01", "T1w", lambda: without_face, place=RELEASED)
    protected = Protected(
        entries=tuple(entries),
        cohort=Cohort((released,)),
        originals={
            REFUSED: Record("sub-02", "T1w", lambda: head),
            RELEASED: Record("sub-01", "T1w", lambda: head),
            DAMAGED: Record("sub-03", "T1w", _damaged),
        },
        contents={},
    )
    region = np.zeros(head.data.shape, bool)
    region[20:50, 20:40, 50:70] = True
    return draw(protected, jobs=1, talk=Silent(), regions={RELEASED: lambda: region})


def _opened(file: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(file)))


def test_every_image_that_can_be_read_gets_a_card(drawn: Drawn) -> None:
    assert [(p.subject, p.name) for p in drawn.pictures] == [("sub-02", "T1w"), ("sub-01", "T1w")]
    refused, released = drawn.pictures
    assert refused.slices_before
    assert (refused.slices_after, refused.heads_before, refused.heads_after) == (b"", b"", b"")
    assert released.slices_after
    assert "sub-01" not in repr(drawn) + repr(released)


def test_only_what_was_released_has_numbers(drawn: Drawn) -> None:
    assert set(drawn.residual) == {RELEASED}
    numbers = drawn.residual[RELEASED]
    assert numbers["descriptor_distance"] > 0.3
    assert numbers["skin_moved_mm"] > 5


def test_before_and_after_have_the_same_size_and_differ_where_the_face_was(drawn: Drawn) -> None:
    picture = drawn.pictures[1]
    before, after = _opened(picture.heads_before), _opened(picture.heads_after)
    assert before.shape == after.shape == (FRAME_PX, FRAMES * FRAME_PX)
    front = before[:, FRAMES // 2 * FRAME_PX :][:, :FRAME_PX].astype(int)
    front_after = after[:, FRAMES // 2 * FRAME_PX :][:, :FRAME_PX].astype(int)
    change = np.abs(front - front_after)
    assert change[FRAME_PX // 2 : -FRAME_PX // 8, FRAME_PX // 3 : -FRAME_PX // 3].mean() > 10
    assert change[: FRAME_PX // 5].mean() < 3  # the crown is as it was
    slices, marked = _opened(picture.slices_before), _opened(picture.slices_after)
    assert slices.shape == marked.shape[:2]
    assert slices.shape[0] == SLICES_PX


def test_the_tint_is_where_the_files_differ_and_the_line_round_the_region(
    drawn: Drawn, head: Image, without_face: Image
) -> None:
    marked = _opened(drawn.pictures[1].slices_after).astype(int)
    region = np.zeros(head.data.shape, bool)
    region[20:50, 20:40, 50:70] = True
    places = cut(head, region, height_px=SLICES_PX)
    changed = places.share(head.data != without_face.data, head) > 0.9
    tissue = places.grey(head) > 100
    orange = marked[..., 0] - marked[..., 2]
    assert orange[changed & tissue].mean() > 60
    assert abs(orange[~changed & ~(places.share(region, head) > 0)].mean()) < 5
    assert (marked[..., 2] - marked[..., 0] > 60).any()  # the blue line


def test_the_same_images_give_the_same_pictures(drawn: Drawn, head: Image, without_face: Image) -> None:
    before, after = (Record("sub-01", "T1w", lambda i=i: i) for i in (head, without_face))
    again, numbers = picturing._draw("sub-01", "T1w", before, after, None)
    assert again is not None
    assert again.heads_after == drawn.pictures[1].heads_after
    assert numbers == drawn.residual[RELEASED]
