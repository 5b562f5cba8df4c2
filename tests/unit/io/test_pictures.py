"""Photographs: pixels upright and in colour, nothing of EXIF, bad files in one line."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io.pictures import open_photographs, read_photograph, write_photograph

RED_TOP = np.zeros((4, 6, 3), np.uint8)
RED_TOP[:2, :, 0] = 255


def save(path: Path, pixels: np.ndarray = RED_TOP, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path, **options)
    return path


def test_people_are_folders_or_the_beginnings_of_names(tmp_path: Path) -> None:
    for name in ("sub-02/b.png", "sub-02/a.JPG", "sub-01.jpeg", "sub-03_left.png", "sub-03_right.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    cohort = open_photographs(tmp_path)
    assert [(r.subject, r.name, str(r.place)) for r in cohort] == [
        ("sub-01", "photo-1", "sub-01.jpeg"),
        ("sub-02", "photo-1", "sub-02/a.JPG"),
        ("sub-02", "photo-2", "sub-02/b.png"),
        ("sub-03", "photo-1", "sub-03_left.png"),
        ("sub-03", "photo-2", "sub-03_right.png"),
    ]
    assert {r.contrast for r in cohort} == {"photo"}
    assert np.array_equal(cohort.records[2].open().data, RED_TOP)


def test_labels_with_low_lines_are_told_by_the_known_subjects(tmp_path: Path) -> None:
    save(tmp_path / "doe_jane_left.png")
    save(tmp_path / "doe_jane_b.png")
    assert open_photographs(tmp_path).subjects == ("doe",)
    assert open_photographs(tmp_path, ["doe", "doe_jane", "doe_jane_b"]).subjects == (
        "doe_jane",
        "doe_jane_b",
    )


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.full((2, 3), 7, np.uint8), 7),
        (np.full((2, 3), 65535, np.uint16), 255),
        (np.full((2, 3, 4), (9, 9, 9, 255), np.uint8), 9),
        (np.full((2, 3, 4), (9, 9, 9, 0), np.uint8), 0),
        (np.full((2, 3, 2), (9, 255), np.uint8), 9),
    ],
)
def test_every_kind_of_pixel_becomes_rgb(tmp_path: Path, pixels: np.ndarray, expected: int) -> None:
    image = read_photograph(save(tmp_path / "a.png", pixels))
    assert image.kind == "photo"
    assert image.data.shape == (2, 3, 3)
    assert image.data.dtype == np.uint8
    assert set(image.data.ravel().tolist()) == {expected}


def test_palettes_with_transparency_are_read(tmp_path: Path) -> None:
    Pillow.fromarray(RED_TOP).convert("P").save(tmp_path / "a.png", transparency=0)
    assert read_photograph(tmp_path / "a.png").data.shape == (4, 6, 3)


def test_exif_turns_the_picture_and_is_then_forgotten(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x010E] = "CANARY description"
    path = save(tmp_path / "a.jpg", RED_TOP, exif=exif, quality=95)
    image = read_photograph(path)
    assert image.data.shape == (6, 4, 3)
    assert image.data[:, -1, 0].min() > 200  # the top lies to the right
    for name in ("b.jpg", "b.png"):
        write_photograph(image, tmp_path / name)
        assert b"CANARY" not in (tmp_path / name).read_bytes()
        with Pillow.open(tmp_path / name) as again:
            assert len(again.getexif()) == 0


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 60000 x 60000."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


def test_bad_pictures_are_refused_in_one_line(tmp_path: Path) -> None:
    good = save(tmp_path / "good.jpg", np.zeros((64, 64, 3), np.uint8)).read_bytes()
    png = save(
        tmp_path / "good.png", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    ).read_bytes()
    bmp = tmp_path / "x.bmp"
    Pillow.fromarray(RED_TOP).save(bmp)
    bad = {
        "text.jpg": b"text", "empty.jpg": b"", "cut.jpg": good[: len(good) // 2], "cut.png": png[: len(png) // 2],
        "bomb.png": bomb(), "bmp.png": bmp.read_bytes(),
    }  # fmt: skip
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputRefused, match="photograph") as caught:
            read_photograph(tmp_path / name)
        assert str(tmp_path) not in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputRefused):
        read_photograph(tmp_path / "nowhere.jpg")


def test_folders_without_photographs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="not there"):
        open_photographs(tmp_path / "nowhere")
    with pytest.raises(InputRefused, match="holds none"):
        open_photographs(tmp_path)


def test_png_is_lossless_and_other_outputs_are_refused(tmp_path: Path) -> None:
    image = Image(RED_TOP, np.eye(4), kind="photo")
    write_photograph(image, tmp_path / "deep" / "a.png")
    assert np.array_equal(read_photograph(tmp_path / "deep" / "a.png").data, RED_TOP)
    with pytest.raises(OutputFailed, match=r"\.jpg"):
        write_photograph(image, tmp_path / "a.gif")
    with pytest.raises(OutputFailed, match="8-bit"):
        write_photograph(Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]
