"""Cohort: simulated people with their scans and their photographs, built when they are opened.

    simulate_cohort(12) ──> scans:       sub-001/anat/sub-001_T1w.nii.gz ...
                            photographs: sub-001/photo-1.jpg ...

Both sides use the same labels, so the truth of an attack is that equal labels are equal people. Nobody's
data are needed and nobody can be hurt; the price is that such a cohort ranks tools and does not estimate
how often real people would be recognised. Reports say so.

Person number i is the same person in every cohort of one seed, however many are asked for. People to
calibrate an attack on are had from the same seed with `first` beyond the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.simulate.basis.model import FaceBasis
from medveil.simulate.basis.person import SPREAD as BASIS_SPREAD
from medveil.simulate.basis.person import draw_basis_person
from medveil.simulate.person import Person, draw_person
from medveil.simulate.photograph import Portrait, sit
from medveil.simulate.scan import Scanner, scan

PICTURE_SIZES_PX = (200, 300)
"""Sides of a cohort's photographs: a face of some 90 to 140 pixels, which face detectors expect."""
SPREAD = 1.3
"""How far sculpted people differ in shape by default; people from a face basis have `basis.person.SPREAD`."""
PLAIN_SCANNER = Scanner()
"""A 2 mm T1-weighted scan."""


@dataclass(frozen=True, repr=False)
class SimulatedCohort:
    """People who do not exist, seen by a scanner and by a camera; labels agree on both sides."""

    scans: Cohort
    photographs: Cohort

    def __repr__(self) -> str:
        return f"SimulatedCohort(scans={self.scans!r}, photographs={self.photographs!r})"


@dataclass(frozen=True)
class _Someone:
    """Recipe of one person; cheap to hold, hashable, and safe to send to another process."""

    seeds: Seeds
    index: int
    spread: float
    rho: float
    confounder: float
    basis: FaceBasis | None = None

    def draw(self) -> Person:
        if self.basis is not None:
            return draw_basis_person(
                self.seeds,
                self.index,
                self.basis,
                spread=self.spread,
                rho=self.rho,
                confounder=self.confounder,
            )
        return draw_person(
            self.seeds, self.index, spread=self.spread, rho=self.rho, confounder=self.confounder
        )


@dataclass(frozen=True)
class _OpenScan:
    someone: _Someone
    visit: int
    scanner: Scanner

    def __call__(self) -> Image:
        who = self.someone
        return scan(who.draw(), who.seeds, visit=self.visit, scanner=self.scanner).image


@dataclass(frozen=True)
class _OpenPhotograph:
    someone: _Someone
    shot: int

    def __call__(self) -> Image:
        return _portrait(self.someone).shot(self.shot, size_px=PICTURE_SIZES_PX)


@lru_cache(maxsize=4)
def _portrait(someone: _Someone) -> Portrait:
    return sit(someone.draw(), someone.seeds)


def simulate_cohort(
    people: int = 12,
    *,
    seed: int = 0,
    first: int = 0,
    spread: float | None = None,
    photos: int = 3,
    rho: float = 0.5,
    confounder: float = 1.0,
    scanner: Scanner = PLAIN_SCANNER,
    visits: int = 1,
    face_basis: FaceBasis | None = None,
) -> SimulatedCohort:
    """A cohort of people who do not exist. Costs nothing until a record is opened.

    Args:
        people: how many; `first`: index of the first one, who is labelled sub-<first + 1>.
        seed: root of all randomness.
        spread: how far people differ in shape: 1.3 the default difficulty, 1.0 harder. With a face basis a
            factor on its weights, 1.0 by default.
        photos: photographs a person, each of another day.
        rho: tie between face and brain; confounder: how strongly age and sex shape both (see `person`).
        scanner: how the scans are made; visits: scans a person, as sessions if more than one.
        face_basis: a statistical head model, from `basis.model.read_basis`, that the heads come from instead
            of the sculpted ones; what sex and age mean then is told in `basis.person`.

    Raises:
        UsageError: a count that makes no cohort.
    """
    if people < 1 or first < 0 or photos < 0 or visits < 0:
        raise UsageError("simulate: people must be at least 1; first, photos and visits at least 0")
    if spread is None:
        spread = SPREAD if face_basis is None else BASIS_SPREAD
    scans: list[Record] = []
    photographs: list[Record] = []
    participants: dict[str, dict[str, str]] = {}
    for index in range(first, first + people):
        someone = _Someone(Seeds(seed), index, spread, rho, confounder, face_basis)
        label = f"sub-{index + 1:03d}"
        person = someone.draw()
        participants[label] = {"age": str(int(person.age_years)), "sex": "M" if person.sex > 0 else "F"}
        scans += [_scan_record(someone, label, visit, visits, scanner) for visit in range(visits)]
        photographs += [_photograph_record(someone, label, shot) for shot in range(photos)]
    return SimulatedCohort(
        scans=Cohort(tuple(scans), participants, simulated=True),
        photographs=Cohort(tuple(photographs), participants, simulated=True),
    )


def _scan_record(someone: _Someone, label: str, visit: int, visits: int, scanner: Scanner) -> Record:
    """One scan; a session is named only where there are several."""
    open_: Callable[[], Image] = _OpenScan(someone, visit, scanner)
    suffix = scanner.contrast
    if visits == 1:
        place = PurePosixPath(label, "anat", f"{label}_{suffix}.nii.gz")
        return Record(label, suffix, open_, contrast=suffix, place=place)
    session = f"ses-{visit + 1}"
    place = PurePosixPath(label, session, "anat", f"{label}_{session}_{suffix}.nii.gz")
    return Record(label, f"{session}_{suffix}", open_, session=session, contrast=suffix, place=place)


def _photograph_record(someone: _Someone, label: str, shot: int) -> Record:
    name = f"photo-{shot + 1}"
    place = PurePosixPath(label, f"{name}.jpg")
    return Record(label, name, _OpenPhotograph(someone, shot), contrast="photo", place=place)
