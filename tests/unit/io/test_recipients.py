"""Files of identities and recipients: private ones for their owner only, written once, read with bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from medveil.core.errors import InputRefused, MedveilError, OutputFailed, UsageError
from medveil.io.recipients import (
    LONGEST,
    label,
    read_identity_file,
    read_recipient_file,
    write_identity_file,
    write_recipient_file,
)
from medveil.share.keys import new_identity, read_identity, read_recipient

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files mean something on POSIX systems only")


def put(path: Path, content: bytes = b"AGE-SECRET-KEY-1SECRET\n", mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def silent(error: pytest.ExceptionInfo[MedveilError], path: Path) -> None:
    """An error shows neither what is in the file nor where it is."""
    assert "SECRET" not in str(error.value)
    assert str(path.parent) not in str(error.value)
    assert "Jane" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pair_that_is_written_is_read_again(tmp_path: Path) -> None:
    secret, public = new_identity()
    private, pub = tmp_path / "vault" / "alice", tmp_path / "vault" / "alice.pub"
    write_identity_file(private, secret, public)
    write_recipient_file(pub, public)
    assert read_identity(read_identity_file(private)).secret == secret.encode()
    assert read_recipient(read_recipient_file(pub)).text == public
    assert private.read_text() == f"# public key: {public}\n{secret}\n"
    assert sorted(os.listdir(private.parent)) == ["alice", "alice.pub"]
    assert label(pub) == "alice"
    if os.name == "posix":
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700


def test_nothing_is_written_over(tmp_path: Path) -> None:
    for write in (
        lambda path: write_identity_file(path, "s", "p"),
        lambda path: write_recipient_file(path, "p"),
    ):
        path = put(tmp_path / "Jane", b"first")
        with pytest.raises(OutputFailed, match="something is there already") as error:
            write(path)
        silent(error, path)
        assert path.read_bytes() == b"first"
        assert os.listdir(tmp_path) == ["Jane"]


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    put(tmp_path / "file")
    with pytest.raises(OutputFailed, match=r"a part of the path is a file|something is there already"):
        write_identity_file(tmp_path / "file" / "alice", "s", "p")


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = put(tmp_path / "Jane", mode=mode)
    with pytest.raises(InputRefused, match="others than its owner may read or change") as error:
        read_identity_file(path)
    silent(error, path)
    assert read_recipient_file(path)


@posix
def test_a_link_is_followed_to_the_mode_of_the_file(tmp_path: Path) -> None:
    path = put(tmp_path / "there", mode=0o644)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(InputRefused, match="others than its owner"):
        read_identity_file(tmp_path / "link")
    path.chmod(0o600)
    assert read_identity_file(tmp_path / "link")


def test_what_cannot_be_a_key_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Jane-pipe") if os.name == "posix" else (tmp_path / "Jane-pipe").mkdir()
    put(tmp_path / "Jane-large", b"x" * (LONGEST + 1))
    put(tmp_path / "Jane-whole", b"x" * LONGEST)
    assert len(read_identity_file(tmp_path / "Jane-whole")) == LONGEST
    for read in (read_identity_file, read_recipient_file):
        for name, message in (
            ("Jane-missing", "is not there"),
            ("Jane-pipe", "is not a regular file"),
            ("Jane-large", "larger than a key can be"),
            (".", r"is not a regular file|could not open"),
            ("Jane-\0", "could not open"),
        ):
            with pytest.raises(InputRefused, match=message) as error:
                read(tmp_path / name)
            silent(error, tmp_path / name)


def test_a_public_key_file_is_text(tmp_path: Path) -> None:
    assert read_recipient_file(put(tmp_path / "bom.pub", b"\xef\xbb\xbfage1abc\r\n")) == "age1abc\r\n"
    with pytest.raises(InputRefused, match="public key: is no text"):
        read_recipient_file(put(tmp_path / "binary.pub", b"\xff\xfe\x00"))


@pytest.mark.parametrize("name", ["alice.pub", "alice", "a.b@c.org.pub", "id_ed25519.pub", "A" * 64 + ".pub"])
def test_a_label_is_the_name_before_pub(name: str) -> None:
    assert label(Path("some/folder") / name) == name.removesuffix(".pub")


@pytest.mark.parametrize(
    "name", [".pub", "..", "...pub", ".hidden.pub", "a b.pub", "a\nb.pub", "é.pub", "A" * 65 + ".pub"]
)
def test_a_name_that_could_not_be_a_files_name_everywhere_is_no_label(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the label of a grant"):
        label(Path("folder") / name)
