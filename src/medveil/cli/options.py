"""Options that several verbs share, declared once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path,
    typer.Argument(
        help="BIDS folder, any folder of NIfTI, MGH or NRRD files, a folder of DICOM, or one file."
    ),
]
Photos = Annotated[
    Path | None,
    typer.Option(
        "--photos", help="Photographs the attacker may own: PHOTOS/<subject>/*.jpg or PHOTOS/<subject>.jpg."
    ),
]
Scans = Annotated[
    Path | None,
    typer.Option(
        "--scans",
        help="Other head scans of the same people that the attacker may own: a folder like the input, its "
        "subjects named alike; a participants.tsv in it is what the attacker knows of them.",
    ),
]
Others = Annotated[
    Path | None,
    typer.Option(
        "--others", help="Head scans of other people, for attacks that learn; a folder like the input."
    ),
]
OthersPhotos = Annotated[
    Path | None,
    typer.Option("--others-photos", help="Photographs of those other people, labelled as their scans are."),
]
RecipeFile = Annotated[
    Path | None, typer.Option("--recipe", help="TOML file with steps, attacks and settings.")
]
Steps = Annotated[
    list[str], typer.Option("--step", help="A protection to apply (see: medveil list protect).")
]
Settings = Annotated[
    list[str], typer.Option("--set", help="One setting: part.setting=value, e.g. deface.erase.forehead=true.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes to use.")]
Given = Annotated[
    Path | None,
    typer.Option(
        "--given",
        help="Folder with what you know of images, named after them: sub-01_T1w_brain.nii.gz and "
        "sub-01_T1w_keep.nii.gz (masks on the image's grid), sub-01_T1w_to-mni.txt (4x4, RAS mm to MNI mm), "
        "sub-01_T1w_landmarks.json (RAS mm); in the image's own subfolder, or flat.",
    ),
]
SaveMasks = Annotated[
    bool,
    typer.Option(
        "--save-masks", help="Keep a mask of each image in TO-internal/masks: 1 altered, 2 protected."
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="Key file that gives people and UIDs new names and moves their dates, alike in every release made "
        "with it. Made if it is not there; must lie outside TO. For DICOM the default is TO.key; otherwise "
        "labels stay.",
    ),
]
Stage = Annotated[
    int,
    typer.Option(
        "--stage",
        min=1,
        max=2,
        help="1 on originals; 2 on a release that another key made, so that it takes both keys to go back.",
    ),
]
Attacks = Annotated[
    list[str],
    typer.Option("--attack", help="Attack to run beside the recipe's (see: medveil list attack)."),
]
Infer = Annotated[
    list[str],
    typer.Option(
        "--infer",
        help="Also try to guess this column of participants.tsv (sex, age, group, ...) from the images; may be "
        "given several times.",
    ),
]
FAIL_IF = (
    "End with exit code 1 if true of the release: 'linkability>0.1', 'linkability.high>0.1', "
    "'linkability-chance>0.1'; may be given several times."
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output folder.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Root seed of everything random.")]


# Two processes, or one on a single core: a head and its renderer want about 1.5 GB each.
DEFAULT_JOBS = min(2, os.cpu_count() or 1)
