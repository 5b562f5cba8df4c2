"""decode.classifier: finds decoys that stand out, finds nothing where there is nothing, and the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from medveil.attack.decode.base import CodeThreat, DecodeAttack, best, render
from medveil.attack.decode.classifier import Classifier
from medveil.core.errors import UsageError

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from .codes_to_learn import auc, decibel, pair, threat  # noqa: E402 - needs torch

SMALL = Classifier(steps=40, batch=3, width=16)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def told() -> CodeThreat:
    return threat(told=True)


def test_it_is_an_attack_that_learns(told: CodeThreat) -> None:
    assert isinstance(Classifier(), DecodeAttack)
    assert Classifier.learns
    with pytest.raises(UsageError, match="has none"):
        SMALL.run([], CodeThreat(told.net, told.statistics), condition="public")


def test_decoys_that_stand_out_are_told_and_the_picture_comes_back(told: CodeThreat) -> None:
    victim = pair(told.net, 100, told=True, height=80, width=50)
    (found,) = SMALL.run([victim.code], told, condition="public")
    assert found.scores is not None
    assert found.picture is not None
    for level, true in zip(found.scores, victim.true, strict=True):
        assert level.shape == true.shape
        assert auc(level, true) > 0.99
    owner = render(best(victim.code, [t.astype(np.float32) for t in victim.true]), told, 80, 50)
    naive = render(victim.code.levels, told, 80, 50)
    assert found.picture.shape == victim.picture.shape
    assert decibel(found.picture, victim.picture) > decibel(owner, victim.picture) - 1
    assert decibel(found.picture, victim.picture) > decibel(naive, victim.picture) + 6


def test_where_nothing_tells_them_apart_nothing_is_found() -> None:
    nothing = threat(told=False)
    victims = [pair(nothing.net, seed, told=False) for seed in (100, 101, 102)]
    found = replace(SMALL, rounds=1).run([v.code for v in victims], nothing, condition="public")
    scores = np.concatenate([s.ravel() for f in found for s in f.scores or ()])
    true = np.concatenate([t.ravel() for v in victims for t in v.true])
    assert auc(scores, true) == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_gives_the_same_answer_and_leaves_the_callers_randomness_alone(
    told: CodeThreat,
) -> None:
    short = Classifier(steps=3, batch=2, width=8, rounds=2)
    victim = pair(told.net, 100, told=True)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    a, b = (short.run([victim.code], told, condition="public")[0] for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    for one, other in zip(a.scores or (), b.scores or (), strict=True):
        assert (one == other).all()
    (other_seed,) = Classifier(steps=3, batch=2, width=8, seed=1).run([victim.code], told, condition="public")
    assert (other_seed.scores or ())[0][0, 0] != (a.scores or ())[0][0, 0]


def test_a_code_of_another_network_is_refused(told: CodeThreat) -> None:
    code = pair(told.net, 100, told=True).code
    cut = type(code)(code.levels[:1], code.nonzeros, code.height, code.width)
    with pytest.raises(UsageError, match="not of the network"):
        Classifier(steps=1, rounds=1).run([cut], told, condition="public")
