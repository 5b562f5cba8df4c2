"""decode.rendered: what four networks make of the picture that everybody sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest

from medveil.attack.decode.base import CodeThreat, DecodeAttack, render
from medveil.attack.decode.rendered import Network, Rendered
from medveil.core.errors import UsageError

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")
pytest.importorskip("monai", reason="the networks of decode.rendered are MONAI's")

from .codes_to_learn import decibel, pair, threat  # noqa: E402 - needs torch


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def told() -> CodeThreat:
    return threat(told=True)


def test_the_u_net_makes_more_of_the_picture_than_everybody_sees(told: CodeThreat) -> None:
    victim = pair(told.net, 100, told=True)
    (found,) = Rendered(steps=60, batch=6, side=48).run([victim.code], told, condition="public")
    assert found.picture is not None
    seen = render(victim.code.levels, told, *victim.picture.shape)
    assert decibel(found.picture, victim.picture) > decibel(seen, victim.picture) + 3


@pytest.mark.parametrize("network", get_args(Network))
def test_each_network_learns_takes_any_size_and_is_the_same_again(network: Network, told: CodeThreat) -> None:
    attack = Rendered(network, steps=2, batch=2, side=32)
    assert isinstance(attack, DecodeAttack)
    assert network in attack.describe()
    code = pair(told.net, 100, told=True, height=50, width=70).code
    a, b = (attack.run([code], told, condition="public")[0].picture for _ in range(2))
    assert a is not None
    assert b is not None
    assert a.shape == (50, 70)
    assert np.array_equal(a, b)


def test_what_makes_no_sense_is_refused(told: CodeThreat) -> None:
    with pytest.raises(UsageError, match="network must be one of"):
        Rendered("resnet")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="multiple of 16"):
        Rendered(side=40)
    with pytest.raises(UsageError, match="pixels a side"):
        Rendered(side=96).run([], told, condition="public")
    with pytest.raises(UsageError, match="has none"):
        Rendered().run([], CodeThreat(told.net, told.statistics), condition="public")
