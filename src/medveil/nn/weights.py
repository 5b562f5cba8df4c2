"""Weights: a trained network as one safetensors file, read without running anything that is in it.

    net/<name>           float32   the parameters
    statistics/at        uint32    where the counts below lie in the flattened (L, M, 2 Q) array
    statistics/count     uint32    how often a component took a value, where ever
    statistics/sites     int64 (1) sites that were counted
    metadata             format, version, settings and model card, as JSON text

A file is known by the SHA-256 of its bytes: a code names it, and opens with no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.nn.bottleneck import Bottleneck
from medveil.nn.count import Counts
from medveil.nn.settings import NetSettings

FORMAT, VERSION = "medveil.net", 1
MOST_BYTES = 1 << 28
MOST_COUNTS = 1 << 24


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A network that was trained, and what a code needs to know about it.

    Args:
        net: in evaluation mode.
        counts: on its training images; the entropy coder and the decoys take their model from here.
        card: the model card: data, licence, how it was trained, figures.
        digest: SHA-256 of its file, hexadecimal.
    """

    net: Bottleneck
    counts: Counts
    card: Mapping[str, Any]
    digest: str

    @property
    def settings(self) -> NetSettings:
        """The shape of the network."""
        return self.net.settings

    def __repr__(self) -> str:
        return f"Model({self.settings.variant}, S_x={self.settings.nonzeros}, {self.digest[:8]})"


def pack(net: Bottleneck, counts: Counts, card: Mapping[str, Any]) -> bytes:
    """A network as the bytes of its file; the same network gives the same bytes."""
    from safetensors.torch import save

    at = np.flatnonzero(counts.values)
    tensors = {f"net/{k}": v.detach().cpu().contiguous() for k, v in net.state_dict().items()}
    tensors["statistics/at"] = torch.from_numpy(at.astype(np.uint32))
    tensors["statistics/count"] = torch.from_numpy(counts.values.ravel()[at].astype(np.uint32))
    tensors["statistics/sites"] = torch.tensor([counts.sites])
    facts = {"settings": net.settings.to_json(), "card": dict(card)}
    told = {k: json.dumps(v, sort_keys=True, ensure_ascii=True) for k, v in facts.items()}
    return _sorted(save(tensors, {"format": FORMAT, "version": str(VERSION), **told}))


def unpack(data: bytes) -> Model:
    """A network from the bytes of its file.

    Raises:
        InputRefused: not such a file, a newer version, or tensors that do not fit its settings.
        MissingPackage: safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError:
        raise MissingPackage("safetensors", "trained networks", "pip install 'medveil[learn]'") from None
    facts = _facts(data)
    if facts["version"] != str(VERSION):
        raise InputRefused(
            "model: is of a newer version of the format", hint="install a newer version of medveil"
        )
    try:
        s = NetSettings.from_json(json.loads(facts["settings"]))
        card = json.loads(facts["card"])
        tensors = load(data)
        with torch.device("meta"):  # no memory is taken on the word of a file, and nothing is drawn
            net = Bottleneck(s)
        net.load_state_dict(
            {k[4:]: tensors.pop(k).clone() for k in list(tensors) if k.startswith("net/")}, assign=True
        )
        counts = _counts(tensors, s)
    except (
        SafetensorError, KeyError, ValueError, TypeError, IndexError, RuntimeError, AttributeError, RecursionError,
        UsageError,
    ):  # fmt: skip
        raise _strange() from None
    sound = all(p.dtype == torch.float32 and torch.isfinite(p).all() for p in net.parameters())
    if not sound or not isinstance(card, dict):
        raise _strange()
    return Model(net.eval().requires_grad_(False), counts, card, hashlib.sha256(data).hexdigest())


def _counts(tensors: Mapping[str, torch.Tensor], s: NetSettings) -> Counts:
    """The statistics, which must add up: S_x components at every site of every level."""
    at, times, sites = (tensors[f"statistics/{k}"].numpy() for k in ("at", "count", "sites"))
    size = s.levels * s.atoms * 2 * s.steps
    if at.dtype != np.uint32 or times.dtype != np.uint32 or sites.shape != (1,) or size > MOST_COUNTS:
        raise ValueError
    values = np.zeros(size, dtype=np.int64)
    values[at] = times
    shaped = values.reshape(s.levels, s.atoms, 2 * s.steps)
    if (shaped.sum(axis=(1, 2)) != s.nonzeros * int(sites[0])).any():
        raise ValueError
    return Counts(shaped.sum(axis=2), shaped, int(sites[0]))


def _sorted(data: bytes) -> bytes:
    """The same file with its header in one order; safetensors writes metadata in any."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def _facts(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: 8 bytes of length, then JSON."""
    size = int.from_bytes(data[:8], "little")
    if not 8 < len(data) <= MOST_BYTES or size > len(data) - 8:
        raise _strange()
    try:
        facts = json.loads(data[8 : 8 + size])["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _strange() from None
    if (
        not isinstance(facts, dict)
        or facts.get("format") != FORMAT
        or not {"version", "settings", "card"} <= set(facts)
    ):
        raise _strange()
    return facts


def _strange() -> InputRefused:
    return InputRefused(
        "model: this is no network of medveil, or a damaged one",
        hint="expected the .safetensors file that `medveil share train` wrote",
    )
