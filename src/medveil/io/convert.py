"""DICOM to NIfTI, through dcm2niix: the program that most imaging people convert with.

    one person's folder ──dcm2niix──> aside ──rename──> OUT/series-003_echo-1.nii.gz  .json  .bval  .bvec

It is asked for as few words of the patient as it can be, and not trusted with any: names come from numbers and are given
anew afterwards, and what it prints (names, paths) is never read. What comes out is as identifying as what went in:
sidecars keep hospital, serial number and time of day even with -ba y, and are cleaned like any others on release.
Options: its own help, version 1.0.20260724.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import warnings
from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.io.aside import PREFIX, failed
from medveil.io.nifti import looks_like_dicom

INSTALL = "pip install 'medveil[convert]'  (or: pip install dcm2niix)"
TIMEOUT_S = 3600
_SUFFIXES = (".nii.gz", ".nii", ".json", ".bval", ".bvec")
_NAME = re.compile(r"s(\d{1,9})_e(\d{1,9})(?![0-9]).*", re.ASCII)
_WHOSE = ["PatientID", "SOPClassUID"]
_SAID = [
    "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "BurnedInAnnotation", "ConversionType", "ImagePositionPatient",
    "ImageType", "LossyImageCompression", "Modality", "PatientAge", "PatientBirthDate", "PatientSex",
    "PerFrameFunctionalGroupsSequence", "PhotometricInterpretation", "SOPClassUID", "StudyDate",
]  # fmt: skip
_OPTIONS = (
    *("-g", "i"),  # first: no defaults out of the user's home
    *("-b", "y", "-ba", "y"),  # sidecars, without dates and names
    *("-z", "y"),  # compressed; it does so itself where no pigz is on PATH, and none is
    *("-d", "9"),  # as deep as it goes
    *("-q", "n", "-v", "n"),
    *("-f", "s%s_e%e"),  # series and echo number: no words of anybody
)


def convert(folder: Path, to: Path) -> None:
    """Convert the DICOM files of one person into a new folder of NIfTI images, sidecars and gradient tables.

    Args:
        folder: holds one person's files, at any depth; a folder of many people is refused.
        to: is made; appears when all is done, or not at all.

    Raises:
        MissingPackage: dcm2niix is not installed.
        UsageError: `to` is there already, or is `folder` or lies in it.
        InputRefused: no DICOM, more than one person, the program failed, was too slow or converted only a part.
        OutputFailed: permissions, disk full.
    """
    command = program()
    if os.path.lexists(to):
        raise UsageError("output: exists already", hint="name a new folder")
    if to.resolve().is_relative_to(folder.resolve()):
        raise UsageError("output: lies inside the input", hint="name a new folder outside the input")
    _refuse_many_people(folder)
    aside = to.parent / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        aside.mkdir(parents=True)
        (aside / "raw").mkdir()
        _run(command, folder, aside / "raw")
        (aside / "named").mkdir()
        _rename(aside / "raw", aside / "named")
        os.rename(aside / "named", to)
    except OSError as error:
        raise failed("output folder", error) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def headers(paths: Sequence[Path]) -> list[Any]:
    """What a conversion loses of each file: whose it is, when it was made, and what it says of text in its pixels.

    Returns:
        pydicom datasets with these elements.

    Raises:
        InputRefused: a file cannot be parsed.
    """
    from pydicom import config, dcmread

    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            return [dcmread(p, stop_before_pixels=True, specific_tags=list(_SAID), force=True) for p in paths]
        except Exception:  # noqa: BLE001 - pydicom raises what it likes, and its words may hold values
            raise InputRefused("dicom: a file is damaged") from None


def program() -> str:
    """Path of dcm2niix.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        return str(import_module("dcm2niix").bin)
    except ImportError:
        raise MissingPackage("dcm2niix", "converting DICOM to NIfTI", INSTALL) from None


def _refuse_many_people(folder: Path) -> None:
    """One subject's images must not be mixed with another's, and the program looks at series only."""
    from pydicom import dcmread

    people = set()
    if not folder.is_dir():
        raise InputRefused("dicom: the folder is not there")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            with open(path, "rb") as file:
                if not looks_like_dicom(file.read(140)):
                    continue
            said = dcmread(path, stop_before_pixels=True, specific_tags=_WHOSE, force=True)
            if said:  # else a DICOMDIR
                people.add(str(said.get("PatientID", "")).strip())
        except OSError:
            raise InputRefused("dicom: a file could not be read") from None
        except Exception:  # noqa: BLE001 - pydicom raises what it likes, and its words may hold values
            raise InputRefused("dicom: a file is damaged") from None
    if not people:
        raise InputRefused("dicom: the folder holds no DICOM file")
    if len(people) > 1:
        raise InputRefused("dicom: holds images of more than one person", hint="one folder a person")


def _run(command: str, folder: Path, to: Path) -> None:
    words = [command, *_OPTIONS, "-o", str(to.resolve()), str(folder.resolve())]
    quiet = subprocess.DEVNULL  # it prints names and paths
    # Of the environment only what Windows needs to start anything: no PATH, so no other program is called.
    environment = {key: os.environ[key] for key in ("SYSTEMROOT", "TEMP", "TMP") if key in os.environ}
    try:
        ended = subprocess.run(  # noqa: S603 - argv is a fixed list and two absolute paths, no shell
            words, stdin=quiet, stdout=quiet, stderr=quiet, timeout=TIMEOUT_S, check=False, cwd=to,
            env={**environment, "PATH": ""},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InputRefused(f"dicom: dcm2niix did not end within {TIMEOUT_S} s") from None
    except OSError:
        raise InputRefused("dicom: dcm2niix could not be started", hint=INSTALL) from None
    if ended.returncode != 0:
        raise InputRefused(
            f"dicom: dcm2niix ended with code {ended.returncode}, nothing was kept",
            hint="run it by hand on this folder to see why",
        )


def _rename(raw: Path, to: Path) -> None:
    """Give every image a name of numbers alone, and those beside it the same one."""
    by_stem: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted(raw.iterdir()):
        suffix = next((s for s in _SUFFIXES if path.name.endswith(s)), None)
        if suffix is not None and path.is_file() and not path.is_symlink():
            by_stem[path.name.removesuffix(suffix)][suffix] = path
    taken: dict[str, int] = defaultdict(int)
    for stem, files in sorted(by_stem.items()):
        if not {".nii.gz", ".nii"} & files.keys():  # it leaves what is too large for its gzip unpacked
            continue
        match = _NAME.fullmatch(stem)
        name = f"series-{int(match[1]):03d}_echo-{int(match[2])}" if match else "series-000_echo-0"
        taken[name] += 1
        name += f"_part-{taken[name]}" if taken[name] > 1 else ""
        for suffix, path in files.items():
            os.rename(path, to / f"{name}{suffix}")
    if not taken:
        raise InputRefused("dicom: dcm2niix found no image to convert")
