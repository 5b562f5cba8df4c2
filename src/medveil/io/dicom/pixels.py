"""Stored pixels of one file: decoded to integers, and put back without compression.

    file --stored--> (N, H, W[, S]) --some of them replaced--> put_pixels --> native pixel data, stored() the same

Bits above Bits Stored carry no pixel (old scanners kept drawings in them); `stored` leaves them out, and so has
a file written by `put_pixels` none. Colours that are coded as luminance and chrominance (JPEG) are decoded to RGB.

Source: DICOM PS3.5 sections 8.1 and 8.2, annexes A.1 to A.3 (order of bytes, OB and OW).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, OutputFailed

Frames = npt.NDArray[Any]
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_PIXELS = {"PixelData": 0x7FE00010, "FloatPixelData": 0x7FE00008, "DoubleFloatPixelData": 0x7FE00009}
# Smallest and largest values speak of pixels that may be gone; tables of offsets of a compression that is gone.
_STALE = (
    0x00280106,
    0x00280107,
    0x00280108,
    0x00280109,
    0x00280110,
    0x00280111,
    0x7FE00001,
    0x7FE00002,
    0x7FE00003,
)


def stored(dataset: Any) -> Frames:
    """All frames of a file as they are stored: (N, H, W), or (N, H, W, 3) in RGB for colours.

    Integers are signed or not as Pixel Representation says, in the byte order of this machine; float pixel data
    stay float32 or float64.

    Args:
        dataset: a pydicom dataset as read from a file.

    Raises:
        InputRefused: there are no pixels, they cannot be decoded, or a package for that is missing.
    """
    from pydicom.pixels import get_decoder

    if not any(name in dataset for name in _PIXELS):
        raise InputRefused("pixels: are missing")
    try:
        decoder = get_decoder(_uid(syntax_of(dataset)))
    except NotImplementedError:
        raise InputRefused("pixels: are compressed in a way that is not supported") from None
    if not decoder.is_available:
        raise _no_decoder()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's warnings show values
            frames, said = decoder.as_array(dataset)
    except Exception:  # noqa: BLE001 - whatever is broken, the pixels are not known
        if decoder.missing_dependencies:
            raise _no_decoder() from None
        raise InputRefused("pixels: could not be decoded") from None
    samples = int(said["samples_per_pixel"])
    if samples > 1 and said["photometric_interpretation"] != "RGB":
        raise InputRefused("pixels: are in colours that are not supported, expected RGB or YBR")
    shape = (-1, *frames.shape[-2:]) if samples == 1 else (-1, *frames.shape[-3:])
    return np.ascontiguousarray(frames.reshape(shape), dtype=frames.dtype.newbyteorder("="))


def hides_bits(dataset: Any) -> bool:
    """Whether bits above Bits Stored hold something: old scanners kept drawings and text there.

    They are no pixels, so no viewer shows them and no change of pixels reaches them, and they stay in a file that is
    written with its old pixel data. `put_pixels(dataset, stored(dataset))` removes them.

    Raises:
        InputRefused: as `stored`.
    """
    from pydicom.pixels import get_decoder

    bits, whole = int(dataset.get("BitsStored") or 0), int(dataset.get("BitsAllocated") or 0)
    if "PixelData" not in dataset or not 0 < bits < whole:
        return False
    frames = stored(dataset)
    if frames.ndim == 4:
        return False  # colours have whole bytes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw, _ = get_decoder(_uid(syntax_of(dataset))).as_array(dataset, raw=True, correct_unused_bits=False)
    raw = raw.reshape(frames.shape)
    filled = frames.astype(np.int64)  # above a signed number stand copies of its sign, or nothing
    return bool(((raw != filled) & (raw.astype(np.int64) != (filled & ((1 << bits) - 1)))).any())


def syntax_of(dataset: Any) -> str:
    """UID of the transfer syntax a dataset is in: its file meta's, or that of its encoding as read."""
    meta = getattr(dataset, "file_meta", None)
    named = str((meta.get("TransferSyntaxUID", "") if meta is not None else "") or "").strip(" \0")
    if named:
        return named
    implicit, little = getattr(dataset, "original_encoding", (None, None))
    if implicit:
        return IMPLICIT
    return BIG if little is False else EXPLICIT


def limits(dataset: Any, frames: Frames) -> tuple[float, float]:
    """The lowest and the highest number that a pixel of this file can hold.

    What Bits Stored says; all that the type can hold where a decoder found more than that, and for floats.
    """
    if frames.dtype.kind == "f":
        whole = np.finfo(frames.dtype)
        return float(whole.min), float(whole.max)
    low, high = _range(_bits_stored(dataset, frames), frames.dtype.kind == "i")
    if frames.size and (frames.min() < low or frames.max() > high):
        return _range(8 * frames.dtype.itemsize, frames.dtype.kind == "i")
    return low, high


def put_pixels(dataset: Any, frames: Frames, *, syntax: str = "") -> str:
    """Puts frames into a dataset, in place and uncompressed; `stored` of the written file gives the same frames.

    Args:
        dataset: the cleaned dataset of the file the frames are of.
        frames: as `stored` gives them.
        syntax: transfer syntax the dataset was read in, where its file meta does not say.

    Returns:
        UID of the transfer syntax it must be written under: the old one if that was not compressed.

    Raises:
        OutputFailed: frames of no shape or type that DICOM has.
    """
    from pydicom.dataelem import DataElement
    from pydicom.pixels.utils import pack_bits

    kind, size = frames.dtype.kind, frames.dtype.itemsize
    colour = frames.ndim == 4
    if frames.ndim not in (3, 4) or (colour and frames.shape[3] != 3) or 0 in frames.shape:
        raise OutputFailed("pixels: expected (frames, rows, columns) with 3 colours or none")
    if (kind, size) not in {("u", 1), ("u", 2), ("u", 4), ("i", 1), ("i", 2), ("i", 4), ("f", 4), ("f", 8)}:
        raise OutputFailed("pixels: DICOM has no such type of number")
    old = syntax or syntax_of(dataset)
    new = old if old in (IMPLICIT, EXPLICIT, BIG) else EXPLICIT
    many = "NumberOfFrames" in dataset or frames.shape[0] > 1
    packed = dataset.get("BitsAllocated") == 1 and kind == "u" and size == 1 and int(frames.max()) <= 1
    bits = 1 if packed else 8 * size
    stored_bits = bits
    if kind != "f" and not packed:
        low, high = _range(_bits_stored(dataset, frames), kind == "i")
        if low <= frames.min() and frames.max() <= high:
            stored_bits = _bits_stored(dataset, frames)
    for tag in (*_STALE, *_PIXELS.values(), 0x00280006):
        if tag in dataset:
            del dataset[tag]
    values: list[tuple[int, str, Any]] = [
        (0x00280002, "US", 3 if colour else 1),
        (0x00280010, "US", frames.shape[1]),
        (0x00280011, "US", frames.shape[2]),
        (0x00280100, "US", bits),
    ]
    if kind != "f":
        values += [
            (0x00280101, "US", stored_bits),
            (0x00280102, "US", stored_bits - 1),
            (0x00280103, "US", kind == "i"),
        ]
    if many:
        values.append((0x00280008, "IS", str(frames.shape[0])))
    if colour:
        values += [(0x00280004, "CS", "RGB"), (0x00280006, "US", 0)]
    for tag, vr, value in values:
        dataset[tag] = DataElement(tag, vr, int(value) if vr == "US" else value)
    if packed:
        raw = pack_bits(frames.ravel(), pad=True)
    else:
        raw = frames.astype(frames.dtype.newbyteorder(">" if new == BIG else "<"), copy=False).tobytes()
    name = "PixelData" if kind != "f" else "FloatPixelData" if size == 4 else "DoubleFloatPixelData"
    integers = "OB" if bits <= 8 and new != IMPLICIT else "OW"
    vr = {"FloatPixelData": "OF", "DoubleFloatPixelData": "OD"}.get(name, integers)
    dataset[_PIXELS[name]] = DataElement(_PIXELS[name], vr, raw + bytes(len(raw) % 2))
    return new


def _bits_stored(dataset: Any, frames: Frames) -> int:
    whole = 8 * frames.dtype.itemsize
    try:
        bits = int(dataset.get("BitsStored") or whole)
    except (TypeError, ValueError):
        return whole
    return bits if 0 < bits <= whole else whole


def _range(bits: int, signed: bool) -> tuple[int, int]:
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def _uid(syntax: str) -> Any:
    from pydicom.uid import UID

    return UID(syntax)


def _no_decoder() -> InputRefused:
    return InputRefused(
        "pixels: are compressed, and no package that decodes them is installed",
        hint='pip install "medveil[compressed]"',
    )
