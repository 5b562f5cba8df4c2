"""One DICOM file apart and together again: an image, and all the rest of the data set as tags.

    file = head | pixels | tail      ->  Image, Tags(head, tail, what stands in unused bits), Display
    Tags + Image, lossless           ->  the same file, byte for byte (of a compressed one: its uncompressed equal)
    Tags + Image, lossy              ->  a derived instance that says so

The numbers are those stored; MONOCHROME1 is not turned. Tags hold nothing of the pixels beside the bits above Bits
Stored, which are none (PS3.5 8.1.1); but a data set may hold an icon of its own image, and overlays.

Source: DICOM PS3.3 C.7.6.1.1.2 (Image Type), C.7.6.1.1.5 (lossy compression), C.11.2.1.2 (window); PS3.5 8.1, A.4.
"""

from __future__ import annotations

import hashlib
import uuid
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, OutputFailed, UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.io.dicom.frames import Groups
from medveil.io.dicom.pixels import BIG, EXPLICIT, IMPLICIT, limits, put_pixels, stored, syntax_of
from medveil.io.dicom.volume import read_volume
from medveil.io.display import Display, rounded
from medveil.io.film_tags import Tags, digest

Frames = npt.NDArray[Any]
MOST_BITS = 16
_PIXELS = 0x7FE00010
_OFFSETS = (0x7FE00001, 0x7FE00002, 0x7FE00003)
_VIDEO = "1.2.840.10008.1.2.4.10"  # MPEG-2, MPEG-4 and HEVC: .100 to .108
_HTJ2K_OR_JXL = ("1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112")
_AGAIN = "copy the file again"


@dataclass(frozen=True)
class Loss:
    """What a lossy code did, as (0028,2112) and (0028,2114) say it.

    Args:
        method: DICOM's term, `ISO_15444_1` for JPEG 2000; where it has none, an own one, `PRIMIS`.
        ratio: bytes of the pixels over bytes of the code, above 0.
    """

    method: str
    ratio: float

    def __post_init__(self) -> None:
        sound = (
            0 < len(self.method) <= 16 and self.method.replace("_", "").isalnum() and self.method.isascii()
        )
        if not sound or self.method != self.method.upper() or not 0 < self.ratio < 1e9:
            raise UsageError(
                "loss: expected a method of up to 16 capitals, digits and low lines, and a ratio above 0"
            )


def read_instance(
    content: bytes, name: str, check_size: Callable[[int, int, int], None]
) -> tuple[Image, Tags, Display]:
    """The image in a DICOM file: a film of one frame, a volume where it has several with a place in space.

    Args:
        content: of the file. name: of the file, for the tags.
        check_size: told frames, rows and columns before anything is decoded; raises where they are not wanted.

    Raises:
        InputRefused: no picture, a video, colours, lookup tables, more than 16 bits, frames that make no volume,
            damaged, a codec that is missing, or what `check_size` raises.
    """
    dataset = _parsed(content)
    _refuse(dataset, check_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        if _count(dataset, "NumberOfFrames", 1) > 1:
            image, order = _volume(dataset)
        else:
            image, order = _film(dataset), ()
        if image.data.dtype.kind not in "ui" or image.data.dtype.itemsize > MOST_BITS // 8:
            raise InputRefused(f"pixels: expected whole numbers of at most {MOST_BITS} bits")
        tags = _apart(content, name, image, order)
        return image, tags, _display(dataset, image)


def to_instance(image: Image, tags: Tags, *, loss: Loss | None) -> bytes:
    """The file with an opened image's pixels put back, uncompressed.

    Without `loss` it is the source, of which only compression is gone. With it, explicit little endian: Image Type
    DERIVED, lossy compression 01 with ratio and method (behind those of earlier compressions), and an instance UID
    that follows from the source's and the pixels. Numbers beyond Bits Stored become the nearest within.

    Raises:
        OutputFailed: tags of another format, or of another image.
        VerificationFailed: what was made is not what it must be.
    """
    if tags.format != "dicom":
        raise OutputFailed(
            "image: its tags did not come from DICOM, so there is no data set", hint="write it as .png"
        )
    if loss is None:
        whole = _together(tags, image)
        if hashlib.sha256(whole).hexdigest() != tags.file:
            raise VerificationFailed("image: with its tags it does not make the file they are of")
        return whole
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = _parsed(_together(tags, image))
            frames = _frames(image, tags)
            low, high = (int(v) for v in limits(dataset, frames[:, :0]))  # of no frame: what Bits Stored says
            frames = np.clip(frames, low, high).astype(frames.dtype)
            _derive(dataset, frames, loss)
            written = _written(dataset, EXPLICIT)
            same = np.array_equal(stored(_parsed(written)), frames)
        except (InputRefused, OutputFailed):
            raise
        except Exception:  # noqa: BLE001 - pydicom's errors show values
            raise OutputFailed("dicom: the data set could not be written with its new pixels") from None
    if not same:
        raise VerificationFailed("dicom: the written file holds other pixels than the image")
    return written


def _parsed(content: bytes) -> Any:
    from pydicom import config, dcmread

    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            return dcmread(BytesIO(content), force=True)
        except Exception:  # noqa: BLE001 - whatever a broken file does to the parser, it is not an image
            raise InputRefused("dicom: the file cannot be parsed", hint=_AGAIN) from None


def _refuse(dataset: Any, check_size: Callable[[int, int, int], None]) -> None:
    """What can be seen to be unwanted before pixels are decoded."""
    syntax = syntax_of(dataset)
    if syntax.startswith(_VIDEO) and syntax not in _HTJ2K_OR_JXL:
        raise InputRefused("dicom: is a video, expected single pictures")
    if 0x7FE00008 in dataset or 0x7FE00009 in dataset:
        raise InputRefused(f"pixels: are real numbers, expected whole ones of at most {MOST_BITS} bits")
    if _PIXELS not in dataset or not _count(dataset, "Rows") or not _count(dataset, "Columns"):
        raise InputRefused(
            "dicom: holds no pixels",
            hint="a report, a document, a directory of files, or a file that is cut off",
        )
    photometric = _said(dataset, "PhotometricInterpretation")
    if _count(dataset, "SamplesPerPixel", 1) != 1 or photometric == "PALETTE COLOR":
        raise InputRefused("dicom: is in colour, expected grey values", hint="convert it to grey first")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise InputRefused(
            "PhotometricInterpretation: is missing or none of grey values, expected MONOCHROME1 or 2"
        )
    if _count(dataset, "BitsAllocated") < 2 or not 1 < _count(dataset, "BitsStored") <= MOST_BITS:
        raise InputRefused(f"BitsStored: expected 2 to {MOST_BITS} bits a pixel")
    check_size(_count(dataset, "NumberOfFrames", 1), _count(dataset, "Rows"), _count(dataset, "Columns"))


def _film(dataset: Any) -> Image:
    frames = stored(dataset)
    if len(frames) != 1:
        raise InputRefused("dicom: holds another number of frames than it says")
    groups = _groups(dataset)
    macro = "PixelValueTransformationSequence"
    scaling = (_real(groups, macro, "RescaleSlope", 1.0), _real(groups, macro, "RescaleIntercept", 0.0))
    if scaling[0] == 0 or not np.isfinite(scaling).all():
        raise InputRefused("RescaleSlope: is 0 or not finite, the values are lost")
    return Image(frames[0], np.eye(4), kind="film", slope=scaling[0], intercept=scaling[1])


def _volume(dataset: Any) -> tuple[Image, tuple[tuple[int, int], ...]]:
    volume = read_volume([dataset])
    if len(set(volume.scaling[0])) != 1:
        raise InputRefused(
            "dicom: its frames have several scalings, expected one",
            hint="convert it first: medveil convert DIR --to BIDS",
        )
    return volume.image, volume.where[0]


def _apart(content: bytes, name: str, image: Image, order: tuple[tuple[int, int], ...]) -> Tags:
    """Tags that make the file again; where its own layout cannot be kept (compression), of its plain equal."""
    for attempt in range(2):
        dataset = _parsed(content)
        native = syntax_of(dataset) in (IMPLICIT, EXPLICIT, BIG)
        element = dataset.get_item(_PIXELS)
        tags = _split(content, dataset, element, name, image, order) if native else None
        if tags is not None:
            return tags
        if not attempt:
            content = _plain(dataset, image, order)
    raise InputRefused("pixels: are laid out in a way that cannot be put together again")


def _split(
    content: bytes, dataset: Any, element: Any, name: str, image: Image, order: tuple[tuple[int, int], ...]
) -> Tags | None:
    """Tags of an uncompressed file, None where head, pixels and tail do not make it."""
    at, length = getattr(element, "value_tell", None), getattr(element, "length", None)
    if at is None or length is None or content[at : at + length] != element.value:
        return None
    bits = _count(dataset, "BitsAllocated")
    if bits not in (8, 16):
        return None
    little = syntax_of(dataset) != BIG
    dtype = np.dtype(f"{'<' if little else '>'}{image.data.dtype.kind}{bits // 8}")
    tags = Tags(
        "dicom", name, dtype.str, image.data.shape, digest(image), head=content[:at], frames=order
    )  # fmt: skip
    size = image.data.size * dtype.itemsize
    tags = replace(tags, tail=content[at + size :], file=hashlib.sha256(content).hexdigest())
    raw = np.frombuffer(content[at : at + size], dtype)
    whole = _frames(image, tags).ravel()
    if raw.size != whole.size:
        return None
    if np.array_equal(raw, whole):
        return tags
    mask = (1 << _count(dataset, "BitsStored")) - 1
    unsigned = np.dtype(dtype.str.replace("i", "u"))
    above = raw.view(unsigned) ^ (whole.view(unsigned) & unsigned.type(mask))
    if not above.any():
        return replace(tags, masked=True)
    # Copies of a sign are the pixels', so what stands above signed numbers is not carried.
    if dtype.kind == "i" or (above & unsigned.type(mask)).any():
        return None
    return replace(tags, masked=True, above=zlib.compress(above.tobytes(), 9))


def _plain(dataset: Any, image: Image, order: tuple[tuple[int, int], ...]) -> bytes:
    """The file with its pixels uncompressed and nothing above Bits Stored; all other elements as they are."""
    from pydicom.dataelem import DataElement

    bits = 8 if _count(dataset, "BitsAllocated") <= 8 else 16
    frames = _ordered(image, order).astype(f"<{image.data.dtype.kind}{bits // 8}")
    raw = frames.tobytes()
    for tag in _OFFSETS:
        if tag in dataset:
            del dataset[tag]
    dataset[_PIXELS] = DataElement(_PIXELS, "OB" if bits == 8 else "OW", raw + bytes(len(raw) % 2))
    try:
        return _written(dataset, EXPLICIT)
    except Exception:  # noqa: BLE001 - pydicom's errors show values
        raise InputRefused("dicom: the data set is damaged and cannot be written again") from None


def _written(dataset: Any, syntax: str) -> bytes:
    from pydicom import config, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = getattr(dataset, "file_meta", None)
    dataset.file_meta = FileMetaDataset() if meta is None else meta
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.preamble = getattr(dataset, "preamble", None) or bytes(128)
    out = BytesIO()
    with config.disable_value_validation():
        dcmwrite(out, dataset, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG)
    return out.getvalue()


def _together(tags: Tags, image: Image) -> bytes:
    """Head, numbers, what stands in their unused bits, tail."""
    frames = np.ascontiguousarray(_frames(image, tags))
    if tags.masked:
        dataset = _parsed(tags.head)
        unsigned = np.dtype(frames.dtype.str.replace("i", "u"))
        raw = frames.view(unsigned) & unsigned.type((1 << _count(dataset, "BitsStored")) - 1)
        if tags.above:
            raw = raw | np.frombuffer(_unpacked(tags.above, raw.nbytes), unsigned).reshape(raw.shape)
        frames = raw.astype(unsigned)
    return b"".join((tags.head, frames.tobytes(), tags.tail))


def _unpacked(packed: bytes, size: int) -> bytes:
    try:
        plain = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error:
        plain = b""
    if len(plain) != size:
        raise VerificationFailed("tags: are not of this image")
    return plain


def _frames(image: Image, tags: Tags) -> Frames:
    """(N, H, W) in the order and type of the file."""
    return _ordered(replace(image, data=tags.numbers(image.data)), tags.frames)


def _ordered(image: Image, order: tuple[tuple[int, int], ...]) -> Frames:
    if not order:
        return image.data[None]
    deep = image.data if image.data.ndim == 4 else image.data[..., None]  # (I, J, K, T)
    try:
        return np.stack([deep[:, :, k, t].T for k, t in order])
    except IndexError:
        raise OutputFailed("image: has other slices than the one its tags are of") from None


def _derive(dataset: Any, frames: Frames, loss: Loss) -> None:
    """Pixels into the data set, and all that must be said of them."""
    old = _said(dataset, "SOPInstanceUID")
    put_pixels(dataset, frames, syntax=EXPLICIT)
    hashed = hashlib.sha256(old.encode() + frames.tobytes()).digest()
    new = f"2.25.{uuid.UUID(bytes=hashed[:16], version=5).int}"
    dataset.SOPInstanceUID = new
    if getattr(dataset, "file_meta", None) is not None:
        dataset.file_meta.MediaStorageSOPInstanceUID = new
    kinds = _several(dataset, "ImageType")
    dataset.ImageType = ["DERIVED", *(kinds[1:] or ["PRIMARY"])]
    ratios, methods = (_several(dataset, f"LossyImageCompression{k}") for k in ("Ratio", "Method"))
    if len(ratios) != len(methods):
        ratios, methods = [], []
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = [*ratios, f"{loss.ratio:.6g}"]
    dataset.LossyImageCompressionMethod = [*methods, loss.method]


def _display(dataset: Any, image: Image) -> Display:
    groups = _groups(dataset)
    window = [_first(groups.get("FrameVOILUTSequence", f"Window{k}")) for k in ("Center", "Width")]
    spacing = groups.get("PixelMeasuresSequence", "PixelSpacing") or dataset.get("ImagerPixelSpacing")
    return Display(
        photometric="MONOCHROME1" if _said(dataset, "PhotometricInterpretation") == "MONOCHROME1"
        else "MONOCHROME2",
        bits=min(_count(dataset, "BitsStored"), 8 * image.data.dtype.itemsize),
        window=rounded(window, positive=(False, True)),
        spacing_mm=rounded(spacing, positive=(True, True)) if image.kind == "film" else None,
    )  # fmt: skip


def _groups(dataset: Any) -> Groups:
    groups = [dataset.get(f"{k}FunctionalGroupsSequence") or () for k in ("PerFrame", "Shared")]
    return Groups(dataset, tuple(group for found in groups for group in found[:1]))


def _real(groups: Groups, macro: str, keyword: str, otherwise: float) -> float:
    value = groups.get(macro, keyword)
    try:
        return otherwise if value in (None, "") else float(value)
    except (TypeError, ValueError):
        raise InputRefused(f"{keyword}: is not a number") from None


def _first(value: Any) -> Any:
    many = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return value[0] if many and len(value) else value


def _several(dataset: Any, keyword: str) -> list[str]:
    value = dataset.get(keyword)
    if value in (None, ""):
        return []
    many = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return [str(v) for v in (value if many else [value])]


def _said(dataset: Any, keyword: str) -> str:
    try:
        return str(_first(dataset.get(keyword)) or "").strip(" \0")
    except Exception:  # noqa: BLE001 - a value pydicom cannot convert is no value
        return ""


def _count(dataset: Any, keyword: str, otherwise: int = 0) -> int:
    """A whole number of the header; `otherwise` where there is none."""
    try:
        value = _first(dataset.get(keyword))
        return otherwise if value in (None, "") else int(value)
    except Exception:  # noqa: BLE001 - a value pydicom cannot convert is no value
        return 0
