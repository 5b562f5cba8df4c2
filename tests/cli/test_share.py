"""Sharing on the command line: the story of owner, partner and stranger; and what is refused, in one line each."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset, FileMetaDataset

from medveil.carry.sharing import Plan, encode, keygen
from medveil.io.keys import write_new_key

CANARY = "Canarini"
GREY = ((np.indices((64, 80)).sum(axis=0) * 3) % 251).astype(np.uint8)


def write_film(path: Path) -> Path:
    """A PNG of nobody whose text names a canary."""
    words = PngInfo()
    words.add_text("Description", f"film of {CANARY}^Zoe")
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(GREY).save(path, pnginfo=words)
    return path


def write_dicom(path: Path) -> Path:
    """A DICOM film of nobody whose header names a canary."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.ImageType = ["ORIGINAL", "PRIMARY", CANARY.upper()]
    data.PatientName, data.PatientID = f"{CANARY}^Zoe", f"{CANARY}-17"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = GREY.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.add_new(0x7FE00010, "OW", (GREY.astype("<u2") * 16).tobytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def locked_ssh_key() -> str:
    """The beginning of an OpenSSH private key under a passphrase; its end is never read."""

    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    public = string(string(b"ssh-ed25519") + string(bytes(32)))
    body = (
        b"openssh-key-v1\0" + string(b"aes256-ctr") + string(b"bcrypt") + string(b"") + b"\0\0\0\1" + public
    )
    text = base64.b64encode(body + string(bytes(64))).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys, films, codes, and much that is wrong."""
    room = tmp_path_factory.mktemp("made")
    for who in ("owner", "bob", "stranger"):
        keygen(room / who)
    film = write_film(room / "film.png")
    plan = Plan(film, room / "film.mvc", (f"{room}/owner.pub", f"{room}/bob.pub:2"))
    encode(plan)
    encode(Plan(film, room / "public.mvc", (f"{room}/owner.pub",), public=1))
    encode(Plan(film, room / "other.mvc", (f"{room}/owner.pub", f"{room}/stranger.pub")))
    write_new_key(room / "site.key", outside=room / "nowhere")
    code = (room / "film.mvc").read_bytes()
    (room / "cut.mvc").write_bytes(code[:-100])
    (room / "flipped.mvc").write_bytes(code[:900] + bytes([code[900] ^ 4]) + code[901:])
    (room / "empty.mvc").write_bytes(b"")
    (room / "newer.mvc").write_bytes(code.replace(b"medveil-code 1\n", b"medveil-code 9\n"))
    (room / "png.mvc").write_bytes(film.read_bytes())
    for name in ("cut", "flipped", "empty", "newer", "png"):
        shutil.copytree(room / "film.mvc.keys", room / f"{name}.mvc.keys")
    shutil.copy(room / "film.mvc", room / "alone.mvc")
    shutil.copy(room / "film.mvc", room / "swapped.mvc")
    (room / "swapped.mvc.keys").mkdir()
    shutil.copy(room / "other.mvc.keys" / "stranger.age", room / "swapped.mvc.keys")
    shutil.copy(room / "film.mvc", room / "torn.mvc")
    (room / "torn.mvc.keys").mkdir()
    torn = (room / "film.mvc.keys" / "bob.age").read_bytes()
    (room / "torn.mvc.keys" / "bob.age").write_bytes(torn[:-5])
    (room / "folder").mkdir()
    (room / "folder" / "x").write_text("x")
    (room / "again").mkdir()
    shutil.copy(room / "stranger.pub", room / "again" / "bob.pub")
    shutil.copy(room / "bob.pub", room / "twin.pub")
    shutil.copy(room / "bob.pub", room / "a b.pub")
    (room / "secret.pub").write_text((room / "bob").read_text())
    (room / "words.pub").write_text(f"{CANARY}\n")
    shutil.copy(room / "bob", room / "open-to-all")
    (room / "open-to-all").chmod(0o644)
    (room / "locked").write_text(locked_ssh_key())
    (room / "locked").chmod(0o600)
    (room / "words").write_text(f"{CANARY}\n")
    (room / "words").chmod(0o600)
    Pillow.fromarray(np.dstack([GREY, GREY // 2, GREY])).save(room / "colour.png")
    Pillow.fromarray(GREY[:10, :10]).save(room / "tiny.png")
    (room / "broken.png").write_bytes(film.read_bytes()[:200])
    (room / "text.png").write_text(CANARY)
    return room


@pytest.fixture
def room(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to work in."""
    shutil.copytree(made, tmp_path / "room")
    monkeypatch.chdir(tmp_path / "room")
    return tmp_path / "room"


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))
    }


TO = ["--to", "new.mvc"]
PNG = ["--to", "new.png"]
OWNER = ["--recipient", "owner.pub"]
SITE = ["--mode", "obfuscate", "--key", "site.key"]

BAD: dict[str, tuple[str, int, str]] = {
    # keygen
    "keygen over a private key": ("keygen --to bob", 3, "something is there already"),
    "keygen over a public key": ("keygen --to twin", 3, "something is there already"),
    "keygen for a .pub": ("keygen --to new.pub", 2, "ends in .pub"),
    "keygen for no label": ("keygen --to new,one", 2, "cannot be the label"),
    # encode: what is encoded
    "no image": ("encode none.png --recipient owner.pub --to new.mvc", 3, "not there"),
    "colour": ("encode colour.png --recipient owner.pub --to new.mvc", 3, "in colour"),
    "tiny": ("encode tiny.png --recipient owner.pub --to new.mvc", 3, "10 x 10 pixels"),
    "a cut picture": ("encode broken.png --recipient owner.pub --to new.mvc", 3, "damaged"),
    "text for a picture": ("encode text.png --recipient owner.pub --to new.mvc", 3, "no image that is known"),
    "a code for a picture": (
        "encode film.mvc --recipient owner.pub --to new.mvc",
        3,
        "no image that is known",
    ),
    "a folder without images": (
        "encode again --recipient owner.pub --to new",
        3,
        "no image could be encoded",
    ),
    # encode: for whom
    "for nobody": ("encode film.png --to new.mvc", 2, "nobody was given"),
    "a private key as recipient": (
        "encode film.png --recipient secret.pub --to new.mvc",
        3,
        "is a private key",
    ),
    "words as recipient": (
        "encode film.png --recipient words.pub --to new.mvc",
        3,
        "no kind that is offered",
    ),
    "no recipient file": ("encode film.png --recipient none.pub --to new.mvc", 3, "not there"),
    "a folder as recipient": ("encode film.png --recipient folder --to new.mvc", 3, "public key"),
    "a name that is no label": (
        "encode film.png --recipient 'a b.pub' --to new.mvc",
        2,
        "cannot be the label",
    ),
    "a key itself as recipient": (
        "encode film.png --recipient age1xyz --to new.mvc",
        2,
        "not the key itself",
    ),
    "a recipient twice": (
        "encode film.png --recipient owner.pub --recipient bob.pub --recipient twin.pub --to new.mvc",
        2,
        "recipient 3: public key: was given twice",
    ),
    "two of one label": (
        "encode film.png --recipient owner.pub --recipient bob.pub --recipient again/bob.pub --to new.mvc",
        2,
        "same file name",
    ),
    "nobody for the finest": (
        "encode film.png --recipient bob.pub:2 --to new.mvc",
        2,
        "nobody gets the finest",
    ),
    "level 0": (
        "encode film.png --recipient owner.pub --recipient bob.pub:0 --to new.mvc",
        2,
        "level from 1",
    ),
    "level one": (
        "encode film.png --recipient owner.pub --recipient bob.pub:one --to new.mvc",
        2,
        "level from 1",
    ),
    "level 4 of 3": ("encode film.png --recipient owner.pub --recipient bob.pub:4 --to new.mvc", 2, "1 to 3"),
    # encode: how
    "all levels public": (
        "encode film.png --recipient owner.pub --public 3 --to new.mvc",
        2,
        "public: 3 of 3",
    ),
    "fewer than no public level": (
        "encode film.png --recipient owner.pub --public -1 --to new.mvc",
        2,
        "or equal to 0",
    ),
    "an unknown codec": ("encode film.png --recipient owner.pub --codec zip --to new.mvc", 2, "zip"),
    "an unknown mode": ("encode film.png --recipient owner.pub --mode hide --to new.mvc", 2, "hide"),
    "a model for jpeg2000": ("encode film.png --recipient owner.pub --model x --to new.mvc", 2, "has none"),
    "sealing with a key": (
        "encode film.png --recipient owner.pub --key site.key --to new.mvc",
        2,
        "fresh keys",
    ),
    "sealing with decoys": ("encode film.png --recipient owner.pub --decoys 3 --to new.mvc", 2, "decoys"),
    "obfuscating without a key": (
        "encode film.png --recipient owner.pub --mode obfuscate --to new.mvc",
        2,
        "needs the site's key",
    ),
    "obfuscating jpeg2000": (
        "encode film.png --recipient owner.pub --mode obfuscate --key site.key --codec jpeg2000 --to new.mvc",
        2,
        "only sparse codes",
    ),
    "obfuscating with public levels": (
        "encode film.png --recipient owner.pub --mode obfuscate --key site.key --public 1 --to new.mvc",
        2,
        "are public",
    ),
    # encode: where to
    "another suffix": ("encode film.png --recipient owner.pub --to new.png", 2, "must end in .mvc"),
    "a code that exists": ("encode film.png --recipient owner.pub --to film.mvc", 2, "exists already"),
    "keys that exist": ("encode film.png --recipient owner.pub --to png.mvc", 2, "exists already"),
    "the input": ("encode film.mvc --recipient owner.pub --to film.mvc --force", 2, "is an input"),
    "over what is no code": ("encode film.png --recipient owner.pub --to png.mvc --force", 2, "only codes"),
    "below a file": (
        "encode film.png --recipient owner.pub --to film.png/new.mvc",
        3,
        "could not be written",
    ),
    "a folder into itself": ("encode folder --recipient owner.pub --to folder/out", 2, "inside the input"),
    # open
    "no code": ("open none.mvc --identity bob --to new.png", 3, "not there"),
    "a folder as code": ("open folder --identity bob --to new.png", 3, "is a folder"),
    "a PNG as code": ("open png.mvc --identity bob --to new.png", 3, "does not start as a medveil code"),
    "an empty code": ("open empty.mvc --identity bob --to new.png", 3, "does not start as a medveil code"),
    "a cut code": ("open cut.mvc --identity bob --to new.png", 5, "truncated"),
    "a flipped bit": ("open flipped.mvc --identity bob --to new.png", 5, "bits of it"),
    "a newer code": ("open newer.mvc --identity bob --to new.png", 3, "version 9"),
    "no key": ("open film.mvc --to new.png", 5, "no level is public"),
    "the wrong key": (
        "open film.mvc --identity stranger --to new.png",
        5,
        "none beside the code is for this",
    ),
    "no key folder": ("open alone.mvc --identity bob --to new.png", 5, "none lies beside the code"),
    "a key file of another code": ("open swapped.mvc --identity stranger --to new.png", 5, "another code"),
    "a torn key file": ("open torn.mvc --identity bob --to new.png", 5, "truncated"),
    "a level not granted": ("open film.mvc --identity bob --level 3 --to new.png", 5, "3 is not granted"),
    "a level not public": ("open public.mvc --level 2 --to new.png", 5, "2 is not granted"),
    "open level 0": ("open film.mvc --identity bob --level 0 --to new.png", 2, "1 to 3"),
    "open level 4": ("open film.mvc --identity bob --level 4 --to new.png", 2, "1 to 3"),
    "open over a file": ("open film.mvc --identity bob --to film.png", 2, "exists already"),
    "open over the code": ("open film.mvc --identity bob --to film.mvc --force", 2, "is an input"),
    "open over the key": ("open film.mvc --identity bob --to bob --force", 2, "is an input"),
    "open to nothing known": ("open film.mvc --identity bob --to new.gif", 3, "must end in"),
    "open to DICOM without tags": ("open film.mvc --identity bob --to new.dcm", 3, "tags"),
    "no identity file": ("open film.mvc --identity none --to new.png", 3, "not there"),
    "a public key as identity": ("open film.mvc --identity words.pub --to new.png", 3, "private key"),
    "words as identity": ("open film.mvc --identity words --to new.png", 3, "no kind that is offered"),
    "an identity others read": (
        "open film.mvc --identity open-to-all --to new.png",
        3,
        "others than its owner",
    ),
    "an SSH key under a passphrase": ("open film.mvc --identity locked --to new.png", 3, "passphrase"),
    "a model for jpeg2000 to open": ("open film.mvc --identity bob --model x --to new.png", 2, "has none"),
    # grant
    "grant more than one holds": (
        "grant film.mvc --identity bob --recipient stranger.pub --level 3",
        5,
        "3 is not granted to you",
    ),
    "grant tags one does not hold": (
        "grant film.mvc --identity bob --recipient stranger.pub --with-tags",
        5,
        "tags: are not granted to you",
    ),
    "grant with the wrong key": (
        "grant film.mvc --identity stranger --recipient stranger.pub",
        5,
        "none beside",
    ),
    "grant again": ("grant film.mvc --identity owner --recipient bob.pub", 2, "one already"),
    "grant level 0": ("grant film.mvc --identity bob --recipient stranger.pub --level 0", 2, "1 or more"),
    "grant level 4": ("grant film.mvc --identity bob --recipient stranger.pub --level 4", 2, "1 to 3"),
    "grant to nobody": ("grant film.mvc --identity bob", 2, "nobody was given"),
    "grant of a cut code": ("grant cut.mvc --identity bob --recipient stranger.pub", 5, "truncated"),
    # info
    "info of a PNG": ("info film.png", 3, "does not start as a medveil code"),
    "info of nothing": ("info none.mvc", 3, "not there"),
    "info with the wrong key": ("info film.mvc --identity stranger", 5, "none beside"),
    "info of another source": ("info film.mvc --identity bob --source tiny.png", 3, "10 x 10"),
    "info of a source without a key": ("info film.mvc --source film.png", 2, "nothing is open"),
    # train
    "train on nothing": ("train none --to new.safetensors", 3, "not there"),
    "train over a file": ("train folder --to film.png", 2, "exists already"),
}


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.replace(" ", "-"))
def test_bad_input_is_one_line_and_leaves_nothing(medveil: Callable, room: Path, case: str) -> None:
    import shlex

    line, code, says = BAD[case]
    if line.startswith("train"):
        pytest.importorskip("torch", reason="training needs the extra `learn`")
    before = tree(room)
    ran = medveil("share", *shlex.split(line))
    assert ran.code == code, ran.err
    assert says in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert CANARY not in ran.err
    if "Usage:" not in ran.err:  # the command-line library has its own frame
        told = [x for x in ran.err.splitlines() if x.startswith("medveil: ")]
        assert told[0].startswith("medveil: error: ")
        assert len(told) <= 2
    assert tree(room) == before
    assert not list(room.parent.glob(".medveil-*"))


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 40


def test_owner_partner_and_public_each_see_their_level(medveil: Callable, room: Path) -> None:
    errors = {}
    for code, words, name in (
        ("film.mvc", ["--identity", "owner"], "owner"),
        ("film.mvc", ["--identity", "bob"], "bob"),
        ("film.mvc", ["--identity", "bob", "--level", "1"], "coarse"),
        ("public.mvc", [], "anyone"),
    ):
        ran = medveil("share", "open", code, *words, "--to", f"{name}.out.png", "--json")
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        seen = np.asarray(Pillow.open(f"{name}.out.png")).astype(int)
        errors[name] = float(((seen - GREY) ** 2).mean())
        assert told["exact"] is (name == "owner")
        assert told["tags"] is (name == "owner")
        assert told["verified"] is (name != "anyone")
    assert errors["owner"] == 0
    assert 0 < errors["bob"] < errors["coarse"]
    assert errors["anyone"] == errors["coarse"]
    assert b"Canarini" in Path("owner.out.png").read_bytes()
    assert b"Canarini" not in Path("bob.out.png").read_bytes()


def test_granting_never_touches_the_code_and_deleting_withdraws(medveil: Callable, room: Path) -> None:
    before = (room / "film.mvc").read_bytes()
    ran = medveil("share", "grant", "film.mvc", "--identity", "bob", "--recipient", "stranger.pub:1")
    assert ran.code == 0, ran.err
    assert ran.out == "stranger: levels up to 1\n"
    assert medveil("share", "open", "film.mvc", "--identity", "stranger", *PNG).code == 0
    assert (
        medveil("share", "open", "film.mvc", "--identity", "stranger", "--level", 2, "--to", "b.png").code
        == 5
    )
    ran = medveil(
        "share",
        "grant",
        "film.mvc",
        "--identity",
        "owner",
        "--recipient",
        "stranger.pub",
        "--with-tags",
        "--force",
    )
    assert ran.code == 0, ran.err
    assert json.loads(medveil("share", "info", "film.mvc", "--identity", "stranger", "--json").out)[
        "tags_held"
    ]
    assert (room / "film.mvc").read_bytes() == before
    (room / "film.mvc.keys" / "stranger.age").unlink()
    assert medveil("share", "open", "film.mvc", "--identity", "stranger", "--to", "c.png").code == 5


def test_info_says_who_holds_what_and_what_it_costs(medveil: Callable, room: Path) -> None:
    told = json.loads(
        medveil("share", "info", "film.mvc", "--identity", "owner", "--source", "film.png", "--json").out
    )
    assert (told["mode"], told["codec"], told["shape"], told["key_bytes"]) == (
        "seal",
        "codec.jpeg2000",
        [64, 80],
        32,
    )
    assert sorted(told["key_files"]) == ["bob", "owner"]
    one, two, three = (level["fidelity"] for level in told["levels"])
    assert one["psnr_db"] < two["psnr_db"]
    assert three["psnr_db"] is None
    assert all(each["jpeg2000_bpp"] > 0 for each in (one, two, three))
    assert one["jpeg_bpp"] > 0
    lines = medveil("share", "info", "film.mvc", "--identity", "bob", "--source", "film.png").out
    assert "level 3" in lines
    assert "not open to you" in lines
    assert "whoever opened the image has it" in lines


def test_force_replaces_code_and_keys_together(medveil: Callable, room: Path) -> None:
    ran = medveil("share", "encode", "film.png", "--recipient", "stranger.pub", "--to", "film.mvc", "--force")
    assert ran.code == 0, ran.err
    assert [p.name for p in (room / "film.mvc.keys").iterdir()] == ["stranger.age"]
    assert medveil("share", "open", "film.mvc", "--identity", "stranger", *PNG).code == 0
    assert not list(room.glob(".medveil-*"))


def test_dry_run_writes_nothing_and_names_who_gets_what(medveil: Callable, room: Path) -> None:
    before = tree(room)
    ran = medveil("share", "encode", "film.png", *OWNER, "--recipient", "bob.pub:1", *TO, "--dry-run")
    assert ran.code == 0
    assert "bob: levels up to 1" in ran.out
    assert tree(room) == before
    assert medveil("share", "encode", "film.png", "--recipient", "none.pub", *TO, "--dry-run").code == 3


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    medveil: Callable, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    before = tree(room)
    ran = medveil("share", "encode", "film.png", *OWNER, *TO, "--codec", "primis")
    assert ran.code == 2
    assert "pip install 'medveil[learn]'" in ran.err
    assert tree(room) == before


def test_without_tags_nobody_gets_them(medveil: Callable, room: Path) -> None:
    write_dicom(room / "film.dcm")
    assert medveil("share", "encode", "film.dcm", *OWNER, *TO, "--without-tags").code == 0
    assert medveil("share", "open", "new.mvc", "--identity", "owner", "--to", "new.dcm").code == 3
    ran = medveil("share", "open", "new.mvc", "--identity", "owner", *PNG, "--json")
    assert json.loads(ran.out) == {"level": 3, "levels": 3, "exact": True, "tags": False, "verified": True}


def test_a_lossy_dicom_says_so_and_the_exact_one_is_the_file(medveil: Callable, room: Path) -> None:
    from pydicom import dcmread

    source = write_dicom(room / "film.dcm")
    assert medveil("share", "encode", "film.dcm", *OWNER, *TO).code == 0
    open_ = ["share", "open", "new.mvc", "--identity", "owner"]
    assert medveil(*open_, "--to", "exact.dcm").code == 0
    assert (room / "exact.dcm").read_bytes() == source.read_bytes()
    assert medveil(*open_, "--level", "1", "--to", "coarse.dcm").code == 0
    coarse = dcmread(room / "coarse.dcm")
    assert coarse.LossyImageCompression == "01"
    assert coarse.LossyImageCompressionMethod == "ISO_15444_1"
    assert medveil(*open_, "--to", "shown.png", "--windowed").code == 0
    assert np.asarray(Pillow.open(room / "shown.png")).dtype == np.uint8


# ---- a folder


@pytest.fixture
def cases(room: Path) -> Path:
    """Three films with names of people, one that is refused, and a table."""
    folder = room / "cases"
    write_film(folder / f"{CANARY}_Zoe.png")
    write_dicom(folder / f"{CANARY}_Adam" / "film.dcm")
    write_dicom(folder / "AA_first.dcm")
    Pillow.fromarray(np.dstack([GREY, GREY // 2, GREY])).save(folder / f"{CANARY}_colour.png")
    (folder / "list.csv").write_text(CANARY)
    return folder


def test_a_folder_goes_on_past_what_is_refused(medveil: Callable, room: Path, cases: Path) -> None:
    ran = medveil(
        "share", "encode", "cases", *OWNER, "--recipient", "bob.pub:1", "--to", "out", "--jobs", "1", "--json"
    )
    assert ran.code == 4, ran.err
    told = json.loads(ran.out)
    assert told["images"] == 3
    assert list(told["refused"].values()) == [1]
    assert told["left_out"] == {"not an image, by its name": 1}
    codes = sorted((room / "out").glob("*.mvc"))
    assert len(codes) == 3
    rows = [line.split("\t") for line in (room / "out-internal" / "which.tsv").read_text().splitlines()][1:]
    which = {row[0]: row[1] for row in rows}
    assert len(which) == 4
    assert (room / "out-internal" / "which.tsv").stat().st_mode & 0o077 == 0
    adam = room / "out" / which[f"{CANARY}_Adam/film.dcm"]
    assert medveil("share", "open", adam, "--identity", "owner", "--to", "adam.dcm").code == 0
    assert (room / "adam.dcm").read_bytes() == (cases / f"{CANARY}_Adam" / "film.dcm").read_bytes()
    assert medveil("share", "open", adam, "--identity", "bob", *PNG).code == 0
    assert medveil("share", "encode", "cases", *OWNER, "--to", "out", "--jobs", "1").code == 2
    assert medveil("share", "encode", "cases", *OWNER, "--to", "out", "--jobs", "1", "--force").code == 4


def test_names_are_kept_on_request_only(medveil: Callable, room: Path, cases: Path) -> None:
    write_dicom(cases / "AA_first.png.dcm")
    shutil.copy(cases / f"{CANARY}_Zoe.png", cases / "AA_first.png")
    ran = medveil("share", "encode", "cases", *OWNER, "--to", "out", "--jobs", "1", "--keep-names", "--json")
    assert ran.code == 4, ran.err
    names = {str(p.relative_to(room / "out")) for p in (room / "out").rglob("*.mvc")}
    assert {f"{CANARY}_Zoe.mvc", f"{CANARY}_Adam/film.mvc"} <= names
    assert json.loads(ran.out)["refused"]["another image has the same name"] == 2


def test_a_killed_run_goes_on_where_it_was(
    medveil: Callable, room: Path, cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medveil.io.folder import Staging

    words = ["share", "encode", "cases", *OWNER, "--to", "out", "--jobs", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(Staging, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert medveil(*words).code == 130
    assert not (room / "out").exists()
    assert not (room / "out-internal" / "which.tsv").exists()
    before = {p.name for p in (room / "out.partial").glob("*.mvc")}
    ran = medveil(*words)
    assert ran.code == 4
    assert "encoding 1 images" in ran.err
    assert {p.name for p in (room / "out").glob("*.mvc")} == before


# ---- nothing of a person's leaves


def test_no_canary_in_what_is_stored_or_said(medveil: Callable, room: Path, cases: Path) -> None:
    said = ""

    def run(*words: Any) -> None:
        nonlocal said
        ran = medveil("share", *words)
        said += ran.out + ran.err

    shutil.copy(room / "film.png", room / f"{CANARY}.png")
    write_dicom(room / f"{CANARY}.dcm")
    for n, source in enumerate((f"{CANARY}.png", f"{CANARY}.dcm", "cases")):
        for json_too in ([], ["--json"]):
            to = f"share/{n}{len(json_too)}" + ("" if source == "cases" else ".mvc")
            run(
                "encode",
                source,
                *OWNER,
                "--recipient",
                "bob.pub:2",
                "--public",
                "1",
                "--to",
                to,
                "--jobs",
                "1",
                *json_too,
            )
    for code in sorted((room / "share").rglob("*.mvc")):
        run("info", code)
        run("info", code, "--identity", "owner", "--json")
        run("grant", code, "--identity", "owner", "--recipient", "stranger.pub", "--json")
        run("open", code, "--identity", "bob", "--to", f"share/opened/{code.stem}.png", "--windowed")
        run("open", code, "--identity", "owner", "--to", f"mine/{code.stem}.png", "--json")
    run("encode", f"{CANARY}.png", *OWNER, "--to", "share/00.mvc")
    run("info", "share/00.mvc", "--source", f"{CANARY}.dcm", "--identity", "owner")
    assert len(list((room / "share").rglob("*.age"))) >= 24
    for inside in (room / "share").glob("*-internal"):  # it stays in the house
        assert CANARY in (inside / "which.tsv").read_text()
        shutil.rmtree(inside)
    assert any(CANARY.encode() in p.read_bytes() for p in (room / "mine").iterdir())
    for needle in (CANARY.lower(), "aa_first"):
        assert needle not in said.lower()
        for path in (room / "share").rglob("*"):
            assert needle not in path.name.lower()
            assert not path.is_file() or needle.encode() not in path.read_bytes().lower(), path.name


# ---- primis


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of two small levels that learned nothing."""
    torch = pytest.importorskip("torch", reason="learned codes need the extra `learn`")
    from medveil.nn.bottleneck import Bottleneck
    from medveil.nn.count import count
    from medveil.nn.settings import NetSettings
    from medveil.nn.weights import pack

    torch.manual_seed(0)
    net = Bottleneck(
        NetSettings(levels=2, atoms=16, nonzeros=2, window=4, stride=2, width=4, steps=15, step=0.05)
    ).eval()
    counts = count(net, (torch.rand(1, 1, 64, 64) for _ in range(3)))
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    path.write_bytes(pack(net, counts, {"name": "tiny"}))
    return path


def test_primis_seals_and_opens_by_level(medveil: Callable, room: Path, model: Path) -> None:
    how = ["--model", model]
    ran = medveil(
        "share", "encode", "film.png", *OWNER, "--recipient", "bob.pub:1", *TO, "--codec", "primis", *how
    )
    assert ran.code == 0, ran.err
    told = {}
    for who in ("owner", "bob"):
        ran = medveil("share", "open", "new.mvc", "--identity", who, "--to", f"{who}.p.png", *how, "--json")
        assert ran.code == 0, ran.err
        told[who] = json.loads(ran.out)
    assert (told["owner"]["level"], told["bob"]["level"]) == (2, 1)
    assert told["owner"]["exact"] is False
    assert (
        medveil("share", "open", "new.mvc", "--identity", "bob", "--to", "x.png").code == 3
    )  # without its model


def test_obfuscating_says_what_leaks_and_is_refused_in_another_way(
    medveil: Callable, room: Path, model: Path
) -> None:
    words = ["share", "encode", "film.png", *OWNER, "--recipient", "bob.pub:1", *SITE, "--model", model]
    ran = medveil(*words, "--decoys", 3, *TO)
    assert ran.code == 0, ran.err
    assert "this is not encryption" in ran.out
    assert "without any key, gives" in ran.out
    assert medveil(*words, "--decoys", 3, "--to", "same.mvc").code == 0
    assert (room / "same.mvc").read_bytes() == (room / "new.mvc").read_bytes()
    before = tree(room)
    again = medveil(*words, "--decoys", 4, "--to", "two.mvc")
    assert again.code == 4
    assert "both together give it away" in again.err
    assert tree(room) == before
    shown = {}
    for who in ("owner", "bob", None):
        identity = ["--identity", who] if who else []
        ran = medveil(
            "share", "open", "new.mvc", *identity, "--to", f"{who}.o.png", "--model", model, "--json"
        )
        assert ran.code == 0, ran.err
        shown[who] = np.asarray(Pillow.open(f"{who}.o.png")).astype(int)
        assert json.loads(ran.out)["level"] == {"owner": 2, "bob": 1, None: None}[who]
    error = {who: float(((seen - GREY) ** 2).mean()) for who, seen in shown.items()}
    assert error["owner"] < error[None]
    ran = medveil("share", "info", "new.mvc", "--source", "film.png", "--model", model, "--json")
    assert json.loads(ran.out)["anyone"]["psnr_db"] > 0
    one, two = medveil("share", "info", "new.mvc", "--identity", "bob", "--model", model).out.splitlines()[
        1:3
    ]
    assert one.endswith("public, among decoys, open to you")
    assert two.endswith("public, among decoys, not open to you")


@pytest.fixture
def hidden(medveil: Callable, room: Path, model: Path) -> Path:
    """Obfuscated codes of two films of two people, and films of others."""
    for seed in range(5):
        where = room / ("mine" if seed < 2 else "others") / f"p{seed}" / "film.png"
        where.parent.mkdir(parents=True)
        Pillow.fromarray(np.roll(GREY, 7 * seed, axis=1) // (1 + seed % 2)).save(where)
    words = [
        "share",
        "encode",
        "mine",
        *OWNER,
        "--recipient",
        "bob.pub:1",
        *SITE,
        "--decoys",
        4,
        "--to",
        "codes",
    ]
    assert medveil(*words, "--model", model, "--jobs", 1).code == 0
    return room


def test_an_audit_says_how_far_strangers_get(medveil: Callable, hidden: Path, model: Path) -> None:
    words = ["share", "audit", "codes", "--identity", "owner", "--model", model]
    before = tree(hidden)
    ran = medveil(*words, "--source", "mine", "--others", "others")
    assert ran.code == 0, ran.err
    assert "2 obfuscated codes of 2 people" in ran.out
    assert "codes of 3 other people" in ran.out
    for row in (
        "decode.mean_image",
        "decode.by_neighbours",
        "decode.two_releases",
        "authorised",
        "complexity",
    ):
        assert row in ran.out
    assert ran.out.splitlines()[-1].startswith("verdict: ")
    assert tree(hidden) == before
    told = json.loads(medveil(*words, "--json").out)
    assert told["reference"].startswith("what the finest key opens")
    assert told["authorised"] == {}
    rows = {row["attack"]: row["estimates"] for row in told["attacks"]}
    assert rows["decode.random_support"]["auc"]["value"] == pytest.approx(0.5, abs=0.1)
    assert rows["decode.naive"]["psnr"]["value"] > rows["decode.random_support"]["psnr"]["value"]


def test_an_audit_breaks_limits_and_refuses_what_makes_no_sense(
    medveil: Callable, hidden: Path, model: Path
) -> None:
    words = ["share", "audit", "codes", "--identity", "owner", "--model", model, "--without-control"]
    ran = medveil(*words, "--fail-if", "psnr>1", "--fail-if", "auc>0.9999")
    assert ran.code == 1
    assert "over the limit: psnr>1" in ran.err
    (hidden / "film-only").mkdir()
    shutil.copy(hidden / "film.png", hidden / "film-only" / "a.png")
    for more, code, words_of_it in (
        (["--attack", "link.head"], 2, "no attack on codes"),
        (["--set", "decode.naive.depth=3"], 2, "no setting depth"),
        (["--source", "film-only"], 3, "not every code"),
        (["--others", "mine", "--source", "mine"], 2, "must be of other people"),
    ):
        ran = medveil(*words, *more)
        assert ran.code == code, ran.err
        assert words_of_it in ran.err
        assert CANARY not in ran.err
    assert medveil("share", "audit", "codes", "--identity", "bob", "--model", model).code == 3
    assert medveil("share", "audit", "codes", "--identity", "stranger", "--model", model).code == 5


def test_a_sealed_code_is_as_good_as_noise(medveil: Callable, room: Path, model: Path) -> None:
    for code, more in (("film.mvc", []), ("new.mvc", ["--codec", "primis", "--model", model, "--public", 1])):
        if more:
            assert medveil("share", "encode", "film.png", *OWNER, *TO, *more).code == 0
        ran = medveil("share", "audit", code, "--identity", "owner", "--json")
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        assert told["sealed"] == 1
        assert told["verdict"] == "no evidence of a leak"
        assert told["seal"]["low"] < 0.5 < told["seal"]["high"] + 0.1
    assert "nothing to attack but age" in medveil("share", "audit", "film.mvc", "--identity", "owner").out


def test_ssh_keys_serve_as_they_are(medveil: Callable, room: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    handle = os.open(room / "id_ed25519", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(handle, secret)
    os.close(handle)
    (room / "id_ed25519.pub").write_bytes(public + f" {CANARY}@host\n".encode())
    assert (
        medveil("share", "grant", "film.mvc", "--identity", "owner", "--recipient", "id_ed25519.pub").code
        == 0
    )
    ran = medveil("share", "open", "film.mvc", "--identity", "id_ed25519", *PNG, "--json")
    assert json.loads(ran.out)["exact"] is True
    assert all(CANARY.encode() not in p.read_bytes() for p in (room / "film.mvc.keys").iterdir())
