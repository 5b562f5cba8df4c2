"""medveil share: let only chosen people read an image, each at the quality they were granted."""

from __future__ import annotations

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from medveil.cli import options
from medveil.cli.talk import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "share"

app = typer.Typer(
    name=NAME,
    help="Let only chosen people read an image, each at the quality they were granted: keys, codes, grants.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

CodeFile = Annotated[
    Path, typer.Argument(help="Code, NAME.mvc; its key files lie beside it in NAME.mvc.keys.")
]
Recipients = Annotated[
    list[str],
    typer.Option(
        "--recipient",
        help="Public key file of somebody (age or SSH), with :LEVEL for those who get less than all; may be given "
        "several times.",
    ),
]
Identity = Annotated[
    Path | None, typer.Option("--identity", help="Your private key file (age or SSH), readable by you alone.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", help="For primis: a model that comes with medveil, or a file of `medveil share train`."
    ),
]
ForceFile = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]


class Mode(StrEnum):
    """What is hidden."""

    seal = "seal"
    obfuscate = "obfuscate"


class CodecChoice(StrEnum):
    """What makes levels of an image."""

    jpeg2000 = "jpeg2000"
    primis = "primis"


class Variant(StrEnum):
    """Layouts of a network."""

    paper = "paper"
    independent = "independent"
    progressive = "progressive"


@app.command("keygen")
def keygen(
    to: Annotated[
        Path, typer.Option("--to", help="New file for the private key; TO.pub gets the public one.")
    ],
    json: options.Json = False,
) -> int:
    """Make a key pair: TO for you alone, TO.pub for whoever wants to share with you.

    The name of TO.pub is the label of your grants. Keys of SSH (ed25519, or RSA of 2048 bits and more) serve as well.
    """
    from medveil.carry import sharing

    return _tell(sharing.keygen(to), json)


@app.command("encode")
def encode(
    image: Annotated[
        Path,
        typer.Argument(
            help="PNG, JPEG, DICOM, NIfTI, MGH or NRRD, grey, up to 16 bits; or a folder of them."
        ),
    ],
    to: Annotated[
        Path, typer.Option("--to", help="New code, NAME.mvc; for a folder of images a new folder.")
    ],
    recipient: Recipients = [],
    mode: Annotated[
        Mode, typer.Option("--mode", help="seal is encryption; obfuscate (the PRIMIS paper's) is not.")
    ] = Mode.seal,
    codec: Annotated[
        CodecChoice | None,
        typer.Option(
            "--codec", help="jpeg2000 (exact bits; the default) or primis (lossy; needs medveil[learn])."
        ),
    ] = None,
    public: Annotated[int, typer.Option("--public", min=0, help="How many levels anyone can read.")] = 0,
    model: Model = None,
    decoys: Annotated[
        int | None,
        typer.Option(
            "--decoys", min=1, help="For obfuscate: decoys at each site; default: 3 times the true ones."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="For obfuscate: your site's key file, from `medveil key new`."),
    ] = None,
    without_tags: Annotated[
        bool, typer.Option("--without-tags", help="Leave all else that stands in the file behind.")
    ] = False,
    keep_names: Annotated[
        bool,
        typer.Option("--keep-names", help="Of a folder: name codes after their files. They may name people."),
    ] = False,
    jobs: options.Jobs = options.DEFAULT_JOBS,
    force: ForceFile = False,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> int:
    """Encode an image for chosen people: a code that anyone may store, and beside it one key file a person.

    Recipients without :LEVEL get the exact image, its tags (all else that stood in the file), and may grant on; give
    your own public key so. Level 1 is the coarsest. The code says nothing of the file it was made of but its size,
    geometry and how it is shown.
    """
    from medveil.carry.sharing import Plan, encoding

    plan = Plan(
        source=image,
        target=to,
        recipients=tuple(recipient),
        mode=mode.value,
        codec=None if codec is None else codec.value,
        model=model,
        public=public,
        decoys=decoys,
        key=key,
        tags=not without_tags,
        force=force,
        keep_names=keep_names,
        jobs=jobs,
    )
    if dry_run:
        return _say(encoding.describe(plan), json)
    done = encoding.encode(plan, Terminal(quiet=json))
    _tell(done, json)
    return 4 if getattr(done, "refused", None) else 0


@app.command("grant")
def grant(
    code: CodeFile,
    identity: Annotated[Path, typer.Option("--identity", help="Your private key file.")],
    recipient: Recipients = [],
    level: Annotated[
        int | None,
        typer.Option("--level", help="Finest level they get; default: yours. 1 is the coarsest."),
    ] = None,
    with_tags: Annotated[bool, typer.Option("--with-tags", help="Let them read the tags too.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the key file of somebody who has one.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Let others read a code, at most at the level you hold. Writes key files; the code is not touched.

    To withdraw a grant, delete the key file. Whoever opened the image before keeps what they had.
    """
    from medveil.carry import sharing

    return _tell(sharing.grant(code, identity, recipient, level=level, tags=with_tags, force=force), json)


@app.command("open")
def open_(
    code: CodeFile,
    to: Annotated[Path, typer.Option("--to", help="New image: .png, .dcm, .nii.gz, ...")],
    identity: Identity = None,
    level: Annotated[
        int | None, typer.Option("--level", help="Stop at this level; default: the finest you may read.")
    ] = None,
    windowed: Annotated[
        bool,
        typer.Option("--windowed", help="Write an 8-bit PNG as a viewer shows it, not the stored numbers."),
    ] = False,
    model: Model = None,
    force: ForceFile = False,
    json: options.Json = False,
) -> int:
    """Open a code into an image, at the quality that was granted to you. Without --identity: what is public.

    Everything that your key vouches for is verified. If the tags were granted, they are put back; a DICOM file comes
    back as it was.
    """
    from medveil.carry import sharing

    opened = sharing.open_code(
        code, to, identity=identity, level=level, model=model, windowed=windowed, force=force
    )
    return _tell(opened, json)


@app.command("info")
def info(
    code: CodeFile,
    identity: Identity = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            help="The image it was made of: say how close each level comes to it, and what JPEG 2000 needs for that.",
        ),
    ] = None,
    model: Model = None,
    json: options.Json = False,
) -> int:
    """Say what a code is: its levels and their sizes, who holds a key file, and what is open to you."""
    from medveil.carry import sharing

    return _tell(sharing.info(code, identity=identity, source=source, model=model), json)


@app.command("audit")
def audit(
    codes: Annotated[
        Path, typer.Argument(help="Code, NAME.mvc, or a folder of codes; key files lie beside them.")
    ],
    identity: Annotated[
        Path,
        typer.Option("--identity", help="Private key file of whoever made them: it opens what they hide."),
    ],
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            help="The image, or a folder with all images, they were made of: compare pictures with these.",
        ),
    ] = None,
    others: Annotated[
        Path | None,
        typer.Option(
            "--others", help="Films of other people, OTHERS/<person>/*.png, for attacks that learn."
        ),
    ] = None,
    attack: Annotated[
        list[str],
        typer.Option(
            "--attack",
            help="Attack to try beside floors and statistics (see: medveil list attack); repeatable.",
        ),
    ] = [],
    settings: Annotated[
        list[str],
        typer.Option("--set", help="One setting of an attack: decode.by_frequency.values=false; repeatable."),
    ] = [],
    without_control: Annotated[
        bool,
        typer.Option("--without-control", help="Do not try attacks that find nothing on unprotected codes."),
    ] = False,
    model: Model = None,
    fail_if: Annotated[
        list[str],
        typer.Option(
            "--fail-if",
            help="End with exit code 1 if true of any attack: 'auc>0.6', 'psnr.high>20', 'found-chance>0.1'; repeatable.",
        ),
    ] = [],
    seed: options.Seed = 0,
    json: options.Json = False,
) -> int:
    """Attack codes of your own, and say how far each attack gets without a key. Sends nothing anywhere.

    You give the identity that opens everything, since only who knows the truth can tell how close an attack came; the
    attacks themselves see what anybody sees.
    """
    from medveil.carry import sharing
    from medveil.carry.limits import Limit
    from medveil.cli.release import over_the_limit

    limits = [Limit.parse(text) for text in fail_if]
    plan = sharing.AuditPlan(
        codes=codes,
        identity=identity,
        source=source,
        others=others,
        model=model,
        attacks=tuple(attack),
        settings=tuple(settings),
        control=not without_control,
        seed=seed,
    )
    found = sharing.audit(plan, Terminal(quiet=json))
    _tell(found, json)
    over = [line for limit in limits for line in limit.among(found.held())]
    over_the_limit(over)
    return 1 if over else 0


@app.command("train")
def train(
    films: Annotated[Path, typer.Argument(help="Folder of films: FILMS/<person>/*.png, or see --table.")],
    to: Annotated[Path, typer.Option("--to", help="New model, NAME.safetensors.")],
    table: Annotated[
        Path | None,
        typer.Option("--table", help="CSV or TSV with columns file and group (whose film it is)."),
    ] = None,
    sparsity: Annotated[
        int, typer.Option("--sparsity", min=1, help="S_x: components kept at each site of each level.")
    ] = 16,
    variant: Annotated[
        Variant, typer.Option("--variant", help="Layout of the network.")
    ] = Variant.progressive,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of the optimiser.")] = 2000,
    seed: options.Seed = 0,
    accelerator: Annotated[str, typer.Option("--accelerator", help="auto, cpu, cuda or mps.")] = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="Devices of each machine.")] = 1,
    num_nodes: Annotated[int, typer.Option("--num-nodes", min=1, help="Machines.")] = 1,
    precision: Annotated[
        str, typer.Option("--precision", help="32-true, 16-mixed or bf16-mixed.")
    ] = "32-true",
    force: ForceFile = False,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> int:
    """Train a model for --codec primis on films of your own. Needs medveil[learn]. A stopped training goes on.

    Nobody is on two sides of the split, and the figures of the model's card are from people it never saw.
    """
    from medveil.carry import training

    plan = training.TrainingPlan(
        films=films,
        target=to,
        table=table,
        variant=variant.value,
        nonzeros=sparsity,
        steps=steps,
        seed=seed,
        accelerator=accelerator,
        devices=devices,
        nodes=num_nodes,
        precision=precision,
        force=force,
    )
    if dry_run:
        return _say(plan.describe(), json)
    trained = training.train(plan, Terminal(quiet=json))
    if json:
        typer.echo(json_module.dumps(trained.card))
    else:
        found = trained.card["held_out"]
        figures = ", ".join(f"{name} {e['value']:.4g}" for name, e in found.items())
        typer.echo(f"model written; on films of people it never saw: {figures}")
    return 0


class _Answer(Protocol):
    def to_json(self) -> dict[str, Any]: ...

    def lines(self) -> list[str]: ...


def _tell(answer: _Answer, json: bool) -> int:
    typer.echo(json_module.dumps(answer.to_json()) if json else "\n".join(answer.lines()))
    return 0


def _say(lines: Sequence[str], json: bool) -> int:
    typer.echo(json_module.dumps({"would": list(lines)}) if json else "\n".join(lines))
    return 0
