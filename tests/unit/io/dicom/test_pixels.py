"""Stored pixels: what a file holds, and the same numbers again out of the file that is written."""

from __future__ import annotations

import copy
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.core.errors import InputRefused, OutputFailed
from medveil.io.dicom.pixels import BIG, EXPLICIT, IMPLICIT, hides_bits, put_pixels, stored

from .phantom import file, written

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32]


@st.composite
def frames_and_bits(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    dtype = np.dtype(draw(st.sampled_from(INTEGERS)))
    bits = draw(st.integers(2, 8 * dtype.itemsize))
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if dtype.kind == "i" else (0, (1 << bits) - 1)
    shape = tuple(draw(st.integers(1, 3)) for _ in range(3)) + draw(st.sampled_from([(), (3,)]))
    seed = draw(st.integers(0, 2**31))
    return np.random.default_rng(seed).integers(low, high, shape, dtype=dtype, endpoint=True), bits


@settings(max_examples=150, deadline=None)
@given(frames_and_bits(), st.sampled_from([EXPLICIT, IMPLICIT, BIG]))
def test_written_frames_are_read_as_they_were(drawn: tuple[np.ndarray, int], syntax: str) -> None:
    frames, bits = drawn
    data = file(np.zeros((1, 1), np.uint16), 1, BitsStored=bits)
    assert put_pixels(data, frames, syntax=syntax) == syntax
    again = stored(written(data, syntax))
    assert again.dtype == frames.dtype
    assert np.array_equal(again, frames)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_float_pixels_too(dtype: type, syntax: str) -> None:
    frames = np.array([[[0.1, -3e7], [np.inf, 2]]], dtype)
    data = file(np.zeros((1, 1), np.uint16), 1)
    put_pixels(data, frames, syntax=syntax)
    assert "PixelData" not in data
    assert np.array_equal(stored(written(data, syntax)), frames)


def test_masks_of_one_bit_stay_packed() -> None:
    frames = np.random.default_rng(3).integers(0, 2, (3, 5, 3), dtype=np.uint8)
    data = file(frames, 1, BitsAllocated=1, BitsStored=1, HighBit=0)
    put_pixels(data, frames)
    assert (data.BitsAllocated, len(data.PixelData)) == (1, 6)
    assert np.array_equal(stored(written(data, EXPLICIT)), frames)


@pytest.mark.parametrize("signed", [False, True])
def test_bits_above_bits_stored_are_no_pixels_and_are_gone_afterwards(signed: bool) -> None:
    plain = np.array([[[1, 2047], [1024, 0]]], np.uint16)
    data = file(plain | 0x8000, 1, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    frames = stored(data)
    assert np.array_equal(frames, plain)
    assert hides_bits(data)
    put_pixels(data, frames)
    assert not hides_bits(data)
    assert np.array_equal(np.frombuffer(data.PixelData, "<u2"), plain.ravel())
    assert (data.BitsStored, data.HighBit) == (12, 11)


def test_copies_of_the_sign_hide_nothing() -> None:
    frames = np.array([[[-5, 3], [-2048, 2047]]], np.int16)
    assert not hides_bits(file(frames, 1, BitsStored=12, HighBit=11))
    assert not hides_bits(file(frames & 0xFFF, 1, BitsStored=12, HighBit=11))


def test_numbers_beyond_bits_stored_widen_them() -> None:
    data = file(np.zeros((2, 2), np.uint16), 1, BitsStored=8, HighBit=7)
    frames = np.full((1, 2, 2), 300, np.uint16)
    put_pixels(data, frames)
    assert (data.BitsStored, data.HighBit) == (16, 15)
    assert np.array_equal(stored(written(data, EXPLICIT)), frames)


def test_what_speaks_of_the_old_pixels_is_removed() -> None:
    data = file(np.zeros((2, 2), np.uint16), 1, SmallestImagePixelValue=4, LargestImagePixelValue=999,
                LargestPixelValueInSeries=9999, ExtendedOffsetTable=b"\0" * 8, ExtendedOffsetTableLengths=b"\0" * 8,
                PlanarConfiguration=1)  # fmt: skip
    put_pixels(data, np.ones((1, 2, 2), np.uint16))
    left = {e.keyword for e in data}
    assert not {k for k in left if k.startswith(("Smallest", "Largest", "Extended", "Planar"))}
    assert "NumberOfFrames" not in data


@pytest.mark.parametrize(
    "frames", [np.zeros((2, 2), np.uint16), np.zeros((1, 2, 2, 4), np.uint8), np.zeros((1, 2, 2), bool)]
)
def test_frames_that_dicom_does_not_have_are_refused(frames: np.ndarray) -> None:
    with pytest.raises(OutputFailed):
        put_pixels(file(np.zeros((2, 2), np.uint16), 1), frames)


def test_compressed_frames_are_written_uncompressed() -> None:
    frames = np.random.default_rng(1).integers(0, 4096, (3, 8, 7), dtype=np.uint16)
    data = file(frames, 1)
    data.compress(pydicom.uid.RLELossless)
    assert np.array_equal(stored(data), frames)
    assert put_pixels(data, frames) == EXPLICIT
    assert np.array_equal(stored(written(data, EXPLICIT)), frames)


@pytest.mark.parametrize(
    "name",
    ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"],
)
def test_one_image_in_many_codings_is_one(name: str) -> None:
    plain = stored(pydicom.dcmread(PACKAGED / "MR_small.dcm"))
    other = stored(pydicom.dcmread(PACKAGED / name))
    assert np.array_equal(plain, other)
    assert plain.dtype == other.dtype


@pytest.mark.filterwarnings("ignore")
def test_the_files_that_pydicom_ships_come_back_as_they_were_decoded() -> None:
    compared = colours = 0
    for path in sorted(PACKAGED.rglob("*")):
        try:
            data = pydicom.dcmread(path)
            frames = stored(data)
        except (InputRefused, pydicom.errors.InvalidDicomError, IsADirectoryError):
            continue
        old = str(data.file_meta.TransferSyntaxUID)
        list(data.iterall())  # decodes what is in another encoding than the file claims
        syntax = put_pixels(data, frames)
        assert syntax == (old if old in (EXPLICIT, IMPLICIT, BIG) else EXPLICIT)
        assert np.array_equal(stored(written(data, syntax)), frames, equal_nan=frames.dtype.kind == "f"), (
            path.name
        )
        compared += 1
        colours += frames.ndim == 4
    assert compared >= 50
    assert colours >= 15


def test_what_cannot_be_decoded_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    data: Any = file(np.zeros((2, 2), np.uint16), 1)
    strange = copy.deepcopy(data)
    strange.file_meta.TransferSyntaxUID = "1.2.3.4.5"
    with pytest.raises(InputRefused, match="not supported"):
        stored(strange)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless
    monkeypatch.setattr(
        type(pydicom.pixels.get_decoder(pydicom.uid.JPEGLSLossless)),
        "is_available",
        property(lambda s: False),
    )
    with pytest.raises(InputRefused, match=r"medveil\[compressed\]"):
        stored(data)


def test_a_dataset_without_file_meta_is_read_by_its_encoding() -> None:
    out = BytesIO()
    frames = np.arange(6, dtype=np.uint16).reshape(1, 2, 3)
    data = file(frames, 1)
    del data.file_meta
    data.save_as(out, implicit_vr=True, little_endian=True)
    out.seek(0)
    again = pydicom.dcmread(out, force=True)
    assert np.array_equal(stored(again), frames)
    assert put_pixels(again, frames) == IMPLICIT
