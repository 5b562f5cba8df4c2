"""Ledgers: an image released once is released the same way ever after, also with two runs at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medveil.core.errors import InputRefused, OutputFailed, Refusal, UsageError
from medveil.core.secrets import Key
from medveil.io.ledger import ledger_of, note_release

KEY = Key(bytes.fromhex("abcdef1234567890" * 4))
A, B, C = "a" * 64, "b" * 64, "c" * 64
HEAD = '{"medveil-ledger":1,"key":"480ad4cb"}\n'

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files mean something on POSIX systems only")


def line(image: str, settings: str) -> str:
    return f'{{"image":"{image}","settings":"{settings}"}}\n'


def put(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_ledger_is_written_as_its_format_says(tmp_path: Path) -> None:
    path = ledger_of(tmp_path / "vault" / "site.key")
    assert path == tmp_path / "vault" / "site.key.releases"
    assert note_release(path, KEY, A, B)
    assert note_release(path, KEY, B, B)
    assert path.read_text() == HEAD + line(A, B) + line(B, B)
    assert [json.loads(each) for each in path.read_text().splitlines()][1] == {"image": A, "settings": B}
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_again_is_allowed_and_noted_once(tmp_path: Path) -> None:
    path = tmp_path / "l"
    assert note_release(path, KEY, A, B)
    before = path.read_bytes()
    assert not note_release(path, KEY, A, B)
    assert path.read_bytes() == before


def test_other_settings_are_refused_and_noted_not(tmp_path: Path) -> None:
    path = tmp_path / "l"
    note_release(path, KEY, A, B)
    before = path.read_bytes()
    with pytest.raises(Refusal, match="with other settings") as error:
        note_release(path, KEY, A, C)
    assert error.value.reason == "released before"
    assert A not in str(error.value)
    assert path.read_bytes() == before
    assert note_release(path, KEY, C, C)


@pytest.mark.parametrize("whole", ["", HEAD, HEAD + line(A, B)])
@pytest.mark.parametrize("kept", [0, 1, 20, 60])
def test_a_line_cut_by_a_power_cut_is_dropped(tmp_path: Path, whole: str, kept: int) -> None:
    torn = (line(B, B) if whole else HEAD)[:kept]
    path = put(tmp_path / "l", whole + torn[: len(HEAD) - 1])
    assert note_release(path, KEY, C, C)
    assert path.read_text() == (whole or HEAD) + line(C, C)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("something\n", "not a ledger"),
        ("something", "not a ledger"),
        ("\n", "not a ledger"),
        (line(A, B), "not a ledger"),
        (HEAD.replace("1,", "2,"), "another version"),
        (HEAD.replace("480ad4cb", "00000000"), "another key"),
        (HEAD + "\n", "damaged"),
        (HEAD + line(A, B[:-1]), "damaged"),
        (HEAD + line(A, B).upper(), "damaged"),
        (HEAD + line(A, B) + HEAD, "damaged"),
        (HEAD + line(A, B)[1:] + line(C, C), "damaged"),
    ],
)
def test_what_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, text: str, match: str) -> None:
    path = put(tmp_path / "l", text)
    with pytest.raises(InputRefused, match=match) as error:
        note_release(path, KEY, C, C)
    assert path.read_text() == text
    assert A not in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_an_image_noted_in_two_ways_is_never_let_through(tmp_path: Path) -> None:
    path = put(tmp_path / "l", HEAD + line(A, B) + line(A, C))
    for settings in (B, C):
        with pytest.raises(Refusal):
            note_release(path, KEY, A, settings)


def test_a_mark_of_settings_is_not_taken_for_one_of_an_image(tmp_path: Path) -> None:
    path = tmp_path / "l"
    note_release(path, KEY, A, B)
    assert note_release(path, KEY, B, C)


@pytest.mark.parametrize("wrong", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_marks_are_64_hex_signs(tmp_path: Path, wrong: str) -> None:
    for image, settings in ((wrong, A), (A, wrong)):
        with pytest.raises(UsageError):
            note_release(tmp_path / "l", KEY, image, settings)
    assert os.listdir(tmp_path) == []


@posix
@pytest.mark.parametrize("mode", [0o640, 0o602])
def test_a_ledger_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = put(tmp_path / "l", HEAD, mode)
    with pytest.raises(InputRefused, match="others than its owner"):
        note_release(path, KEY, A, B)


@posix
def test_only_a_regular_file_is_a_ledger(tmp_path: Path) -> None:
    put(tmp_path / "real", HEAD)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe"):
        with pytest.raises(InputRefused):
            note_release(tmp_path / name, KEY, A, B)
    for name in ("folder", "real/l"):
        with pytest.raises(OutputFailed):
            note_release(tmp_path / name, KEY, A, B)
    assert (tmp_path / "real").read_text() == HEAD


@posix
def test_of_many_runs_at_once_one_wins(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from medveil.core.errors import Refusal\n"
        "from medveil.core.secrets import Key; from medveil.io.ledger import note_release\n"
        "key = Key(bytes.fromhex('abcdef1234567890' * 4)); number = int(sys.argv[2])\n"
        "for image in range(40):\n"
        "    try: print(image, note_release(Path(sys.argv[1]), key, f'{image:064x}', f'{number:064x}'))\n"
        "    except Refusal: print(image, 'refused')\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "l"), str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    said = [run.communicate()[0].splitlines() for run in runs]
    assert all(run.returncode == 0 for run in runs)
    for image in range(40):
        answers = sorted(lines[image] for lines in said)
        assert answers == [f"{image} True"] + [f"{image} refused"] * 3
    assert len((tmp_path / "l").read_text().splitlines()) == 41
