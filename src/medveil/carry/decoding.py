"""Decoding: codes to attack, with what they hide beside them, as only their owner has both."""

from __future__ import annotations

import numpy as np

from medveil.attack.decode.base import CodeThreat
from medveil.core.image import Image
from medveil.core.sparse import CodePair, PublicCode
from medveil.io.models import read_model
from medveil.share.codec.decoys import add_decoys, fitted
from medveil.share.codec.grid import Grid
from medveil.share.codec.primis import Primis
from medveil.share.keys import LevelKeys


def pair_of(codec: Primis, image: Image, keys: LevelKeys, *, decoys: int, group: str = "") -> CodePair:
    """A film as `obfuscate` would publish it, and which of its components are true.

    Args:
        image: a film (H, W).
        keys: from which the decoys are drawn.
        decoys: S_n.
        group: whose film it is.

    Raises:
        Refusal: an image that the codec does not take.
    """
    levels, published, true = codec.sparse(image), [], []
    for index, level in enumerate(levels):
        key = keys.of(index + 1).section("decoys")
        both, places = add_decoys(level, fitted(level, codec.statistics, index), index, decoys, key)
        mask = np.zeros(both.support.shape, dtype=np.bool_)
        np.put_along_axis(mask, places.astype(np.intp), True, axis=1)
        published.append(both)
        true.append(mask)
    code = PublicCode(tuple(published), levels[0].nonzeros, *image.data.shape)
    return CodePair(code, tuple(true), Grid.of(image).scale.to_unit(image.data), group)


def threat_of(codec: Primis, pairs: tuple[CodePair, ...] = ()) -> CodeThreat:
    """An attacker who holds the network of a codec, and perhaps pairs of other people."""
    return CodeThreat(read_model(codec.model).net, codec.statistics, pairs)
