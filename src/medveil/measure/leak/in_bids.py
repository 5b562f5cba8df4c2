"""Plants markers in what lies around the images of a BIDS folder: sidecars, tables, texts, pictures, names."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from medveil.measure.leak.marker import Mint

_SIDECAR = (
    "PatientName", "PatientID", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName",
    "DeviceSerialNumber", "ProtocolName", "SeriesDescription", "ImageComments", "ReferringPhysicianName", "OperatorsName",
    "AccessionNumber", "StudyID", "ConversionSoftware",
)  # fmt: skip
_DATES = ("AcquisitionDateTime", "PatientBirthDate", "StudyDate")
_UIDS = ("SeriesInstanceUID", "StudyInstanceUID")


def sidecar(mint: Mint) -> str:
    """The JSON beside an image, with markers as values, as a key, nested and in lists."""
    group = "sidecars"
    data: dict[str, Any] = {"EchoTime": 0.00456, "MagneticFieldStrength": 3, "Modality": "MR"}
    data |= {key: mint.plant(group, key) for key in _SIDECAR}
    for key in _DATES:
        day = mint.plant(group, key, "date")
        data[key] = f"{day[:4]}-{day[4:6]}-{day[6:]}" + ("T10:00:00" if key.endswith("Time") else "")
    data |= {key: mint.plant(group, key, "uid") for key in _UIDS}
    data[mint.plant(group, "a key")] = 1
    data["global"] = {
        "const": {"PatientName": mint.plant(group, "nested value"), "x": [mint.plant(group, "in a list")]}
    }
    word = mint.turkish()
    mint.note(group, "value as JSON escapes", "text", word)
    data["Comment"] = word
    return json.dumps(data)


def description(mint: Mint) -> str:
    """dataset_description.json."""
    group = "dataset texts"
    return json.dumps({
        "Name": mint.plant(group, "Name"), "BIDSVersion": "1.9.0", "Authors": [mint.plant(group, "Authors")],
        "HowToAcknowledge": f"write to {mint.plant(group, 'HowToAcknowledge')}@example.org",
        "SourceDatasets": [{"URL": f"file:///data/{mint.plant(group, 'SourceDatasets')}"}],
    })  # fmt: skip


def participants(mint: Mint) -> str:
    """participants.tsv of one person, with columns a release must not hold."""
    group = "tables"
    day = mint.plant(group, "participants: birth_date", "date")
    cells = {
        "participant_id": "sub-01", "age": "34", "sex": "F", "name": mint.plant(group, "participants: name"),
        "birth_date": f"{day[6:]}.{day[4:6]}.{day[:4]}", "hospital_id": mint.plant(group, "participants: hospital_id"),
        "comment": mint.plant(group, "participants: comment"),
        mint.plant(group, "participants: a column's name"): "1",
    }  # fmt: skip
    return "\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n"


def scans(mint: Mint, image: str) -> str:
    """scans.tsv of one image."""
    day = mint.plant("tables", "scans: acq_time", "date")
    operator = mint.plant("tables", "scans: operator")
    return f"filename\tacq_time\toperator\n{image}\t{day[:4]}-{day[4:6]}-{day[6:]}T09:31:00\t{operator}\n"


def sessions(mint: Mint) -> str:
    """sessions.tsv of one session."""
    day = mint.plant("tables", "sessions: acq_time", "date")
    return f"session_id\tacq_time\nses-1\t{day[:4]}-{day[4:6]}-{day[6:]}\n"


def text(mint: Mint, place: str) -> str:
    """A text file that mentions somebody."""
    return f"Acquired for {mint.plant('dataset texts', place)} on the 3 T scanner.\n"


def png(mint: Mint) -> bytes:
    """A small grey PNG with text chunks, plain and packed, EXIF, and bytes behind its end."""
    group = "pictures"

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def word(place: str) -> bytes:
        return mint.plant(group, f"PNG {place}").encode()

    rows = b"".join(b"\0" + bytes(range(0, 160, 20)) for _ in range(8))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    out += chunk(b"tEXt", b"Author\0" + word("tEXt"))
    out += chunk(b"zTXt", b"Comment\0\0" + zlib.compress(word("zTXt, packed") * 3, 9))
    out += chunk(b"iTXt", b"Title\0\1\0\0\0" + zlib.compress(word("iTXt, packed") * 3, 9))
    out += chunk(b"eXIf", _exif(word("eXIf")))
    return out + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"") + word("behind its end")


def jpeg(mint: Mint) -> bytes:
    """A small grey JPEG with a comment, EXIF, XMP, and bytes behind its end."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (8, 8), 128).save(out, "JPEG")
    plain = out.getvalue()

    def segment(code: int, body: bytes) -> bytes:
        return bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body

    def word(place: str) -> bytes:
        return mint.plant("pictures", f"JPEG {place}").encode()

    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + word("XMP") + b"</x:xmpmeta>"
    extra = (
        segment(0xE1, b"Exif\0\0" + _exif(word("EXIF"))) + segment(0xE1, xmp) + segment(0xFE, word("comment"))
    )
    return plain[:2] + extra + plain[2:] + word("behind its end")


def _exif(text: bytes) -> bytes:
    """A TIFF block with one ImageDescription."""
    entry = struct.pack("<HHII", 270, 2, len(text) + 1, 26)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4) + text + b"\0"
