"""How many header-heavy MR slices a second: medveil's engine with its search, pydicom alone, and three others.

python benchmarks/metadata/throughput.py FOLDER [--others PYTHON] [--copies N] [--repeats N] [--json FILE]

FOLDER holds one series; its copies get UIDs and patient IDs of their own. PYTHON is the interpreter of an environment
of their own: pip install dicognito deid dicom-anonymizer
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

SEED = 20
FRAMES = 8000
# Each loop reads every file of a folder and writes one; the setup and the imports are not timed.
_TIMED = """
import os, sys, time, warnings
warnings.simplefilter("ignore")
import logging; logging.disable(logging.CRITICAL)
import pydicom
{setup}
files = sorted(os.path.join(sys.argv[1], f) for f in os.listdir(sys.argv[1]))
def one(f, out):
    {work}
sys.stdout, said = open(os.devnull, "w"), sys.stdout
one(files[0], os.path.join(sys.argv[2], "warm.dcm"))
wall, cpu = time.perf_counter(), time.process_time()
for n, f in enumerate(files):
    one(f, os.path.join(sys.argv[2], "%06d.dcm" % n))
print(time.perf_counter() - wall, time.process_time() - cpu, file=said)
"""


def _script(setup: str, work: str) -> str:
    return _TIMED.replace("{setup}", setup).replace("{work}", work)


OTHERS = {
    "dicognito": _script(
        'from dicognito.anonymizer import Anonymizer; a = Anonymizer(seed="20")',
        "d = pydicom.dcmread(f); a.anonymize(d); d.save_as(out)",
    ),
    "dicom-anonymizer": _script(
        "from dicomanonymizer import anonymize_dicom_file", "anonymize_dicom_file(f, out)"
    ),
    "deid": _script(
        "from deid.dicom import replace_identifiers",
        "replace_identifiers(dicom_files=[f], save=True, output_folder=out + '.d', remove_private=True, overwrite=True)",
    ).replace("    replace", "    os.makedirs(out + '.d'); replace"),
}
PYDICOM = _script("", "pydicom.dcmread(f).save_as(out)")


def ours(source: Path, out: Path, searched: bool) -> tuple[float, float]:
    """Wall and CPU seconds of the engine over a folder of series, with the search for the source's identifiers."""
    from pydicom import dcmread

    from medveil.core.secrets import Key
    from medveil.io.identifiers import dicom_identifiers
    from medveil.io.residual import residues
    from medveil.protect.header.dicom.clean import clean
    from medveil.protect.header.dicom.marks import marks
    from medveil.protect.header.dicom.rules import Options
    from medveil.protect.header.dicom.write import to_bytes
    from medveil.protect.header.pseudonyms import Pseudonyms

    names, options = Pseudonyms(Key(bytes(range(32)))), Options()

    def one(path: Path, to: Path) -> None:
        cleaned = clean(dcmread(path), names, options)
        marks(cleaned.dataset, options=options)
        to.write_bytes(to_bytes(cleaned))

    series: dict[str, list[Path]] = {}
    for path in sorted(source.iterdir()):
        series.setdefault(path.name.partition("-")[0], []).append(path)
    first = next(iter(series.values()))[0]
    one(first, out / "warm.dcm")
    dicom_identifiers(first)
    (out / "warm.dcm").unlink()
    wall, cpu = time.perf_counter(), time.process_time()
    for number, paths in series.items():
        folder = out / number
        folder.mkdir()
        for n, path in enumerate(paths):
            one(path, folder / f"{n:06d}.dcm")
        if searched and residues(folder, dicom_identifiers(paths[0])):
            raise SystemExit("an identifier of the source is in the output")
    return time.perf_counter() - wall, time.process_time() - cpu


def copies(folder: Path, out: Path, count: int) -> int:
    """Copies of a series with UIDs and patients of their own; how many files."""
    from pydicom import dcmread

    files = sorted(folder.glob("*.dcm"))
    for n in range(count):
        for k, path in enumerate(files):
            ds = dcmread(path)
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
                setattr(ds, keyword, f"1.3.6.1.4.1.5962.{n}.{len(keyword)}")
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.3.6.1.4.1.5962.{n}.1.{k}"
            ds.PatientID, ds.PatientName = f"MRN{n:06d}", f"Quixworth^Zebulon{n:03d}"
            ds.save_as(out / f"{n:03d}-{k:03d}.dcm")
    return len(files) * count


def film(path: Path) -> int:
    """A synthetic enhanced MR file of many frames, each with functional groups of its own; its bytes."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence

    def item(**what: Any) -> Dataset:
        ds = Dataset()
        for keyword, value in what.items():
            setattr(ds, keyword, value)
        return ds

    ds = item(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1", SOPInstanceUID="1.2.3.4", StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.1", Modality="MR", PatientID="MRN000001", PatientName="Quixworth^Zebulon",
        Rows=64, Columns=64, BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=0, SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", NumberOfFrames=FRAMES, StudyDate="20240301",
    )  # fmt: skip
    ds.PerFrameFunctionalGroupsSequence = Sequence(
        item(
            FrameContentSequence=Sequence([item(FrameAcquisitionDateTime=f"20240301{n // 60 % 24:02d}{n % 60:02d}00",
                                                DimensionIndexValues=[1, n + 1], FrameComments="Quixworth")]),
            PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, n])]),
            PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
            MREchoSequence=Sequence([item(EffectiveEchoTime=30.0)]),
        )
        for n in range(FRAMES)
    )  # fmt: skip
    ds.PixelData = bytes(2 * 64 * 64 * FRAMES)
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds.save_as(path, enforce_file_format=True)
    return path.stat().st_size


def peak(path: Path) -> None:
    """Cleans one file and prints seconds, and peak memory before and after."""
    from pydicom import dcmread

    from medveil.core.secrets import Key
    from medveil.protect.header.dicom.clean import clean
    from medveil.protect.header.dicom.marks import marks
    from medveil.protect.header.dicom.rules import Options
    from medveil.protect.header.dicom.write import to_bytes
    from medveil.protect.header.pseudonyms import Pseudonyms

    def most() -> int:
        line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])

    before, cpu = most(), time.process_time()
    dataset = dcmread(io.BytesIO(path.read_bytes()))
    read = most()
    cleaned = clean(dataset, Pseudonyms(Key(bytes(range(32)))))
    marks(cleaned.dataset, options=Options())
    to_bytes(cleaned)
    print(before, read, most(), time.process_time() - cpu)


def main() -> None:
    """Alternates the tools over the same files and prints the table."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--others", default="")
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", default="")
    parser.add_argument("--ours", nargs=2, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        peak(given.folder)
        return
    if given.ours:
        print(*ours(given.folder, Path(given.ours[0]), given.ours[1] == "searched"))
        return
    own = [sys.executable, "-W", "ignore", __file__]
    tools = {
        "medveil, searched": lambda a, b: [*own, a, "--ours", b, "searched"],
        "medveil, not searched": lambda a, b: [*own, a, "--ours", b, "no"],
        "pydicom, read and save": lambda a, b: [sys.executable, "-c", PYDICOM, a, b],
    }
    if given.others:
        for name, script in OTHERS.items():
            tools[name] = lambda a, b, script=script: [given.others, "-c", script, a, b]  # type: ignore[misc]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in tools}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.mkdir()
        count = copies(given.folder, source, given.copies)
        order = random.Random(SEED)  # noqa: S311 - an order, not a secret
        for _repeat in range(given.repeats):
            for name in order.sample(list(tools), len(tools)):
                with tempfile.TemporaryDirectory() as out:
                    ran = subprocess.run(
                        tools[name](str(source), out), capture_output=True, text=True, check=False
                    )
                    if ran.returncode:
                        raise SystemExit(f"{name}: ended with {ran.returncode}")
                    wall, cpu = map(float, ran.stdout.split()[-2:])
                    taken[name].append((wall, cpu))
        size = film(Path(folder) / "film.dcm")
        ran = subprocess.run(
            [*own, f"{folder}/film.dcm", "--peak"], capture_output=True, text=True, check=True
        )
    before, read, most, seconds = map(float, ran.stdout.split())
    report(taken, count)
    print(
        f"\n{FRAMES} frames, {size / 1e6:.0f} MB: {seconds:.1f} CPU s; peak {(most - before) / size:.2f} x the file "
        f"above the start, {(read - before) / size:.2f} x of it by reading"
    )
    if given.json:
        data = {"files": count, "wall_cpu_s": taken, "film": [size, before, read, most, seconds]}
        Path(given.json).write_text(json.dumps(data, indent=1))


def report(taken: dict[str, list[tuple[float, float]]], count: int) -> None:
    """Files a CPU second, and how often as fast as pydicom in the same repeat: median, least, most."""
    print("| tool | files / CPU s: most, median | files / s: most, median | x pydicom (CPU): median, range |")
    print("|---|---|---|---|")
    base = [cpu for _, cpu in taken["pydicom, read and save"]]
    for name, pairs in taken.items():
        walls, cpus = [w for w, _ in pairs], [c for _, c in pairs]
        ratios = [b / c for b, c in zip(base, cpus, strict=True)]
        print(
            f"| {name} | {count / min(cpus):.0f}, {count / statistics.median(cpus):.0f} "
            f"| {count / min(walls):.0f}, {count / statistics.median(walls):.0f} "
            f"| {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f} |"
        )
    others = [name for name in taken if name in OTHERS]
    if others:
        fastest = min(others, key=lambda name: statistics.median(c for _, c in taken[name]))
        ratios = [o / m for (_, o), (_, m) in zip(taken[fastest], taken["medveil, searched"], strict=True)]
        print(f"\nmedveil, searched: {statistics.median(ratios):.2f} x {fastest}, the fastest of the others "
              f"({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
