"""Naming: under which names people, visits and images leave, and by how much their dates move.

    no key     sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz        labels of BIDS stay; plain names become sub-001, ...
    a key      sub-K3F.../ses-1/anat/sub-K3F..._ses-1_T1w.nii.gz   a pseudonym a person, visits counted anew
    DICOM      sub-K3F.../study-01/series-02/00001.dcm          always by a key

A label of a session may be a date, so with a key sessions are counted in the order of their labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medveil.carry.talk import Talk
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.io.bids import Inventory
from medveil.io.keys import KeySource, read_key, write_new_key
from medveil.io.names import BidsName, bids_name, release_places
from medveil.protect.header.pseudonyms import Pseudonyms


@dataclass(frozen=True)
class Naming:
    """Where new names come from; goes to worker processes as it is.

    Args:
        key: where the key is; None where labels stay and no date moves.
        stage: 1 on originals, 2 on what stage 1 released.
    """

    key: KeySource | None = None
    stage: int = 1

    def pseudonyms(self) -> Pseudonyms | None:
        """New names by the key; reads its file."""
        return Pseudonyms(self.key.open(), stage=self.stage) if self.key else None

    @property
    def digest(self) -> str:
        """What of it decides the bytes of a release; says nothing about the key itself."""
        return f"{self.key.label}/{self.stage}" if self.key else ""


OWN_NAMES = Naming()


def naming_of(inventory: Inventory, key: Path | None, stage: int, *, target: Path, talk: Talk) -> Naming:
    """The naming of a release; a key that is not there is made, and that is said.

    Args:
        key: the key file; made if it is not there. None: labels stay; DICOM gets a key beside the release.
        target: the release, which may not hold the key.
        talk: told about a new key.

    Raises:
        UsageError: a second stage without a key; a key inside the release.
        InputRefused: the key file cannot be used.
    """
    if key is None and inventory.layout != "dicom":
        if stage != 1:
            raise UsageError(
                "--stage 2: needs a key of its own", hint="give one with --key; it is made if new"
            )
        return OWN_NAMES
    path = key or target.with_name(target.name + ".key")
    new = not path.exists() and not path.is_symlink()
    opened = write_new_key(path, outside=target) if new else read_key(path, outside=target)
    if new:
        talk.say(
            f"a new key was made: {path}; with it, or with the internal crosswalk, the release can be linked to "
            "its people: keep both safe, or destroy them"
        )
    return Naming(KeySource(path.absolute(), opened.label), stage)


def places_of(inventory: Inventory, naming: Naming) -> list[PurePosixPath]:
    """Where a release keeps each image of an inventory (of DICOM: the folder of each series); no two are the same."""
    cohort, pseudonyms = inventory.cohort, naming.pseudonyms()
    if inventory.layout == "dicom":
        if pseudonyms is None:
            raise UsageError("DICOM: needs a key for new names", hint="give one with --key")
        return _series_places(inventory, pseudonyms)
    places = release_places(cohort)
    if pseudonyms is None:
        return places
    names = {subject: pseudonyms.subject(subject) for subject in cohort.subjects}
    visits = sessions_of(cohort)
    return [
        _renamed(place, names[record.subject], visits.get((record.subject, record.session), ""))
        for record, place in zip(cohort, places, strict=True)
    ]


def sessions_of(cohort: Cohort) -> dict[tuple[str, str], str]:
    """(subject, session as BIDS labels it) to the label it gets with a key: ses-1, ses-2, ... for each person."""
    visits: dict[str, set[str]] = {}
    for record in cohort:
        if record.session:
            visits.setdefault(record.subject, set()).add(record.session)
    return {
        (subject, session): f"ses-{n}"
        for subject, sessions in visits.items()
        for n, session in enumerate(sorted(sessions), start=1)
    }


def _renamed(place: PurePosixPath, subject: str, session: str) -> PurePosixPath:
    """A place of BIDS, or one after its manner, with another subject and session."""
    own = place.parts[0]
    name = bids_name(place)
    inner = list(place.parts[1:-1])
    rest = place.name.removeprefix(f"{own}_")
    if isinstance(name, BidsName) and name.session:
        inner[0] = session
        rest = f"{session}_{rest.removeprefix(name.session + '_')}"
    return PurePosixPath(subject, *inner, f"{subject}_{rest}")


def _series_places(inventory: Inventory, pseudonyms: Pseudonyms) -> list[PurePosixPath]:
    """sub-.../study-01/series-01: studies of a person, and series of a study, counted in the order of the inventory."""
    studies: dict[str, list[str]] = {}
    counts: dict[tuple[str, str], int] = {}
    places = []
    for record in inventory.cohort:
        series = inventory.series[_place(record)]
        own = studies.setdefault(record.subject, [])
        if series.study not in own:
            own.append(series.study)
        key = record.subject, series.study
        counts[key] = counts.get(key, 0) + 1
        places.append(
            PurePosixPath(
                pseudonyms.subject(record.subject),
                f"study-{own.index(series.study) + 1:02d}",
                f"series-{counts[key]:02d}",
            )
        )
    return places


def _place(record: Record) -> PurePosixPath:
    return record.place or PurePosixPath()
