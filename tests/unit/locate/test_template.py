"""The template is nilearn's, read without importing it."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.locate.template import template


@pytest.mark.slow
def test_it_is_the_one_that_nilearn_gives() -> None:
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

    t = template(2.0)
    brain = np.asarray(load_mni152_brain_mask(resolution=1).dataobj)[::2, ::2, ::2] > 0
    shades = np.asarray(load_mni152_template(resolution=1).dataobj, dtype=np.float32)[::2, ::2, ::2]
    here = tuple(slice(16, 16 + n) for n in brain.shape)
    np.testing.assert_array_equal(t.brain[here], brain)
    np.testing.assert_array_equal(t.tissue[here], shades * brain)
    assert t.brain.sum() == brain.sum()
