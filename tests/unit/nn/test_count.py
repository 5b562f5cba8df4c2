"""Counting which components are chosen and what values they take."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from medveil.nn.bottleneck import Bottleneck  # noqa: E402
from medveil.nn.count import count  # noqa: E402
from medveil.nn.settings import NetSettings  # noqa: E402
from medveil.nn.sparsify import Chosen  # noqa: E402


class Told:
    """A net that answers what it is told."""

    def __init__(self, settings: NetSettings, answers: list[list[Chosen]]) -> None:
        self.settings, self.answers = settings, answers

    def encode(self, image: torch.Tensor) -> list[Chosen]:
        return self.answers[int(image[0, 0, 0, 0])]


def chosen(support: list[list[int]], steps: list[list[int]]) -> Chosen:
    """From rows of sites."""
    return Chosen(
        torch.empty(0), torch.tensor(support).T[None], torch.tensor(steps, dtype=torch.int16).T[None]
    )


def test_hand_computed_counts() -> None:
    s = NetSettings(levels=2, atoms=4, nonzeros=2, steps=3)
    first = [chosen([[0, 3], [1, 3]], [[1, -1], [3, -1]]), chosen([[0, 1], [0, 1]], [[-3, 2], [-3, 2]])]
    second = [chosen([[0, 3]], [[1, 1]]), chosen([[2, 3]], [[1, -2]])]
    got = count(Told(s, [first, second]), [torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)])  # type: ignore[arg-type]
    assert got.sites == 3
    assert got.chosen.tolist() == [[2, 1, 0, 3], [2, 2, 1, 1]]
    # The order of values is -3, -2, -1, 1, 2, 3.
    expected = np.zeros((2, 4, 6), dtype=np.int64)
    expected[0, 0, 3], expected[0, 1, 5], expected[0, 3, 2], expected[0, 3, 3] = 2, 1, 2, 1
    expected[1, 0, 0], expected[1, 1, 4], expected[1, 2, 3], expected[1, 3, 1] = 2, 2, 1, 1
    assert np.array_equal(got.values, expected)
    assert got.values.dtype == got.chosen.dtype == np.int64


@pytest.mark.parametrize("variant", ["paper", "independent", "progressive"])
def test_counts_of_a_net_add_up(variant: str) -> None:
    s = NetSettings(
        variant=variant, levels=2, atoms=20, nonzeros=3, window=4, stride=2, width=4, step=0.05, steps=9
    )
    net = Bottleneck(s).eval()
    images = [torch.rand(1, 1, 30, 41), torch.rand(1, 1, 64, 64)]
    got = count(net, images)
    assert got.sites == sum(np.prod(s.sites(*i.shape[-2:])) for i in images)
    assert got.chosen.shape == (2, 20)
    assert got.values.shape == (2, 20, 18)
    assert (got.chosen.sum(axis=1) == 3 * got.sites).all()
    assert np.array_equal(got.values.sum(axis=2), got.chosen)
    assert got.chosen.max() <= got.sites


def test_nothing_counted_is_nothing() -> None:
    s = NetSettings(levels=1, atoms=4, nonzeros=1, window=4, stride=2, width=4)
    got = count(Bottleneck(s), [])
    assert got.sites == 0
    assert not got.values.any()
