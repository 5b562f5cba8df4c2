"""medveil canary: plant, run any command, score; the exit code tells whether anything came out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from medveil.cli import canary
from medveil.core.errors import InputRefused, MedveilError, OutputFailed, UsageError


def run(*words: object) -> int:
    """Exit code of `medveil canary WORDS`, errors as they are."""
    code = canary.app([str(w) for w in words], standalone_mode=False)
    return int(code or 0)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("canary")
    run("make", "--to", root / "in", "--formats", "dicom")
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


TOOL = """
import sys, io, pathlib, datetime, zlib
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
source, out, mistake = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
out.mkdir()
keep = "SOPClassUID Modality InstanceNumber EchoTime RepetitionTime FlipAngle PixelSpacing SliceThickness Rows Columns " \\
    "ImagePositionPatient ImageOrientationPatient SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored " \\
    "HighBit PixelRepresentation".split()
for n, path in enumerate(sorted(source.rglob("*.dcm"))):
    if mistake == "missing" and n == 0:
        continue
    old, new = pydicom.dcmread(path), Dataset()
    for k in keep:
        new[k] = old[k]
    new.PixelData = old.pixel_array.tobytes()
    new["PixelData"].VR = "OW"
    salt = n if mistake == "inconsistent" else 0
    for k in "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID".split():
        new.add_new(k, "UI", f"2.25.{zlib.crc32(old[k].value.encode()) + salt}")
    new.PatientID = f"p{zlib.crc32(old.PatientID.encode())}"
    for k in ("StudyDate", "SeriesDate", "AcquisitionDate"):
        if old[k].value:
            day = datetime.datetime.strptime(old[k].value, "%Y%m%d") - datetime.timedelta(70 + n * (mistake == "dates"))
            new.add_new(k, "DA", f"{day:%Y%m%d}")
    if mistake == "leak":
        new.StationName = old.get("StationName", "")
    meta = new.file_meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = "1.2.840.10008.1.2.1", new.SOPClassUID
    meta.MediaStorageSOPInstanceUID = new.SOPInstanceUID
    pydicom.dcmwrite(out / f"{n}", new, enforce_file_format=True)
"""


def score(planted: Path, out: Path, tmp_path: Path, mistake: str, *more: object) -> int:
    script = tmp_path / "tool.py"
    script.write_text(TOOL)
    words = ("--key", planted / "canaries.json", "--from", planted / "in", *more, "--json")
    return run("score", out, *words, "--", sys.executable, "-W", "ignore", script, "{in}", "{out}", mistake)


def test_a_tool_without_a_mistake_passes(
    planted: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert score(planted, out, tmp_path, "none") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["clean"]
    assert said["leaked"] == []
    assert said["missing_files"] == []
    assert said["actions"]["date_shifted"]["passed"] > 10
    assert said["actions"]["uid_consistent"]["passed"] >= 40


@pytest.mark.parametrize(
    ("mistake", "key", "value"),
    [
        ("leak", "leaked", 1),
        ("missing", "missing_files", 1),
        ("dates", "leaked", 0),
        ("inconsistent", "leaked", 0),
    ],
)
def test_each_mistake_ends_with_1(
    planted: Path,
    out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    mistake: str,
    key: str,
    value: int,
) -> None:
    assert score(planted, out, tmp_path, mistake) == 1
    said = json.loads(capsys.readouterr().out)
    assert len(said[key]) == value
    kinds = {
        f["kind"]
        for f in said["failed_actions"]
        if "missing" not in f["reason"] and "gone" not in f["reason"]
    }
    assert kinds == {"dates": {"date_shifted"}, "inconsistent": {"uid_consistent"}}.get(mistake, set())


def test_a_declared_place_is_no_leak(
    planted: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert score(planted, out, tmp_path, "leak", "--allow", "StationName") == 0
    assert len(json.loads(capsys.readouterr().out)["allowed"]) == 1


def test_a_copy_leaks_everything(planted: Path, capsys: pytest.CaptureFixture) -> None:
    assert run("score", planted / "in", "--key", planted / "canaries.json") == 1
    said = capsys.readouterr().out
    total = next(line for line in said.splitlines() if line.startswith("total")).split()
    assert total[1] == total[2]
    assert int(total[1]) >= 226 - 60
    assert "not clean" in said


def test_a_command_that_does_nothing_is_no_success(
    planted: Path, out: Path, capsys: pytest.CaptureFixture
) -> None:
    words = ("--key", planted / "canaries.json", "--from", planted / "in", "--json")
    assert run("score", out, *words, "--", sys.executable, "-c", "exit(3)", "{in}", "{out}") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["leaked"] == []
    assert len(said["missing_files"]) == 10
    assert said["command_exit"] == 3


def test_what_the_command_prints_is_counted(planted: Path, out: Path, capsys: pytest.CaptureFixture) -> None:
    marker = json.loads((planted / "canaries.json").read_text())["markers"][0]["value"]
    words = ("--key", planted / "canaries.json", "--from", planted / "in", "--json")
    run("score", out, *words, "--", sys.executable, "-c", f"print({marker!r})", "{in}", "{out}")
    assert json.loads(capsys.readouterr().out)["printed"] == 1


def test_the_whole_set_and_its_key(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run("make", "--to", tmp_path / "in", "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    assert counts["markers"] >= 226
    assert not list(tmp_path.glob(".medveil-*"))
    key = json.loads((tmp_path / "canaries.json").read_text())
    assert len(key["markers"]) == counts["markers"]
    assert all(m["spellings"] and m["group"] and m["place"] and m["format"] for m in key["markers"])
    assert run("score", tmp_path / "in", "--key", tmp_path / "canaries.json", "--json") == 1
    assert json.loads(capsys.readouterr().out)["leaked_share"]["value"] == 1.0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("make", "--to", "{}/in"), OutputFailed),
        (("make", "--to", "{}/new", "--key", "{}/new/k.json"), UsageError),
        (("make", "--to", "{}/new", "--key", "{}/k.json", "--formats", "minc"), UsageError),
        (("make", "--to", "{}/new", "--key", "{}/k.json", "--formats", ","), UsageError),
        (("score", "{}/in"), UsageError),
        (("score", "{}/in", "--key", "{}/none"), InputRefused),
        (("score", "{}/none", "--key", "{}/canaries.json"), InputRefused),
        (("score", "{}/new", "--key", "{}/canaries.json", "--", "tool"), UsageError),
        (("score", "{}/new", "--key", "{}/canaries.json", "--from", "{}/in", "--", "tool", "{in}"), UsageError),
        (("score", "{}/in", "--key", "{}/canaries.json", "--from", "{}/in", "--", "t", "{in}", "{out}"), OutputFailed),
        (("score", "{}/n", "--key", "{}/canaries.json", "--from", "{}/x", "--", "t", "{in}", "{out}"), InputRefused),
        (("score", "{}/n", "--key", "{}/canaries.json", "--from", "{}/in", "--", "no-such-t", "{in}", "{out}"), UsageError),
    ],
)  # fmt: skip
def test_wrong_words_are_refused_in_one_line(
    planted: Path, words: tuple[str, ...], error: type[MedveilError]
) -> None:
    with pytest.raises(error) as raised:
        run(*(w.replace("{}", str(planted)) for w in words))
    assert "\n" not in str(raised.value)
    assert str(planted) not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "medveil-canaries", "version": 1}', '{"format": "x", "version": 1}',
                                  '{"format": "medveil-canaries", "version": 1, "markers": [], "files": []}',
                                  '{"format": "medveil-canaries", "version": 1, "markers": [3], "files": []}'])  # fmt: skip
def test_keys_that_are_none_are_refused(planted: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "k.json").write_text(text)
    with pytest.raises(InputRefused, match="key"):
        run("score", planted / "in", "--key", tmp_path / "k.json")
