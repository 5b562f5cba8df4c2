"""Converting: a folder of DICOM becomes a BIDS folder, a source for a release and not one itself.

    series ──links──> aside ──dcm2niix──> images ──contrast──> sub-4711/ses-1/anat/sub-4711_ses-1_T1w.nii.gz  .json
                                             └──no contrast──> unsorted/sub-4711_ses-1_series-7.nii.gz        why.tsv

Each series is converted by itself: numbers of series repeat within a study, files of two series are never mixed, and
one odd series costs no other. A label is the PatientID wherever BIDS can hold it, so a key gives a person the same new name here
and in DICOM. All is written aside and appears in one rename.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from medveil.carry.laying_out import UNSORTED, ConvertedImage, describe, leave_unsorted, sort_in
from medveil.carry.talk import Talk
from medveil.core.errors import InputRefused
from medveil.io.aside import failed
from medveil.io.bids import Inventory
from medveil.io.convert import convert, headers, program
from medveil.io.dicom.folder import inspect_dicom
from medveil.io.dicom.series import Series
from medveil.io.folder import Staging
from medveil.io.names import stem
from medveil.protect.header.ages import years_between
from medveil.protect.header.dates import day_of, keep_tm
from medveil.protect.text.flags import facts_of, risk

_ASIDE = ".converting"
_IN_A_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


@dataclass(frozen=True)
class Converted:
    """What a conversion came to, in counts.

    Args:
        images: contrast to how many images of it lie where BIDS puts them.
        unsorted: why images lie in `unsorted`, to how many.
        refused: why series were not converted, to how many.
        numbered: people whose ID BIDS cannot hold.
        left_out: why files were not looked at, to how many.
    """

    people: int
    sessions: int
    images: dict[str, int]
    unsorted: dict[str, int]
    refused: dict[str, int]
    numbered: int
    left_out: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "identifies_people": True}

    def lines(self) -> list[str]:
        """What a person reads."""
        kinds = ", ".join(f"{n} {c}" for c, n in self.images.items())
        total = sum(self.images.values())
        out = [
            f"{self.people} people, {self.sessions} sessions, {total} images"
            + (f" ({kinds})" if kinds else "")
        ]
        for what, counts in (
            (f"images in {UNSORTED}/, which a release passes over", self.unsorted),
            ("series that were not converted", self.refused),
            ("files that were left out", self.left_out),
        ):
            if counts:
                out += [f"{what}:", *(f"  {n:5} x {reason}" for reason, n in counts.items())]
        if self.unsorted or self.refused:
            out.append(f"which ones: {UNSORTED}/why.tsv")
        if self.numbered:
            out.append(
                f"people who are numbered, since BIDS cannot hold their IDs: {self.numbered}. A key gives them other names and "
                "dates here than in their DICOM, and would give them those of people numbered alike elsewhere: use a new key"
            )
        return out


def convert_folder(source: Path, target: Path, *, force: bool, talk: Talk) -> Converted:
    """Convert a folder of DICOM into a new BIDS folder.

    Raises:
        MissingPackage: dcm2niix is not installed.
        UsageError: the output exists, or overlaps the input.
        InputRefused: no DICOM, or not one series could be converted.
        OutputFailed: permissions, disk full.
    """
    program()
    inventory = inspect_dicom(source)
    with Staging(target, inputs=[source], force=force) as staging:
        staging.prune(())  # nothing of an earlier run is taken over
        aside = staging.folder / _ASIDE
        try:
            done = _convert(inventory, staging.folder, aside, talk)
            shutil.rmtree(aside)
        except OSError as error:
            raise failed("output folder", error) from None
        staging.finish()
    return done


def labels_of(subjects: Sequence[str]) -> dict[str, str]:
    """PatientID to the label of a person: the ID itself if it is letters and digits only, otherwise a number of three digits.

    `sub-` before an ID is no part of it, as for `protect.header.pseudonyms`. IDs that differ in case alone, which some file
    systems do not tell apart, are numbered; a number that is somebody's ID is left out.
    """
    bare = {s: s.removeprefix("sub-") for s in subjects}
    same = Counter(label.lower() for label in bare.values())
    own = {s: x for s, x in bare.items() if re.fullmatch("[A-Za-z0-9]+", x) and same[x.lower()] == 1}
    free = (label for n in count(1) if (label := f"{n:03d}") not in same)
    return {s: own.get(s) or next(free) for s in subjects}


def acquired(head: Any) -> str:
    """When an image was made, as BIDS writes it, without an offset from UTC; '' where the header does not say.

    A time of day without a date says nothing; a date without a time of day is a date.
    """
    whole = _text(head, "AcquisitionDateTime")
    day, clock = whole[:8], re.split("[+-]", whole[8:])[0]
    if day_of(day) is None:
        day, clock = _text(head, "AcquisitionDate"), _text(head, "AcquisitionTime")
    on, at = day_of(day), keep_tm(clock)
    if on is None:
        return ""
    if not at or not re.fullmatch(r"([0-9]{2}){1,3}(\.[0-9]+)?", at):
        return on.isoformat()
    return f"{on.isoformat()}T{at[:2]}:{at[2:4] or '00'}:{at[4:6] or '00'}{at[6:]}"


def person_of(head: Any) -> dict[str, str]:
    """Sex and age of a person at a study, as columns of participants.tsv; '' where the header does not say.

    The age is counted in completed years from the date of birth, if that is known.
    """
    sex, stated = _text(head, "PatientSex").upper(), _text(head, "PatientAge").upper()
    years = years_between(_text(head, "PatientBirthDate"), _text(head, "StudyDate"))
    if years is None and re.fullmatch("[0-9]{1,3}[DWMY]", stated):
        years = int(int(stated[:-1]) / _IN_A_YEAR[stated[-1]])
    return {"sex": sex if sex in ("M", "F", "O") else "", "age": "" if years is None else str(years)}


def _convert(inventory: Inventory, folder: Path, aside: Path, talk: Talk) -> Converted:
    """Convert every series, lay out what came of it, and write the tables."""
    labels = labels_of(inventory.cohort.subjects)
    homes = _homes(inventory, labels)
    found: list[ConvertedImage] = []
    people: dict[str, dict[str, str]] = {}
    refused: list[tuple[ConvertedImage, str]] = []
    with talk.stage("converting") as progress:
        for n, record in enumerate(inventory.cohort, start=1):
            series = inventory.series[record.place or PurePosixPath()]
            home = homes[series.subject, series.study]
            try:
                heads = headers(series.paths)
                person = person_of(heads[0])
                found += _images(series, heads, home, aside / f"{n:06d}")
                people.setdefault(home.parts[0], person)
            except InputRefused as error:
                refused.append((ConvertedImage(aside, home, _number(series), "", "", ""), error.message))
            progress(n, len(inventory.cohort))
    reasons = Counter(reason for _, reason in refused)
    if not found:
        why = "; ".join(f"{n} x {reason}" for reason, n in reasons.most_common())
        raise InputRefused(f"dicom: no series could be converted: {why}")
    sorted_in = [image for image in found if not image.reason]
    sort_in(sorted_in, folder)
    leave_unsorted([image for image in found if image.reason], refused, folder)
    there = {image.home.parts[0] for image in sorted_in}
    describe({label: person for label, person in people.items() if label in there}, folder)
    return Converted(
        people=len(there),
        sessions=len({image.home for image in sorted_in}),
        images=dict(Counter(image.contrast for image in sorted_in).most_common()),
        unsorted=dict(Counter(image.reason for image in found if image.reason).most_common()),
        refused=dict(reasons.most_common()),
        numbered=sum(label != subject.removeprefix("sub-") for subject, label in labels.items()),
        left_out=dict(Counter(s.reason for s in inventory.skipped).most_common()),
    )


def _homes(inventory: Inventory, labels: Mapping[str, str]) -> dict[tuple[str, str], PurePosixPath]:
    """(subject, study) to sub-<label>/ses-<n>: studies counted by date, and padded, since a release sorts labels as text."""
    studies: dict[str, list[str]] = {}
    for record in inventory.cohort:
        series = inventory.series[record.place or PurePosixPath()]
        of = studies.setdefault(series.subject, [])
        if series.study not in of:
            of.append(series.study)
    return {
        (subject, study): PurePosixPath(f"sub-{labels[subject]}", f"ses-{n:0{len(str(len(of)))}d}")
        for subject, of in studies.items()
        for n, study in enumerate(of, start=1)
    }


def _images(series: Series, heads: Sequence[Any], home: PurePosixPath, aside: Path) -> list[ConvertedImage]:
    """The images that one series becomes, below `aside`."""
    links = aside / "dicom"
    links.mkdir(parents=True)
    for n, path in enumerate(series.paths, start=1):
        _link(path.resolve(), links / f"{n:06d}.dcm")
    try:
        convert(links, aside / "nifti")
    finally:
        shutil.rmtree(links)
    unfit = ""
    if risk(facts_of(heads[0])) != "no sign":
        unfit = "text may be burned in, and nobody looks for it in NIfTI"
    elif not series.contrast:
        unfit = "contrast unknown"
    when = min((at for at in map(acquired, heads) if at), default="")
    files = [p for p in (aside / "nifti").iterdir() if p.name.endswith((".nii", ".nii.gz"))]
    out = []
    for path in sorted(files, key=lambda p: (len(p.name), p.name)):
        of = path.with_name(stem(PurePosixPath(path.name)))
        reason = unfit or ("a phase image" if _is_phase(of.with_name(of.name + ".json")) else "")
        out.append(ConvertedImage(of, home, _number(series), series.contrast, reason, when))
    return out


def _link(source: Path, to: Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, to)
    except OSError:
        shutil.copyfile(source, to)


def _is_phase(sidecar: Path) -> bool:
    """Whether a sidecar of dcm2niix says that its image holds phases, whatever the words of the series say."""
    try:
        kinds = json.loads(sidecar.read_text(encoding="utf-8")).get("ImageType", ())
    except (OSError, ValueError, AttributeError):
        return False
    return bool({"P", "PHASE", "PHASE MAP"} & set(map(str, kinds)))


def _number(series: Series) -> str:
    """`series-7`, by the number a scanner gave; `series-none` where it gave none."""
    digits = series.when.rpartition(" ")[2]
    return "series-none" if digits == "9" * 12 else f"series-{int(digits)}"


def _text(head: Any, keyword: str) -> str:
    try:
        value = head.get(keyword)
    except Exception:  # noqa: BLE001 - a value pydicom cannot convert says nothing
        return ""
    return "" if value is None else str(value).strip(" \0")
