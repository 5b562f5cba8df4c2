"""What of a located head is kept: the brain, its margin, and where the margin ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.core.release import NOTHING
from medveil.protect.deface.site import Site, grown

from .posed import posed


def _site(margin_mm: float, *, ends: bool, size: float = 0.0) -> Site:
    """The person of `posed`; with a size, their brain is said to have it, in template brains."""
    who = posed()
    place = who.place
    if size:
        now = np.cbrt(np.linalg.det(place.affine[:3, :3]))
        place = replace(place, affine=place.affine @ np.diag([size / now] * 3 + [1.0]))
    return Site(who.scan.image, place, margin_mm, NOTHING, ends)


def test_a_margin_ends_before_the_skin_of_the_face_and_the_brain_does_not() -> None:
    ends, plain, bare = _site(12.0, ends=True), _site(12.0, ends=False), _site(0.0, ends=False)
    left_out = plain.brain & ~ends.brain
    assert left_out.any()
    skin = ends.front.skin(ends.shape, ends.to_mni)
    np.testing.assert_array_equal(left_out, plain.brain & skin & ~bare.brain)
    assert ends.brain[bare.brain].all()


def test_a_voxel_at_exactly_the_margin_is_kept() -> None:
    """3 times 1.1 is more than 3.3, as a computer counts."""
    dot = np.zeros((9, 1, 1), dtype=bool)
    dot[4] = True
    assert grown(dot, 3.3, (1.1, 1.0, 1.0)).sum() == 7
