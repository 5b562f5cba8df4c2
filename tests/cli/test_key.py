"""The life of a key on the command line: made, asked about, used, destroyed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


def _release(folder: Path, label: str) -> Path:
    folder.mkdir()
    (folder / ".medveil-output").write_text("medveil output 1\n")
    (folder / "manifest.json").write_text(json.dumps({"format": "medveil-manifest", "key": label}))
    return folder


def _label(medveil: Callable, path: Path) -> str:
    return json.loads(medveil("key", "new", path, "--json").out)["label"]


def test_a_new_key_is_its_owners_and_never_replaces_one(medveil: Callable, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "k"
    made = medveil("key", "new", path)
    assert made.code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    again = medveil("key", "new", path)
    assert again.code == 3
    assert path.read_bytes() == before
    assert medveil("key", "state", path).out == made.out
    secret = before.split(b"\n")[1].decode()
    assert secret not in made.out + made.err + again.out + again.err


def test_no_key_is_made_inside_a_release(medveil: Callable, tmp_path: Path) -> None:
    release = _release(tmp_path / "out", "")
    for place in (release / "k", release / "sub-01" / "k"):
        ran = medveil("key", "new", place)
        assert ran.code == 2
        assert not place.exists()


def test_state_tells_whose_key_it_is(medveil: Callable, tmp_path: Path) -> None:
    mine, other, gone = tmp_path / "mine", tmp_path / "other", tmp_path / "gone"
    label, _ = _label(medveil, mine), _label(medveil, other)
    release, without = _release(tmp_path / "a", label), _release(tmp_path / "b", "")
    for path, of, state in (
        (mine, release, "kept"),
        (other, release, "another key"),
        (gone, release, "not found"),
        (mine, without, "no key"),
    ):
        ran = medveil("key", "state", path, "--release", of)
        assert ran.code == 0
        assert ran.out.splitlines()[-1].startswith(f"{state}:")
        assert json.loads(medveil("key", "state", path, "--release", of, "--json").out)["state"] == state


@pytest.mark.parametrize("what", ["nothing", "another file", "no release"])
def test_state_refuses_what_it_cannot_read(medveil: Callable, tmp_path: Path, what: str) -> None:
    path = tmp_path / "Canary^Jane"
    if what == "another file":
        path.write_text("Canary^Jane\n")
        path.chmod(0o600)
    elif what == "no release":
        medveil("key", "new", path)
    ran = medveil("key", "state", path, *(["--release", tmp_path] if what == "no release" else []))
    assert ran.code == 3
    assert "Canary" not in ran.out + ran.err
    assert len(ran.err.splitlines()) <= 2


def test_destroying_asks_for_yes_and_says_what_is_beyond_reach(medveil: Callable, tmp_path: Path) -> None:
    path = tmp_path / "k"
    label = _label(medveil, path)
    kept = medveil("key", "destroy", path)
    assert kept.code == 2
    assert "--yes" in kept.err
    assert path.is_file()
    gone = medveil("key", "destroy", path, "--yes")
    assert gone.code == 0
    assert not path.exists()
    assert f"key {label}: overwritten and removed" in gone.out
    assert all(word in gone.out for word in ("crosswalk.tsv", "copies", "flash memory", "journaling", "swap"))
    assert medveil("key", "destroy", path, "--yes").code == 3


def test_destroying_as_json_and_of_a_damaged_file(medveil: Callable, tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_bytes(b"medveil-key 1\nCanary")
    told = json.loads(medveil("key", "destroy", path, "--yes", "--json").out)
    assert told["label"] == ""
    assert told["other_names"] == 0
    assert len(told["beyond_reach"]) == 5
    assert not path.exists()


def test_destroying_leaves_other_files_alone(medveil: Callable, tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("thesis")
    assert medveil("key", "destroy", path, "--yes").code == 3
    assert path.read_text() == "thesis"


def test_a_second_stage_on_originals_is_one_line_and_leaves_nothing(
    medveil: Callable, ball: Path, tmp_path: Path
) -> None:
    ran = medveil("release", ball, "--to", tmp_path / "out", "--key", tmp_path / "k", "--stage", "2")
    assert ran.code == 4
    said = [line for line in ran.err.splitlines() if "error" in line]
    assert len(said) == 1
    assert "not a name of stage 1" in said[0]
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("out")]


def test_a_second_stage_needs_a_key(medveil: Callable, ball: Path, tmp_path: Path) -> None:
    ran = medveil("release", ball, "--to", tmp_path / "out", "--stage", "2")
    assert ran.code == 2
    assert "--key" in ran.err


def test_the_key_may_not_lie_in_the_release(medveil: Callable, ball: Path, tmp_path: Path) -> None:
    ran = medveil("release", ball, "--to", tmp_path / "out", "--key", tmp_path / "out" / "k")
    assert ran.code == 2
    assert not (tmp_path / "out").exists()
