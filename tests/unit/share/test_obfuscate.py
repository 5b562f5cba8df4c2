"""Obfuscate: everybody sees all components, key holders know which are true; the same release is the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import medveil.share.obfuscate as module
from medveil.core.errors import InputRefused, MedveilError, UsageError, VerificationFailed
from medveil.core.secrets import Key
from medveil.share.base import Layered, SparseLevel
from medveil.share.codec import ranking
from medveil.share.container import Code
from medveil.share.keys import LevelKeys
from medveil.share.obfuscate import fingerprint, obfuscate, public_part, release_mark, reveal, settings_mark
from medveil.share.seal import open_tags, seal, unseal

from .sparse import Made, made, same

SITE = Key(bytes(range(32)))
DIGEST = hashlib.sha256(b"a film").digest()
MODEL = {"model": "0" * 64, "rows": 64}


@pytest.fixture(scope="module")
def case() -> Made:
    return made(120, 4, levels=3)


def keys_of(levels: int = 3) -> LevelKeys:
    return LevelKeys.derived(SITE, DIGEST, levels)


def code_of(case: Made, decoys: int = 5, keys: LevelKeys | None = None, tags: bytes = b"tags") -> Code:
    return obfuscate(case.levels, case.statistics, MODEL, keys or keys_of(), decoys=decoys, tags=tags)


@pytest.mark.parametrize("decoys", [1, 5, 60])
def test_the_finest_key_reveals_all_true_components(case: Made, decoys: int) -> None:
    code = Code.from_bytes(code_of(case, decoys).to_bytes())
    revealed = reveal(code, keys_of().of(3), case.statistics)
    assert all(same(one, other) for one, other in zip(revealed, case.levels, strict=True))


def test_a_coarser_key_reveals_its_levels_and_no_finer_one(case: Made) -> None:
    code = code_of(case)
    for level in (1, 2):
        revealed = reveal(code, keys_of().of(level), case.statistics)
        assert len(revealed) == level
        assert all(same(one, other) for one, other in zip(revealed, case.levels, strict=False))


def test_everybody_sees_true_components_among_decoys(case: Made) -> None:
    code = code_of(case)
    for seen, true in zip(public_part(code, case.statistics), case.levels, strict=True):
        assert seen.support.shape == (120, 9)
        for site in range(120):
            shown = dict(zip(seen.support[site].tolist(), seen.values[site].tolist(), strict=True))
            held = dict(zip(true.support[site].tolist(), true.values[site].tolist(), strict=True))
            assert held.items() < shown.items()


def test_the_same_release_is_the_same_bytes_and_another_image_is_not(case: Made) -> None:
    assert code_of(case).to_bytes() == code_of(case).to_bytes()
    other = LevelKeys.derived(SITE, hashlib.sha256(b"another").digest(), 3)
    assert code_of(case, keys=other).public != code_of(case).public


def test_a_level_and_the_bits_it_takes(case: Made) -> None:
    """The masked ranks take exactly ceil(log2 C) bits a site, however long the key would have been."""
    code = code_of(case)
    width = ranking.bits(9, 4)
    assert width == 7
    seen = public_part(code, case.statistics)[0]
    body = module.encode_level(seen, case.statistics, 0)
    assert code.public[0][: 120 * 7 // 8] + body == code.public[0]
    assert code.header.settings["model"] == MODEL["model"]


def test_the_tags_are_sealed_in_this_mode_too(case: Made) -> None:
    code = code_of(case, tags=b"Secret^Name")
    assert b"Secret^Name" not in code.to_bytes()
    assert open_tags(code, keys_of().owner) == b"Secret^Name"


def test_a_key_of_another_image_is_refused(case: Made) -> None:
    other = LevelKeys.derived(SITE, hashlib.sha256(b"another").digest(), 3)
    for key in (other.of(1), other.of(3), LevelKeys.new(3).of(2), LevelKeys.new(4).of(4)):
        with pytest.raises(MedveilError):
            reveal(code_of(case), key, case.statistics)


def test_any_change_is_found_by_holders_of_any_level(case: Made) -> None:
    code = code_of(case)
    random = np.random.default_rng(0)
    for _ in range(60):
        index = int(random.integers(3))
        changed = bytearray(code.public[index])
        changed[int(random.integers(len(changed)))] ^= 1 << int(random.integers(8))
        public = (*code.public[:index], bytes(changed), *code.public[index + 1 :])
        for level in (1, 2, 3):
            with pytest.raises(VerificationFailed):
                reveal(dataclasses.replace(code, public=public), keys_of().of(level), case.statistics)


def test_swapped_levels_are_found(case: Made) -> None:
    code = code_of(case)
    public = (code.public[1], code.public[0], code.public[2])
    header = dataclasses.replace(code.header, sizes=tuple(map(len, public)))
    for level in (1, 2, 3):
        with pytest.raises(VerificationFailed):
            reveal(Code(header, public, code.sealed), keys_of().of(level), case.statistics)


def test_another_model_is_named_as_the_reason(case: Made) -> None:
    other = made(1, 4, levels=3, seed=9).statistics
    assert fingerprint(other) != fingerprint(case.statistics)
    for ask in (
        lambda: public_part(code_of(case), other),
        lambda: reveal(code_of(case), keys_of().of(3), other),
    ):
        with pytest.raises(InputRefused, match="another model"):
            ask()


@pytest.mark.parametrize(
    "change",
    [
        {"decoys": 0},
        {"decoys": 61},
        {"decoys": 5.0},
        {"decoys": True},
        {"sites": [120, 120]},
        {"sites": [120, 120, -1]},
        {"sites": [120, 120, 1 << 40]},
        {"sites": 120},
        {"nonzeros": [4, 4, 99]},
        {"atoms": 63},
        {"extra": 1},
    ],
)
def test_a_header_that_obfuscate_does_not_write(case: Made, change: dict[str, object]) -> None:
    code = code_of(case)
    sparse = {**code.header.settings["sparse"], **change}
    header = dataclasses.replace(code.header, settings={**code.header.settings, "sparse": sparse})
    with pytest.raises(VerificationFailed, match="header"):
        public_part(dataclasses.replace(code, header=header), case.statistics)


def test_the_modes_are_not_mixed_up(case: Made) -> None:
    code = code_of(case)
    with pytest.raises(InputRefused, match="obfuscated"):
        unseal(code, keys_of().of(3))
    sealed = seal(Layered("codec.primis", MODEL, code.public), keys_of())
    for ask in (
        lambda: public_part(sealed, case.statistics),
        lambda: reveal(sealed, keys_of().of(3), case.statistics),
    ):
        with pytest.raises(InputRefused, match="sealed, not obfuscated"):
            ask()


def test_what_does_not_fit_is_not_obfuscated(case: Made) -> None:
    statistics = case.statistics
    for levels, keys, decoys, settings in [
        (case.levels, keys_of(2), 5, MODEL),
        (case.levels, keys_of(), 0, MODEL),
        (case.levels, keys_of(), 61, MODEL),
        (case.levels, keys_of(), 5, {"sparse": 1}),
        ([], keys_of(), 5, MODEL),
        ([*case.levels, case.levels[0]], keys_of(4), 5, MODEL),
        ([SparseLevel(one.support, one.values * 9, 64) for one in case.levels], keys_of(), 5, MODEL),
    ]:
        with pytest.raises(UsageError):
            obfuscate(levels, statistics, settings, keys, decoys=decoys)


def test_masked_ranks_are_even_over_all_supports_of_a_small_case() -> None:
    """4 published, 2 true: by brute force 6 possible supports, and the masked rank says nothing of which."""
    case = made(6000, 2, 16)
    # One support for all sites: unmasked, every rank would be decided by the decoys alone.
    level = SparseLevel(np.tile(np.array([[3, 9]], np.uint16), (6000, 1)), np.ones((6000, 2), np.int16), 16)
    code = obfuscate([level], case.statistics, {}, LevelKeys.derived(SITE, DIGEST, 1), decoys=2)
    masked = ranking.unpack(code.public[0][: 6000 * 3 // 8], slice(0, 6000), 3)[0]
    counted = np.bincount(masked, minlength=6)
    assert len(counted) == 6
    assert ((counted - 1000) ** 2 / 1000).sum() < 35  # chi-square with 5 degrees of freedom: once in 700,000
    # Given the true rank as well, which the owner knows, it is as even: the mask does not hang on it.
    seen = public_part(code, case.statistics)[0]
    every = {
        places: rank
        for rank, places in enumerate(sorted(itertools.combinations(range(4), 2), key=lambda p: p[::-1]))
    }
    ranks = np.array([every[tuple(np.flatnonzero(np.isin(site, [3, 9])))] for site in seen.support])
    for rank in range(6):
        counted = np.bincount(masked[ranks == rank], minlength=6)
        expected = max(1, counted.sum()) / 6
        assert ((counted - expected) ** 2 / expected).sum() < 40


def test_masks_are_below_the_bound_also_when_it_takes_many_limbs() -> None:
    total = ranking.ways(256, 128)
    masks = module._masks(keys_of().of(1), b"body", 50, total)
    assert masks.shape == (6, 50)
    assert ranking.below(masks, total).all()
    numbers = [sum(int(limb) << (48 * at) for at, limb in enumerate(site)) for site in masks.T]
    assert len(set(numbers)) == 50
    assert min(numbers) < total // 4 < 3 * total // 4 < max(numbers)


def test_masks_hang_on_all_that_is_published() -> None:
    key, total = keys_of().of(1), ranking.ways(32, 16)
    one = module._masks(key, b"body", 50, total)
    assert np.array_equal(one, module._masks(key, b"body", 50, total))
    assert not (one == module._masks(key, b"bodz", 50, total)).any()
    assert not (one == module._masks(keys_of().of(2), b"body", 50, total)).any()


def test_marks_for_the_ledger() -> None:
    assert re.fullmatch("[0-9a-f]{64}", release_mark(SITE, DIGEST))
    assert release_mark(SITE, DIGEST) == release_mark(SITE, DIGEST)
    assert release_mark(SITE, DIGEST) != release_mark(Key.new(), DIGEST)
    assert release_mark(SITE, DIGEST) != release_mark(SITE, bytes(32))
    assert DIGEST.hex() not in release_mark(SITE, DIGEST)
    one = {"nonzeros": 16, "decoys": 16, "model": "ab", "levels": 4}
    assert re.fullmatch("[0-9a-f]{64}", settings_mark(one))
    assert settings_mark(one) == settings_mark(dict(reversed(one.items())))
    assert settings_mark(one) != settings_mark(one | {"decoys": 48})


def test_it_is_never_called_encryption() -> None:
    """Where the word stands at all, a `not` stands before it."""
    from medveil.carry.sharing import leaking
    from medveil.share.codec import decoys

    for each in (module, leaking, decoys):
        text = Path(str(each.__file__)).read_text(encoding="utf-8").lower()
        assert len(re.findall("encrypt(?!or\\(\\))", text)) == len(re.findall("not encryption", text))
