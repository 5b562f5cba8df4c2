"""Training: a folder of films in, a model with its card out.

    films ──by person──> train (70 %) ──nn.fit──> network ──count──> statistics ──┐
                         validate (10 %) ── loss curve                            ├──> MODEL.safetensors
                         test (20 %) ── figures, once, at the end ──> model card ─┘   beside it the loss curve, .png

Nobody is on two sides, and the figures of the card are from people the network never saw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from medveil import __version__
from medveil.carry.talk import Silent, Talk
from medveil.core.errors import InputRefused, MissingPackage, Refusal, UsageError
from medveil.core.estimate import Estimate
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io.aside import write_aside
from medveil.io.film_folder import FilmFile, find_films
from medveil.io.films import read_shared
from medveil.measure.fidelity.compare import compare, pool
from medveil.report.loss_curve import loss_curve
from medveil.share.codec.grid import Grid

if TYPE_CHECKING:
    from torch import Tensor, nn

    from medveil.nn.bottleneck import Bottleneck
    from medveil.nn.fit import History

Part = Literal["train", "validate", "test"]
Unit = npt.NDArray[np.float32]
MOST_VALIDATED = 24
SMALL_ERROR = 1e-6  # 60 dB: what is better already does not pull any more


@dataclass(frozen=True)
class TrainingPlan:
    """What to train on, what to train, and where to put it.

    Args:
        films: folder; table: of files and whose they are, see `io.film_folder`.
        target: the model's file; the state of a training that was stopped lies beside it.
        variant, nonzeros: of the network, see `nn.settings.NetSettings`.
        steps, rate, batch, side: of the training, see `nn.fit` and `nn.crops`.
        accelerator, devices, nodes, precision: as Lightning Fabric takes them.
    """

    films: Path
    target: Path
    table: Path | None = None
    variant: Literal["paper", "independent", "progressive"] = "progressive"
    nonzeros: int = 16
    steps: int = 2000
    rate: float = 5e-4
    batch: int = 8
    side: int = 128
    every: int = 100
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: str = "32-true"
    force: bool = False

    def describe(self) -> list[str]:
        """What would be done, in words."""
        return [
            "read the films, and deal the people to train (70 %), validate (10 %) and test (20 %)",
            f"train a {self.variant} network with S_x = {self.nonzeros} for {self.steps} steps",
            "count on the training films which components it chooses",
            "measure on the test films how close images come back, and write that into the model's card",
        ]


@dataclass(frozen=True)
class Trained:
    """What a training ended with."""

    model: Path
    card: dict[str, Any]
    history: History = field(repr=False)


def train(plan: TrainingPlan, talk: Talk | None = None) -> Trained:
    """Train, measure, write.

    Raises:
        InputRefused: no films, films that cannot be read, or of too few people.
        UsageError: settings that make no network; the target exists and `force` is not set.
        MissingPackage: the extra `learn` is not installed.
    """
    talk = talk or Silent()
    if plan.target.exists() and not plan.force:
        raise UsageError("output: exists already", hint="name a new file, or replace it with --force")
    try:
        import torch

        from medveil.nn.bottleneck import Bottleneck
        from medveil.nn.count import count
        from medveil.nn.crops import Crops
        from medveil.nn.fit import FitSettings, fit
        from medveil.nn.settings import NetSettings
        from medveil.nn.weights import pack
    except ImportError:
        raise MissingPackage(
            "torch and lightning-fabric", "training networks", "pip install 'medveil[learn]'"
        ) from None
    torch.manual_seed(plan.seed)
    net = Bottleneck(NetSettings(variant=plan.variant, nonzeros=plan.nonzeros))
    files = find_films(plan.films, plan.table)
    dealt: dict[Part, list[FilmFile]] = {"train": [], "validate": [], "test": []}
    for file in files:
        dealt[part_of(file.group)].append(file)
    if not all(dealt.values()):
        raise InputRefused(
            "films: too few people to train, validate and test",
            hint="20 people and more usually do; each in a folder of their own, or by a table",
        )
    talk.say(f"films: {', '.join(f'{len(found)} to {part}' for part, found in dealt.items())}")
    learn = [film for film in units(dealt["train"]) if min(film.shape) >= plan.side]
    held_out = list(units(dealt["validate"][:: -(-len(dealt["validate"]) // MOST_VALIDATED)]))
    with talk.stage(f"training {plan.variant}, S_x = {plan.nonzeros}") as progress:
        history = fit(
            net,
            loss,
            Crops(learn, plan.side, plan.batch, plan.seed),
            lambda one: mean_psnr(one, held_out),
            FitSettings(plan.steps, plan.rate, every=plan.every),
            state=plan.target.with_name(plan.target.name + ".state"),
            accelerator=plan.accelerator,
            devices=plan.devices,
            nodes=plan.nodes,
            precision=plan.precision,
            told=lambda step, _loss, _figure: progress(step, plan.steps),
        )
    net = net.cpu().eval()
    counts = count(net, (tensor(film) for film in learn))
    card = model_card(plan, net, dealt, figures(net, dealt["test"], Seeds(plan.seed)))
    with write_aside(plan.target, "model") as out:
        out.write(pack(net, counts, card))
    with write_aside(plan.target.with_suffix(".png"), "loss curve") as out:
        out.write(loss_curve(history, "png", loss="log10 of the mean squared error"))
    plan.target.with_name(plan.target.name + ".state").unlink(missing_ok=True)
    return Trained(plan.target, card, history)


def part_of(group: str) -> Part:
    """Which side a person is on: the same one in every training, on every machine."""
    number = int(hashlib.sha256(f"medveil films 1/{group}".encode()).hexdigest(), 16) % 100
    return "train" if number < 70 else "validate" if number < 80 else "test"


def loss(net: nn.Module, batch: Tensor) -> Tensor:
    """Mean over the batch of log10 MSE, which is the mean PSNR turned round; smooth films weigh as much as busy ones."""
    error: Tensor = (net(batch) - batch).square().flatten(1).mean(dim=1)
    return (error + SMALL_ERROR).log10().mean()


def mean_psnr(net: nn.Module, films: Iterable[Unit]) -> float:
    """Mean PSNR over whole films, dB, of images in [0, 1]."""
    out = []
    for film in films:
        image = tensor(film)
        error = (net(image).clamp(0, 1) - image).square().mean()
        out.append(-10 * np.log10(max(float(error), 1e-12)))
    return float(np.mean(out))


def figures(net: Bottleneck, files: Sequence[FilmFile], seeds: Seeds) -> dict[str, Estimate]:
    """Fidelity on whole films, by person: mae, me, rmse, psnr, ssim in [0, 1]."""
    import torch

    people: dict[str, list[dict[str, Estimate]]] = {}
    with torch.inference_mode():
        for file in files:
            for film in units([file]):
                back = net(tensor(film)).clamp(0, 1)[0, 0].numpy()
                pair = (Image(a, np.eye(4), "film") for a in (film, back))
                people.setdefault(file.group, []).append(compare(*pair, data_range=1.0))
    return pool([pool(films, seeds=seeds, rounds=1) for films in people.values()], seeds=seeds)


def units(files: Iterable[FilmFile]) -> Iterable[Unit]:
    """Every slice of the files, numbers scaled to [0, 1] as `codec.primis` does.

    Raises:
        InputRefused: a file that cannot be read, or labels; names its place in the list.
    """
    for number, file in enumerate(files, start=1):
        try:
            image = read_shared(file.path).image
            grid = Grid.of(image)
        except (InputRefused, Refusal) as error:
            raise InputRefused(f"film {number}: {error.message}", hint=error.hint) from None
        for plane in grid.planes(image.data):
            yield grid.scale.to_unit(plane)


def tensor(film: Unit) -> Tensor:
    """(H, W) -> (1, 1, H, W)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(film)).reshape(1, 1, *film.shape)


def model_card(
    plan: TrainingPlan, net: Bottleneck, dealt: dict[Part, list[FilmFile]], found: dict[str, Estimate]
) -> dict[str, Any]:
    """What whoever uses the model should know; goes into its file. No name and no path of a film is in it."""
    every = [f for files in dealt.values() for f in files]
    listed = json.dumps({part: [f.name for f in files] for part, files in dealt.items()}, sort_keys=True)
    return {
        "name": plan.target.name.removesuffix(".safetensors"),
        "made_by": f"medveil {__version__}",
        "settings": net.settings.to_json(),
        "training": {
            "runs": [{"steps": plan.steps, "rate": plan.rate, "batch": plan.batch, "seed": plan.seed}],
            "side": plan.side,
            "loss": "mean of log10 MSE per square",
        },
        "films": {part: len(files) for part, files in dealt.items()},
        "people": {part: len({f.group for f in files}) for part, files in dealt.items()},
        "split_sha256": hashlib.sha256(listed.encode()).hexdigest(),
        "licences": sorted({f.licence for f in every} - {""}),
        "attribution": sorted({f.attribution for f in every} - {""}),
        "held_out": {name: e.to_json() for name, e in found.items()},
        "limits": "lossy; figures hold for films like these, and say nothing of what a diagnosis needs",
    }
