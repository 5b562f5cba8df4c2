"""Residual: planted identifiers are found in every disguise, and common words raise no alarm."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from medveil.core.errors import InputRefused, UsageError
from medveil.io.residual import Identifier, Residue, residues, searchable
from medveil.io.search import Needle, Needles
from medveil.io.unpacking import DEEPEST, Unpacker

NAME = Identifier("name", "Zyquartovex^Jane")
TEXT = b"before Zyquartovex behind"


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member.txt", content * 9)
    return out.getvalue()


def swapped(content: bytes, width: int) -> bytes:
    content = content.ljust(-(-len(content) // width) * width, b" ")
    return b"".join(content[i : i + width][::-1] for i in range(0, len(content), width))


PLAIN: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda b: b,
    "upper case": bytes.upper,
    "UTF-16 little": lambda b: b.decode().encode("utf-16-le"),
    "UTF-16 big": lambda b: b.decode().encode("utf-16-be"),
    "base64": base64.b64encode,
    "base64, second alignment": lambda b: base64.b64encode(b"1" + b),
    "base64, third alignment": lambda b: base64.b64encode(b"12" + b),
    "percent": lambda b: "".join(f"%{c:02X}" for c in b).encode(),
    "hexadecimal": lambda b: b.hex().encode(),
    "swapped pairs": lambda b: swapped(b, 2),
    "swapped pairs, shifted": lambda b: swapped(b"x" + b, 2),
    "swapped fours": lambda b: swapped(b, 4),
    "swapped fours, shifted": lambda b: swapped(b"xyz" + b, 4),
    "reversed": lambda b: b[::-1],
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zip": zipped,
    "bzip2": bz2.compress,
    "xz": lambda b: lzma.compress(b * 9),
    "gzip in noise": lambda b: b"\x07" * 999 + gzip.compress(b) + b"\x07" * 99,
    "second gzip member": lambda b: gzip.compress(b"nothing") + gzip.compress(b),
    "gzip in zip in zlib": lambda b: zlib.compress(zipped(gzip.compress(b))),
}


@pytest.mark.parametrize("how", PLAIN)
def test_finds_a_name_in_plain_bytes(tmp_path: Path, how: str) -> None:
    (tmp_path / "a").write_bytes(PLAIN[how](TEXT))
    assert residues(tmp_path, [NAME]) == [Residue(1, "name", "bytes")]


@pytest.mark.parametrize("how", PACKED)
def test_finds_a_name_in_packed_bytes(tmp_path: Path, how: str) -> None:
    content = PACKED[how](TEXT)
    assert b"Zyquartovex" not in content
    (tmp_path / "a").write_bytes(content)
    assert residues(tmp_path, [NAME]) == [Residue(1, "name", "packed bytes")]


@pytest.mark.parametrize("how", [*PLAIN, *PACKED])
def test_other_words_in_the_same_disguise_are_none(tmp_path: Path, how: str) -> None:
    (tmp_path / "a").write_bytes((PLAIN | PACKED)[how](b"before Zyquertovex behind"))
    assert residues(tmp_path, [NAME]) == []


@pytest.mark.parametrize("text", ["Şahinoğlu", "Müller-Lüdenscheidt", "山田太郎吉", "Jürgen"])
@pytest.mark.parametrize(
    "how",
    [
        lambda t: t.encode(),
        lambda t: t.encode("utf-16-le"),
        lambda t: json.dumps(t).encode(),
        lambda t: quote(t).encode(),
        lambda t: t.upper().encode(),
    ],
)
def test_accented_names(tmp_path: Path, text: str, how: Callable[[str], bytes]) -> None:
    (tmp_path / "a").write_bytes(b"x" + how(text) + b"y")
    assert residues(tmp_path, [Identifier("name", text)]) == [Residue(1, "name", "bytes")]


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Şahinoğlu", "iso8859-9"),
        ("Müller", "latin-1"),
        ("Иванова", "iso8859-5"),
        ("山田太郎吉", "iso2022_jp"),
    ],
)
def test_character_sets_of_dicom(tmp_path: Path, text: str, codec: str) -> None:
    (tmp_path / "a").write_bytes(text.encode(codec))
    assert residues(tmp_path, [Identifier("name", text)]) == [Residue(1, "name", "bytes")]


@pytest.mark.parametrize(
    "written", ["19870412", "1987-04-12", "12.04.1987", "04/12/1987", "12-Apr-1987", "1987:04:12"]
)
def test_a_date_in_the_orders_people_write(tmp_path: Path, written: str) -> None:
    (tmp_path / "a").write_text(f"x{written}T10")
    assert residues(tmp_path, [Identifier("date", "19870412")]) == [Residue(1, "date", "bytes")]
    assert residues(tmp_path, [Identifier("date", "19870413")]) == []


def test_names_of_files_and_folders_and_links(tmp_path: Path) -> None:
    (tmp_path / "zyquartovex").mkdir()
    (tmp_path / "zyquartovex" / "b").write_bytes(b"")
    (tmp_path / "a").symlink_to("/home/zyquartovex/x")
    expected = [Residue(1, "name", "file name"), Residue(2, "name", "file name")]
    assert residues(tmp_path, [NAME]) == expected  # place 3 is called "b"


def test_deflated_dicom(tmp_path: Path) -> None:
    from medveil.core.seeds import Seeds
    from medveil.measure.leak.in_dicom import to_bytes
    from medveil.measure.leak.in_odd_dicom import deflated_image
    from medveil.measure.leak.marker import Mint

    mint = Mint(Seeds(3))
    (tmp_path / "a").write_bytes(to_bytes(deflated_image(mint, 1)))
    wanted = Identifier("name", mint.markers[-1].value)
    assert residues(tmp_path, [wanted]) == [Residue(1, "name", "packed bytes")]


@pytest.mark.parametrize(
    "at", [(1 << 20) - 5, (1 << 20) - 1, 1 << 20, (1 << 18) - 3, (1 << 20) - 8197, (1 << 20) - 8230]
)
@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress, zipped])
def test_no_border_of_a_block_hides_anything(tmp_path: Path, at: int, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a").write_bytes(bytes(at) + pack(b"Zyquartovex") + bytes(99_999))
    (tmp_path / "b").write_bytes(gzip.compress(bytes(at) + b"Zyquartovex" + bytes(99), 1))
    assert [r.place for r in residues(tmp_path, [NAME])] == [1, 2]


def test_a_short_name_counts_only_where_it_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"benchmarks and remarks")
    (tmp_path / "b").write_bytes(b"for Mark, today")
    (tmp_path / "c").write_bytes(b"mark")
    assert [r.place for r in residues(tmp_path, [Identifier("name", "Mark")])] == [2, 3]


@pytest.mark.parametrize(
    ("kind", "value", "searched"),
    [
        ("name", "M", False), ("id", "1", False), ("id", "1234", False), ("id", "12345", False), ("id", "123456", True),
        ("id", "000000", False), ("name", "Unknown", False), ("name", "REMOVED", False), ("name", "----", False), ("name", "Lee", False),
        ("name", "Jane", True), ("id", "AB12", True), ("uid", "1.2.840.10008.1.2", False),
        ("uid", "1.3.6.1.4.1.5962.1.1", True), ("uid", "1.2.3", False), ("name", "", False), ("text", "\0\0", False),
    ],
)  # fmt: skip
def test_values_that_every_file_holds_are_not_searched(kind: str, value: str, searched: bool) -> None:
    assert searchable(Identifier(kind, value)) is searched  # type: ignore[arg-type]


def test_counts_different_identifiers_and_shows_no_value(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"Zyquartovex Vexolmi")
    found = residues(tmp_path, [NAME, Identifier("name", "Vexolmi"), Identifier("id", "QX-7781-P"), NAME])
    assert found == [Residue(1, "name", "bytes", count=2)]
    assert "yquarto" not in repr(found) + repr(NAME) + repr(Needle(b"Zyquartovex", 0))


def test_noise_and_zeros_raise_no_alarm(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).bytes(4_000_000)
    (tmp_path / "a").write_bytes(noise + bytes(1_000_000))
    names = [Identifier("name", n) for n in ("Jane", "Doe-Smith", "Okafor", "Nguyen", "Maria")]
    assert residues(tmp_path, [*names, Identifier("date", "19870412"), Identifier("id", "4711-0815")]) == []


def test_what_is_packed_too_deep_is_said_to_be_unsearched(tmp_path: Path) -> None:
    def pack(content: bytes) -> bytes:  # with zeros around, or gzip would store it as it is
        return gzip.compress(bytes(5000) + content + bytes(5000))

    content = TEXT * 3
    for _ in range(DEEPEST):
        content = pack(content)
    (tmp_path / "a").write_bytes(content)
    assert residues(tmp_path, [NAME]) == [Residue(1, "name", "packed bytes")]
    (tmp_path / "a").write_bytes(pack(content))
    assert residues(tmp_path, [NAME]) == [Residue(1, "", "not searched")]


def test_memory_does_not_grow_with_what_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(bytes(60_000_000) + b"Zyquartovex", 9))
    tracemalloc.start()
    found = residues(tmp_path, [NAME])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [Residue(1, "name", "packed bytes")]
    assert peak < 40_000_000


def test_damaged_packed_bytes_are_searched_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(TEXT * 9 + os.urandom(5000).hex().encode())[:-900])
    assert residues(tmp_path, [NAME]) == [Residue(1, "name", "packed bytes")]


def test_a_missing_output_is_an_error_and_nothing_to_look_for_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="not there"):
        residues(tmp_path / "none", [NAME])
    (tmp_path / "a").write_bytes(TEXT)
    assert residues(tmp_path, []) == []
    assert residues(tmp_path / "a", [NAME]) == [Residue(1, "name", "bytes")]


def test_needles_shorter_than_four_bytes_are_refused() -> None:
    with pytest.raises(UsageError, match="4 bytes"):
        Needles([Needle(b"abc", 0)])


@pytest.mark.parametrize("step", [1, 3, 7, 100])
def test_blocks_of_any_size_find_the_same(step: int) -> None:
    needles = Needles(
        [Needle(b"Zyquartovex", 0), Needle(b"jane", 1, alone=True), Needle(b"CaseD", 2, exact=True)]
    )
    stream = b"zyquartovex xjane janex cased " + gzip.compress(b"jane " * 50 + b"CaseD")
    search = Unpacker(needles)
    for at in range(0, len(stream), step):
        search.feed(stream[at : at + step])
    search.close()
    assert search.found.plain == {0}
    assert search.found.packed == {1, 2}


@pytest.mark.parametrize("shortest", [b"Zebu", b"Zebul", b"Zebulon"])
def test_a_needle_is_found_at_every_place_of_small_and_large_blocks(shortest: bytes) -> None:
    needles = Needles([Needle(shortest, 0), Needle(b"QUIXworth 1955", 1)])
    for size in (40, 600):
        for place in range(24):
            block = bytearray(b"[{@`" * size)
            block[place : place + len(shortest)] = shortest.swapcase()
            block[-14 - place : len(block) - place] = b"quixWORTH 1955"
            assert needles.found_in(bytes(block)) == {0, 1}


def test_a_packed_stream_with_a_broken_end_is_searched_up_to_there() -> None:
    noise = np.random.default_rng(2).bytes
    packed = bytearray(zlib.compress(noise(3000) + "Zebulon".encode("utf-16-le") + noise(30_000)))
    packed[-1] ^= 1
    search = Unpacker(Needles([Needle("Zebulon".encode("utf-16-le"), 0)]))
    search.close(bytes(packed))
    assert search.found.unpacked_bytes > 30_000
    assert 0 in search.found.plain | search.found.packed
