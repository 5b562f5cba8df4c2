"""Sharing files: what a hostile server can do to a code and its keys, and what a failure leaves behind."""

from __future__ import annotations

import hashlib
import os
import pickle
import secrets
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from medveil.carry.sharing import Plan, codecs, encode, grant, info, keygen, open_code, people, stored
from medveil.carry.sharing.scheme import Scheme
from medveil.carry.sharing.whole_folder import EncodedFolder
from medveil.core.errors import InputRefused, OutputFailed, Refusal, UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.share.base import SparseLevel
from medveil.share.container import Code
from medveil.share.keys import LevelKey, wrap

GREY = ((np.indices((64, 80)).sum(axis=0) * 3) % 251).astype(np.uint8)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys of three people and a code for two of them, its first level public."""
    monkeypatch.chdir(tmp_path)
    for who in ("owner", "bob", "carol"):
        keygen(Path(who))
    Pillow.fromarray(GREY).save("film.png")
    encode(Plan(Path("film.png"), Path("film.mvc"), ("owner.pub", "bob.pub:2"), public=1))
    return tmp_path


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Pillow.open(path)).astype(int)


# ---- people


def test_a_colon_in_a_file_name_is_part_of_it(room: Path) -> None:
    os.rename("bob.pub", "bob:2")
    with pytest.raises(UsageError, match="label"):
        people.people(["bob:2"])  # the file itself, not level 2 of `bob`
    os.rename("bob:2", "bob.pub")
    (person,) = people.people(["bob.pub:2"])
    assert (person.label, person.level) == ("bob", 2)


def test_a_private_key_does_not_stay_alone(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OutputFailed("public key: disk full")

    monkeypatch.setattr(people, "write_recipient_file", fail)
    with pytest.raises(OutputFailed):
        keygen(Path("dora"))
    assert not Path("dora").exists()


# ---- a hostile server


def test_a_forged_key_file_does_not_keep_the_true_one_from_opening(room: Path) -> None:
    code = Code.from_bytes(Path("film.mvc").read_bytes())
    (bob,) = people.people(["bob.pub"])
    for n, level in enumerate((2, 3, 9)):
        junk = LevelKey(level, secrets.token_bytes(32), secrets.token_bytes(32))
        Path(f"film.mvc.keys/aaa{n}.age").write_bytes(wrap(junk, code.code_id, [bob.recipient]))
    assert open_code(Path("film.mvc"), Path("out.png"), identity=Path("bob")).level == 2


def test_odd_files_among_the_keys_are_passed_over(room: Path) -> None:
    folder = Path("film.mvc.keys")
    (folder / "bob\x1b[2J.age").write_text("x")
    (folder / "notes.txt").write_text("x")
    (folder / "folder.age").mkdir()
    (folder / "link.age").symlink_to(folder / "owner.age")
    (folder / "big.age").write_bytes(b"age-encryption.org/v1\n" + bytes(1 << 20))
    told = info(Path("film.mvc"), identity=Path("bob"))
    assert sorted(told.key_files) == ["big", "bob", "owner"]
    assert "\x1b" not in "\n".join(told.lines())
    assert open_code(Path("film.mvc"), Path("out.png"), identity=Path("bob")).level == 2


def test_a_public_level_that_was_swapped_is_found_by_who_has_a_key(room: Path) -> None:
    Pillow.fromarray(GREY[::-1].copy()).save("other.png")
    encode(Plan(Path("other.png"), Path("other.mvc"), ("owner.pub",), public=1))
    mine, other = (Code.from_bytes(Path(f"{name}.mvc").read_bytes()) for name in ("film", "other"))
    assert len(mine.public[0]) != 0
    body = bytearray(Path("film.mvc").read_bytes()[:-32])
    at = bytes(body).index(mine.public[0])
    body[at + 20] ^= 1
    Path("film.mvc").write_bytes(bytes(body) + hashlib.sha256(body).digest())
    for who in ("bob", "owner"):
        with pytest.raises(VerificationFailed, match="on purpose"):
            open_code(Path("film.mvc"), Path("out.png"), identity=Path(who))
        with pytest.raises(VerificationFailed, match="on purpose"):
            grant(Path("film.mvc"), Path(who), ["carol.pub"])
    assert not Path("out.png").exists()
    assert not Path("film.mvc.keys/carol.age").exists()
    assert other.code_id != mine.code_id


@pytest.mark.parametrize("shape", [None, [], [64], [64, -1], [64, 2.5], [64, True], "64x64", [1] * 5])
def test_a_header_without_a_sensible_shape_is_refused(shape: object) -> None:
    with pytest.raises(InputRefused, match="how large"):
        codecs.shape_of({"shape": shape})


def test_a_codec_of_the_future_is_named_as_such(room: Path) -> None:
    header = Code.from_bytes(Path("film.mvc").read_bytes()).header
    object.__setattr__(header, "codec", "codec.zip")
    with pytest.raises(InputRefused, match="does not have"):
        codecs.decoder(header, None)


# ---- written together, or not at all


@pytest.mark.parametrize("step", ["rename", "replace"])
def test_a_failure_puts_back_what_was_there(room: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    before = {p: p.read_bytes() for p in sorted(room.rglob("*")) if p.is_file()}
    true = getattr(os, step)

    def fail(source: Path, target: Path) -> None:
        if Path(target) == Path("film.mvc" if step == "replace" else "film.mvc.keys") and "old" not in str(
            source
        ):
            raise OSError(28, "no space")
        true(source, target)

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OutputFailed, match="no space"):
        encode(Plan(Path("film.png"), Path("film.mvc"), ("carol.pub",), force=True))
    monkeypatch.undo()
    assert {p: p.read_bytes() for p in sorted(room.rglob("*")) if p.is_file()} == before
    assert not list(room.glob(".medveil-*"))


def test_force_leaves_a_folder_alone_that_holds_something_else(room: Path) -> None:
    Path("film.mvc.keys/thesis.txt").write_text("thesis")
    with pytest.raises(UsageError, match="something else"):
        encode(Plan(Path("film.png"), Path("film.mvc"), ("carol.pub",), force=True))
    assert Path("film.mvc.keys/thesis.txt").read_text() == "thesis"


def test_a_link_in_place_of_the_code_is_not_followed(room: Path) -> None:
    os.rename("film.mvc", "elsewhere.mvc")
    Path("film.mvc").symlink_to("elsewhere.mvc")
    with pytest.raises(UsageError, match="only codes"):
        encode(Plan(Path("film.png"), Path("film.mvc"), ("carol.pub",), force=True))


def test_granting_stops_before_the_first_file_if_one_of_them_is_there(room: Path) -> None:
    with pytest.raises(UsageError, match="one already"):
        grant(Path("film.mvc"), Path("owner"), ["carol.pub", "bob.pub:1"])
    assert stored.key_files(Path("film.mvc")).keys() == {"bob", "owner"}


# ---- values


def test_a_scheme_goes_to_other_processes_without_its_codec(room: Path) -> None:
    scheme = Scheme.of(Plan(Path("film.png"), Path("new.mvc"), ("owner.pub",)))
    assert "codec" in vars(scheme)
    again = pickle.loads(pickle.dumps(scheme))  # noqa: S301 - our own bytes
    assert "codec" not in vars(again)
    assert again == scheme
    assert "owner" not in repr(scheme)


def test_psnr_is_against_the_span_of_the_image() -> None:
    image = Image(np.array([[0, 100]], np.uint8), np.eye(4), kind="film")
    assert codecs.psnr_db(image, np.array([[10, 100]], np.uint8)) == pytest.approx(10 * np.log10(100**2 / 50))
    assert codecs.psnr_db(image, image.data) is None
    with pytest.raises(InputRefused, match="another shape"):
        codecs.psnr_db(image, image.data[:, :1])


def test_a_volume_is_shared_and_comes_back(room: Path) -> None:
    import nibabel as nib

    data = (np.indices((18, 20, 16)).sum(axis=0) * 7 - 100).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([2.0, 2, 3, 1])), "head.nii.gz")
    encode(Plan(Path("head.nii.gz"), Path("head.mvc"), ("owner.pub", "bob.pub:1")))
    assert open_code(Path("head.mvc"), Path("out.nii.gz"), identity=Path("owner")).exact
    assert np.array_equal(np.asanyarray(nib.load("out.nii.gz").dataobj), data)
    open_code(Path("head.mvc"), Path("bob.nii.gz"), identity=Path("bob"))
    coarse = np.asanyarray(nib.load("bob.nii.gz").dataobj)
    assert coarse.shape == data.shape
    assert not np.array_equal(coarse, data)
    told = info(Path("head.mvc"), identity=Path("owner"), source=Path("head.nii.gz"))
    assert told.levels[2].fidelity is not None
    assert told.levels[2].fidelity.psnr_db is None
    assert told.levels[2].fidelity.jpeg2000_bpp is None


def test_two_processes_give_codes_that_open(room: Path) -> None:
    Path("films").mkdir()
    for n in range(4):
        Pillow.fromarray(np.roll(GREY, n, axis=1)).save(f"films/{n}.png")
    done = encode(Plan(Path("films"), Path("out"), ("owner.pub",), jobs=2))
    assert isinstance(done, EncodedFolder)
    assert done.images == 4
    rows = [line.split("\t") for line in Path("out-internal/which.tsv").read_text().splitlines()[1:]]
    for name, code, _ in rows:
        open_code(Path("out") / code, Path(f"opened-{name}"), identity=Path("owner"))
        assert np.array_equal(pixels(Path(f"opened-{name}")), pixels(Path("films") / name))
    assert sorted(code for _, code, _ in rows) == sorted(p.name for p in Path("out").glob("*.mvc"))


def test_what_is_published_decides_whether_a_release_is_the_same(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="learned codes need the extra `learn`")
    from medveil.io.keys import write_new_key
    from medveil.share import obfuscate

    write_new_key(Path("site.key"), outside=Path("nowhere"))

    def plan(name: str) -> Plan:
        return Plan(
            Path("film.png"), Path(name), ("owner.pub",), mode="obfuscate", key=Path("site.key"), decoys=4
        )

    encode(plan("one.mvc"))
    true = obfuscate.decoying.add_decoys

    def newer(level: SparseLevel, statistics: Any, index: int, count: int, key: bytes) -> Any:
        return true(level, statistics, index, count, key[::-1])

    monkeypatch.setattr(obfuscate.decoying, "add_decoys", newer)
    with pytest.raises(Refusal, match="both together"):
        encode(plan("two.mvc"))
    assert not Path("two.mvc").exists()
