"""Locate: where the brain, and with it the face, lies in any image of a head.

    image ──> 4 mm grid ──> head ──> flattened ──> register MNI152 ──> confidence ──> Location or Refusal
                                └──> skull (CT) ──┘

MNI millimetres are the map: whatever is named there (eyes, nose, chin) is found in every head through one
affine. A fit that is not believed is tried again with harder means, within bounds, and then refused by
name: a wrong place would cut a brain or leave a face, and nobody would see it.

What is known beside the image comes first: an affine is used as it is, another image of the session carries
its place over, a mask of the brain shows where to look, landmarks are one start more. See `hints`, `carried`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medveil.core.errors import InputRefused, Refusal, UsageError
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given
from medveil.locate import carried, hints, starts
from medveil.locate.confidence import (
    DEEP_MM,
    DEEP_RULE,
    SMALL,
    SMALL_RULE,
    SURE,
    Rule,
    bare_brain_share,
    judge,
    refusal,
    signals,
)
from medveil.locate.grid import Matrix, Volume, volume_of
from medveil.locate.location import Location
from medveil.locate.location import Way as WayName
from medveil.locate.register import Search
from medveil.locate.starts import Start
from medveil.locate.ways import InSkull, Masked, Soft, Way

__all__ = ["MODALITIES", "Location", "Modality", "locate", "looks_like_hounsfield"]

Modality = Literal["auto", "mr", "ct", "pet"]
MODALITIES: tuple[Modality, ...] = ("auto", "mr", "ct", "pet")

NO_BRAIN_NATS = 0.05  # less than this and no pose shows anything of a brain: more starts are in vain
FEW = 8  # candidates of a first round: it is for heads that are easy
BARE_SKIN_MM, BARE_SHARE = 7.0, 0.97  # skull-stripped: no scalp, and hardly any tissue but a brain's


def locate(image: Image, *, modality: Modality = "auto", given: Given = NOTHING) -> Location:
    """Find the head in an image.

    With `auto`, values that look like Hounsfield units go the way of a CT; all others the way of MR and PET,
    and, where that is refused, the way of a CT without units.

    Raises:
        Refusal: `no head found`, `field of view cuts the brain`, `registration not trusted`,
            `not an intensity image`.
        InputRefused: the given brain is not on the grid of the image.
    """
    if modality not in MODALITIES:
        raise UsageError(f"modality {modality}: unknown", hint="known are " + ", ".join(MODALITIES))
    values, affine = volume_of(image)
    hounsfield = looks_like_hounsfield(values)
    is_ct = modality == "ct" or (modality == "auto" and hounsfield)
    path: Literal["mr", "ct", "pet"] = "ct" if is_ct else "pet" if modality == "pet" else "mr"
    if given.affine_to_mni is not None:
        lifted = np.maximum(values, np.float32(-1024)) if hounsfield else values
        return hints.as_given(lifted, affine, given.affine_to_mni, path)
    if given.carried is not None:
        lifted = np.maximum(values, np.float32(-1024)) if hounsfield else values
        followed = carried.follow(lifted, affine, given.carried, path)
        if followed is not None:
            return followed
    more = hints.landmark_starts(given.landmarks)
    if given.brain is not None:
        masked = Masked(values, affine, _brain(image, given), path, hounsfield)
        rounds = _rounds(masked, (*more, *starts.UPRIGHT), starts.TILTED, starts.MISLABELLED)
        return _first_believed(masked, rounds, given, way_name="masked")
    if is_ct:
        in_skull = InSkull(values, affine, hounsfield)
        rounds = _rounds(in_skull, (*more, *starts.UPRIGHT), starts.TILTED, starts.SHIFTED)
        return _first_believed(in_skull, rounds, given)
    return _in_soft_tissue(values, affine, modality, given, more)


def _in_soft_tissue(
    values: Volume, affine: Matrix, modality: Modality, given: Given, more: tuple[Start, ...]
) -> Location:
    """MR and PET; with `auto`, a CT without units where they fail."""
    soft = Soft(values, affine, "pet" if modality == "pet" else "mr")
    try:
        return _first_believed(soft, _thorough(soft, (*more, *starts.UPRIGHT)), given)
    except Refusal:
        if modality == "auto":
            try:
                in_skull = InSkull(values, affine, hounsfield=False)
                once = _rounds(in_skull, (*starts.UPRIGHT, *starts.TILTED))
                return _first_believed(in_skull, once, given)
            except Refusal:
                pass  # not a CT either: what is said is what the usual way found
    search = Search(soft.problem(masked=True))
    return _first_believed(soft, [Round(search, (*starts.UPRIGHT, *starts.MISLABELLED), keep=5)], given)


@dataclass(frozen=True, eq=False)
class Round:
    """Starts, and the search they are for; of a `quick` one, only a fit beyond doubt is believed."""

    search: Search
    starts: tuple[Start, ...]
    quick: bool = False
    keep: int = 3


def _rounds(way: Way, *rounds: tuple[Start, ...]) -> list[Round]:
    """The same search, given more and more starts; the first of several is quick."""
    search = Search(way.problem())
    return [Round(search, more, quick=i == 0 < len(rounds) - 1) for i, more in enumerate(rounds)]


def _thorough(soft: Soft, usual: tuple[Start, ...]) -> Iterator[Round]:
    """A few usual starts; then all places that a head could have, looked at once, and the likeliest of them."""
    search = Search(soft.problem())
    yield Round(search, usual, quick=True)
    best = tuple(Start(placed=f.affine, distant=False) for f in search.best(keep=2))
    yield Round(Search(soft.closely()), (*soft.cast(), *best), keep=6)


def looks_like_hounsfield(values: Volume) -> bool:
    """Whether values are Hounsfield units: much below -500, and air near -1000 where it is not padding."""
    low = values[values < -500]
    return bool(low.size > 0.02 * values.size and ((low > -1100) & (low < -850)).mean() > 0.1)


def _first_believed(
    way: Way, rounds: Iterable[Round], given: Given, *, way_name: WayName = "searched"
) -> Location:
    """The first round of starts whose best fit passes every rule; else the refusal of the best fit.

    A quick round is believed only if its fit is beyond doubt: two starts came to it from different sides, and
    every signal is well inside its limits.
    """
    refusals: list[tuple[int, Refusal]] = []
    for attempt, this in enumerate(rounds, start=1):
        this.search.add(this.starts, most=FEW if this.quick else this.search.problem.candidates)
        affine = way.chosen(this.search.best(keep=2 if this.quick else this.keep))
        found = signals(affine, way.judged, way.grid, way.head, way.tissue)
        found |= {"agree_mm": this.search.agreement_mm()} | way.further(affine)
        found |= hints.landmark_signal(given.landmarks, affine)
        rule = _rule(way, given, found)
        bare = _is_bare(way, affine, found)
        failed = tuple(n for n in judge(found, rule) if not (bare and n == "skin_mm"))
        if this.quick and all(judge(found, rule) for rule in SURE):
            continue
        if not failed:
            view = {
                "brain_in_view": found["in_view"],
                "crown_cut_cm2": way.crown_cut_cm2,
                "head_l": float(way.head.sum() * way.grid.mm**3 / 1e6),
            }
            state: Literal["whole", "skull-stripped"] = "skull-stripped" if bare else "whole"
            return Location(affine, found, way.modality, view, attempt, way_name, state)
        refusals.append((len(failed), refusal(found, failed, rule)))
        if found["information"] < NO_BRAIN_NATS or failed == ("skin_mm",):
            break  # no brain anywhere, or a brain but no scalp over it: more starts would change neither
    raise min(refusals, key=lambda r: r[0])[1]


def _rule(way: Way, given: Given, found: dict[str, float]) -> Rule:
    """What is asked of a fit, given what is known, how small a brain it implies and how deep it lies."""
    rule = {**way.rule, **hints.LANDMARK_RULE} if given.landmarks else dict(way.rule)
    if "inner_ratio" in rule and found["scale_min"] < SMALL:
        rule |= SMALL_RULE
    if "inner_ratio" in rule and found["skin_mm"] > DEEP_MM:
        rule |= DEEP_RULE
    return rule


def _is_bare(way: Way, affine: Matrix, found: dict[str, float]) -> bool:
    """Whether an image shows a brain and nothing around it."""
    return found["skin_mm"] < BARE_SKIN_MM and bare_brain_share(affine, way.grid) > BARE_SHARE


def _brain(image: Image, given: Given) -> Volume:
    """The given mask of the brain in the order of axes of `volume_of`."""
    if given.brain is None or given.brain.shape != image.data.shape[:3]:
        raise InputRefused(
            "brain mask: is not on the grid of its image", hint="resample the mask to the image it is for"
        )
    return volume_of(Image(given.brain.astype(np.uint8), image.affine))[0]
