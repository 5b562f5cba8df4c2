"""The bytes of a cleaned file: those that pydicom would write, in less time."""

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from medveil.core.secrets import Key
from medveil.protect.header.dicom import write
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.marks import marks
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.report import Cleaned, Tally
from medveil.protect.header.dicom.rules import Options
from medveil.protect.header.pseudonyms import Pseudonyms

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"


def cleaned(**values: object) -> Cleaned:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = MR, "1.2.3"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return Cleaned(ds, "sub-A", EXPLICIT, Tally(), ())


def both(what: Cleaned, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, bytes]:
    """Ours without pydicom's help, and pydicom's."""
    dataset = what.dataset
    theirs = write._by_pydicom(
        dataset, str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), UID(what.transfer_syntax)
    )
    with monkeypatch.context() as patched:
        patched.setattr(write, "_by_pydicom", lambda *_: b"pydicom's")
        return write.to_bytes(what), theirs


@pytest.mark.filterwarnings("ignore")
def test_real_files_are_written_as_pydicom_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    names, options = Pseudonyms(Key(bytes(range(32)))), Options(secondary_capture=True, descriptors=True)
    same = left = 0
    for path in sorted(PACKAGED.glob("*.dcm")):
        try:
            what = clean(pydicom.dcmread(path, force=True), names, options)
        except Quarantine:
            continue
        marks(what.dataset, options=options)
        ours, theirs = both(what, monkeypatch)
        left += ours == b"pydicom's"
        same += ours == theirs
        assert ours in (theirs, b"pydicom's"), path.name
    assert same > 40
    assert left < 15  # big endian and deflated ones


def test_decoded_values_and_items_are_written_too(monkeypatch: pytest.MonkeyPatch) -> None:
    item = Dataset()
    item.Rows, item.EchoTime, item.ImageType = 3, "1.50", ["A", "B", "CD"]
    what = cleaned(
        ReferencedImageSequence=Sequence([item, Dataset()]), EffectiveEchoTime=[1.5, 2.0][0], PatientName="Q^Z",
        ImagePositionPatient=[1, 2.5, -3], NumberOfFrames=7, StudyDate="", SourceImageSequence=Sequence([]),
    )  # fmt: skip
    ours, theirs = both(what, monkeypatch)
    assert ours == theirs
    what = Cleaned(what.dataset, "sub-A", IMPLICIT, Tally(), ())
    ours, theirs = both(what, monkeypatch)
    assert ours == theirs


def test_what_is_no_plain_value_is_left_to_pydicom(monkeypatch: pytest.MonkeyPatch) -> None:
    for what in (
        cleaned(SpecificCharacterSet="ISO_IR 192", PatientName="Şule"),
        cleaned(ImageType="X" * 70_000),  # longer than its length field can say
    ):
        ours, _ = both(what, monkeypatch)
        assert ours == b"pydicom's"
        assert pydicom.dcmread(BytesIO(write.to_bytes(what))).SOPClassUID == MR


def test_no_value_is_left_with_an_odd_length() -> None:
    source = BytesIO()
    with pydicom.config.disable_value_validation():
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID, ds.StudyInstanceUID, ds.PatientID = MR, "1.2.3", "1.2", "A"
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = EXPLICIT
        ds.save_as(source)
    data = source.getvalue() + b"\x18\x00\x81\x00DS\x03\x001.5" + b"\x18\x00\x83\x00DS\x02\x0012"
    what = clean(pydicom.dcmread(BytesIO(data), force=True), Pseudonyms(Key(bytes(range(32)))))
    assert b"\x18\x00\x81\x00DS\x04\x001.5 " in write.to_bytes(what)


def test_a_failure_of_pydicom_holds_no_value() -> None:
    what = cleaned(SpecificCharacterSet="ISO_IR 192")
    what.dataset.add(DataElement(0x00280010, "US", "ZQMARKER"))
    with pytest.raises(Quarantine) as caught:
        write.to_bytes(what)
    assert "ZQMARKER" not in str(caught.value)
