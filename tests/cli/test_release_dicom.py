"""A folder of DICOM goes through the whole story: faces out of the slices, names out of every byte, marks last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from medveil.carry.picturing import Drawn
from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Outcome
from medveil.io.dicom.volume import read_series
from medveil.io.identifiers import dicom_identifiers
from medveil.io.residual import residues
from medveil.protect.deface.erase import Erase
from medveil.protect.header.dicom.report import Cleaned

from .dicom_heads import WORDS, write_series

REFUSED = 66  # in the first voxel: what the stand-in makes of an image


def _image(seed: int, first: int = 1) -> Image:
    data = np.random.default_rng(seed).integers(10, 60, (14, 12, 10)).astype(np.int16)
    data[0, 0, 0] = first
    affine = np.array([[-2.0, 0, 0, 12], [0, -2.1, 0.3, 9], [0, 0.3, 2.1, -7], [0, 0, 0, 1]])
    return Image(data, affine)


def _erase(self: Erase, image: Image, given: Given = NOTHING) -> Outcome:
    """A stand-in that clears the front of the volume."""
    if image.data[0, 0, 0] == REFUSED:
        raise Refusal("no head found", "a stand-in said so")
    altered = np.zeros(image.data.shape[:3], bool)
    altered[:, 7:] = True
    data = image.data.copy()
    data[altered] = 0
    return Outcome(
        image.with_data(data),
        altered=altered,
        protected=~altered,
        measured={"removed_ml": 1.0},
        proofs={"named parts covered": True},
        affine_to_mni=np.eye(4),
    )


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Erase, "apply", _erase)
    monkeypatch.setattr("medveil.carry.picturing.draw", lambda protected, **_: Drawn([], {}))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """One person, two visits; the first with two scans."""
    folder = tmp_path / "in"
    write_series(_image(1), folder / "a" / "x", study=1, series=1, day="20240229")
    write_series(_image(2), folder / "a" / "y", study=1, series=2, day="20240229")
    write_series(_image(3), folder / "b", study=2, series=1, day="20240317")
    (folder / "Canarini.txt").write_text("Canarini")
    return folder


def _files(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


@pytest.mark.usefixtures("stand")
def test_faces_names_and_dates_leave_and_the_rest_stays(
    medveil: Callable, source: Path, tmp_path: Path
) -> None:
    ran = medveil("protect", source, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 0, ran.err
    out = tmp_path / "out"
    series = sorted(p for p in out.glob("sub-*/study-*/series-*"))
    assert [p.parent.name + "/" + p.name for p in series] == [
        "study-01/series-01", "study-01/series-02", "study-02/series-01",
    ]  # fmt: skip
    for word in WORDS:
        assert word not in ran.out + ran.err
        assert not [p for p in out.rglob("*") if word in p.name]
        assert not [p for p in out.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]
    known = [i for path in source.rglob("*.dcm") for i in dicom_identifiers(path)]
    assert residues(out, known) == []

    files = [[dcmread(p) for p in sorted(folder.iterdir())] for folder in series]
    heads = [one for group in files for one in group]
    assert {str(d.PatientID) for d in heads} == {series[0].parts[-3]} == {str(d.PatientName) for d in heads}
    days = [_day(group[0].StudyDate) for group in files]
    assert [(d - days[0]).days for d in days] == [0, 0, 17]  # 29 February to 17 March of a leap year
    assert len({d.SOPInstanceUID for d in heads}) == 30
    assert len({d.StudyInstanceUID for d in heads}) == 2
    assert len({d.SeriesInstanceUID for d in heads}) == 3
    for one in heads:
        assert one.PatientIdentityRemoved == "YES"
        assert {c.CodeValue for c in one.DeidentificationMethodCodeSequence} >= {"113100", "113107"}
        assert one.LongitudinalTemporalInformationModified == "MODIFIED"

    before, after = _image(1), read_series(sorted(series[0].iterdir()))
    assert np.allclose(after.affine, read_series(sorted((source / "a" / "x").iterdir())).affine)
    assert np.array_equal(after.data[:, :7], before.data[:, :7])
    assert not after.data[:, 7:].any()


@pytest.mark.usefixtures("stand")
def test_same_key_same_bytes_and_another_key_shares_nothing(
    medveil: Callable, source: Path, tmp_path: Path
) -> None:
    key = tmp_path / "one.key"
    for name in ("first", "second"):
        assert medveil("protect", source, "--to", tmp_path / name, "--key", key, "--jobs", "1").code == 0
    first, second = _files(tmp_path / "first"), _files(tmp_path / "second")
    dicom = [p for p in first if p.endswith(".dcm")]
    assert len(dicom) == 30
    assert {p: first[p] for p in dicom} == {p: second.get(p) for p in dicom}
    assert medveil("protect", source, "--to", tmp_path / "other", "--jobs", "1").code == 0
    assert (tmp_path / "other.key").stat().st_mode & 0o077 == 0
    sub = {p.split("/")[0] for p in dicom}.pop()
    uids = [dcmread(tmp_path / "first" / p).SOPInstanceUID for p in dicom]
    other = b"".join(p.read_bytes() for p in (tmp_path / "other").rglob("*") if p.is_file())
    assert not any(token.encode() in other for token in (sub, sub[4:], *uids))


@pytest.mark.usefixtures("stand")
def test_a_refused_series_leaves_no_file(medveil: Callable, source: Path, tmp_path: Path) -> None:
    write_series(_image(4, first=REFUSED), source / "c", study=2, series=2)
    ran = medveil("protect", source, "--to", tmp_path / "out", "--jobs", "1", "--json")
    assert ran.code == 4
    found = json.loads(ran.out)
    states = [(i["name"], i["state"], i["reason"]) for i in found["images"]]
    assert ("study-02_series-02", "refused", "no head found: a stand-in said so") in states
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 30


@pytest.mark.usefixtures("stand")
def test_a_run_that_is_taken_up_again_makes_the_same_bytes(
    medveil: Callable, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "one.key"
    assert medveil("protect", source, "--to", tmp_path / "whole", "--key", key, "--jobs", "1").code == 0
    with monkeypatch.context() as patch:
        patch.setattr("medveil.carry.companions.write", _interrupted)
        assert medveil("protect", source, "--to", tmp_path / "out", "--key", key, "--jobs", "1").code != 0
    assert not (tmp_path / "out").exists()
    with monkeypatch.context() as patch:
        patch.setattr("medveil.carry.one_image.protect_series", _must_not_run)
        assert medveil("protect", source, "--to", tmp_path / "out", "--key", key, "--jobs", "1").code == 0
    whole, out = _files(tmp_path / "whole"), _files(tmp_path / "out")
    assert {p for p in whole if p.endswith(".dcm")} == {p for p in out if p.endswith(".dcm")}
    assert all(whole[p] == out[p] for p in whole if p.endswith(".dcm"))


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _must_not_run(*_: object, **__: object) -> None:
    raise AssertionError("a finished series was protected again")


def test_headers_alone_take_what_is_no_volume(medveil: Callable, tmp_path: Path) -> None:
    image = _image(5)
    write_series(Image(image.data[:, :, :3], image.affine), tmp_path / "in" / "s")
    for path in sorted((tmp_path / "in" / "s").iterdir())[:2]:
        path.unlink()  # one slice is left: no volume
    refused = medveil("protect", tmp_path / "in", "--to", tmp_path / "no", "--jobs", "1")
    assert refused.code == 4
    assert not (tmp_path / "no").exists()
    ran = medveil(
        "protect", tmp_path / "in", "--to", tmp_path / "out", "--step", "header.dicom", "--jobs", "1"
    )
    assert ran.code == 0, ran.err
    one = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert one.PatientIdentityRemoved == "YES"
    assert "RecognizableVisualFeatures" not in one
    assert "BurnedInAnnotation" not in one  # nobody could tell from one slice
    assert "No face was removed" in ran.out
    assert "Heads were located" not in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("stand")
def test_what_always_runs_can_be_set(medveil: Callable, source: Path, tmp_path: Path) -> None:
    ran = medveil(
        "protect", source, "--to", tmp_path / "out", "--set", "text.burned_in.smallest_px=16",
        "--set", "header.dicom.characteristics=true", "--jobs", "1",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())["steps"]
    assert [s["use"] for s in told] == ["deface.erase", "header.dicom", "text.burned_in"]
    assert told[1]["characteristics"] is True
    assert told[2]["smallest_px"] == 16


@pytest.mark.parametrize(("slices", "mark"), [(18, "NO"), (2, None)])
def test_text_is_blanked_and_marked_gone_only_where_that_was_measured(
    medveil: Callable, tmp_path: Path, slices: int, mark: str | None
) -> None:
    from PIL import Image as Picture
    from PIL import ImageDraw, ImageFont

    page = Picture.new("L", (128, 112), 0)
    ImageDraw.Draw(page).text((6, 8), "DOE JANE 1961", fill=255, font=ImageFont.load_default(size=18))
    ink = np.asarray(page).T > 128
    data = np.random.default_rng(3).integers(80, 400, (128, 112, slices)).astype(np.int16)
    data[:, :40] = data[:, :40] // 8
    data[ink] = 900
    write_series(Image(data, np.diag([-2.0, -2.0, 2.0, 1.0])), tmp_path / "in")
    ran = medveil(
        "protect", tmp_path / "in", "--to", tmp_path / "out", "--step", "header.dicom", "--jobs", "1"
    )
    assert ran.code == 0, ran.err
    for path in (tmp_path / "out").rglob("*.dcm"):
        one = dcmread(path)
        assert one.get("BurnedInAnnotation") == mark
        assert (one.pixel_array.T[ink] == 900).mean() < 0.05
        assert np.array_equal(one.pixel_array.T[:, 60:], data[:, 60:, one.InstanceNumber - 1])


def test_options_of_the_header_are_settings(medveil: Callable, tmp_path: Path) -> None:
    write_series(_image(6), tmp_path / "in")
    ran = medveil(
        "protect", tmp_path / "in", "--to", tmp_path / "out", "--step", "header.dicom", "--jobs", "1",
        "--set", "header.dicom.modified_dates=false",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    one = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert one.StudyDate == ""
    assert one.LongitudinalTemporalInformationModified == "REMOVED"
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())["steps"]
    assert [s["use"] for s in told] == ["header.dicom", "text.burned_in"]


def test_header_steps_alone_are_refused_on_nifti(medveil: Callable, ball: Path, tmp_path: Path) -> None:
    ran = medveil("protect", ball, "--to", tmp_path / "out", "--step", "header.dicom")
    assert ran.code == 2
    assert "header.dicom work" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("stand")
def test_a_refused_output_makes_no_key(medveil: Callable, source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert medveil("protect", source, "--to", tmp_path / "out", "--jobs", "1").code == 2
    assert not (tmp_path / "out.key").exists()


@pytest.mark.usefixtures("stand")
def test_two_stages(medveil: Callable, source: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.key", tmp_path / "two.key"
    refused = medveil("protect", source, "--to", tmp_path / "no", "--key", two, "--stage", "2", "--jobs", "1")
    assert refused.code != 0
    assert "stage 1" in refused.err
    assert not (tmp_path / "no").exists()
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    assert medveil("protect", source, "--to", inside, "--step", "header.dicom", "--key", one).code == 0
    ran = medveil("protect", inside, "--to", outside, "--key", two, "--stage", "2", "--jobs", "1")
    assert ran.code == 0, ran.err
    first = {str(dcmread(p).PatientID) for p in inside.rglob("*.dcm")}
    second = {str(dcmread(p).PatientID) for p in outside.rglob("*.dcm")}
    assert len(first) == len(second) == 1
    assert first.isdisjoint(second)
    left = b"".join(p.read_bytes() for p in outside.rglob("*") if p.is_file())
    assert first.pop().encode() not in left


def test_several_issuers_are_refused_before_any_work(medveil: Callable, source: Path, tmp_path: Path) -> None:
    ran = medveil("protect", source, "--to", tmp_path / "out", "--set", "header.dicom.issuers=true")
    assert ran.code == 2
    assert "issuers" in ran.err
    assert not (tmp_path / "out.key").exists()


@pytest.mark.usefixtures("stand")
def test_slices_that_were_not_put_back_are_no_release(
    medveil: Callable, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medveil.carry.one_series.restored", lambda volume, image, files: list(files))
    ran = medveil("protect", source, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    assert "voxels as altered" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("stand")
def test_a_header_that_was_not_cleaned_is_no_release(
    medveil: Callable, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medveil.protect.header.dicom.clean import clean

    def careless(dataset: Dataset, *rest: object) -> Cleaned:
        cleaned = clean(dataset, *rest)
        cleaned.dataset.InstitutionName = dataset.InstitutionName
        return cleaned

    monkeypatch.setattr("medveil.carry.one_series.clean", careless)
    ran = medveil("protect", source, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    assert "no identifier of the source left" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("stand")
def test_the_order_of_a_release_tells_nothing_of_that_of_the_source(
    medveil: Callable, tmp_path: Path
) -> None:
    for n in range(7):  # one chance in 5040 that pseudonyms happen to come in the order of the patient IDs
        write_series(_image(n), tmp_path / "in" / f"{n}", patient=f"ZQ-{n}", study=n + 1)
    ran = medveil("protect", tmp_path / "in", "--to", tmp_path / "out", "--jobs", "1", "--json")
    assert ran.code == 0, ran.err
    people = [row["subject"] for row in json.loads(ran.out)["images"]]
    assert len(set(people)) == 7
    assert people == sorted(people)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [row["place"].split("/")[0] for row in manifest["images"]] == people


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize(("detected", "mark"), [(False, "NO"), (True, None)])
def test_a_face_is_marked_gone_only_if_no_detector_fires(
    medveil: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, detected: bool, mark: str | None
) -> None:
    write_series(_image(7), tmp_path / "in")
    monkeypatch.setattr("medveil.carry.one_series.faces", lambda head: [SimpleNamespace(detected=detected)])
    ran = medveil("protect", tmp_path / "in", "--to", tmp_path / "out", "--jobs", "1", "--json")
    assert ran.code == 0, ran.err
    one = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert one.get("RecognizableVisualFeatures") == mark
    assert ("113102" in {c.CodeValue for c in one.DeidentificationMethodCodeSequence}) is (mark == "NO")
    remarks = " ".join(json.loads(ran.out)["images"][0]["remarks"])
    assert ("a face detector still fires" in remarks) is detected
