"""What is in a folder, and what in it gives people away: by kind and by how much, and never a value.

Reads headers and names, of NIfTI, BIDS and DICOM. Voxels are opened only where something says that a face was removed from them, or on
request: a claim that is not true is worse than none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medveil.carry import claiming, exposures, tabling
from medveil.carry.companions import facts_of
from medveil.carry.exposures import Dicom, Exposure, Tally
from medveil.carry.talk import Silent, Talk
from medveil.core.errors import InputRefused
from medveil.io import bids, formats
from medveil.io.folders import inspect_folder
from medveil.protect.header.participants import dropped_columns
from medveil.protect.header.sidecar import clean_sidecar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from medveil.carry.spotting import Spotted
    from medveil.core.cohort import Record

_TITLES = {
    "direct": "says who it is",
    "linking": "says it together with another list",
    "facts": "facts, which together may single somebody out",
}
_SHOWN = 5  # lines of a list on the terminal


@dataclass(frozen=True)
class Summary:
    """Counts for the terminal and for JSON, and no value of any file.

    The only labels in it are, for JSON, the places of images with a face, as a release would call them.

    Args:
        claims: what says that images were defaced, to how many it says it of.
        claimed: what was seen in those images; None where nothing is claimed.
        others: what was seen in the others; None where nobody asked for it.
        table: what the participants table gives away, in a sentence; empty where there is none.
        exposures: what gives people away, the worst first.
        dicom: what is in the DICOM files beside that; None where there are none.
    """

    layout: str
    subjects: int
    images: int
    contrasts: dict[str, int]
    unreadable: dict[str, int]
    header_fields: dict[str, int]
    sidecar_keys: dict[str, int]
    participant_columns_dropped: int
    skipped: dict[str, int]
    warnings: list[str] = field(default_factory=list)
    claims: dict[str, int] = field(default_factory=dict)
    claimed: Spotted | None = None
    others: Spotted | None = None
    table: str = ""
    exposures: list[Exposure] = field(default_factory=list)
    dicom: Dicom | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        kinds = ", ".join(f"{n} {c}" for c, n in self.contrasts.items())
        out = [f"{self.subjects} subjects, {self.images} images ({kinds}), layout: {self.layout}"]
        if self.dicom:
            out += _dicom_lines(self.dicom)
        out += [f"warning: {w}" for w in self.warnings]
        out += self._faces()
        for severity, title in _TITLES.items():
            mine = [e for e in self.exposures if e.severity == severity]
            if mine:
                out.append(f"{title}:")
                out += [f"  {e.count:7} x {e.kind}{_in_files(e.files)}" for e in mine]
        for title, counts in (
            ("header fields a release would drop", self.header_fields),
            ("sidecar keys a release would drop", self.sidecar_keys),
            ("images that cannot be read", self.unreadable),
            ("files that are left out", self.skipped),
        ):
            out += _listed(title, counts)
        if self.table:
            out.append(f"participants.tsv: {self.table}")
        if self.participant_columns_dropped:
            out.append(
                f"columns of participants.tsv a release would drop: {self.participant_columns_dropped}"
            )
        return out

    def _faces(self) -> list[str]:
        """What was seen of faces, and which claims of it are not true."""
        out = []
        if self.claimed:
            by = ", ".join(f"{n} by {who}" for who, n in self.claims.items())
            out.append(
                f"{_claimed(self.claimed)} ({by}); in {self.claimed.with_face} of them a face is still there"
            )
            out += _more(self.claimed)
        if self.others:
            out.append(f"of {self.others.images} other images, {self.others.with_face} show a face")
            out += _more(self.others)
        return out


def _dicom_lines(found: Dicom) -> list[str]:
    kinds = ", ".join(f"{n} {m}" for m, n in found.modalities.items())
    out = [f"{found.files} DICOM files in {found.series} series ({kinds})"]
    if found.private_creators:
        out.append(f"private elements are of {found.private_creators} different creators")
    drawn = {sign: n for sign, n in found.burned_in.items() if sign != "no sign"}
    if drawn:
        out.append("text in the pixels: " + ", ".join(f"{sign} in {n} files" for sign, n in drawn.items()))
    return out + _listed("files a release would set aside", found.quarantined)


def _listed(title: str, counts: dict[str, int]) -> list[str]:
    """The most frequent of some counts; all of them are in the JSON."""
    if not counts:
        return []
    out = [f"{title}:"] + [f"  {n:7} x {what}" for what, n in list(counts.items())[:_SHOWN]]
    left = len(counts) - _SHOWN
    return out + ([f"          and {left} kinds more (--json lists them)"] if left > 0 else [])


def _in_files(files: int) -> str:
    return f", in {files} files" if files > 1 else ""


def _claimed(seen: Spotted) -> str:
    return "1 image claims to be defaced" if seen.images == 1 else f"{seen.images} images claim to be defaced"


def _more(seen: Spotted) -> list[str]:
    out = []
    if seen.detector_only:
        out.append(f"  {seen.detector_only:5} x no tissue of a face, but a face detector fires: look at it")
    return out + [f"  {n:5} x could not be checked: {reason}" for reason, n in seen.unchecked.items()]


def inspect(folder: Path, *, faces: bool = False, jobs: int = 1, talk: Talk | None = None) -> Summary:
    """Look at a folder as `medveil release` would, and say what identifies people in it.

    Args:
        faces: look for faces in all images, not only in those that are said to have none.
    """
    inventory = inspect_folder(folder)
    said = claiming.claims(inventory)
    places = list(zip(bids.release_places(inventory.cohort), inventory.cohort, strict=True))
    claimed = [(place, record) for place, record in places if record.place in said]
    others = [(place, record) for place, record in places if record.place not in said] if faces else []
    talk, tally = talk or Silent(), Tally()
    header_fields: Counter[str] = Counter()
    sidecar_keys: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    for record in inventory.cohort:
        place = record.place
        if place is None:
            continue
        if place not in inventory.series:
            try:
                beside = formats.check(inventory.root / place)
                header_fields.update(beside)
                tally.add(exposures.of_header(beside))
            except InputRefused as error:
                unreadable[error.message] += 1
        if place in inventory.sidecars:
            facts = facts_of(inventory.sidecars[place])
            sidecar_keys.update(clean_sidecar(facts)[1])
            tally.add(exposures.of_sidecar(facts))
    dicom = exposures.of_dicom(inventory, tally, jobs=jobs) if inventory.series else None
    exposures.of_tables(inventory, tally)
    exposures.of_names(inventory, tally)
    exposures.of_description(inventory, tally)
    seen = _spotted(claimed, jobs, talk)
    gone = seen.images - seen.with_face - sum(seen.unchecked.values()) if seen else 0
    tally.add_many(exposures.FACES, len(inventory.cohort) - gone, files=dicom.files if dicom else None)
    rows = list(inventory.cohort.participants.values())
    return Summary(
        layout=inventory.layout,
        subjects=len(inventory.cohort.subjects),
        images=len(inventory.cohort),
        contrasts=_counts(Counter(r.contrast or "unknown" for r in inventory.cohort)),
        unreadable=_counts(unreadable),
        header_fields=_counts(header_fields),
        sidecar_keys=_counts(sidecar_keys),
        participant_columns_dropped=dropped_columns(rows),
        skipped=_counts(Counter(s.reason for s in inventory.skipped)),
        warnings=_warnings(inventory, header_fields, sidecar_keys),
        claims=_counts(Counter(said.values())),
        claimed=seen,
        others=_spotted(others, jobs, talk),
        table=_table(inventory),
        exposures=tally.exposures(),
        dicom=dicom,
    )


def _table(inventory: bids.Inventory) -> str:
    risk = tabling.risk(inventory)
    return risk.said if risk else ""


def _spotted(records: Sequence[tuple[PurePosixPath, Record]], jobs: int, talk: Talk) -> Spotted | None:
    """What is seen in some images; None where there are none, and then nothing heavy is loaded."""
    if not records:
        return None
    from medveil.carry import spotting

    return spotting.spot(records, jobs=jobs, talk=talk)


def _warnings(
    inventory: bids.Inventory, header_fields: Counter[str], sidecar_keys: Counter[str]
) -> list[str]:
    said = [
        "images of heads show faces: treat them as photographs until `medveil release` has measured otherwise"
    ]
    if inventory.layout == "dicom":
        said.append("DICOM headers name people; a release gives everybody and everything a new name by a key")
    elif inventory.layout != "bids":
        said.append(
            "file and folder names may be names of people; a release renames them to sub-001, sub-002, ..."
        )
    if header_fields:
        said.append("some image headers hold more than geometry")
    if sidecar_keys:
        said.append("sidecars hold keys that are not on the list of acquisition facts")
    return said


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())
