"""What is no head is a proper image all the same, and looks like what it claims to be."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.simulate.oddities import ODDITIES

SEEDS = Seeds(2)


@pytest.fixture(scope="module")
def images() -> dict[str, Image]:
    return {name: make(4.0, SEEDS) for name, make in ODDITIES.items()}


@pytest.mark.parametrize("name", sorted(ODDITIES))
def test_an_oddity_is_a_volume_of_finite_numbers(name: str, images: dict[str, Image]) -> None:
    image = images[name]
    assert image.data.dtype == np.int16
    assert image.data.ndim == 3
    assert image.spacing_mm == (4.0, 4.0, 4.0)
    assert np.isfinite(image.values()).all()


def test_the_same_seed_gives_the_same_bytes(images: dict[str, Image]) -> None:
    for name in ("noise", "fruit"):
        assert ODDITIES[name](4.0, SEEDS).data.tobytes() == images[name].data.tobytes()
        assert ODDITIES[name](4.0, Seeds(3)).data.tobytes() != images[name].data.tobytes()


def test_only_nothing_is_empty(images: dict[str, Image]) -> None:
    assert {name for name, image in images.items() if not image.data.any()} == {"zeros"}


@pytest.mark.parametrize(("name", "litres"), [("ball", 2.57), ("bottle", 2.0), ("fruit", 3.4), ("hand", 0.5)])
def test_things_have_the_volume_of_such_things(name: str, litres: float, images: dict[str, Image]) -> None:
    data = images[name].data
    thing = data > 0.25 * np.percentile(data, 99)
    assert thing.sum() * 64e-6 == pytest.approx(litres, rel=0.25)


def test_two_heads_are_two(images: dict[str, Image]) -> None:
    across = (images["two_heads"].data > 200).any(axis=(1, 2))
    assert (np.diff(across.astype(int)) == 1).sum() >= 2
    assert len(across) == 104
