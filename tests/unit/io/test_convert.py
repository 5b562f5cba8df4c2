"""dcm2niix: asked without a shell or a word of the patient, never heard, and refused unless it did all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.io import convert as converting
from medveil.io import nifti
from medveil.io.convert import convert

STUB = """#!{python}
import json, os, pathlib, sys
print("Zyquar^Ann"); print("Zyquar^Ann", file=sys.stderr)
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
for name in {names!r}:
    (out / name).write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
sys.exit({code})
"""


def dicom(path: Path, patient: str = "1") -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = MRImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    said = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    said.SOPClassUID, said.SOPInstanceUID, said.PatientID = MRImageStorage, generate_uid(), patient
    path.parent.mkdir(parents=True, exist_ok=True)
    said.save_as(path, enforce_file_format=True)


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """A folder of one person's DICOM, named after them, and a file that is none."""
    folder = tmp_path / "Zyquar; echo $(id) \"'"
    dicom(folder / "a" / "1.dcm")
    dicom(folder / "2.dcm")
    (folder / "notes.txt").write_text("Zyquar")
    return folder


def stub(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    code: int = 0,
    python: str = sys.executable,
) -> None:
    program = tmp_path / "stub"
    program.write_text(STUB.format(python=python, names=names, code=code))
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "dcm2niix", SimpleNamespace(bin=str(program)))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_names_are_numbers_and_nothing_is_heard(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZYQUAR", "Zyquar")
    names = [
        "s3_e1.nii.gz", "s3_e1.json", "s3_e1a.nii.gz", "s12_e2_Zyquar_ph.nii.gz", "s12_e2_Zyquar_ph.bval", "s12_e2_Zyquar_ph.bvec",
        "s4_e1.nii", "Zyquar.nii.gz", "Zyquar.txt", "s9_e1.json",
    ]  # fmt: skip
    stub(tmp_path, monkeypatch, names)
    convert(person, tmp_path / "new" / "out")
    assert sorted(p.name for p in (tmp_path / "new" / "out").iterdir()) == [
        "series-000_echo-0.nii.gz",
        "series-003_echo-1.json",
        "series-003_echo-1.nii.gz",
        "series-003_echo-1_part-2.nii.gz",
        "series-004_echo-1.nii",
        "series-012_echo-2.bval",
        "series-012_echo-2.bvec",
        "series-012_echo-2.nii.gz",
    ]
    argv, environment = json.loads((tmp_path / "new" / "out" / "series-003_echo-1.json").read_text())
    assert argv[-1] == str(person.resolve())  # one word, whatever is in it
    asked = " ".join(argv[:-3])
    assert asked == "-g i -b y -ba y -z y -d 9 -q n -v n -f s%s_e%e"
    assert "Zyquar" not in "".join(environment.values())
    assert capfd.readouterr() == ("", "")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
@pytest.mark.parametrize(
    ("names", "code", "words"), [(["s1_e1.nii.gz"], 8, "ended with code 8"), (["s1_e1.json"], 0, "no image")]
)
def test_half_a_conversion_is_none(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], code: int, words: str
) -> None:
    stub(tmp_path, monkeypatch, names, code)
    with pytest.raises(InputRefused, match=words) as caught:
        convert(person, tmp_path / "out")
    assert "Zyquar" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([person.name, "stub"])


def test_too_slow_or_not_to_be_started_is_one_line(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, monkeypatch, [], python="/nowhere")
    with pytest.raises(InputRefused, match="could not be started"):
        convert(person, tmp_path / "out")

    def slow(*words: Any, timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired("Zyquar", timeout)

    monkeypatch.setattr(converting.subprocess, "run", slow)
    with pytest.raises(InputRefused, match="did not end") as caught:
        convert(person, tmp_path / "out")
    assert "Zyquar" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_two_people_are_never_mixed(person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, ["s1_e1.nii.gz"])
    dicom(person / "b" / "3.dcm", "2")
    with pytest.raises(InputRefused, match="more than one person"):
        convert(person, tmp_path / "out")


def test_without_the_package_without_dicom_or_over_something_it_refuses(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dcm2niix", None)
    with pytest.raises(MissingPackage, match=r"pip install 'medveil\[convert\]'"):
        convert(person, tmp_path / "out")
    stub(tmp_path, monkeypatch, ["s1_e1.nii.gz"])
    with pytest.raises(UsageError, match="exists"):
        convert(person, person)
    with pytest.raises(UsageError, match="inside"):
        convert(person, person / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputRefused, match="no DICOM"):
        convert(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(InputRefused, match="not there"):
        convert(tmp_path / "nowhere", tmp_path / "out")


@pytest.mark.real
def test_a_real_series_becomes_one_volume(real_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("dcm2niix", reason="dcm2niix is not installed (pip install 'medveil[convert]')")
    convert(real_data / "dicom" / "head_series_hfs", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "series-003_echo-1.json",
        "series-003_echo-1.nii.gz",
    ]
    image = nifti.read(tmp_path / "out" / "series-003_echo-1.nii.gz")
    slices = len(list((real_data / "dicom" / "head_series_hfs").glob("*.dcm")))
    assert slices in image.data.shape
