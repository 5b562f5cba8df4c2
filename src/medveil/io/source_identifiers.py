"""Source identifiers: what a folder of originals says about its people, whatever its format, to be searched for.

    DICOM      names, IDs, days, UIDs, texts of every header           io/identifiers.py
    NIfTI      text fields, extensions (a DICOM dataset in one is read), name and comment in the gzip header
    sidecars   values of the keys that DICOM gives a name, an ID, a day or a UID; nested ones too
    tables     cells of participants, scans and sessions tables, but for those that a release may keep
    names      of files and folders: labels of BIDS; words elsewhere

Free text is searched whole. What it yields is never printed: `residual` says the kind and the place only.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from medveil.core import quasi
from medveil.core.errors import InputRefused
from medveil.io import tables
from medveil.io.bids import Inventory
from medveil.io.identifiers import IDS, TEXTS, identifiers_of
from medveil.io.names import is_nifti, plain_contrast, stem
from medveil.io.residual import Identifier, Kind, searchable

KEPT_COLUMNS = ("age", "sex", "handedness", "filename")  # a release may hold their cells
TABLES = ("participants.tsv", "scans.tsv", "sessions.tsv")
_LABELS = ("participant_id", "session_id")
# Keys of sidecars that mean what a keyword of DICOM means, written in another way.
_LIKE = {
    "ReferringPhysician": "ReferringPhysicianName",
    "PhysicianName": "ReferringPhysicianName",
    "OperatorName": "OperatorsName",
    "PatientBirthday": "PatientBirthDate",
    "Comment": "ImageComments",
    "Comments": "ImageComments",
}
_DAY = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:19|20)\d\d-\d\d-\d\d|\d\d\.\d\d\.(?:19|20)\d\d)(?!\d)"
)
_COUNTED = re.compile(
    r"(?:acq|case|ct|dcm|dicom|echo|file|im|ima|image|img|mr|pet|pt|part|patient|run|scan|series|session|slice|study|sub|subj|subject|visit|vol|volume)s?\d*"
)
_COMMON = frozenset(["anat", "beta", "data", "defaced", "fieldmap", "final", "fmap", "func", "magnitude", "mask", "nifti",
                     "original", "perf", "phase", "phasediff", "sbref", "sourcedata"])  # fmt: skip
_MOST_HEADER = 1 << 20  # bytes before the voxels that are looked through
_TEXT_FIELDS = {  # of NIfTI-1 and NIfTI-2: data_type, db_name, descrip, aux_file, intent_name
    348: ((4, 14), (14, 32), (148, 228), (228, 252), (328, 344)),
    540: ((240, 320), (320, 344), (508, 524)),
}
_MANY, _OF_ONE_DEVICE = 8, 22  # UIDs that share all but their last number, and how long that has to be
_DEEPEST = 16


def identifiers_of_folder(inventory: Inventory, *, without: Collection[str] = ()) -> list[Identifier]:
    """Everything the source says about its people that is worth a search, each once.

    Args:
        inventory: of the source.
        without: DICOM keywords of elements that a release keeps on purpose.

    Raises:
        InputRefused: a DICOM file cannot be parsed.
    """
    by_subject = identifiers_by_subject(inventory, without=without)
    return list(dict.fromkeys(i for found in by_subject.values() for i in found))


def identifiers_by_subject(
    inventory: Inventory, *, without: Collection[str] = ()
) -> dict[str, list[Identifier]]:
    """The same by subject label, so that days can be told apart by whose they are; '' is what no subject owns.

    Raises:
        InputRefused: as `identifiers_of_folder`.
    """
    found: dict[str, dict[Identifier, None]] = {"": {}}
    for record in inventory.cohort:
        place = record.place
        if place is None:
            continue
        mine = found.setdefault(record.subject, {})
        if series := inventory.series.get(place):
            for path in series.paths:
                mine |= dict.fromkeys(_dicom(path, without))
            continue
        path = inventory.root / place
        if is_nifti(place):
            mine |= dict.fromkeys(_header(path))
        for sidecar in inventory.sidecars.get(place, ()):
            mine |= dict.fromkeys(_sidecar(sidecar))
        named = _labels(record.subject, record.session) if inventory.layout == "bids" else name_words(place)
        mine |= dict.fromkeys(named)
    for subject, identifiers in _tables(inventory):
        found.setdefault(subject, {}).update(dict.fromkeys(identifiers))
    return {subject: _worth(list(them)) for subject, them in found.items()}


def _worth(found: Sequence[Identifier]) -> list[Identifier]:
    """Each once, days as days, and many UIDs of one root as that root: it is the scanner's or the study's."""
    roots = Counter(i.value.rpartition(".")[0] for i in found if i.kind == "uid")
    out: dict[Identifier, None] = {}
    for i in found:
        root = i.value.rpartition(".")[0]
        if i.kind == "uid" and roots[root] > _MANY and len(root) >= _OF_ONE_DEVICE:
            i = Identifier("uid", root + ".")
        elif i.kind == "date":
            day = _DAY.search(i.value[:10]) or _DAY.search(i.value[:8])
            i = Identifier("date", day[0]) if day else i
        if searchable(i):
            out[i] = None
    return list(out)


def _dicom(path: Path, without: Collection[str]) -> list[Identifier]:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            data = dcmread(path, stop_before_pixels=True)
        except Exception:  # noqa: BLE001 - whatever a broken file does to the parser, values stay out of the error
            raise InputRefused("source: a DICOM file could not be parsed, so not all is known") from None
    return identifiers_of(data, without=without)


def _header(path: Path) -> Iterator[Identifier]:
    """Texts of a NIfTI file before its voxels, and of the gzip header around it; a broken one says what it can."""
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
        if start[:2] == b"\x1f\x8b":
            yield from _gzip(start, path)
            with gzip.open(path) as packed:
                head = packed.read(_MOST_HEADER)
        else:
            with open(path, "rb") as file:
                head = file.read(_MOST_HEADER)
    except (OSError, EOFError, zlib.error):
        return
    for order in "<>":
        size = struct.unpack(order + "i", head[:4].ljust(4, b"\0"))[0]
        if size in _TEXT_FIELDS:
            for begin, end in _TEXT_FIELDS[size]:
                yield from _text(head[begin:end])
            yield from _extensions(head, size, order)


def _gzip(start: bytes, path: Path) -> Iterator[Identifier]:
    """Name and comment of a gzip header (RFC 1952)."""
    at, flags = 10, start[3]
    if flags & 4:
        at += 2 + int.from_bytes(start[at : at + 2], "little")
    if flags & 8:
        name, _, _ = start[at:].partition(b"\0")
        at += len(name) + 1
        text = name.decode("latin-1")
        if text and not path.name.startswith(text.removesuffix(".nii")):
            yield from name_words(PurePosixPath(text))
    if flags & 16:
        yield from _text(start[at:].partition(b"\0")[0])


def _extensions(head: bytes, size: int, order: str) -> Iterator[Identifier]:
    """Texts of the header's extensions, and all that a DICOM dataset in one says (code 2)."""
    offset = struct.unpack(order + "f", head[108:112])[0] if size == 348 else 0
    if size == 540:
        offset = struct.unpack(order + "q", head[168:176])[0]
    at, end = size + 4, int(min(max(offset, 0), len(head))) if offset == offset else 0
    while at + 8 <= end:
        length, code = struct.unpack(order + "ii", head[at : at + 8])
        if length < 16 or at + length > end:
            break
        content = head[at + 8 : at + length]
        if code == 2:
            yield from _dataset(content)
        else:
            yield from _text(content)
        at += length
    yield from _text(head[at:end])


def _dataset(content: bytes) -> list[Identifier]:
    from pydicom.filereader import read_dataset

    for implicit in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return identifiers_of(read_dataset(BytesIO(content), implicit, True))
            except Exception:  # noqa: BLE001, S112 - no dataset of this kind; the other is tried
                continue
    return []


def _text(content: bytes) -> Iterator[Identifier]:
    """A text field as one text, and the days in it."""
    text = content.strip(b"\0 \r\n").decode("utf-8", errors="ignore").strip()
    if text.isprintable():
        yield Identifier("text", text)
    yield from (Identifier("date", day) for day in _DAY.findall(text))


def _sidecar(path: Path) -> Iterator[Identifier]:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return
    yield from _keys(data, 0)


def _keys(data: Any, depth: int) -> Iterator[Identifier]:
    if depth > _DEEPEST:
        return
    if isinstance(data, list):
        for item in data:
            yield from _keys(item, depth + 1)
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        kind = kind_of(str(key))
        if kind:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str | int) and not isinstance(one, bool):
                    yield Identifier(kind, str(one))
        yield from _keys(value, depth + 1)


def like_dicom(key: str) -> str:
    """The DICOM keyword that a key of a sidecar means; itself if it is none, or one already."""
    return _LIKE.get(key, key)


def kind_of(key: str) -> Kind | None:
    """What a key of a sidecar identifies, by the DICOM element it is named after; None if nothing.

    >>> kind_of("PatientName"), kind_of("DeviceSerialNumber"), kind_of("EchoTime")
    ('name', 'id', None)
    """
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    keyword = like_dicom(key)
    tag = tag_for_keyword(keyword)
    vr = dictionary_VR(tag) if tag is not None else ""
    if vr in ("PN", "DA", "DT", "UI"):
        return {"PN": "name", "DA": "date", "DT": "date", "UI": "uid"}[vr]  # type: ignore[return-value]
    return "id" if keyword in IDS else "text" if keyword in TEXTS else None


def _labels(subject: str, session: str) -> Iterator[Identifier]:
    """Labels of BIDS; of a session only one that is long enough to be more than its place in a study's plan."""
    yield Identifier("id", subject.removeprefix("sub-"))
    label = session.removeprefix("ses-")
    if sum(c.isdigit() for c in label) >= 6:
        yield Identifier("date" if _DAY.fullmatch(label) else "id", label)


def name_words(place: PurePosixPath) -> Iterator[Identifier]:
    """Words of the names of a file and the folders above it that are none of acquisition."""
    for part in (*place.parts[:-1], stem(place)):
        for day in _DAY.findall(part):
            yield Identifier("date", day)
        for word in re.findall(r"[^\W_]{4,}", part):
            lower = word.lower()
            if lower in _COMMON or _COUNTED.fullmatch(lower) or plain_contrast(PurePosixPath(lower)):
                continue
            if not _DAY.fullmatch(word):
                yield Identifier("name" if word.isalpha() else "id", word)


def _tables(inventory: Inventory) -> Iterator[tuple[str, list[Identifier]]]:
    """Cells of the tables of people and visits, by subject. What many rows share is a category and names nobody."""
    for place in inventory.tables:
        if not place.name.endswith(TABLES):
            continue
        try:
            rows = tables.read_tsv(inventory.root / place)
        except InputRefused:
            continue
        times = Counter((c, cell) for row in rows for c, cell in row.items())
        above = place.parts[0] if len(place.parts) > 1 else ""
        for row in rows:
            subject = row.get("participant_id", above)
            found: list[Identifier] = list(_labels(subject, row.get("session_id", "")))
            for column, cell in row.items():
                if column in (*KEPT_COLUMNS, *_LABELS) or re.fullmatch(r"-?\d+\.\d+", cell):
                    continue
                if _DAY.match(cell):
                    found.append(Identifier("date", cell))
                elif times[column, cell] <= max(1, len(rows) // 10):
                    said = quasi.kind_of(column)
                    found.append(Identifier("name" if said and said.name == "name" else "text", cell))
            yield subject, found
