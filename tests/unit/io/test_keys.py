"""Key files: written once, read by the owner only, never inside a release, destroyed with an honest answer."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import pickle
import stat
from pathlib import Path

import pytest

from medveil.core.errors import InputRefused, MedveilError, OutputFailed, UsageError
from medveil.core.secrets import Key
from medveil.io import keys
from medveil.io.keys import Destroyed, KeySource, destroy_key, key_state, read_key, write_new_key

SECRET = bytes.fromhex("abcdef1234567890" * 4)
GOOD = b"medveil-key 1\nq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\nlabel 480ad4cb\n"

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files mean something on POSIX systems only")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "release").mkdir()
    return tmp_path / "release"


def put(path: Path, content: bytes = GOOD, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def silent(error: pytest.ExceptionInfo[MedveilError], path: Path) -> None:
    """An error shows neither what is in the file nor where it is."""
    said = f"{error.value} {error.value.__cause__}"
    assert "q83v" not in said
    assert "Secret" not in said
    assert str(path) not in said
    assert path.name not in said


def test_a_key_file_is_read_as_its_format_says(tmp_path: Path) -> None:
    assert read_key(put(tmp_path / "k")) == Key(SECRET)


def test_what_is_written_is_read_again_by_the_owner_only(tmp_path: Path, release: Path) -> None:
    path = tmp_path / "vault" / "site.key"
    key = write_new_key(path, outside=release)
    assert read_key(path, outside=release) == key
    name, value, label, end = path.read_text().split("\n")
    assert (name, label, end) == ("medveil-key 1", f"label {key.label}", "")
    assert base64.b64decode(value) == key.expose()
    assert os.listdir(path.parent) == ["site.key"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0
    assert path.stat().st_nlink == 1


def test_two_keys_are_two_keys(tmp_path: Path, release: Path) -> None:
    assert write_new_key(tmp_path / "a", outside=release) != write_new_key(tmp_path / "b", outside=release)


@posix
def test_a_loose_umask_does_not_open_the_file(tmp_path: Path, release: Path) -> None:
    before = os.umask(0)
    try:
        write_new_key(tmp_path / "k", outside=release)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


@pytest.mark.parametrize("there", ["file", "folder", "link to nowhere", "link to a key"])
def test_nothing_is_ever_written_over(tmp_path: Path, release: Path, there: str) -> None:
    path = tmp_path / "k"
    other = put(tmp_path / "other")
    if there == "file":
        put(path, b"something")
    elif there == "folder":
        path.mkdir()
    else:
        path.symlink_to(other if there == "link to a key" else tmp_path / "nowhere")
    with pytest.raises(OutputFailed, match="something is there already"):
        write_new_key(path, outside=release)
    assert other.read_bytes() == GOOD
    assert there != "file" or path.read_bytes() == b"something"
    assert not (tmp_path / "nowhere").exists()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".medveil-")]


@pytest.mark.parametrize("where", ["k", "sub/deeper/k", "../release/k", "./k"])
def test_a_key_does_not_lie_in_what_leaves_the_house(release: Path, where: str) -> None:
    with pytest.raises(UsageError, match="leaves the house"):
        write_new_key(release / where, outside=release)
    assert os.listdir(release) == []


def test_a_link_does_not_lead_inside_unnoticed(tmp_path: Path, release: Path) -> None:
    (tmp_path / "way").symlink_to(release)
    put(release / "k")
    with pytest.raises(UsageError):
        write_new_key(tmp_path / "way" / "new", outside=release)
    with pytest.raises(UsageError):
        read_key(tmp_path / "way" / "k", outside=release)
    with pytest.raises(UsageError):
        read_key(release / "k", outside=tmp_path / "way")
    assert read_key(release / "k") == Key(SECRET)  # nobody said that it leaves the house


def test_a_release_that_is_not_there_yet_counts_as_well(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_new_key(tmp_path / "later" / "k", outside=tmp_path / "later")
    assert os.listdir(tmp_path) == []
    write_new_key(tmp_path / "later-keys" / "k", outside=tmp_path / "later")  # a like name is another folder


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o777])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = put(tmp_path / "Secret", mode=mode)
    with pytest.raises(InputRefused, match="chmod 600") as error:
        read_key(path)
    silent(error, path)
    path.chmod(0o400)
    assert read_key(path) == Key(SECRET)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"Secret", b"medveil-key", b"medveil-key 1", b"medveil-key 1\n", b"medveil-key one\n", GOOD[:-1],
        GOOD + b"\n", GOOD + b"Secret", b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"medveil", b"Medveil"), GOOD.replace(b" 1", b"  1", 1), b" " + GOOD,
        GOOD.replace(b"q83v", b"q83w"),  # one sign is wrong: the label no longer fits
        GOOD.replace(b"480ad4cb", b"480ad4cc"), GOOD.replace(b"480ad4cb", b"480AD4CB"),
        GOOD.replace(b"q83v", b"q8 v"), GOOD.replace(b"q83v", b""), GOOD.replace(b"JA=", b"JB="),
        GOOD.replace(b"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=", b"A" * 43 + b"="),  # all zeros
        bytes(100), hashlib.sha512(b"noise").digest(), GOOD + b"x" * 100_000, b"\xff\xfe" + GOOD.decode().encode("utf-16-le"),
    ],
)  # fmt: skip
def test_what_is_no_key_file_is_refused_in_silence(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path / "Secret", content)
    with pytest.raises(InputRefused, match="is not a key file of medveil, or it is damaged") as error:
        read_key(path)
    silent(error, path)


def test_a_later_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="another version, expected 1"):
        read_key(put(tmp_path / "k", GOOD.replace(b"key 1", b"key 2")))


def test_links_folders_pipes_and_nothing_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "k")
    (tmp_path / "link").symlink_to(tmp_path / "k")
    with pytest.raises(InputRefused, match="symbolic link"):
        read_key(tmp_path / "link")
    with pytest.raises(InputRefused, match="symbolic link"):
        destroy_key(tmp_path / "link")
    with pytest.raises(InputRefused):
        read_key(tmp_path)
    with pytest.raises(InputRefused, match="not there"):
        read_key(tmp_path / "nothing")
    with pytest.raises(InputRefused):
        read_key(tmp_path / "k" / "below")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe", 0o600)
        with pytest.raises(InputRefused, match="not a regular file"):
            read_key(tmp_path / "pipe")
    assert (tmp_path / "k").read_bytes() == GOOD


@pytest.mark.parametrize("call", ["link", "fsync"])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, release: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(keys.os, call, full)
    with pytest.raises(OutputFailed, match="no space"):
        write_new_key(tmp_path / "k", outside=release)
    assert os.listdir(tmp_path) == ["release"]


@posix
def test_a_file_system_without_modes_gets_no_key(
    tmp_path: Path, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    # What such a file system makes of 600.
    monkeypatch.setattr(os, "open", lambda p, flags, mode=0o777, **k: real(p, flags, mode | 0o044, **k))
    with pytest.raises(OutputFailed, match="cannot keep others"):
        write_new_key(tmp_path / "k", outside=release)
    assert os.listdir(tmp_path) == ["release"]


# Workers


def test_a_source_is_pickled_as_a_path_and_opened_by_the_worker(tmp_path: Path) -> None:
    source = KeySource(put(tmp_path / "Secret"), label="480ad4cb")
    data = pickle.dumps(source)
    assert SECRET not in data
    assert b"q83v" not in data
    assert pickle.loads(data).open() == Key(SECRET)  # noqa: S301 - our own bytes
    assert "Secret" not in repr(source)
    assert "480ad4cb" in repr(source)


def test_a_source_notices_another_key(tmp_path: Path) -> None:
    source = KeySource(put(tmp_path / "k"), label="00000000")
    with pytest.raises(InputRefused, match="another key"):
        source.open()


# Destroying


def test_a_destroyed_key_is_gone_and_its_bytes_too(tmp_path: Path) -> None:
    path = put(tmp_path / "k")
    os.link(path, tmp_path / "other name")  # shows what became of the bytes
    gone = destroy_key(path)
    assert gone == Destroyed(overwritten=True, other_names=1)
    assert not path.exists()
    assert (tmp_path / "other name").read_bytes() == bytes(len(GOOD))
    with pytest.raises(InputRefused):
        read_key(tmp_path / "other name")


def test_the_answer_says_what_it_cannot_reach(tmp_path: Path) -> None:
    gone = destroy_key(put(tmp_path / "k"))
    said = " ".join(gone.beyond_reach)
    assert gone.other_names == 0
    for word in ("backups", "snapshots", "SSD", "copy-on-write", "swap"):
        assert word in said


@pytest.mark.parametrize("mode", [0o400, 0o644])
def test_a_key_that_is_read_only_or_open_to_others_can_be_destroyed(tmp_path: Path, mode: int) -> None:
    destroy_key(put(tmp_path / "k", mode=mode))
    assert os.listdir(tmp_path) == []


def test_a_damaged_key_can_be_destroyed(tmp_path: Path) -> None:
    destroy_key(put(tmp_path / "k", GOOD[:40]))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"a thesis", b"medveil-keys\n", GOOD + bytes(10_000)])
def test_what_is_no_key_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path / "k", content)
    with pytest.raises(InputRefused, match="left alone"):
        destroy_key(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_overwritten_is_not_called_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "k")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(keys.os, "unlink", refuse)
    with pytest.raises(OutputFailed, match="permission"):
        destroy_key(path)
    assert path.exists()


def test_the_state_of_a_key_is_one_of_three(tmp_path: Path) -> None:
    path = put(tmp_path / "k")
    assert key_state(path, "480ad4cb") == "kept"
    assert key_state(path, "00000000") == "another key"
    destroy_key(path)
    assert key_state(path, "480ad4cb") == "not found"
    put(path, b"something")
    with pytest.raises(InputRefused):
        key_state(path, "480ad4cb")
