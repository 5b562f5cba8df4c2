"""Pixel data: what is behind the frames goes, what is in them stays to the bit."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID

from medveil.protect.header.dicom.pixels import (
    _end,
    _ends_of_many,
    are_run_lengths,
    cut,
    ends_with_its_marker,
    is_closed,
)
from medveil.protect.header.dicom.quarantine import Quarantine

EXPLICIT, RLE, JPEG, J2K = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.90",
)
MARK = b"ZQMARKER"


def grid(frames: int = 1, rows: int = 3, columns: int = 1, bits: int = 8) -> Dataset:
    ds = Dataset()
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.BitsAllocated = rows, columns, 1, bits
    ds.PhotometricInterpretation, ds.NumberOfFrames = "MONOCHROME2", frames
    return ds


def element(value: object, *, undefined: bool = False) -> SimpleNamespace:
    return SimpleNamespace(tag=0x7FE00010, value=value, is_undefined_length=undefined, length=0)


def jpeg(comment: bytes = b"") -> bytes:
    com = b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment if comment else b""
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(comment)) + comment if comment else b""
    jfif = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    return b"\xff\xd8" + jfif + exif + com + b"\xff\xda\x00\x02scan\xff\xfe\x00\x04" + b"\xff\xd9"


def test_native_pixels_are_cut_behind_the_last_frame_and_its_padding() -> None:
    assert cut(grid(), element(b"\1\2\3\0"), EXPLICIT) == (b"\1\2\3\0", False)
    assert cut(grid(), element(b"\1\2\3\0" + MARK), EXPLICIT) == (b"\1\2\3\0", True)
    assert cut(grid(frames=2), element(b"\1\2\3\4\5\6" + MARK), EXPLICIT) == (b"\1\2\3\4\5\6", True)
    assert cut(grid(), element(b"\1\2"), EXPLICIT) == (b"\1\2", False)  # too short: `clean` refuses it


def test_fragments_behind_the_frames_go() -> None:
    frames = [bytes([n]) * 70 for n in range(3)]
    value = encapsulate([*frames, MARK])
    new, changed = cut(grid(frames=3), element(value, undefined=True), RLE)
    assert changed
    assert MARK not in new
    assert list(generate_frames(new, number_of_frames=3)) == frames
    assert cut(grid(frames=3), element(new, undefined=True), RLE) == (new, False)
    hidden = encapsulate([jpeg(), MARK])
    new, _ = cut(grid(), element(hidden, undefined=True), JPEG)
    assert MARK not in new


def test_frames_under_a_stated_length_are_written_as_the_standard_asks() -> None:
    value = encapsulate([b"\0\1" * 35])
    assert cut(grid(), element(value, undefined=False), RLE) == (value, True)


def test_bytes_behind_the_end_of_a_jpeg_frame_that_is_not_closed_are_kept_with_it() -> None:
    value = encapsulate([jpeg()[:-2] + b"\0\0"])
    assert cut(grid(), element(value, undefined=True), JPEG) == (value, False)


def test_text_inside_compressed_frames_goes_and_the_scan_stays() -> None:
    new, changed = cut(grid(), element(encapsulate([jpeg(MARK)]), undefined=True), JPEG)
    assert changed
    assert MARK not in new
    assert next(generate_frames(new, number_of_frames=1)).rstrip(b"\0") == jpeg().rstrip(b"\0")
    main = b"\xff\x4f" + b"\xff\x51\x00\x04ab"
    stream = main + b"\xff\x64\x00\x0c\0\1" + MARK + b"\xff\x90\x00\x02data\xff\xd9"
    new, changed = cut(grid(), element(encapsulate([stream]), undefined=True), J2K)
    assert changed
    assert MARK not in new
    assert main + b"\xff\x90" in new


def test_real_codec_frames_decode_to_the_same_pixels() -> None:
    import pydicom
    from pydicom.data import get_testdata_file

    for name in ("JPEG2000.dcm", "MR_small_RLE.dcm"):
        ds = pydicom.dcmread(get_testdata_file(name, download=False))
        before = ds.pixel_array.copy()
        new, _ = cut(ds, ds["PixelData"], ds.file_meta.TransferSyntaxUID)
        ds.PixelData = new
        ds["PixelData"].is_undefined_length = True
        assert np.array_equal(ds.pixel_array, before)


@pytest.mark.parametrize(
    ("value", "syntax", "reason"),
    [
        (b"", RLE, "compressed pixel data that can't be parsed"),
        (b"\xfe\xff\x00\xe0\xff\xff\xff\x00", RLE, "compressed pixel data that can't be parsed"),
        (b"\xfe\xff\x00\xe0\0\0\0\0", RLE, "compressed pixel data without a frame"),
        (encapsulate([b"\0\0"]), EXPLICIT, "compressed pixel data under a name of uncompressed ones"),
        ("text", EXPLICIT, "pixel data that are no bytes"),
    ],
)
def test_what_cannot_be_parsed_goes_to_quarantine(value: object, syntax: str, reason: str) -> None:
    with pytest.raises(Quarantine) as caught:
        cut(grid(), element(value, undefined=True), syntax)
    assert caught.value.reason == reason


def test_a_layout_that_is_not_stated_goes_to_quarantine() -> None:
    with pytest.raises(Quarantine, match="layout"):
        cut(Dataset(), element(b"\0\0"), EXPLICIT)


def test_a_frame_is_closed_if_only_padding_follows_its_end() -> None:
    j2k = b"\xff\x4f\xff\x51\x00\x04\xff\xd9\xff\x93data\xff\xd9"  # an end marker in a segment is none
    assert all(map(ends_with_its_marker, (jpeg(), jpeg() + b"\0", j2k)))
    assert not any(map(ends_with_its_marker, (jpeg() + MARK, jpeg()[:-2] + MARK, j2k + MARK, b"")))


def run_length(segment: bytes) -> bytes:
    return struct.pack("<16L", 1, 64, *[0] * 14) + segment


@pytest.mark.parametrize("fine", [1, 200])  # in a loop, and all together
def test_run_lengths_are_counted_to_the_last_pixel(fine: int) -> None:
    def are(frame: bytes, pixels: int) -> bool:
        good = {3: b"\x02abc", 6: b"\x02abc\xfed"}[pixels]  # three as they are, and three times d
        return are_run_lengths([*[run_length(good)] * fine, frame], pixels)

    assert are(run_length(b"\x02abc\xfed"), 6)
    assert are(run_length(b"\x02abc\x80\xfed\0"), 6)
    assert not are(run_length(b"\x02abc\xfed" + MARK), 6)
    assert not are(run_length(b"\x02abc"), 6)
    assert not are(run_length(b"\x02abc\xffd"), 6)
    assert not are(run_length(b"\x02abc\xfdd"), 6)
    assert not are(run_length(b"\x02ab"), 3)
    assert not are(run_length(b""), 3)
    assert not are(b"\1\0\0\0" + MARK, 3)
    assert not are_run_lengths([run_length(b"")], 0)


def test_a_loop_and_numpy_go_through_drawn_run_lengths_alike() -> None:
    drawn = np.random.default_rng(3)
    segments = [drawn.integers(240, 260, 20).astype(np.uint8).tobytes() for _ in range(3000)]
    alone = [_end(segment, 40) for segment in segments]
    assert _ends_of_many(segments, 40) == alone
    assert 20 < sum(end is not None for end in alone) < 2000


def test_what_has_moved_into_a_frame_is_seen() -> None:
    run = run_length(b"\x02abc")
    for frame, syntax in ((run, RLE), (jpeg(), JPEG)):
        for behind, closed in ((b"", True), (b"\xfe\xff\x00\xe0" + MARK, False)):
            value = encapsulate([frame + behind])
            assert is_closed(grid(), value, UID(syntax)) is closed
    assert is_closed(grid(), encapsulate([MARK]), UID("1.2.840.10008.1.2.4.100"))  # films are not parsed
