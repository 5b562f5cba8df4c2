"""Contrasts look like themselves: noise, lost signal and air as the real ones have them."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.seeds import Seeds
from medveil.simulate.head import Head, build_head
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, scan
from medveil.simulate.tissues import UNI_MAX, Contrast, Tissue

SEEDS = Seeds(11)
PERSON = draw_person(SEEDS, 0)


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(PERSON, 3.0)


def seen_in(contrast: Contrast, head: Head) -> Scan:
    return scan(PERSON, SEEDS, head=head, scanner=Scanner(contrast, spacing_mm=3.0))


def spread(seen: Scan, tissue: Tissue) -> tuple[float, float]:
    values = seen.image.data[seen.labels == tissue]
    return float(np.median(values)), float(values.std())


def test_the_air_of_a_uniform_image_is_noise_over_the_whole_range_and_its_brain_is_a_t1(head: Head) -> None:
    uniform = seen_in("UNIT1", head)
    air = uniform.image.data[uniform.labels == Tissue.AIR]
    assert np.percentile(air, 2) < 0.05 * UNI_MAX
    assert np.percentile(air, 98) > 0.95 * UNI_MAX
    assert 0 <= uniform.image.data.min() <= uniform.image.data.max() <= UNI_MAX
    white, grey, fluid = (spread(uniform, t) for t in (Tissue.WHITE, Tissue.GREY, Tissue.CSF))
    assert white[0] > grey[0] + 500 > fluid[0] + 1000
    assert white[1] < 0.3 * air.std()


def test_the_bias_of_the_coil_cancels_in_a_uniform_image(head: Head) -> None:
    flat, biased = (
        scan(PERSON, SEEDS, head=head, scanner=Scanner("UNIT1", spacing_mm=4.0, bias=bias, noise=0.5))
        for bias in (0.0, 0.8)
    )
    for tissue in (Tissue.WHITE, Tissue.GREY):
        assert spread(biased, tissue)[0] == pytest.approx(spread(flat, tissue)[0], rel=0.02)


@pytest.mark.parametrize("contrast", ["bold", "dwi"])
def test_echo_planar_images_are_coarse_and_lose_signal_above_the_nose(head: Head, contrast: Contrast) -> None:
    seen = seen_in(contrast, head)
    assert Scanner(contrast).spacings_mm == (3.0, 3.0, 3.0)
    back = np.linalg.inv(seen.pose) @ seen.image.affine
    at = np.argwhere(seen.brain_mask) @ back[:3, :3].T + back[:3, 3]
    values = seen.image.data[seen.brain_mask]
    orbital = (np.abs(at[:, 0]) < 12) & (at[:, 1] > 45) & (at[:, 2] < at[at[:, 1] > 45, 2].min() + 8)
    assert np.median(values[orbital]) < 0.6 * np.median(values)
    # The scalp is faint, but a face is there.
    scalp, air = (spread(seen, t)[0] for t in (Tissue.SKIN, Tissue.AIR))
    assert 2 * air < scalp < 0.35 * np.median(values)


def test_perfusion_is_grey_over_white_in_very_much_noise_that_may_be_negative(head: Head) -> None:
    seen = seen_in("asl", head)
    grey, white = (spread(seen, t) for t in (Tissue.GREY, Tissue.WHITE))
    assert grey[0] > 1.25 * white[0]
    assert white[1] > 0.4 * white[0]
    assert seen.image.data.min() < 0
