"""Nothing but the brain is left; and whose brain it is decides whoever knows better."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.core.release import Given
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.site import grown
from medveil.protect.deface.strip import Strip

from .posed import SPACING_MM, known, posed


def test_everything_but_the_brain_and_its_margin_becomes_air(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    out = Strip().apply(truth.image)
    assert out.altered is not None
    assert out.protected is not None
    assert not (out.altered & truth.brain_mask).any()
    np.testing.assert_array_equal(out.image.data[truth.brain_mask], truth.image.data[truth.brain_mask])
    assert (out.altered | out.protected).mean() > 0.999
    assert (out.image.data[out.altered] == truth.image.data.min()).all()
    assert out.proofs == {"named parts covered": True}
    litres = (~out.altered).sum() * SPACING_MM**3 / 1e6
    assert litres < 1.6 * truth.brain_mask.sum() * SPACING_MM**3 / 1e6


def test_a_given_brain_takes_the_place_of_the_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    out = Strip(margin_mm=0.0).apply(truth.image, Given(brain=truth.brain_mask))
    assert out.protected is not None
    np.testing.assert_array_equal(out.protected, truth.brain_mask)
    wide = Strip(margin_mm=SPACING_MM).apply(truth.image, Given(brain=truth.brain_mask))
    assert wide.protected is not None
    around = wide.protected & ~truth.brain_mask
    assert around.any()
    assert (wide.protected[1:] | ~truth.brain_mask[:-1]).all()  # the neighbour of a brain voxel is kept


def test_a_given_brain_is_kept_by_every_method(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    odd = np.zeros_like(truth.brain_mask)
    odd[20:40, 70:90, 20:30] = True  # in the face
    out = Erase(margin_mm=0.0).apply(truth.image, Given(brain=odd))
    assert out.altered is not None
    assert not (out.altered & odd).any()
    assert (out.altered & truth.brain_mask).any()  # the given brain decides, for good and ill


def test_a_margin_counts_millimetres_along_each_axis() -> None:
    dot = np.zeros((9, 9, 9), dtype=bool)
    dot[4, 4, 4] = True
    ball = grown(dot, 4.0, (1.0, 2.0, 4.0))
    assert [int(ball.any(axis=a).sum()) for a in ((1, 2), (0, 2), (0, 1))] == [9, 5, 3]
    i, j, k = np.ogrid[-4:5, -4:5, -4:5]
    np.testing.assert_array_equal(ball, i**2 + 4 * j**2 + 16 * k**2 <= 16)
    np.testing.assert_array_equal(grown(dot, 0.0, (1.0, 2.0, 4.0)), dot)


@pytest.mark.parametrize("name", ["brain", "keep"])
def test_a_mask_on_another_grid_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    given = Given(**{name: truth.brain_mask[1:]})
    with pytest.raises(InputRefused, match=f"{name}: the mask has shape"):
        Strip().apply(truth.image, given)


def test_an_empty_brain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    with pytest.raises(InputRefused, match="brain: the given mask is empty"):
        Strip().apply(truth.image, Given(brain=np.zeros_like(truth.brain_mask)))


def test_all_volumes_of_a_series_are_stripped_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    series = Image(np.stack([truth.image.data, truth.image.data + 1], axis=-1), truth.image.affine)
    out = Strip().apply(series)
    assert out.altered is not None
    assert (out.image.data[out.altered] == series.data.min()).all()
    np.testing.assert_array_equal(out.image.data[~out.altered], series.data[~out.altered])
