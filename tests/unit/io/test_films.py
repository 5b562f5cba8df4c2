"""One image file in and out: what is exact, what is carried apart, and what is refused in one line."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset

from medveil.core.errors import InputRefused, MedveilError, OutputFailed, UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.io.dicom.pixels import BIG, EXPLICIT, IMPLICIT, stored
from medveil.io.film_tags import Tags
from medveil.io.films import Display, Loss, read_shared, write_opened

CANARY = "Canarini^Zoe"
LOSS = Loss("PRIMIS", 12.5)
GREY = (np.indices((64, 80)).sum(axis=0) % 251).astype(np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (64, 80)).astype(np.uint8)
WIDE = (GREY.astype(np.uint16) * 257) ^ 0x0101


def saved(path: Path, picture: Any, **how: Any) -> Path:
    picture = Pillow.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    picture.save(path, **how)
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def film(pixels: np.ndarray, bits: int = 0, syntax: str = EXPLICIT, **said: Any) -> bytes:
    """A DICOM film that carries a canary, with these bytes as pixels."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.ImageType = ["ORIGINAL", "PRIMARY", "LEFT"]
    data.PatientName, data.PatientID = CANARY, "Canarini-17"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[:2]
    data.BitsAllocated = 8 * pixels.itemsize
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    data.SmallestImagePixelValue = 0
    data[0x00280106].VR = "US"
    order = ">" if syntax == BIG else "<"
    data.add_new(0x7FE00010, "OW", pixels.astype(pixels.dtype.newbyteorder(order)).tobytes())
    for keyword, value in said.items():
        setattr(data, keyword, value)
    out = io.BytesIO()
    data.save_as(out, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG, enforce_file_format=True)
    return out.getvalue()


# ---- pictures


@pytest.mark.parametrize("pixels", [GREY, WIDE], ids=["8 bit", "16 bit"])
def test_a_png_comes_back_with_its_numbers_and_only_with_its_tags_its_words(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    words = PngInfo()
    words.add_text("Patient", CANARY)
    source = saved(tmp_path / "Zoe Canarini.png", pixels, pnginfo=words)
    shared = read_shared(source)
    assert np.array_equal(shared.image.data, pixels)
    assert shared.image.data.dtype == pixels.dtype
    assert shared.image.kind == "film"
    assert shared.display == Display(bits=8 * pixels.itemsize)
    assert Tags.from_bytes(shared.tags).name == "Zoe Canarini.png"
    for tags, there in ((shared.tags, True), (None, False)):
        out = tmp_path / f"{there}.png"
        write_opened(out, shared.image, tags, lossless=True)
        again = read_shared(out)
        assert np.array_equal(again.image.data, pixels)
        assert again.image.data.dtype == pixels.dtype
        assert (CANARY.encode() in out.read_bytes()) == there
    assert "Canarini" not in repr(shared) + str(shared.display.said())


def test_palette_alpha_and_colours_that_are_all_grey_are_the_grey_they_are(tmp_path: Path) -> None:
    rgb = np.repeat(GREY[..., None], 3, axis=-1)
    full = np.full_like(GREY[..., None], 255)
    palette = Pillow.fromarray(GREY, mode=None).convert("P")
    palette.putpalette([v for n in range(256) for v in (n, n, n)])
    pictures = {
        "rgb": rgb,
        "rgba": np.concatenate([rgb, full], axis=-1),
        "la": Pillow.fromarray(np.concatenate([GREY[..., None], full], axis=-1), mode=None),
        "palette": palette,
    }
    for name, picture in pictures.items():
        assert np.array_equal(read_shared(saved(tmp_path / f"{name}.png", picture)).image.data, GREY), name


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_stay_sixteen_whatever_the_channels(tmp_path: Path, channels: int) -> None:
    parts = [WIDE] * min(channels, 3) + [np.full_like(WIDE, 0xFFFF)] * (channels == 4)
    pixels = np.stack(parts, axis=-1).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path = tmp_path / "wide.png"
    path.write_bytes(png(80, 64, 16, {1: 0, 3: 2, 4: 6}[channels], rows))
    assert np.array_equal(read_shared(path).image.data, WIDE)


def test_a_jpeg_is_turned_upright_and_its_exif_is_a_tag(tmp_path: Path) -> None:
    plain = read_shared(saved(tmp_path / "plain.jpg", GREY, quality=95))
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010E] = 6, CANARY
    turned = read_shared(saved(tmp_path / "turned.jpg", GREY, quality=95, exif=exif))
    assert np.array_equal(turned.image.data, np.rot90(plain.image.data, -1))
    assert any(CANARY.encode() in body for _, body in Tags.from_bytes(turned.tags).parts)
    write_opened(tmp_path / "out.png", turned.image, turned.tags, lossless=True)
    assert np.array_equal(read_shared(tmp_path / "out.png").image.data, turned.image.data)  # not turned again
    rgb = read_shared(saved(tmp_path / "rgb.jpg", np.repeat(GREY[..., None], 3, axis=-1)))
    assert rgb.image.data.shape == GREY.shape


def coloured(tmp_path: Path) -> Path:
    rgb = np.repeat(GREY[..., None], 3, axis=-1)
    rgb[5, 7] = (255, 0, 0)
    return saved(tmp_path / "Canarini.png", rgb)


def see_through(tmp_path: Path) -> Path:
    rgba = np.concatenate(
        [np.repeat(GREY[..., None], 3, axis=-1), np.full_like(GREY[..., None], 255)], axis=-1
    )
    rgba[0, 0, 3] = 254
    return saved(tmp_path / "Canarini.png", rgba)


def moving(tmp_path: Path) -> Path:
    other = Pillow.fromarray(255 - GREY)
    return saved(tmp_path / "Canarini.png", GREY, save_all=True, append_images=[other])


def gif(tmp_path: Path) -> Path:
    return saved(tmp_path / "Canarini.gif", GREY, save_all=True, append_images=[Pillow.fromarray(255 - GREY)])


def holding(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(tmp_path: Path) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


def packed(picture: np.ndarray, kind: str) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(picture).save(out, format=kind)
    return out.getvalue()


def folder(tmp_path: Path) -> Path:
    (tmp_path / "Canarini.png").mkdir()
    return tmp_path / "Canarini.png"


BIG_SIDE = png(30_000, 30_000, 8, 0, b"")
BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda at: at / "Canarini.png", "not there"),
    "folder": (folder, "folder"),
    "empty": (holding("Canarini.png", b""), "empty"),
    "text": (holding("Canarini.png", b"Canarini was here" * 50), "no image"),
    "pdf": (holding("Canarini.pdf", b"%PDF-1.7 Canarini"), "PDF"),
    "gif": (gif, "GIF"),
    "apng": (moving, "moving"),
    "colour": (coloured, "colour"),
    "alpha": (see_through, "transparent"),
    "16-bit alpha": (holding("Canarini.png", png(80, 64, 16, 4, bytes(64 * 321))), "transparency"),
    "cut png": (holding("Canarini.png", packed(NOISE, "PNG")[:-900]), "damaged"),
    "cut jpeg": (holding("Canarini.jpg", packed(NOISE, "JPEG")[:-900]), "damaged"),
    "bomb": (holding("Canarini.png", BIG_SIDE), "64 to 4096"),
    "small": (holding("Canarini.png", packed(GREY[:63], "PNG")), "64 to 4096"),
    "large": (holding("Canarini.png", packed(np.zeros((64, 4097), np.uint8), "PNG")), "64 to 4096"),
    "other name": (holding("Canarini.jpg", packed(GREY, "PNG")), "name"),
    "dicom as png": (holding("Canarini.png", film(WIDE)), "name"),
    "nifti as png": (holding("Canarini.png", struct.pack("<i", 348) + bytes(600)), "no image"),
    "cut dicom": (holding("Canarini.dcm", film(WIDE)[:-900]), "decoded"),
    "cut header": (holding("Canarini.dcm", film(WIDE)[:400]), "pixels"),
    "no pixels": (holding("Canarini.dcm", film(WIDE)[: film(WIDE).index(b"\xe0\x7f\x10\x00")]), "no pixels"),
    "video": (holding("Canarini.dcm", film(WIDE, syntax=EXPLICIT).replace(
        b"UI\x14\x001.2.840.10008.1.2.1\x00", b"UI\x18\x001.2.840.10008.1.2.4.103\x00")), "video"),
    "rgb dicom": (holding("Canarini.dcm", film(WIDE, SamplesPerPixel=3, PhotometricInterpretation="RGB")), "colour"),
    "wide dicom": (holding("Canarini.dcm", film(WIDE.astype(np.uint32))), "16 bits"),
    "cine": (holding("Canarini.dcm", film(WIDE, Rows=32, NumberOfFrames="2")), "frames"),
    "cut nifti": (holding("Canarini.nii.gz", gzip.compress(bytes(5000))[:-12]), ""),
    "not nifti": (holding("Canarini.nii", b"Canarini" * 100), "NIfTI"),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("make", "word"), BAD.values(), ids=BAD)
def test_what_is_no_grey_image_is_refused_in_one_line_that_names_nobody(
    tmp_path: Path, make: Callable[[Path], Path], word: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        read_shared(make(tmp_path))
    told = str(refused.value)
    assert word in told
    assert "Canarini" not in told
    assert "\n" not in told
    assert refused.value.__cause__ is None


# ---- DICOM

OVERLAID = (WIDE & 0x0FFF) | ((np.indices(WIDE.shape)[1] // 7 % 2) << 12).astype(np.uint16)
SIGNED = (GREY.astype(np.int16) - 100) * 8
DICOM = {
    "12 of 16 bits": film(WIDE & 0x0FFF, 12),
    "8 bit": film(GREY),
    "white is low": film(WIDE & 0x0FFF, 12, PhotometricInterpretation="MONOCHROME1"),
    "signed": film(SIGNED, 12),
    "signed, bits above are 0": film((SIGNED & 0x0FFF).view(np.int16), 12),
    "drawings above": film(OVERLAID, 12),
    "implicit": film(WIDE, syntax=IMPLICIT),
    "big endian": film(WIDE, syntax=BIG),
}


@pytest.mark.parametrize("content", DICOM.values(), ids=DICOM)
def test_a_lossless_dicom_comes_back_byte_for_byte(tmp_path: Path, content: bytes) -> None:
    source, out = tmp_path / "Canarini", tmp_path / "out.dcm"
    source.write_bytes(content)
    shared = read_shared(source)
    assert np.array_equal(shared.image.data, stored(dcmread(source))[0])
    write_opened(out, shared.image, shared.tags, lossless=True)
    assert out.read_bytes() == content
    assert read_shared(source).tags == shared.tags


def test_tags_hold_no_pixels_but_what_stands_above_them(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(DICOM["drawings above"])
    random = np.random.default_rng(3).integers(0, 4096, WIDE.shape).astype(np.uint16)
    (tmp_path / "b.dcm").write_bytes(film(random | (OVERLAID & 0xF000), 12))
    one, other = (Tags.from_bytes(read_shared(tmp_path / n).tags) for n in ("a.dcm", "b.dcm"))
    assert (one.head, one.tail, one.above) == (other.head, other.tail, other.above)
    assert one.above


def test_what_stands_above_signed_numbers_is_not_carried_since_it_tells_their_sign(tmp_path: Path) -> None:
    drawn = SIGNED.copy()
    drawn[3, 3:40] ^= 0x2000
    (tmp_path / "a.dcm").write_bytes(film(drawn, 12))
    shared = read_shared(tmp_path / "a.dcm")
    assert not Tags.from_bytes(shared.tags).above
    write_opened(tmp_path / "b.dcm", shared.image, shared.tags, lossless=True)
    assert np.array_equal(stored(dcmread(tmp_path / "b.dcm"))[0], SIGNED)


def test_a_compressed_dicom_comes_back_as_its_plain_equal(tmp_path: Path) -> None:
    data = dcmread(io.BytesIO(DICOM["12 of 16 bits"]))
    data.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    data.save_as(tmp_path / "a.dcm")
    shared = read_shared(tmp_path / "a.dcm")
    write_opened(tmp_path / "b.dcm", shared.image, shared.tags, lossless=True)
    back = dcmread(tmp_path / "b.dcm")
    assert back.file_meta.TransferSyntaxUID == EXPLICIT
    assert all(back[e.tag] == e for e in dcmread(tmp_path / "a.dcm") if e.tag != 0x7FE00010)
    assert np.array_equal(back.pixel_array, WIDE & 0x0FFF)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_a_lossy_dicom_says_so_and_is_another_instance(tmp_path: Path, syntax: str) -> None:
    source = film(
        WIDE & 0x0FFF, 12, syntax, LossyImageCompression="01", LossyImageCompressionRatio="3",
        LossyImageCompressionMethod="ISO_10918_1",
    )  # fmt: skip
    (tmp_path / "a.dcm").write_bytes(source)
    shared = read_shared(tmp_path / "a.dcm")
    opened = shared.image.with_data(shared.image.data + np.uint16(9))
    for name in ("b.dcm", "c.dcm"):
        write_opened(tmp_path / name, opened, shared.tags, lossless=False, loss=LOSS)
    data = dcmread(tmp_path / "b.dcm")
    assert data.file_meta.TransferSyntaxUID == EXPLICIT
    assert data.LossyImageCompression == "01"
    assert list(data.LossyImageCompressionRatio) == [3, 12.5]
    assert list(data.LossyImageCompressionMethod) == ["ISO_10918_1", "PRIMIS"]
    assert list(data.ImageType) == ["DERIVED", "PRIMARY", "LEFT"]
    assert data.SOPInstanceUID == data.file_meta.MediaStorageSOPInstanceUID
    assert data.SOPInstanceUID.startswith("2.25.")
    assert data.PatientName == CANARY
    assert (data.BitsStored, data.BitsAllocated) == (12, 16)
    assert np.array_equal(data.pixel_array, np.minimum((WIDE & 0x0FFF) + 9, 4095))
    assert (tmp_path / "b.dcm").read_bytes() == (tmp_path / "c.dcm").read_bytes()


def test_display_tells_how_to_show_a_film_and_the_image_its_scaling(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(film(
        WIDE & 0x0FFF, 12, PhotometricInterpretation="MONOCHROME1", WindowCenter=["40.1234567", "2"],
        WindowWidth=["400", "3"], ImagerPixelSpacing=["0.139", "0.14"], RescaleSlope="2", RescaleIntercept="-1024",
    ))  # fmt: skip
    shared = read_shared(tmp_path / "a.dcm")
    assert (shared.image.slope, shared.image.intercept) == (2, -1024)
    assert shared.display == Display("MONOCHROME1", 12, (40.1235, 400.0), (0.139, 0.14))
    assert Display.of(shared.display.said()) == shared.display


@pytest.mark.parametrize(
    "said",
    [
        {"photometric": "MONOCHROME2", "bits": 8, "name": CANARY},
        {"photometric": CANARY, "bits": 8},
        {"photometric": "MONOCHROME2", "bits": "8"},
        {"photometric": "MONOCHROME2", "bits": 8, "window": [1.0, 0.0]},
        {"photometric": "MONOCHROME2", "bits": 8, "window": [1.23456789, 2.0]},
        {"photometric": "MONOCHROME2", "bits": 8, "spacing_mm": [1.0, 2.0, 3.0]},
        {"photometric": "MONOCHROME2", "bits": 8, "spacing_mm": CANARY},
    ],
)
def test_a_display_has_no_room_for_anything_else(said: dict[str, Any]) -> None:
    with pytest.raises(InputRefused):
        Display.of(said)


def test_a_file_of_several_frames_is_a_volume_and_comes_back(tmp_path: Path) -> None:
    def item(**said: Any) -> Dataset:
        data = Dataset()
        for keyword, value in said.items():
            setattr(data, keyword, value)
        return data

    order = [2, 0, 3, 1]  # frames do not stand in the order of their places
    places = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 2 * k])], FrameContentSequence=[item()])
        for k in order
    ]
    around = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelMeasuresSequence=[item(PixelSpacing=[1, 1])],
    )
    frames = np.random.default_rng(1).integers(0, 4096, (64, 20)).astype(np.uint16)  # 4 of 16 x 20
    content = film(
        frames, 12, Rows=16, NumberOfFrames="4", PerFrameFunctionalGroupsSequence=places,
        SharedFunctionalGroupsSequence=[around],
    )  # fmt: skip
    (tmp_path / "a.dcm").write_bytes(content)
    shared = read_shared(tmp_path / "a.dcm")
    assert shared.image.data.shape == (20, 16, 4)
    assert np.array_equal(shared.image.data[:, :, 2].T, frames[:16])
    write_opened(tmp_path / "b.dcm", shared.image, shared.tags, lossless=True)
    assert (tmp_path / "b.dcm").read_bytes() == content
    write_opened(tmp_path / "b.nii.gz", shared.image, None, lossless=True)
    assert np.array_equal(read_shared(tmp_path / "b.nii.gz").image.data, shared.image.data)
    other = shared.image.with_data(shared.image.data // 2)
    write_opened(tmp_path / "c.dcm", other, shared.tags, lossless=False, loss=LOSS)
    assert np.array_equal(dcmread(tmp_path / "c.dcm").pixel_array.reshape(64, 20), frames // 2)


# ---- volumes


@pytest.mark.parametrize("name", ["Canarini.nii", "Canarini.nii.gz"])
def test_a_nifti_comes_back_whole_with_its_tags_and_bare_without(tmp_path: Path, name: str) -> None:
    data = np.arange(16 * 17 * 5, dtype=">i2").reshape(16, 17, 5)
    image = nib.Nifti1Image(data, np.diag([2.0, 2, 3, 1]), nib.Nifti1Header(endianness=">"))
    image.set_data_dtype(">i2")
    image.header["descrip"] = CANARY.encode()
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", CANARY.encode()))
    nib.save(image, tmp_path / name)
    shared = read_shared(tmp_path / name)
    native = shared.image.with_data(shared.image.data.astype(np.int16))  # as a codec gives it back
    write_opened(tmp_path / "out.nii", native, shared.tags, lossless=True)
    source = (tmp_path / name).read_bytes()
    assert (tmp_path / "out.nii").read_bytes() == (gzip.decompress(source) if name.endswith("gz") else source)
    write_opened(tmp_path / "bare.nii", native, None, lossless=True)
    assert CANARY.encode() not in (tmp_path / "bare.nii").read_bytes()
    bare = nib.load(tmp_path / "bare.nii")
    assert np.array_equal(bare.dataobj, data)
    assert np.array_equal(bare.affine, image.affine)


def test_mgh_and_nrrd_come_too(tmp_path: Path) -> None:
    from medveil.io import formats

    volume = Image(np.arange(16 * 17 * 5, dtype=np.int16).reshape(16, 17, 5), np.diag([2.0, 2, 3, 1]))
    for suffix in (".mgz", ".nrrd"):
        formats.write(volume, tmp_path / f"a{suffix}")
        shared = read_shared(tmp_path / f"a{suffix}")
        write_opened(tmp_path / f"b{suffix}", shared.image, shared.tags, lossless=True)
        assert np.array_equal(read_shared(tmp_path / f"b{suffix}").image.data, volume.data)


def test_a_volume_of_tiny_slices_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((15, 20, 9), np.int16), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(InputRefused, match="16 to 4096"):
        read_shared(tmp_path / "a.nii")


# ---- writing


def test_pngs_for_the_eye_go_through_window_scaling_and_inversion(tmp_path: Path) -> None:
    data = np.zeros((64, 64), np.int16)
    data[0, :4] = (-1000, 50, 100, 1000)
    image = Image(data, np.eye(4), kind="film", slope=2.0, intercept=-100.0)
    # Values 0 and 100 are the ends of a window with centre 50.5 and width 101.
    for photometric, expected in (("MONOCHROME2", [0, 0, 255, 255]), ("MONOCHROME1", [255, 255, 0, 0])):
        display = Display(photometric, 16, (50.5, 101.0))
        write_opened(
            tmp_path / "a.png", image, None, lossless=True, display=display, windowed=True, force=True
        )
        assert read_shared(tmp_path / "a.png").image.data[0, :4].tolist() == expected


def test_what_a_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(DICOM["signed"])
    (tmp_path / "p.png").write_bytes(packed(GREY, "PNG"))
    signed, grey = read_shared(tmp_path / "a.dcm"), read_shared(tmp_path / "p.png")
    volume = Image(np.zeros((16, 16, 4), np.int16), np.eye(4))
    refusals: list[tuple[type[MedveilError], str, str, Image, bytes | None, dict[str, Any]]] = [
        (OutputFailed, "negative", "b.png", signed.image, signed.tags, {}),
        (OutputFailed, "png", "b.dcm", signed.image, None, {}),
        (OutputFailed, "did not come from DICOM", "b.dcm", grey.image, grey.tags, {}),
        (OutputFailed, "volume", "b.nii.gz", grey.image, None, {}),
        (OutputFailed, "film", "b.png", volume, None, {}),
        (OutputFailed, "film", "b.png", volume, None, {"windowed": True}),
        (OutputFailed, "name", "b.jpg", grey.image, None, {}),
        (UsageError, "window", "b.dcm", signed.image, signed.tags, {"windowed": True}),
        (UsageError, "loss", "b.dcm", signed.image, signed.tags, {"lossless": False}),
        (UsageError, "exists", "p.png", grey.image, None, {}),
        (VerificationFailed, "bit for bit", "b.png", grey.image.with_data(GREY ^ 1), grey.tags, {}),
        (VerificationFailed, "bit for bit", "b.dcm", grey.image, signed.tags, {}),
        (OutputFailed, "shape", "b.dcm", volume, signed.tags, {"lossless": False, "loss": LOSS}),
    ]
    for error, word, name, image, tags, how in refusals:
        with pytest.raises(error, match=word):
            write_opened(tmp_path / name, image, tags, **{"lossless": True, **how})
        assert not (tmp_path / name).exists() or name == "p.png"
    write_opened(tmp_path / "p.png", grey.image.with_data(GREY ^ 1), None, lossless=True, force=True)
    assert np.array_equal(read_shared(tmp_path / "p.png").image.data, GREY ^ 1)


def test_tags_that_were_touched_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(DICOM["signed"])
    tags = read_shared(tmp_path / "a.dcm").tags
    for other in (b"", b"{}", b"[1]", b"\xff", tags[:-1], tags + b" ", tags.replace(b"tags 1", b"tags 2"),
                  tags.replace(b'"frames":[]', b'"frames":[[-1,0]]'), b"[" * 9000):  # fmt: skip
        with pytest.raises(VerificationFailed, match="tags"):
            Tags.from_bytes(other)


@pytest.mark.parametrize(("method", "ratio"), [("primis", 2.0), ("", 2.0), ("A B", 2.0), ("JPEG", 0.0)])
def test_a_loss_is_told_in_dicoms_words(method: str, ratio: float) -> None:
    with pytest.raises(UsageError):
        Loss(method, ratio)
