"""decode.translate: draws pictures from codes it learned on, and no better than the mean from codes that say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from medveil.attack.decode.base import CodeThreat, DecodeAttack
from medveil.attack.decode.translate import Translate
from medveil.core.errors import UsageError

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from .codes_to_learn import decibel, film, pair, threat  # noqa: E402 - needs torch

SMALL = Translate(steps=200, batch=4, width=32)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def told() -> CodeThreat:
    return threat(told=True, count=32)


def mean_of(threat: CodeThreat) -> np.ndarray:
    return np.mean([p.picture for p in threat.pairs], axis=0)


def test_it_draws_what_it_never_saw_better_than_the_mean_picture(told: CodeThreat) -> None:
    assert isinstance(Translate(), DecodeAttack)
    victims = [pair(told.net, seed, told=True) for seed in (100, 101, 102)]
    found = SMALL.run([v.code for v in victims], told, condition="public")
    assert all(f.scores is None for f in found)
    drawn = np.mean([decibel(f.picture, v.picture) for f, v in zip(found, victims, strict=True)])  # type: ignore[arg-type]
    mean = np.mean([decibel(mean_of(told), v.picture) for v in victims])
    assert drawn > mean + 2


def test_codes_that_do_not_belong_to_the_pictures_teach_nothing(told: CodeThreat) -> None:
    strange = [replace(p, picture=film(200 + n)) for n, p in enumerate(told.pairs)]
    victims = [pair(told.net, seed, told=True) for seed in (100, 101, 102)]
    found = SMALL.run([v.code for v in victims], replace(told, pairs=strange), condition="public")
    drawn = np.mean([decibel(f.picture, v.picture) for f, v in zip(found, victims, strict=True)])  # type: ignore[arg-type]
    mean = np.mean([decibel(mean_of(told), v.picture) for v in victims])
    assert drawn < mean + 0.5


def test_any_size_is_drawn_and_the_same_seed_draws_the_same(told: CodeThreat) -> None:
    short = Translate(steps=3, batch=2, width=8)
    code = pair(told.net, 100, told=True, height=50, width=70).code
    a, b = (short.run([code], told, condition="public")[0].picture for _ in range(2))
    assert a is not None
    assert b is not None
    assert a.shape == (50, 70)
    assert (a == b).all()


def test_without_pairs_it_is_refused(told: CodeThreat) -> None:
    with pytest.raises(UsageError, match="has none"):
        Translate().run([], CodeThreat(told.net, told.statistics), condition="public")
    with pytest.raises(UsageError, match="at least 1"):
        Translate(steps=0)
