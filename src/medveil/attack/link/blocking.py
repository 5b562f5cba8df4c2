"""Blocking: look for a face only among the people whom the table allows.

    candidates     table            face    face + table
    Ann            possible         0.31    0.31            <- first now
    Bob            possible         0.12    0.12
    Cem            another sex      0.48    0.48 - (range + 1), under everybody who is possible

An attacker who knows age and sex of a released scan need not compare it with everybody. Pairs that the table makes impossible fall
below all others and keep their order among themselves (if the table was wrong about all, nothing is lost);
inside a block the other attack decides. What this wins depends on the blocks, so their size stands in the notes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.attack.link.table import CLASH_BITS
from medveil.core.claims import PairClaims
from medveil.core.errors import UsageError


def blocked(claims: PairClaims, table_claims: PairClaims) -> PairClaims:
    """The claims of an attack once the table has had its say; the attack's name gets ` + table`.

    Args:
        claims: of any attack.
        table_claims: of `link.table`, on the same people.

    Returns:
        Claims in the same order. Notes beside the attack's own: `block_share`, the mean share of the candidates
        that the table leaves to a probe; `block_mean`, their mean number; `block_chance`, how often guessing inside the
        block is right, if the right person is in it; `block_of_one`, the share of probe
        images with exactly one; `block_empty`, of those with none.

    Raises:
        UsageError: the table says nothing of one of the pairs.
    """
    verdict = {
        (str(p), str(g)): bool(score > -CLASH_BITS / 2)
        for p, g, score in zip(
            table_claims.probe_subject, table_claims.gallery_subject, table_claims.score, strict=True
        )
    }
    pairs = list(zip(map(str, claims.probe_subject), map(str, claims.gallery_subject), strict=True))
    lost = sum(pair not in verdict for pair in pairs)
    if lost or not pairs:
        raise UsageError(f"blocking: the table says nothing of {lost} of {len(pairs)} pairs")
    possible = np.array([verdict[pair] for pair in pairs])
    score = claims.score.copy()
    score[~possible] -= np.ptp(score) + 1.0
    return replace(
        claims,
        score=score,
        attack=f"{claims.attack} + table",
        notes={**claims.notes, **_sizes(claims, possible)},
    )


def _sizes(claims: PairClaims, possible: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> dict[str, float]:
    """How many candidates (people, not images) the table leaves to each probe image."""
    blocks: dict[tuple[str, str], set[str]] = {}
    people: dict[tuple[str, str], set[str]] = {}
    rows = zip(claims.probe_subject, claims.probe_image, claims.gallery_subject, possible, strict=True)
    for subject, image, candidate, fits in rows:
        key = str(subject), str(image)
        people.setdefault(key, set()).add(str(candidate))
        blocks.setdefault(key, set())
        if fits:
            blocks[key].add(str(candidate))
    size = np.array([len(blocks[key]) for key in blocks], dtype=np.float64)
    asked = np.array([len(people[key]) for key in blocks], dtype=np.float64)
    return {
        "block_share": float((size / asked).mean()),
        "block_mean": float(size.mean()),
        "block_chance": float((1.0 / np.maximum(size, 1.0))[size > 0].sum() / len(size)),
        "block_of_one": float((size == 1).mean()),
        "block_empty": float((size == 0).mean()),
    }
