"""Assess: everything that is measured of one attack on codes, and of several beside each other.

attack                  AUC    found  solved   PSNR   SSIM  MS-SSIM  bits left   verdict
decode.mean_image         -        -       -   16.1   0.51     0.35          -   floor
decode.by_frequency   0.603    35.1%    0.0%   21.0   0.40     0.55       46.5   leak
authorised                -        -       -   44.0   0.99     1.00          -
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair
from medveil.measure.decoding.ambiguity import residual
from medveil.measure.decoding.joined import Joined
from medveil.measure.decoding.pictures import Picture, likeness
from medveil.measure.decoding.separation import separation
from medveil.measure.decoding.support import found_and_solved
from medveil.measure.decoding.tradeoff import leakage
from medveil.measure.decoding.verdict import FLOORS, DecodeFindings

_COLUMNS = (
    ("AUC", "auc", ".3f"),
    ("found", "found", ".1%"),
    ("solved", "solved", ".1%"),
    ("PSNR", "psnr", ".1f"),
    ("SSIM", "ssim", ".3f"),
    ("MS-SSIM", "ms_ssim", ".3f"),
    ("bits left", "residual_bits_bound", ".1f"),
)


def measured(joined: Joined, seeds: Seeds, others: Joined | None = None) -> dict[str, Estimate]:
    """All estimates that the claims of one attack allow.

    Args:
        others: the same attack on codes of other people, to calibrate on; see `ambiguity.residual`.
    """
    out: dict[str, Estimate] = {}
    if joined.scored:
        out |= separation(joined, seeds) | found_and_solved(joined, seeds) | residual(joined, seeds, others)
        out["leakage"] = leakage(out)
    seen = [
        (p.picture, c.picture, p.group)
        for c, p in zip(joined.claims, joined.pairs, strict=True)
        if c.picture is not None
    ]
    if seen:
        originals, pictures, groups = zip(*seen, strict=True)
        out |= likeness(originals, pictures, groups, seeds)
    return out


def authorised(pictures: Sequence[Picture], pairs: Sequence[CodePair], seeds: Seeds) -> dict[str, Estimate]:
    """How close the pictures come that the finest key opens."""
    return likeness([p.picture for p in pairs], pictures, [p.group for p in pairs], seeds)


def table(found: Sequence[DecodeFindings], beside: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """Lines for people: one an attack, then those without a verdict, such as the authorised user."""
    rows = [["attack", *(title for title, *_ in _COLUMNS), "verdict"]]
    rows += [
        [f.attack, *_cells(f.estimates), f.verdict or ("floor" if f.attack in FLOORS else "")] for f in found
    ]
    rows += [[name, *_cells(estimates), ""] for name, estimates in beside.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
            + [row[-1]]
        ).rstrip()
        for row in rows
    ]


def _cells(estimates: Mapping[str, Estimate]) -> list[str]:
    out = []
    for _, name, form in _COLUMNS:
        e = estimates.get(name)
        out.append("-" if e is None or e.value is None else format(e.value, form))
    return out
