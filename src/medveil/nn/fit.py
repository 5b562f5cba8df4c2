"""Fit: the one training loop.

    batch(step) ──net, loss──> gradient ──Adam, warm-up then cosine──> net      every so often: validate, keep, tell

Lightning Fabric moves it to GPUs, several devices, half precision; nothing here knows about them. A batch depends on
the seed and the step alone and the state is kept after each validation, so a training that was stopped goes on as if
it had not been. State and result are safetensors; nothing is pickled.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medveil.core.errors import InputRefused, OutputFailed, UsageError

Told = Callable[[int, float, float], None]


@dataclass(frozen=True)
class FitSettings:
    """How long and how fast.

    Args:
        steps: of the optimiser.
        rate: largest learning rate; reached after `warm_up` steps, then down to 2 % of it along half a cosine.
        every: steps from one validation to the next.
        clip: largest norm of a gradient; a rare bad batch then does little harm.
    """

    steps: int = 2000
    rate: float = 1e-3
    warm_up: int = 50
    every: int = 100
    clip: float = 1.0

    def __post_init__(self) -> None:
        if min(self.steps, self.every) < 1 or self.warm_up < 0 or not 0 < self.rate < 1 or self.clip <= 0:
            raise UsageError("training: steps and every must be at least 1, and the rate between 0 and 1")

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return self.rate * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)


@dataclass
class History:
    """The loss curve.

    Args:
        steps: at which it was looked at; train: mean loss since the last look; held_out: the validation's figure.
    """

    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)


def fit(
    net: nn.Module,
    loss: Callable[[nn.Module, Tensor], Tensor],
    batch: Callable[[int], Tensor],
    validate: Callable[[nn.Module], float],
    settings: FitSettings,
    *,
    state: Path | None = None,
    accelerator: str = "cpu",
    devices: int = 1,
    nodes: int = 1,
    precision: str = "32-true",
    told: Told | None = None,
) -> History:
    """Train `net` in place.

    Args:
        loss: of a net and a batch, a scalar that carries gradients.
        batch: the batch of a step; each device asks for its own.
        validate: a figure on held-out data, told and kept, never trained on.
        state: file to keep the state in and to go on from; none keeps nothing.
        accelerator, devices, nodes, precision: as Lightning Fabric takes them.
        told: is called with step, training loss and held-out figure after each validation.

    Raises:
        InputRefused: `state` belongs to another net or other settings.
        OutputFailed: the state cannot be written.
    """
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    adam = torch.optim.Adam(net.parameters(), lr=settings.rate)
    history = History()
    wrapped, optimiser = fabric.setup(net, adam)
    first = _resume(net, adam, history, settings, state) if state and state.exists() else 0
    losses: list[float] = []
    for step in range(first, settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate_at(step)
        # Devices draw apart from each other: their batches are numbered through.
        value = loss(wrapped, fabric.to_device(batch(step * fabric.world_size + fabric.global_rank)))
        optimiser.zero_grad()
        fabric.backward(value)
        fabric.clip_gradients(wrapped, optimiser, max_norm=settings.clip)
        optimiser.step()
        losses.append(float(value.detach()))
        if (step + 1) % settings.every == 0 or step + 1 == settings.steps:
            _look(net, validate, history, step + 1, losses)
            losses.clear()
            if fabric.is_global_zero:
                if state:
                    _keep(net, adam, history, settings, state)
                if told:
                    told(step + 1, history.train[-1], history.held_out[-1])
            fabric.barrier()
    return history


def _look(
    net: nn.Module, validate: Callable[[nn.Module], float], history: History, step: int, losses: list[float]
) -> None:
    net.eval()
    with torch.no_grad():
        figure = validate(net)
    net.train()
    history.steps.append(step)
    history.train.append(sum(losses) / len(losses))
    history.held_out.append(figure)


def _keep(
    net: nn.Module, adam: torch.optim.Adam, history: History, settings: FitSettings, state: Path
) -> None:
    from safetensors.torch import save

    tensors = {f"net/{k}": v.detach().cpu().contiguous() for k, v in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        for key, value in adam.state[parameter].items():
            tensors[f"adam/{key}/{name}"] = torch.as_tensor(value).detach().cpu().clone()
    facts = {"settings": json.dumps(asdict(settings)), "history": json.dumps(asdict(history))}
    aside = state.with_name(f".{state.name}.part")
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(save(tensors, facts))
        os.replace(aside, state)
    except OSError:
        aside.unlink(missing_ok=True)
        raise OutputFailed(
            "training: the state cannot be kept", hint="see the permissions of the folder and the free space"
        ) from None


def _resume(
    net: nn.Module, adam: torch.optim.Adam, history: History, settings: FitSettings, state: Path
) -> int:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(state, framework="pt") as file:
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        same = json.loads(facts["settings"]) == asdict(settings)
        past = History(**json.loads(facts["history"]))
        first = past.steps[-1]
        if type(first) is not int or not len(past.steps) == len(past.train) == len(past.held_out):
            raise ValueError
        own = {k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")}
        net.load_state_dict(own)
        moments: dict[str, dict[str, Any]] = {
            name: {key: tensors[f"adam/{key}/{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
            for name, _ in net.named_parameters()
        }
        if any(
            moments[n][k].shape != p.shape
            for n, p in net.named_parameters()
            for k in ("exp_avg", "exp_avg_sq")
        ):
            raise ValueError
    except (SafetensorError, LookupError, ValueError, TypeError, RuntimeError, OSError):
        raise InputRefused(
            "training: the kept state does not belong to this net, or is damaged",
            hint="remove it to begin anew",
        ) from None
    if not same:
        raise InputRefused(
            "training: the kept state was made with other settings",
            hint="give the same ones to go on, or remove it to begin anew",
        )
    for name, parameter in net.named_parameters():
        kept = moments[name]  # Adam wants its count of steps on the CPU, the moments beside the parameter
        adam.state[parameter] = {
            "step": kept.pop("step"),
            **{k: v.to(parameter.device) for k, v in kept.items()},
        }
    history.steps, history.train, history.held_out = past.steps, past.train, past.held_out
    return first
