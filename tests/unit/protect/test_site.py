"""What of a located head is kept: the brain, its margin, and where the margin ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.core.release import NOTHING, Carried, Given
from medveil.protect.deface.parts import near_brain
from medveil.protect.deface.site import OUTSHINES, SHRUNK_MM, Site, grown

from .posed import posed


def _site(margin_mm: float, *, ends: bool) -> Site:
    who = posed()
    return Site(who.scan.image, who.place, margin_mm, NOTHING, ends)


def test_a_margin_ends_before_the_skin_of_the_face_and_the_brain_does_not() -> None:
    ends, plain, bare = _site(12.0, ends=True), _site(12.0, ends=False), _site(0.0, ends=False)
    left_out = plain.brain & ~ends.brain
    assert left_out.any()
    skin = ends.front.skin(ends.shape, ends.to_mni)
    np.testing.assert_array_equal(left_out, plain.brain & skin & ~bare.brain)
    assert ends.brain[bare.brain].all()


def test_more_is_kept_where_fluid_outshines_the_brain() -> None:
    """There brains are fitted too small."""
    who = posed()
    bright = replace(who.place, confidence={"fluid": OUTSHINES + 0.1})
    dark = replace(who.place, confidence={"fluid": OUTSHINES - 0.1})
    for margin_mm, more_mm in ((5.0, SHRUNK_MM), (0.0, 0.0)):
        more, same = (Site(who.scan.image, p, margin_mm, NOTHING, False) for p in (bright, dark))
        for site, mm in ((more, margin_mm + more_mm), (same, margin_mm)):
            expected = near_brain(site.shape, site.to_mni, mm, site.mm_per_mni)
            np.testing.assert_array_equal(site.brain, expected)


def test_a_voxel_at_exactly_the_margin_is_kept() -> None:
    """3 times 1.1 is more than 3.3, as a computer counts."""
    dot = np.zeros((9, 1, 1), dtype=bool)
    dot[4] = True
    assert grown(dot, 3.3, (1.1, 1.0, 1.0)).sum() == 7


def test_an_image_without_a_scalp_borrows_the_skin_of_the_one_it_was_placed_by() -> None:
    bold, t1w = posed(contrast="bold"), posed()
    place = replace(bold.place, way="carried")
    lender = Carried(t1w.scan.image, np.linalg.inv(t1w.place.affine))
    alone = Site(bold.scan.image, bold.place, 5.0, NOTHING)
    lent = Site(bold.scan.image, place, 5.0, Given(carried=lender))
    assert not alone.shows_skin
    assert lent.shows_skin
    assert (alone.brain & ~lent.brain).any()
    assert lent.outline.bare > lent.skin_lines.bare
    np.testing.assert_allclose(lent.to_skin_lines, bold.scan.image.affine, atol=1e-3)  # the head lay still


def test_an_image_that_shows_its_skin_borrows_none() -> None:
    t1w, bold = posed(), posed(contrast="bold")
    place = replace(t1w.place, way="carried")
    lender = Carried(bold.scan.image, np.linalg.inv(bold.place.affine))
    site = Site(t1w.scan.image, place, 5.0, Given(carried=lender))
    assert site.skin_lines is site.outline
