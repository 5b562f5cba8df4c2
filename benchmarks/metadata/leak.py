"""How many of the planted markers come out: medveil's engine beside dicognito, deid and dicom-anonymizer.

python benchmarks/metadata/leak.py [--others PYTHON] [--json FILE]

PYTHON is the interpreter of an environment of their own: pip install dicognito deid dicom-anonymizer
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from pathlib import Path

from medveil.carry import canary
from medveil.core.secrets import Key
from medveil.measure.leak.table import summed

SEED = 20
# What the engine declares to keep of acquisition facts (`protect.header.dicom.allowed`, and times where dates move).
ALLOWED = (
    "ManufacturerModelName", "SoftwareVersions", "SequenceName", "ReceiveCoilName", "StudyTime", "SeriesTime",
    "AcquisitionTime", "ContentTime", "InstanceCreationTime",
)  # fmt: skip
# Each tool gets one file at a time through its own Python interface, so that a file it can't take stops no other.
_EACH = """
import os, pathlib, sys
files = sorted(p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file())
os.makedirs(sys.argv[2])
{setup}
for n, f in enumerate(map(str, files)):
    out = f"{sys.argv[2]}/{n:03d}.dcm"
    try:
        {work}
    except Exception as error:
        print("refused", type(error).__name__)
"""
OTHERS = {
    "dicognito": _EACH.replace(
        "{setup}", 'import pydicom; from dicognito.anonymizer import Anonymizer; a = Anonymizer(seed="20")'
    ).replace("{work}", "d = pydicom.dcmread(f); a.anonymize(d); d.save_as(out)"),
    "dicom-anonymizer": _EACH.replace("{setup}", "from dicomanonymizer import anonymize_dicom_file").replace(
        "{work}", "anonymize_dicom_file(f, out)"
    ),
    "deid": _EACH.replace("{setup}", "from deid.dicom import replace_identifiers").replace(
        "{work}",
        "os.makedirs(out); replace_identifiers(dicom_files=[f], save=True, output_folder=out, remove_private=False)",
    ),
}
OTHERS["deid, private removed"] = OTHERS["deid"].replace("remove_private=False", "remove_private=True")


def ours(source: Path, out: Path) -> None:
    """The engine over a folder: each file cleaned, or left out with a reason."""
    from pydicom import dcmread

    from medveil.protect.header.dicom.clean import clean
    from medveil.protect.header.dicom.quarantine import Quarantine
    from medveil.protect.header.dicom.write import to_bytes
    from medveil.protect.header.pseudonyms import Pseudonyms

    names = Pseudonyms(Key(bytes(range(32))))
    out.mkdir(parents=True)
    for number, path in enumerate(sorted(p for p in source.rglob("*") if p.is_file())):
        try:
            raw = to_bytes(clean(dcmread(io.BytesIO(path.read_bytes()), force=True), names))
        except Quarantine as error:
            print("refused:", error.reason)
            continue
        (out / f"{number:03d}.dcm").write_bytes(raw)


def main() -> None:
    """Plant, run each tool, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", default="")
    parser.add_argument("--json", default="")
    parser.add_argument("--ours", nargs=2, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        ours(Path(given.ours[0]), Path(given.ours[1]))
        return
    commands = {
        "medveil": [sys.executable, "-W", "ignore", __file__, "--ours", "{in}", "{out}"],
    }
    if given.others:
        commands |= {
            name: [given.others, "-W", "ignore", "-c", script, "{in}", "{out}"]
            for name, script in OTHERS.items()
        }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        canary.make(root / "in", formats=["dicom"], seed=SEED)
        scored = {}
        for name, command in commands.items():
            # Every tool is granted the places that ours declares, so that columns can be compared.
            scored[name] = canary.score(
                root / name,
                root / "canaries.json",
                allowed=ALLOWED,
                command=command,
                source=root / "in",
            )
    print("\n".join(summed({name: s.table for name, s in scored.items()})))
    for name, s in scored.items():
        data = s.to_json()
        print(f"\n{name}: exit {s.exit_code}, clean {s.is_clean}, allowed {s.table.total.allowed}, "
              f"missing files {len(s.table.missing_files)}, printed {s.printed}")  # fmt: skip
        print("  actions " + ", ".join(f"{k} {v['passed']}/{v['asked']}" for k, v in data["actions"].items()))
        for row in data["failed_actions"]:
            print(f"  failed {row['kind']}: {row['reason']} ({row['count']})")
        if name == "medveil":
            for what, found in (("leaked", s.table.leaked), ("allowed", s.table.allowed)):
                print("\n".join(f"  {what} {m.group}: {m.place}" for m in found))
    if given.json:
        Path(given.json).write_text(json.dumps({name: s.to_json() for name, s in scored.items()}, indent=1))


if __name__ == "__main__":
    main()
