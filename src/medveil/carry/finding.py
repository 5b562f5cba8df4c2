"""Findings and the files that carry them: the page, the JSON, the manifest, the internal edition."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from medveil import __version__
from medveil.carry import answering, keeping, manifest, tabling
from medveil.carry.auditing import Audit
from medveil.carry.naming import Naming
from medveil.carry.protecting import NOTES, Protected
from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Findings
from medveil.core.inference import Inference
from medveil.core.release import Entry, settings
from medveil.core.seeds import Seeds
from medveil.io.aside import write_aside
from medveil.io.bids import Inventory
from medveil.io.folder import JOURNAL, Staging, sha256
from medveil.io.tables import write_scores, write_tsv
from medveil.measure.fidelity.compare import pool
from medveil.measure.verdict import overall, strongest_words
from medveil.recipe import Recipe, write
from medveil.report.page import Picture, render

PACKAGES = ("numpy", "scipy", "scikit-image", "nibabel", "SimpleITK", "nilearn", "vtk", "dlib-bin")

OF_SCORES = {
    "leak": "On the release, these scores separate people better than guessing.",
    "no evidence of a leak": "On the release, these scores separate people no better than guessing.",
    "attack too weak": answering.TOO_WEAK,
}

REFERENCES = [
    "Schwarz C G et al. Changing the face of neuroimaging research: comparing a new MRI de-facing technique with "
    "popular alternatives. NeuroImage 231:117845, 2021.",
    "Boutet A, Frindel C, Maouche M. Towards an evolution in the characterization of the risk of "
    "re-identification of medical images. IEEE BigData, 2023.",
    "Gomez-Barrero M, Galbally J, Rathgeb C, Busch C. General framework to evaluate unlinkability in biometric "
    "template protection systems. IEEE Trans Inf Forensics Secur 13:1406-1420, 2018.",
    "King D E. Dlib-ml: a machine learning toolkit. J Mach Learn Res 10:1755-1758, 2009.",
    "Mattes D et al. PET-CT image registration in the chest using free-form deformations. IEEE Trans Med Imaging "
    "22:120-128, 2003.",
]


def findings(
    recipe: Recipe,
    inventory: Inventory,
    protected: Protected,
    audit: Audit | None,
    inferences: Sequence[Inference] = (),
    *,
    naming: Naming,
    simulated: str,
) -> Findings:
    """All that the page says, from what each stage brought.

    Args:
        simulated: how the people were made up; empty if they exist.
    """
    attacks = audit.attacks if audit else []
    needs = {a.name: a.needs for a in recipe.pairs}
    verdict = overall(attacks) if attacks else "not measured"
    return Findings(
        title="Release report",
        answer=answering.answer(attacks, [needs[a.attack] for a in attacks], voxels=bool(recipe.steps)),
        verdict=verdict,
        threat=" ".join(dict.fromkeys(a.threat for a in attacks)),
        simulated=bool(simulated),
        cohort={
            **cohort_rows(inventory, protected, audit),
            **({"simulated": simulated} if simulated else {}),
        },
        attacks=attacks,
        steps=[step.describe() for step in recipe.protect],
        step_settings={
            p.name: settings(p)
            for p in (*recipe.protect, *recipe.attack)
            if p in recipe.protect or p in recipe.guesses or (audit and p.name not in audit.unmeasured)
        },
        images=[image_row(e) for e in protected.entries],
        fidelity=fidelity(protected, Seeds(recipe.seed)),
        seed=recipe.seed,
        versions=versions(),
        methods=methods(recipe, attacks),
        names=keeping.told(naming, inventory.layout),
        references=REFERENCES,
        unmeasured=dict(audit.unmeasured) if audit else {},
        strongest=strongest_words(attacks),
        tables=tabling.told(inventory, protected, naming),
        inferences=list(inferences),
    )


def of_scores(attacks: Sequence[AttackFindings], *, seed: int) -> Findings:
    """Findings of a bare score table: no images, no steps, no threat we could describe."""
    verdict = overall(list(attacks))
    return Findings(
        title="Score table",
        answer=OF_SCORES[verdict],
        verdict=verdict,
        threat="",
        simulated=False,
        cohort={},
        attacks=list(attacks),
        seed=seed,
        versions=versions(),
        methods=METRICS,
        references=REFERENCES,
    )


KEPT = {
    "psnr": "whole image, data range from its own darkest value to its 99.9th percentile",
    "changed_share": "share of the voxels that were changed",
}
SHOWN = {  # of what was measured on each image
    "removed_ml": "removed_ml",
    "confidence_peak_ratio": "confidence",
    "motion_max_mm": "motion_max_mm",
    "face_detected_before": "face_detected_before",
    "face_detected_after": "face_detected_after",
    "descriptor_distance": "descriptor_distance",
    "skin_moved_mm": "skin_moved_mm",
    "skin_moved_share": "skin_moved_share",
}

METRICS = [
    "Verification metrics were computed from all probe-gallery pairs: area under the ROC curve (Mann-Whitney), "
    "equal error rate on the convex hull of the ROC, linkability D_sys at omega 1 [3], and closed-set rank-1 with "
    "ties counted against the attacker.",
    "Intervals are 95 % bootstrap intervals over subjects (both sides of a pair belong to one draw): percentile "
    "intervals, and basic ones for metrics that small samples bias; "
    "chance was estimated by random derangements of the subjects, and p values by random permutations.",
]


def methods(recipe: Recipe, attacks: Sequence[AttackFindings]) -> list[str]:
    """Sentences for the methods section of a paper."""
    steps = "; then ".join(step.describe() for step in recipe.protect)
    said = [
        f"Images were protected with medveil {__version__}: {steps}.",
        "Every written file was read again and compared with its source voxel by voxel.",
    ]
    if recipe.steps:
        said.append(
            "Heads were located by registering the MNI152 brain template with mutual information [5]."
        )
    if attacks:
        names = {a.attack for a in attacks}
        ran = [a for a in recipe.pairs if a.name in names]
        tried = "; ".join(f"({n}) {a.describe()}" for n, a in enumerate(ran, start=1))
        said.append(
            "Re-identification was attempted on the original and on the released images [1, 2] in "
            f"{len(ran)} ways: {tried}. Faces were found and described with dlib [4]."
        )
        said += METRICS
    return said


def cohort_rows(inventory: Inventory, protected: Protected, audit: Audit | None) -> dict[str, str]:
    """The cohort table: counts only."""
    contrasts = Counter(r.contrast or "unknown" for r in inventory.cohort)
    rows = {
        "subjects": str(len(inventory.cohort.subjects)),
        "images": str(len(inventory.cohort)),
        "contrasts": ", ".join(f"{n} {c}" for c, n in sorted(contrasts.items())),
        "released images": str(len(protected.cohort)),
        "refused images": str(len(protected.refused)),
    }
    if inventory.skipped:
        rows["other files left out"] = str(len(inventory.skipped))
    for kind, count in (audit.candidates if audit else {}).items():
        rows[f"candidates, {kind}"] = count
    return rows


def fidelity(protected: Protected, seeds: Seeds) -> dict[str, Estimate]:
    """What the released images kept: mean over subjects, with an interval over subjects."""
    by_subject: dict[str, list[Entry]] = {}
    for entry in protected.entries:
        if entry.state == "protected":
            by_subject.setdefault(entry.subject, []).append(entry)
    return pool([_mean(entries) for entries in by_subject.values()], seeds=seeds)


def _mean(entries: Sequence[Entry]) -> dict[str, Estimate]:
    def mean(key: str) -> float | None:
        values = [e.measured[key] for e in entries if key in e.measured]
        return sum(values) / len(values) if values else None

    return {
        "psnr": Estimate("psnr", mean("psnr_db"), n=1, unit="dB", better="higher", note=KEPT["psnr"]),
        "changed_share": Estimate("changed_share", mean("changed_share"), n=1, note=KEPT["changed_share"]),
    }


def image_row(entry: Entry) -> dict[str, Any]:
    """What the page says of one image; labels are those of the release."""
    return {
        "subject": entry.subject,
        "name": entry.name,
        "state": entry.state,
        "reason": entry.reason,
        "measured": {name: entry.measured[key] for key, name in SHOWN.items() if key in entry.measured},
        "proofs": dict(entry.proofs),
        "remarks": list(entry.remarks),
    }


def versions() -> dict[str, str]:
    """medveil, Python and the packages whose version can change a number."""
    found = {"medveil": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def publish(found: Findings, recipe: Recipe, protected: Protected, staging: Staging, naming: Naming) -> None:
    """Write what may leave the house: the page, the findings, the recipe, and last the manifest of all files."""
    put(staging.folder / "report.html", render(found))
    put(staging.folder / "findings.json", to_text(found.to_json()))
    put(staging.folder / "recipe.toml", write(recipe))
    files = {place: sha256(staging.folder / place) for place in released_files(staging)}
    document = manifest.manifest(
        files,
        protected.entries,
        recipe.protect,
        found.versions,
        key=naming.key.label if naming.key else "",
        stage=naming.stage,
    )
    put(staging.folder / manifest.NAME, to_text(document))


def released_files(staging: Staging) -> list[str]:
    """Places of all files of the release so far; what the journal keeps for itself is not among them."""
    places = (p.relative_to(staging.folder) for p in staging.folder.rglob("*") if p.is_file())
    return sorted(p.as_posix() for p in places if p.parts[0] not in (JOURNAL, str(NOTES)))


def keep_inside(
    folder: Path, found: Findings, drawn: Sequence[Picture], audit: Audit | None, protected: Protected
) -> None:
    """Write what must not leave: the page with faces, the scores with names, which file became which.

    The crosswalk also holds the SHA-256 of every source: in a release it would link a copy to its original.
    """
    put(folder / "report.html", render(found, pictures=drawn, internal=True))
    if audit:
        write_scores(audit.claims, folder / "scores.csv")
    rows = [
        {
            "source": str(record.place),
            "subject": record.subject,
            "release": str(place),
            "source_sha256": protected.contents[place],
        }
        for place, record in protected.originals.items()
    ]
    write_tsv(rows, folder / "crosswalk.tsv", ["source", "subject", "release", "source_sha256"])


def put(path: Path, text: str) -> None:
    """Write a text file, complete or not at all."""
    with write_aside(path, "report") as file:
        file.write(text.encode("utf-8"))


def to_text(data: Any) -> str:
    """JSON with an end of line; refuses not-a-number, which is not JSON."""
    return json.dumps(data, indent=1, allow_nan=False) + "\n"
