"""People whose place in the scanner is known, so that no test pays for finding it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pytest

from medveil.core.seeds import Seeds
from medveil.locate.location import Location
from medveil.protect.deface import method
from medveil.simulate.brain import brain_affine
from medveil.simulate.head import Head
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, head_for, scan
from medveil.simulate.scanner import Scanner
from medveil.simulate.tissues import Contrast

SPACING_MM = 3.0


@dataclass(frozen=True, eq=False)
class Posed:
    """A scan and its true place (up to the person's own warp of the brain)."""

    scan: Scan
    place: Location


@lru_cache
def posed(index: int = 2, contrast: Contrast = "T1w", *, table: bool = False) -> Posed:
    """Person `index` of seed 7, 3 mm, tilted as people are."""
    scanner = Scanner(contrast, SPACING_MM, table=table)
    head = _head(index)
    person, seen = head.person, scan(head.person, Seeds(7), scanner=scanner, head=head)
    signals, view = {"information": 1.0}, {"brain_in_view": 1.0}
    affine = seen.pose @ brain_affine(person)
    return Posed(seen, Location(affine, signals, "ct" if contrast == "CT" else "mr", view))


@lru_cache
def _head(index: int) -> Head:
    return head_for(draw_person(Seeds(7), index), Scanner(spacing_mm=SPACING_MM))


def known(who: Posed, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """From here on every method finds this person's head where it is."""
    monkeypatch.setattr(method, "locate", lambda image, modality, given: who.place)
    return who.scan
