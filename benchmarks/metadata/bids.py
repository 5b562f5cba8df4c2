"""BIDS in, BIDS out: what a validator says before and after `medveil release`, and what travels along.

python benchmarks/metadata/bids.py [--data FOLDER] [--validator PROGRAM] [--json FILE]

Two datasets of simulated heads are made; those below FOLDER come with them. PROGRAM: `pip install
bids-validator-deno` into an environment of its own gives bin/bids-validator-deno.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from medveil.core.image import Image
from medveil.core.seeds import Seeds

SEED = 20
MEDVEIL = str(Path(sys.executable).with_name("medveil"))
MRI = {"MagneticFieldStrength": 3, "Manufacturer": "Siemens", "InstitutionName": "Klinik Quellberg", "EchoTime": 0.03,
       "PatientName": "Canarini^Zoe", "RepetitionTime": 2.0, "FlipAngle": 70}  # fmt: skip
EXTRA: dict[str, dict[str, Any]] = {
    "bold": {"TaskName": "Canarini at rest", "PhaseEncodingDirection": "j"},
    "dwi": {"PhaseEncodingDirection": "j-", "TotalReadoutTime": 0.05},
    "epi": {"PhaseEncodingDirection": "j", "TotalReadoutTime": 0.05, "IntendedFor": "bids::sub-01/ses-1/dwi/x"},
    "asl": {
        "ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 1.8, "BackgroundSuppression": False, "M0Type": "Absent",
        "RepetitionTimePreparation": 4.0, "TotalAcquiredPairs": 1, "LabelingDuration": 1.8, "MRAcquisitionType": "3D",
    },
    "pet": {
        "TracerName": "FDG", "TracerRadionuclide": "F18", "InjectedRadioactivity": 200, "InjectedMass": "n/a",
        "InjectedRadioactivityUnits": "MBq", "InjectedMassUnits": "n/a", "SpecificRadioactivity": "n/a",
        "SpecificRadioactivityUnits": "n/a", "ModeOfAdministration": "bolus", "TimeZero": "10:00:00", "ScanStart": 0,
        "InjectionStart": 0, "FrameTimesStart": [0], "FrameDuration": [600], "AcquisitionMode": "list mode",
        "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0, "ReconMethodName": "OSEM", "Units": "Bq/mL",
        "ReconMethodParameterLabels": ["iterations"], "ReconMethodParameterUnits": ["none"],
        "ReconMethodParameterValues": [4], "ReconFilterType": "none", "AttenuationCorrection": "CT",
        "Manufacturer": "Siemens", "ManufacturersModelName": "Biograph", "BodyPart": "BRAIN",
    },
}  # fmt: skip
USUAL = [("sub-01", "ses-1", "anat", "T1w"), ("sub-01", "ses-1", "func", "bold"), ("sub-01", "ses-1", "dwi", "dwi"),
         ("sub-01", "ses-1", "fmap", "epi"), ("sub-01", "ses-2", "anat", "T1w"), ("sub-02", "ses-1", "anat", "T2w")]  # fmt: skip
RARER = [("sub-01", "ses-1", "perf", "asl"), ("sub-01", "ses-1", "pet", "pet")]
ENTITIES = {"bold": "_task-rest", "epi": "_dir-PA", "pet": "_trc-FDG"}
Place = tuple[str, str, str, str]


def simulated(person: int, suffix: str, visit: int) -> Image:
    """A head of nobody; epi, a reversed echo-planar image, is as a bold one here."""
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    seeds = Seeds(SEED)
    contrast: Any = "bold" if suffix == "epi" else suffix
    volumes = {"bold": 2, "dwi": 2, "asl": 2}.get(suffix, 1)
    scanner = Scanner(contrast=contrast, volumes=volumes, motion_mm=0.3 * (volumes > 1))
    return scan(draw_person(seeds, person), seeds, visit=visit, scanner=scanner).image


def write_dataset(root: Path, images: list[Place]) -> Path:
    """A dataset with sidecars, gradients, scans, sessions and participants, as a validator wants it."""
    root.mkdir()
    described = {"Name": "of Canarini", "BIDSVersion": "1.9.0", "Authors": ["Zoe Canarini"]}
    _json(root / "dataset_description.json", described)
    (root / "README").write_text("Made of nobody.\n")
    people = sorted({i[0] for i in images})
    rows = "".join(f"{p}\t{30 + n}\tF\tCanarini\n" for n, p in enumerate(people))
    (root / "participants.tsv").write_text("participant_id\tage\tsex\tname\n" + rows)
    for day, (subject, session, kind, suffix) in enumerate(images, start=1):
        home = root / subject / session
        name = f"{subject}_{session}{ENTITIES.get(suffix, '')}_{suffix}"
        image = simulated(people.index(subject), suffix, int(session[-1]))
        _nifti(image, home / kind / f"{name}.nii.gz")
        date = f"2024-02-{20 + day:02d}T10:20:30"
        mri = {} if suffix == "pet" else MRI
        said = {**mri, **EXTRA.get(suffix, {}), "AcquisitionDateTime": date}
        if suffix == "bold":
            said["SliceTiming"] = [round(k * 0.02, 2) for k in range(image.data.shape[2])]
        _json(home / kind / f"{name}.json", said)
        if suffix == "dwi":
            (home / kind / f"{name}.bval").write_text("0 1000\n")
            (home / kind / f"{name}.bvec").write_text("0 0.6\n0 -0.8\n0 0\n")
        if suffix == "asl":
            (home / kind / f"{name}context.tsv").write_text("volume_type\ncontrol\nlabel\n")
        scans = home / f"{subject}_{session}_scans.tsv"
        head = "" if scans.exists() else "filename\tacq_time\toperator\n"
        with open(scans, "a") as file:
            file.write(f"{head}{kind}/{name}.nii.gz\t{date}\tCanarini\n")
    for subject in people:
        found = sorted({i[1] for i in images if i[0] == subject})
        text = "".join(f"{s}\t2024-0{2 + n}-20T09:00:00\n" for n, s in enumerate(found))
        (root / subject / f"{subject}_sessions.tsv").write_text("session_id\tacq_time\n" + text)
    return root


def validated(program: str, folder: Path) -> dict[str, dict[str, int]] | str:
    """Issues of a dataset by severity and code, or why there are none."""
    if not program:
        return "no validator was given"
    said = subprocess.run([program, "--format", "json", str(folder)], capture_output=True, check=False)
    try:
        issues = json.loads(said.stdout)["issues"]["issues"]
    except (ValueError, KeyError):
        return f"the validator ended with {said.returncode} and no report"
    out: dict[str, dict[str, int]] = {}
    for issue in issues:
        code = issue["code"] + (
            f" {issue['subCode']}" if issue["severity"] == "error" and issue.get("subCode") else ""
        )
        kind = out.setdefault(issue["severity"], {})
        kind[code] = kind.get(code, 0) + 1
    return out


def added(before: Any, after: Any) -> dict[str, dict[str, int]]:
    """Issues that an output has and its input has not, or has more of."""
    if isinstance(before, str) or isinstance(after, str):
        return {}
    return {
        kind: extra for kind in after if (extra := dict(Counter(after[kind]) - Counter(before.get(kind, {}))))
    }


def shifts(source: Path, out: Path) -> dict[str, int]:
    """Of the scans and sessions that both tell of: how many there are, and of how many people the shifts differ."""
    crosswalk = _rows(out.with_name(out.name + "-internal") / "crosswalk.tsv")
    moved: dict[str, set[Any]] = {}
    before = _times(source)
    after = _times(out)
    compared = 0
    for row in crosswalk:
        if row["source"] in before and row["release"] in after:
            compared += 1
            moved.setdefault(row["subject"], set()).add(after[row["release"]] - before[row["source"]])
    broken = sum(len(s) != 1 or next(iter(s)).seconds != 0 or not next(iter(s)).days for s in moved.values())
    return {"scans compared": compared, "people": len(moved), "people with uneven or no shift": broken}


def _times(root: Path) -> dict[str, datetime]:
    return {
        (path.parent / row["filename"]).relative_to(root).as_posix(): datetime.fromisoformat(row["acq_time"])
        for path in root.rglob("*_scans.tsv")
        for row in _rows(path)
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _nifti(image: Image, path: Path) -> None:
    """With units and time step, as dcm2niix writes them."""
    import nibabel as nib

    path.parent.mkdir(parents=True, exist_ok=True)
    file = nib.Nifti1Image(image.data, image.affine)
    file.set_sform(image.affine, 1)
    file.set_qform(image.affine, 1)
    file.header.set_xyzt_units("mm", "sec")
    if image.data.ndim == 4:
        file.header.set_zooms((*file.header.get_zooms()[:3], 2.0))
    nib.save(file, path)


def _json(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def released(source: Path, out: Path, key: Path | None, program: str) -> dict[str, Any]:
    """One release of a dataset, and all that is measured of it."""
    words = ["--key", str(key)] if key else []
    ran = subprocess.run(
        [MEDVEIL, "release", str(source), "--to", str(out), "--jobs", "1", *words],
        capture_output=True,
        check=False,
    )
    checked = subprocess.run(
        [MEDVEIL, "verify", str(out), "--source", str(source), "--json", *words],
        capture_output=True,
        check=False,
    )
    verified = json.loads(checked.stdout or "{}")
    images = json.loads((out / "findings.json").read_text())["images"]
    before, after = validated(program, source), validated(program, out)
    sidecars = [json.loads(p.read_text()) for p in out.glob("sub-*/**/*.json")]
    return {
        "dataset": source.name, "key": bool(key), "exit": ran.returncode,
        "images": dict(Counter(i["state"] for i in images)), "reasons": dict(Counter(i["reason"] for i in images if i["reason"])),
        "verify exit": checked.returncode, "verify problems": verified.get("problems"), "searched": verified.get("searched"),
        "before": before, "after": after, "added": added(before, after), "sidecar keys": sorted({k for s in sidecars for k in s}),
        "files": dict(Counter("".join(p.suffixes) or p.name for p in out.rglob("*") if p.is_file())),
        "dates": shifts(source, out) if key else {},
    }  # fmt: skip


def main() -> None:
    """Make, release, validate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="a folder of BIDS datasets of your own")
    parser.add_argument("--validator", default="", help="the bids-validator-deno program")
    parser.add_argument("--json", default="")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        key = root / "one.key"
        subprocess.run([MEDVEIL, "key", "new", str(key)], check=True, capture_output=True)
        sources = [write_dataset(root / "usual", USUAL), write_dataset(root / "rarer", RARER)]
        if given.data:
            sources += sorted(p for p in given.data.iterdir() if (p / "dataset_description.json").is_file())
        for source in sources:
            for use in (None, key):
                rows.append(
                    released(
                        source, root / f"{source.name}-{'key' if use else 'plain'}", use, given.validator
                    )
                )
                print(f"\n{source.name}, {'with a key' if use else 'without'}")
                for name, value in rows[-1].items():
                    print(f"  {name}: {value}")
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
