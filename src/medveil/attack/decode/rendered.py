"""decode.rendered: the four networks of the PRIMIS paper, from the picture that everybody sees to the original.

    public code, true and false alike ──decoder──> picture that everybody sees ──network──> picture

    unet, vnet   learn from pairs (seen, original); squared error
    gan          the U-Net, and a second network that tells its pictures from originals (as pix2pix: Isola et al. 2017)
    cyclegan     no pairs: seen ones of some people and originals of others, there and back (Zhu et al. 2017)

Here to be compared with: whoever has the code has more than this picture, and attacks on the code find more. Settings
as far as the paper tells them (Shiri et al. 2024, Sec. 3.6): batches of 30, Adam with 1e-3 and weight decay 1e-4, L2
loss, 64 x 64 pixels; MONAI's networks. Their sizes are not told there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from medveil.attack.decode.base import CodeThreat, Picture, render
from medveil.attack.decode.maps import Windows, checked
from medveil.core.claims import Decoded
from medveil.core.errors import MissingPackage, UsageError
from medveil.core.sparse import PublicCode

if TYPE_CHECKING:
    from torch import Tensor, nn

Network = Literal["unet", "vnet", "gan", "cyclegan"]
RATE, DECAY = 1e-3, 1e-4  # the paper's
LIKE, CYCLE = 100.0, 10.0  # how the errors weigh against the second network: those of pix2pix and CycleGAN
COARSEST = 16  # the networks halve a picture up to four times


@dataclass(frozen=True)
class Rendered:
    """Learns from rendered public codes of other people to undo what decoys do to the picture.

    Args:
        network: which of the four.
        steps: of training.
        batch: squares a step; side: of a square, pixels, a multiple of 16.
        seed: of the training.
    """

    network: Network = "unet"
    steps: int = 1000
    batch: int = 30
    side: int = 64
    seed: int = 0

    name: ClassVar[str] = "decode.rendered"
    summary: ClassVar[str] = (
        "image-to-image networks on what a public code shows everybody, as the PRIMIS paper attacks it"
    )
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.network not in get_args(Network):
            raise UsageError("decode.rendered: network must be one of " + ", ".join(get_args(Network)))
        if min(self.steps, self.batch, self.side) < 1 or self.side % COARSEST:
            raise UsageError(f"decode.rendered: counts must be at least 1, side a multiple of {COARSEST}")

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """See `DecodeAttack`.

        Raises:
            MissingPackage: MONAI is not installed.
        """
        import torch

        start = time.perf_counter()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = self._learn(threat)
        learned = time.perf_counter() - start
        out = []
        for code in codes:
            start = time.perf_counter()
            picture = _apply(net, _seen(code, threat))
            took = {"seconds": time.perf_counter() - start, "learning_seconds": learned}
            out.append(Decoded(None, picture, self.name, condition, took))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return (
            f"learns from rendered public codes of other people to restore the picture ({self.network}, {self.steps} "
            f"steps of {self.batch} squares of {self.side} pixels)"
        )

    def _learn(self, threat: CodeThreat) -> nn.Module:
        pairs = checked(threat)
        if min(n for p in pairs for n in p.picture.shape) < self.side:
            raise UsageError(
                f"decode.rendered: a picture of the attacker's has under {self.side} pixels a side"
            )
        both = [np.stack([_seen(p.code, threat), p.picture]) for p in pairs]  # (2, H, W)
        if self.network == "cyclegan":
            people = sorted({p.group for p in pairs})
            some = [p.group in set(people[::2]) for p in pairs]
            halves = [[b for b, s in zip(both, some, strict=True) if s is half] for half in (True, False)]
            seen, true = (
                Windows(half or both, self.side, self.batch, self.seed + n) for n, half in enumerate(halves)
            )
            return self._unpaired(seen, true)
        return self._paired(Windows(both, self.side, self.batch, self.seed))

    def _paired(self, batch: Windows) -> nn.Module:
        """`unet`, `vnet`, `gan`: squared error, for the last with a judge."""
        net = vnet() if self.network == "vnet" else unet()
        judge = critic() if self.network == "gan" else None
        learn, learn_judge = _adam(net), _adam(judge)
        for step in range(self.steps):
            both = batch(step)
            seen, true = both[:, :1], both[:, 1:]  # (B, 1, side, side)
            made = net(seen)
            error = (made - true).square().mean()
            if judge is not None:
                error = LIKE * error + _says(judge, made, 1)
            _step(learn, error)
            if judge is not None:
                _step(learn_judge, _says(judge, true, 1) + _says(judge, made.detach(), 0))
        return net.eval()

    def _unpaired(self, seen: Windows, true: Windows) -> nn.Module:
        """`cyclegan`: each way a network and a judge; there and back must give what one began with."""
        from torch import nn

        there, back, is_true, is_seen = unet(), unet(), critic(), critic()
        learn, learn_judges = _adam(nn.ModuleList([there, back])), _adam(nn.ModuleList([is_true, is_seen]))
        for step in range(self.steps):
            a, b = seen(step)[:, :1], true(step)[:, 1:]  # of other people
            a_true, b_seen = there(a), back(b)
            cycle = (back(a_true) - a).square().mean() + (there(b_seen) - b).square().mean()
            same = (there(b) - b).square().mean() + (back(a) - a).square().mean()
            _step(learn, CYCLE * (cycle + same / 2) + _says(is_true, a_true, 1) + _says(is_seen, b_seen, 1))
            judged = _says(is_true, b, 1) + _says(is_true, a_true.detach(), 0)
            _step(learn_judges, judged + _says(is_seen, a, 1) + _says(is_seen, b_seen.detach(), 0))
        return there.eval()


def unet() -> nn.Module:
    """(B, 1, H, W) -> the same, sides multiples of 8; 0.4 M weights. Not normalised: that would lose the shade."""
    channels, strides = (16, 32, 64, 128), (2, 2, 2)
    net: nn.Module = _monai().UNet(2, 1, 1, channels, strides, num_res_units=2, norm=None)
    return net


def vnet() -> nn.Module:
    """(B, 1, H, W) -> the same, sides multiples of 16; 9.4 M weights, no dropout."""
    net: nn.Module = _monai().VNet(2, 1, 1, dropout_prob_down=None, dropout_prob_up=(None, 0.0))
    return net


def critic() -> nn.Module:
    """(B, 1, H, W) -> list of maps; the last says of each part whether it is true (1) or made (0)."""
    net: nn.Module = _monai().PatchDiscriminator(2, 32, 1, num_layers_d=2)
    return net


def _monai() -> Any:
    try:
        from monai.networks import nets
    except ImportError:
        raise MissingPackage(
            "monai", "the networks of decode.rendered", "pip install 'medveil[learn]'"
        ) from None
    return nets


def _adam(net: nn.Module | None) -> Any:
    import torch

    return None if net is None else torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=DECAY)


def _step(adam: Any, loss: Tensor) -> None:
    import torch

    adam.zero_grad()
    torch.autograd.backward(loss)
    adam.step()


def _says(judge: nn.Module, pictures: Tensor, truth: float) -> Tensor:
    """How far a judge is from saying so (least squares: Mao et al. 2017)."""
    far: Tensor = judge(pictures)[-1] - truth
    return far.square().mean()


def _seen(code: PublicCode, threat: CodeThreat) -> Picture:
    return render(code.levels, threat, code.height, code.width)


def _apply(net: nn.Module, seen: Picture) -> Picture:
    """A whole picture, filled up by mirroring to what the networks take."""
    import torch

    from medveil.nn.bottleneck import filled

    height, width = seen.shape
    with torch.inference_mode():
        made = net(filled(torch.from_numpy(seen)[None, None], COARSEST))[0, 0, :height, :width]
    return np.ascontiguousarray(made.clamp(0, 1).numpy())
