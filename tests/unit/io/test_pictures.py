"""Photographs: pixels upright and in colour, nothing of EXIF, bad files in one line."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io.photograph import DRAFT_PX, MOST_PIXELS
from medveil.io.pictures import coverage, left_aside, open_photographs, read_photograph, write_photograph

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


def bomb(side: int = 60000) -> bytes:
    """A PNG of a few bytes that says it is so many pixels wide and high."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
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


CANARY = "Jane^Canary Müller"


def jpeg(size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    packed = io.BytesIO()
    Pillow.new(mode, size, "white" if mode != "CMYK" else (0, 0, 0, 0)).save(packed, "JPEG", **options)
    return packed.getvalue()


def claiming(side: int) -> bytes:
    """A small JPEG whose header says that it is so many pixels wide and high."""
    content = bytearray(jpeg())
    start = content.index(b"\xff\xc0") + 5  # after the marker, the length and the bit depth
    content[start : start + 4] = struct.pack(">HH", side, side)
    return bytes(content)


def animated() -> bytes:
    frames = [Pillow.new("RGB", (20, 16), c) for c in ("red", "blue")]
    packed = io.BytesIO()
    frames[0].save(packed, "PNG", save_all=True, append_images=frames[1:])
    return packed.getvalue()


def grey_png(bits: int) -> bytes:
    packed = io.BytesIO()
    Pillow.new("1" if bits == 1 else "I;16", (10, 12)).save(packed, "PNG")
    return packed.getvalue()


# Content of a file named .jpg or .png, and the shape it is read as, or the words of the refusal.
FILES: dict[str, tuple[str, bytes, tuple[int, int] | str]] = {
    "plain": ("jpg", jpeg(), (48, 64)),
    "one pixel": ("jpg", jpeg((1, 1)), (1, 1)),
    "one pixel wide": ("png", jpeg((1, 300)), (300, 1)),
    "CMYK": ("jpg", jpeg(mode="CMYK"), (48, 64)),
    "grey": ("jpg", jpeg(mode="L"), (48, 64)),
    "a JPEG named .png": ("png", jpeg(), (48, 64)),
    "moving PNG": ("png", animated(), (16, 20)),
    "one bit": ("png", grey_png(1), (12, 10)),
    "sixteen bits": ("png", grey_png(16), (12, 10)),
    "turned by EXIF": ("jpg", jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"), (64, 48)),
    "broken EXIF": ("jpg", jpeg(exif=b"Exif\0\0" + b"\xff" * 40), (48, 64)),
    "progressive": ("jpg", jpeg(progressive=True), (48, 64)),
    "text": ("jpg", CANARY.encode(), "is not a JPEG or PNG"),
    "a page of HTML": ("jpg", b"<html><body>" + CANARY.encode(), "is not a JPEG or PNG"),
    "empty": ("jpg", b"", "the file is empty"),
    "HEIC": ("jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is HEIC"),
    "HEIF of another brand": ("jpg", b"\0\0\0\x18ftypmif1\0\0\0\0", "it is HEIC"),
    "AVIF": ("png", b"\0\0\0\x18ftypavif\0\0\0\0", "it is AVIF"),
    "WebP": ("jpg", b"RIFF\x10\0\0\0WEBPVP8 ", "it is WebP"),
    "GIF": ("png", b"GIF89a\x01\0\x01\0\0\0\0;", "it is GIF"),
    "TIFF": ("jpg", b"II*\0\x08\0\0\0", "it is TIFF"),
    "truncated": ("jpg", jpeg((400, 300))[:700], "is damaged"),
    "begins well": ("png", b"\x89PNG\r\n\x1a\n", "photograph"),
    "a JPEG of four thousand megapixels": ("jpg", claiming(65_000), "too many pixels"),
    "a large JPEG with few data": ("jpg", claiming(20_000), (2500, 2500)),
    "decompression bomb": ("png", bomb(), "too many pixels"),
    "a little over the limit": ("png", bomb(10_001), "too many pixels"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_whatever_lies_in_the_folder_is_read_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    suffix, content, expected = FILES[kind]
    path = tmp_path / f"{CANARY}.{suffix}"
    path.write_bytes(content)
    (record,) = open_photographs(tmp_path)
    if isinstance(expected, tuple):
        assert record.open().data.shape == (*expected, 3)
        return
    with pytest.raises(InputRefused, match=expected) as caught:
        record.open()
    told = str(caught.value)
    assert "\n" not in told
    assert not any(word in told for word in ("Jane", "Canary", "Müller", str(tmp_path)))


def test_a_huge_jpeg_is_read_small_and_in_little_memory(tmp_path: Path) -> None:
    """20,000 x 20,000 pixels would be 1.2 GB: the decoder gives an eighth of each side."""
    before = Pillow.MAX_IMAGE_PIXELS
    Pillow.new("L", (20_000, 20_000), 90).save(tmp_path / "a.jpg", quality=30)
    script = (
        "import resource, sys; from pathlib import Path; from medveil.io.photograph import read_photograph as read\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "read(Path(sys.argv[1]).with_name('small.jpg')); before = peak()\n"
        "print(*read(Path(sys.argv[1])).data.shape, peak() - before)"
    )
    (tmp_path / "small.jpg").write_bytes(jpeg())
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.jpg")], capture_output=True, text=True, check=True
    )
    height, width, _, grown_mb = (int(word) for word in done.stdout.split())
    assert (height, width) == (2500, 2500)
    assert grown_mb < 150
    read_photograph(tmp_path / "small.jpg")
    assert before == Pillow.MAX_IMAGE_PIXELS


def test_a_usual_jpeg_is_not_made_smaller_than_a_face_needs(tmp_path: Path) -> None:
    Pillow.new("RGB", (2 * DRAFT_PX - 2, 900)).save(tmp_path / "a.jpg")
    assert read_photograph(tmp_path / "a.jpg").data.shape == (900, 2 * DRAFT_PX - 2, 3)
    assert MOST_PIXELS < 10_001**2


def test_names_with_accents_spaces_and_other_case_find_their_person(tmp_path: Path) -> None:
    composed, decomposed = "Ren\u00e9e Du Bois", "Rene\u0301e du bois"
    save(tmp_path / decomposed / "a b.png")
    save(tmp_path / "SUB-02_left.PNG", format="PNG")
    save(tmp_path / "Sub-03.png")
    assert set(open_photographs(tmp_path, [composed, "sub-02", "sub-03"]).subjects) == {
        composed,
        "sub-02",
        "sub-03",
    }


def test_folders_within_folders_belong_to_the_innermost_known_label(tmp_path: Path) -> None:
    save(tmp_path / "sub-01" / "2020" / "smiling" / "a.png")
    save(tmp_path / "clinic" / "sub-02" / "b.png")
    save(tmp_path / "clinic" / "c.png")
    assert set(open_photographs(tmp_path, ["sub-01", "sub-02"]).subjects) == {"sub-01", "sub-02", "clinic"}
    assert set(open_photographs(tmp_path).subjects) == {"sub-01", "clinic"}


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    outside = save(tmp_path / "outside" / "secret.png")
    inside = save(tmp_path / "photos" / "sub-01" / "a.png")
    (tmp_path / "photos" / "sub-02").symlink_to(outside.parent)
    (tmp_path / "photos" / "sub-03.png").symlink_to(outside)
    (inside.parent / "nested").symlink_to(outside.parent)
    (inside.parent / "b.png").symlink_to(inside)
    (tmp_path / "photos" / "sub-04.png").symlink_to(tmp_path / "nowhere.png")
    cohort = open_photographs(tmp_path / "photos")
    assert [(r.subject, str(r.place)) for r in cohort] == [
        ("sub-01", "sub-01/a.png"),
        ("sub-01", "sub-01/b.png"),
    ]


def test_missing_people_and_strangers_are_counted_and_not_named(tmp_path: Path) -> None:
    for name in ("sub-01.png", f"{CANARY}/a.png", "sub-03.png"):
        save(tmp_path / name)
    (tmp_path / "sub-02.heic").write_bytes(b"\0")
    people = [f"sub-0{i}" for i in range(1, 5)]
    photographs = open_photographs(tmp_path, people)
    found = coverage(photographs, people, tmp_path)
    assert (found.people, found.pictured, found.strangers, found.left_aside) == (4, 2, 1, 1)
    assert str(found) == (
        "photographs: 2 of 4 people have no photograph; 1 people with photographs are not among the images; "
        "1 files are no JPEG or PNG and were left aside"
    )
    assert CANARY in photographs.subjects  # a stranger stays: a candidate who is not in the release
    assert str(coverage(photographs, ["sub-01", CANARY, "sub-03"])) == "photographs: of all 3 people"


def test_a_folder_of_nothing_but_phone_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "sub-01").mkdir()
    (tmp_path / "sub-01" / f"{CANARY}.HEIC").write_bytes(b"\0")
    (tmp_path / "Thumbs.db").write_bytes(b"\0")
    assert left_aside(tmp_path) == 1
    with pytest.raises(InputRefused, match="1 files of other kinds") as caught:
        open_photographs(tmp_path)
    assert "Canary" not in str(caught.value)
