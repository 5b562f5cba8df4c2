"""Attacks without training data: decode.regression, decode.consistency, decode.deep_prior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="learned codes need the extra `learn`")

import torch

from medveil.attack.decode.base import CodeThreat, DecodeAttack, render
from medveil.attack.decode.consistency import Consistency
from medveil.attack.decode.deep_prior import DeepPrior
from medveil.attack.decode.regression import Regression
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import CodePair, PublicCode, SparseLevel, Statistics
from medveil.nn.bottleneck import Bottleneck
from medveil.nn.count import count
from medveil.nn.settings import NetSettings, Variant

Scores = tuple[npt.NDArray[np.float32], ...]
ATTACKS: list[DecodeAttack] = [Regression(rounds=8), Consistency(steps=5), DeepPrior(steps=5, width=4)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def picture(seed: int, side: int = 64) -> torch.Tensor:
    """Something with shades and edges."""
    y, x = np.mgrid[:side, :side] / 32
    a, b, c = np.random.default_rng(seed).uniform(0.5, 2.5, 3)
    film = 0.5 + 0.2 * np.sin(a * x + b * y) + 0.2 * (np.hypot(x - c, y - 1) < 0.6)
    return torch.from_numpy(film.clip(0, 1).astype(np.float32))[None, None]


def planted(far: bool, variant: Variant = "progressive") -> tuple[CodePair, CodeThreat]:
    """A code of a network at its start (a lapped transform), with 8 true components and 8 decoys a site.

    Decoys are far off: of more than any true value; or drawn from the true values of the level.
    """
    torch.manual_seed(0)
    s = NetSettings(variant=variant, levels=2, atoms=64, nonzeros=8, width=2)
    net = Bottleneck(s).eval().requires_grad_(False)
    counts = count(net, [picture(n) for n in range(1, 9)])
    draw = np.random.default_rng(0)
    levels, masks = [], []
    for chosen in net.encode(picture(0)):
        support, values = chosen.support[0].T.numpy(), chosen.steps[0].T.numpy()
        sites = len(support)
        others = np.stack([draw.permutation(np.setdiff1d(np.arange(s.atoms), each))[:8] for each in support])
        drawn = draw.choice([-250, 250], (sites, 8)) if far else draw.choice(values.ravel(), (sites, 8))
        both, told = np.concatenate([support, others], 1), np.concatenate([values, drawn], 1)
        order = both.argsort(axis=1)
        levels.append(
            SparseLevel(
                np.take_along_axis(both, order, 1).astype(np.uint16),
                np.take_along_axis(told, order, 1).astype(np.int16),
                s.atoms,
            )
        )
        masks.append(order < 8)
    code = PublicCode(tuple(levels), 8, 64, 64)
    threat = CodeThreat(net, Statistics(counts.chosen, counts.values, counts.sites))
    return CodePair(code, tuple(masks), picture(0)[0, 0].numpy()), threat


def scores_of(found: Decoded) -> Scores:
    assert found.scores is not None
    return found.scores


def auc(pair: CodePair, found: Decoded) -> float:
    """Chance that a true component scores above a decoy."""
    scores = scores_of(found)
    true = np.concatenate([s[t] for s, t in zip(scores, pair.true, strict=True)])
    decoy = np.concatenate([s[~t] for s, t in zip(scores, pair.true, strict=True)])
    return float((true[:, None] > decoy).mean() + (true[:, None] == decoy).mean() / 2)


@pytest.mark.parametrize(
    "attack",
    [Regression(), Consistency(rounds=1, steps=20), DeepPrior(steps=20, width=8)],
    ids=lambda a: a.name,
)
def test_decoys_that_are_far_off_are_found_by_everyone(attack: DecodeAttack) -> None:
    pair, threat = planted(far=True)
    found = attack.run([pair.code], threat, condition="release")[0]
    assert auc(pair, found) > 0.98
    assert found.picture is not None
    naive = render(pair.code.levels, threat, 64, 64)
    assert ((found.picture - pair.picture) ** 2).mean() < ((naive - pair.picture) ** 2).mean() / 4


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_where_the_truth_was_dealt_at_random_nobody_finds_it(attack: DecodeAttack) -> None:
    pair, threat = planted(far=False)
    draw = np.random.default_rng(1)
    pair = replace(pair, true=tuple(draw.permuted(t, axis=1) for t in pair.true))
    assert abs(auc(pair, attack.run([pair.code], threat, condition="release")[0]) - 0.5) < 0.06


@pytest.mark.parametrize("variant", ["progressive", "paper", "independent"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_every_variant_is_attacked_better_than_by_chance(attack: DecodeAttack, variant: Variant) -> None:
    pair, threat = planted(far=False, variant=variant)
    assert isinstance(attack, DecodeAttack)
    found = attack.run([pair.code], threat, condition="release")[0]
    assert (found.attack, found.condition, attack.learns) == (attack.name, "release", False)
    assert [s.shape for s in scores_of(found)] == [level.support.shape for level in pair.code.levels]
    # Chance is 0.5. These decoys lie on components drawn evenly, so atom frequency alone reaches 0.78 here
    # (progressive), more than any of the three: they are made for decoys that follow it.
    assert auc(pair, found) > 0.6


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_the_same_code_gives_the_same_claim(attack: DecodeAttack) -> None:
    pair, threat = planted(far=False)
    a, b = (attack.run([pair.code], threat, condition="release")[0] for _ in range(2))
    assert all(np.array_equal(x, y) for x, y in zip(scores_of(a), scores_of(b), strict=True))
    assert a.picture is not None
    assert b.picture is not None
    assert np.array_equal(a.picture, b.picture)


def test_full_density_and_no_decoys_are_attacked_too() -> None:
    pair, threat = planted(far=False)
    level = pair.code.levels[0]
    mask = pair.true[0]
    only = SparseLevel(level.support[mask].reshape(-1, 8), level.values[mask].reshape(-1, 8), level.atoms)
    atoms = np.tile(np.arange(64, dtype=np.uint16), (level.sites, 1))
    full = SparseLevel(atoms, np.ones_like(atoms, dtype=np.int16), 64)
    for one in (only, full):
        found = Regression(rounds=2).run(
            [replace(pair.code, levels=(one, one))], threat, condition="release"
        )[0]
        assert scores_of(found)[0].shape == one.support.shape


def test_codes_of_another_network_are_refused() -> None:
    pair, threat = planted(far=False)
    for strange in (replace(pair.code, levels=pair.code.levels[:1]), replace(pair.code, height=128)):
        with pytest.raises(UsageError, match="network"):
            Regression().run([strange], threat, condition="release")


def test_settings_that_make_no_attack_are_refused() -> None:
    for make in (
        lambda: Regression(rounds=-1), lambda: Regression(smoothness=-1), lambda: Consistency(steps=0),
        lambda: Consistency(rate=2), lambda: DeepPrior(width=0),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="decode"):
            make()
    assert all(attack.describe() for attack in ATTACKS)
