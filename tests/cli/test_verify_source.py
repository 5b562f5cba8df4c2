"""medveil verify --source finds what of the source is left in a release, and nothing in a clean one."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.carry.leftover import own_words
from medveil.carry.picturing import Drawn
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Outcome
from medveil.io import nifti
from medveil.io.keys import read_key, write_new_key
from medveil.protect.deface.erase import Erase

NAME, LABEL = "Zyquartovex", "NDARKQ71"


def _stand_in(_: Erase, image: Image, given: Given = NOTHING) -> Outcome:
    """Blackens the front half."""
    altered = np.zeros(image.data.shape[:3], bool)
    altered[:, image.data.shape[1] // 2 :] = True
    data = image.data.copy()
    data[altered] = 0
    return Outcome(image.with_data(data), altered=altered, protected=~altered)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three people with sidecars and tables that say who they are."""
    monkeypatch.setattr(Erase, "apply", _stand_in)
    monkeypatch.setattr("medveil.carry.picturing.draw", lambda *_, **__: Drawn([], {}))
    folder, rng = tmp_path / "in", np.random.default_rng(3)
    scans = []
    for n in range(1, 4):
        sub = f"sub-{LABEL}{n}"
        place = folder / sub / "anat" / f"{sub}_T1w.nii.gz"
        data = rng.integers(1, 60, (12, 14, 10)).astype(np.int16)
        nifti.write(Image(data, np.diag([2.0, 2.0, 3.0, 1.0])), place)
        place.with_name(f"{sub}_T1w.json").write_text(json.dumps({
            "EchoTime": 0.003, "PatientName": f"{NAME}{n}^Janina", "DeviceSerialNumber": "QX778123",
            "AcquisitionDateTime": f"2019-04-1{n}T10:11:12", "StudyInstanceUID": f"1.3.6.1.4.1.5962.99.{n}1234567",
        }))  # fmt: skip
        (folder / sub / f"{sub}_scans.tsv").write_text(
            f"filename\tacq_time\nanat/{sub}_T1w.nii.gz\t2019-04-1{n}T10:11:12\n"
        )
        scans.append(f"{sub}\t{40 + n}\tF\t{NAME}{n}\n")
    (folder / "participants.tsv").write_text("participant_id\tage\tsex\tname\n" + "".join(scans))
    return folder


@pytest.fixture
def out(medveil: Callable, source: Path, tmp_path: Path) -> Path:
    assert medveil("protect", source, "--to", tmp_path / "out", "--jobs", "1").code == 0
    return tmp_path / "out"


def _listed(release: Path) -> None:
    """Brings the hashes of the manifest up to date, so that nothing but the search can notice a change."""
    path = release / "manifest.json"
    data = json.loads(path.read_text())
    names = [
        p for p in release.rglob("*") if p.is_file() and p.name not in ("manifest.json", ".medveil-output")
    ]
    data["files"] = {
        p.relative_to(release).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in names
    }
    for row in data["images"]:
        row["sha256"] = data["files"].get(row["place"], row["sha256"])
    path.write_text(json.dumps(data))


def _keyed(medveil: Callable, source: Path, out: Path, key: Path) -> None:
    """A release by a key, whose label its manifest holds."""
    assert medveil("release", source, "--to", out, "--key", key, "--jobs", "1").code == 0
    path = out / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "key": read_key(key).label}))


def test_a_clean_release_passes_with_its_labels_kept(medveil: Callable, source: Path, out: Path) -> None:
    ran = medveil("verify", out, "--source", source)
    assert ran.code == 0, ran.out
    assert "every byte searched for" in ran.out
    said = json.loads(medveil("verify", out, "--source", source, "--json").out)
    assert (said["paired"], said["problems"], said["remarks"]) == (True, [], [])
    assert said["searched"] >= 10


def _in_sidecar(out: Path) -> None:
    path = next(out.rglob("*_T1w.json"))
    path.write_text(json.dumps({"EchoTime": 0.003, "Note": f"of {NAME}1"}))


def _in_page(out: Path) -> None:
    page = out / "report.html"
    page.write_text(page.read_text() + f"<!-- {NAME.upper()}2 -->")


def _in_gzip(out: Path) -> None:
    path = next(out.rglob("*_T1w.nii.gz"))
    content = gzip.decompress(path.read_bytes())
    with open(path, "wb") as file, gzip.GzipFile(f"{NAME}1.nii", "wb", fileobj=file) as packed:
        packed.write(content)


def _in_a_name(out: Path) -> None:
    (out / f"{NAME}3.tsv").write_text("nothing")


def _in_packed_bytes(out: Path) -> None:
    (out / "extra.bin").write_bytes(b"\7" * 300 + gzip.compress(b"scanner QX778123 " * 9))


def _a_day(out: Path) -> None:
    path = next(out.rglob("*_T1w.json"))
    path.write_text(json.dumps({"EchoTime": 0.003, "Note": "20190411"}))


def _a_uid(out: Path) -> None:
    (out / "findings.json").write_text('{"x": "1.3.6.1.4.1.5962.99.21234567"}')


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (_in_sidecar, "of the source left in its bytes"),
        (_in_page, "of the source left in its bytes"),
        (_in_gzip, "of the source left in its bytes"),
        (_in_a_name, "of the source left in its name"),
        (_in_packed_bytes, "1 ID of the source left in its packed bytes"),
        (_a_day, "1 date of the source left in its bytes"),
        (_a_uid, "1 UID of the source left in its bytes"),
    ],
)
def test_what_is_left_is_told_by_number_and_kind(
    medveil: Callable, source: Path, out: Path, tamper: Callable[[Path], None], what: str
) -> None:
    tamper(out)
    _listed(out)
    ran = medveil("verify", out, "--source", source)
    assert ran.code == 5
    assert "problem: place " in ran.out
    assert what in ran.out
    for value in ("QX778123", "2019", "5962.99"):
        assert value not in ran.out + ran.err
    if (
        tamper is not _in_a_name
    ):  # the name of a file that the manifest lists is told where it is missing or strange
        assert NAME.lower() not in (ran.out + ran.err).lower()


def test_with_a_key_images_are_paired_and_without_it_only_searched(
    medveil: Callable, source: Path, tmp_path: Path
) -> None:
    key, out = tmp_path / "k.key", tmp_path / "keyed"
    _keyed(medveil, source, out, key)
    assert not [p for p in out.rglob("*") if LABEL in p.name]
    ran = medveil("verify", out, "--source", source, "--key", key)
    assert ran.code == 0, ran.out
    assert "and against their source" in ran.out
    ran = medveil("verify", out, "--source", source)
    assert ran.code == 0, ran.out
    assert "note: names came from a key" in ran.out
    assert medveil("verify", out, "--key", key).code == 2

    image = next(out.rglob("*_T1w.nii.gz"))
    data = bytearray(gzip.decompress(image.read_bytes()))
    data[400] ^= 1
    image.write_bytes(gzip.compress(bytes(data), mtime=0))
    (out / "notes.txt").write_text(f"{LABEL}2 seen on 2019-04-12")
    _listed(out)
    ran = medveil("verify", out, "--source", source, "--key", key)
    assert ran.code == 5
    assert "another number of voxels differs" in ran.out
    assert "1 ID of the source left in its bytes" in ran.out
    assert "1 date of the source left in its bytes" in ran.out


def test_another_key_is_refused_by_its_label(medveil: Callable, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "keyed"
    _keyed(medveil, source, out, tmp_path / "k.key")
    write_new_key(tmp_path / "other.key", outside=out)
    ran = medveil("verify", out, "--source", source, "--key", tmp_path / "other.key")
    assert ran.code == 2
    assert "the release was made by" in ran.err


def test_a_key_is_refused_where_none_gave_the_names(
    medveil: Callable, source: Path, out: Path, tmp_path: Path
) -> None:
    write_new_key(tmp_path / "k.key", outside=out)
    assert medveil("verify", out, "--source", source, "--key", tmp_path / "k.key").code == 2


def test_names_of_people_in_docstrings_are_no_words_of_the_page() -> None:
    words = own_words()
    assert {"face", "release", "head"} <= words
    assert not {"jane", "smith", "john", "doe", "meyer", "qanary"} & words
