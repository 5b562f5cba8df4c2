"""Verdict on attacks on codes: what one may conclude, and no more.

- `leak`: the attack does better than somebody who guesses, and a test proves it;
- `no evidence of a leak`: it was not seen to, though it works where decoys protect nothing (the positive control);
- `attack too weak`: nor does it there, so nothing follows.

Attacks on components are tested on the codes at hand (`support.better_than_lots`), so one code is enough. Attacks that make
pictures only are tested over people: by how much their picture is closer than the mean picture of others, the floor
that takes no code; under five people that proves nothing. Several attacks are corrected by Holm's steps.

The control of the first kind has decoys drawn evenly from all components and values, as careless ones are; that of the second has
none. The null is `decode.random_support`, whose AUC is 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.core.verdict import Verdict
from medveil.measure.decoding.joined import Joined
from medveil.measure.decoding.people import each_person
from medveil.measure.decoding.pictures import decibel
from medveil.measure.decoding.support import better_than_lots
from medveil.measure.guesses.gain import swap_p
from medveil.measure.verdict import ALPHA, FEWEST_PERSONS, holm

FLOORS = ("decode.mean_image", "decode.random_support")
"""They show what is reached without reading the code, and get no verdict."""


@dataclass(frozen=True)
class DecodeFindings:
    """What one attack reached on codes, and what follows.

    Args:
        attack: public name; summary: one sentence.
        estimates: of `assess.measured`.
        verdict: None for a floor.
        reason: one sentence in plain words.
        p_value: of "no better than guessing"; p_corrected: the same with all attacks of the audit counted.
        control: figures of the positive control; empty where it was not needed, since a leak proves itself.
        control_p: its p.
        seconds: that the attack took.
    """

    attack: str
    summary: str
    estimates: dict[str, Estimate]
    verdict: Verdict | None = None
    reason: str = ""
    p_value: float | None = None
    p_corrected: float | None = None
    control: dict[str, Estimate] = field(default_factory=dict)
    control_p: float | None = None
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        told = {**vars(self)}
        for name in ("estimates", "control"):
            told[name] = {key: e.to_json() for key, e in getattr(self, name).items()}
        return told


def p_of(joined: Joined, floor: Joined | None, seeds: Seeds) -> float | None:
    """p of "it reads nothing in the code"; None where that cannot be tested.

    Args:
        floor: `decode.mean_image` on the same codes; for attacks that make pictures only.
    """
    if joined.scored:
        return better_than_lots(joined)
    if floor is None or not joined.pictured:
        return None
    gains = [
        None if mine is None or theirs is None else mine - theirs
        for mine, theirs in zip(_decibels(joined), _decibels(floor), strict=True)
    ]
    each = each_person(gains, joined.groups)
    return swap_p(each, seeds, 10_000) if len(each) >= FEWEST_PERSONS else None


def judge(found: Sequence[DecodeFindings]) -> list[DecodeFindings]:
    """The same findings with verdicts that hold for all attacks together. Twice changes nothing."""
    tested = [None if f.attack in FLOORS else f.p_value for f in found]
    adjusted = iter(holm([p for p in tested if p is not None]))
    return [_ruled(f, None if p is None else next(adjusted)) for f, p in zip(found, tested, strict=True)]


def overall(found: Sequence[DecodeFindings]) -> Verdict:
    """The strongest verdict of all attacks."""
    verdicts = {f.verdict for f in found}
    if "leak" in verdicts:
        return "leak"
    return "no evidence of a leak" if "no evidence of a leak" in verdicts else "attack too weak"


def _ruled(f: DecodeFindings, p: float | None) -> DecodeFindings:
    if f.attack in FLOORS:
        return replace(f, verdict=None, reason="A floor: what is reached without reading the code.")
    f = replace(f, p_corrected=p)
    reached = f"it reaches {_figures(f.estimates)}{_p(p)}"
    if p is not None and p < ALPHA:
        return replace(f, verdict="leak", reason=f"The attack reads what the decoys should hide: {reached}.")
    if p is None:
        why = f"A picture is tested over people, and {FEWEST_PERSONS} at least are needed with a floor beside them"
        return replace(f, verdict="attack too weak", reason=f"{why}: {reached}.")
    if f.control_p is None or f.control_p >= ALPHA:
        why = (
            "the control is missing"
            if f.control_p is None
            else f"on an unprotected code it reaches {_figures(f.control)}{_p(f.control_p)}"
        )
        return replace(
            f, verdict="attack too weak", reason=f"Its failure means nothing, for {why}; {reached}."
        )
    reason = (
        f"The attack works on an unprotected code ({_figures(f.control)}{_p(f.control_p)}) and was not seen to work "
        f"here: {reached}."
    )
    return replace(f, verdict="no evidence of a leak", reason=reason)


def _figures(estimates: dict[str, Estimate]) -> str:
    auc, db = estimates.get("auc"), estimates.get("psnr")
    if auc is not None and auc.value is not None:
        return f"AUC {auc.value:.3f}, chance 0.5"
    return f"{db.value:.1f} dB" if db is not None and db.value is not None else "no figure"


def _p(p: float | None) -> str:
    return "" if p is None else ", p < 0.001" if p < 0.001 else f", p = {p:.3f}"


def _decibels(joined: Joined) -> list[float | None]:
    return [
        None if c.picture is None else decibel(p.picture, c.picture)
        for c, p in zip(joined.claims, joined.pairs, strict=True)
    ]
