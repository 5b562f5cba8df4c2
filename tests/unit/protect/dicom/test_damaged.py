"""Damaged files: thousands of them, and each is cleaned or set aside; none gets through with a marker."""

from io import BytesIO
from random import Random

import pydicom
import pytest
from pydicom.data import get_testdata_file

from medveil.core.secrets import Key
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.write import to_bytes
from medveil.protect.header.pseudonyms import Pseudonyms

MARK = b"ZQMARKER"
FILES = ("MR_small.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm", "liver_1frame.dcm")


def planted(name: str) -> bytes:
    """A packaged file whose texts are markers, at the top and in an item."""
    ds = pydicom.dcmread(get_testdata_file(name, download=False))
    ds.PatientName, ds.PatientID, ds.PatientComments = "ZQMARKER^A", "ZQMARKER1", "ZQMARKER in a comment"
    ds.StudyDescription, ds.ImageComments, ds.OperatorsName = "ZQMARKER", "ZQMARKER", "ZQMARKER"
    item = pydicom.Dataset()
    item.PatientName, item.ReferencedSOPInstanceUID = "ZQMARKER", "1.2.3"
    ds.ReferencedImageSequence = pydicom.Sequence([item])
    out = BytesIO()
    ds.save_as(out)
    return out.getvalue()


def damaged(data: bytes, random: Random) -> bytes:
    """Bits flipped, cut short, a length changed, or a stretch doubled; the pixels are hit rarely."""
    broken = bytearray(data)
    head = min(len(data), 4000)
    kind = random.randrange(4)
    if kind == 0:
        for _ in range(random.randrange(1, 20)):
            broken[random.randrange(132, head)] ^= 1 << random.randrange(8)
    elif kind == 1:
        del broken[random.randrange(200, len(data)) :]
    elif kind == 2:
        at = random.randrange(132, head)
        broken[at : at + 2] = random.randbytes(2)
    else:
        at = random.randrange(132, head)
        broken[at:at] = broken[at : at + random.randrange(1, 60)]
    return bytes(broken)


def outcome(data: bytes) -> str:
    try:
        dataset = pydicom.dcmread(BytesIO(data), force=True)
    except Exception:  # noqa: BLE001 - whatever pydicom raises at reading, the file never gets further
        return "unread"
    try:
        written = to_bytes(clean(dataset, Pseudonyms(Key(bytes(range(32))))))
    except Quarantine as error:
        assert "ZQMARKER" not in str(error)  # noqa: PT017 - what it says is judged, not that it is raised
        return "aside"
    assert MARK not in written
    pydicom.dcmread(BytesIO(written))
    return "cleaned"


def run(many: int, seed: int) -> dict[str, int]:
    counts = {"unread": 0, "aside": 0, "cleaned": 0}
    random = Random(seed)  # noqa: S311 - damage, not a secret
    whole = [planted(name) for name in FILES]
    for n in range(many):
        counts[outcome(damaged(whole[n % len(whole)], random))] += 1
    return counts


@pytest.mark.filterwarnings("ignore")
def test_the_planted_files_hold_the_marker_and_lose_it() -> None:
    for name in FILES:
        data = planted(name)
        assert data.count(MARK) >= 6
        assert outcome(data) == "cleaned"


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_cleaned_or_set_aside() -> None:
    counts = run(400, seed=1)
    assert sum(counts.values()) == 400
    assert min(counts["cleaned"], counts["aside"]) > 20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_thousands_of_damaged_files_are_cleaned_or_set_aside() -> None:
    assert sum(run(4000, seed=2).values()) == 4000
