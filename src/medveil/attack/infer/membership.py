"""Membership: was this scan in the training set of that shared model?

    form threshold   loss of the target ──────────────────────────────> the lower, the likelier a member
    form ratio       loss of the target ──scale──> phi ┐
                     losses of shadow models ────> N(mean, sd) without ┴─> how far above what is usual without it
                                              └──> N(mean, sd) with, if there are any ──> log likelihood ratio

A model that is shared remembers some of what it learned from. A low loss alone says little: easy scans have low losses
everywhere. The ratio asks how this loss compares with those of models that never saw this scan, and that finds
the few who are truly exposed; so look at the true positives at few false ones, not at the accuracy.

Sources: Yeom et al., IEEE CSF 2018 (threshold on the loss); Carlini et al., IEEE S&P 2022, "Membership inference
attacks from first principles" (LiRA: per-example Gaussians of scaled losses; on-line and off-line form; one variance for
all where shadow models are few).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.infer.losses import Losses, read_losses
from medveil.attack.observer import Observer
from medveil.core.claims import Guesses
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Floats = npt.NDArray[np.float64]
Form = Literal["auto", "threshold", "ratio"]
Scale = Literal["logit", "log", "none"]

ATTRIBUTE, YES, NO = "member", "yes", "no"
OWN_VARIANCE_FROM = 16  # shadow models an image needs to have a variance of its own; below, all share one
FEWEST_SHADOWS = 2
TINY = 1e-9


@dataclass(frozen=True)
class Membership:
    """Tell images that a model was trained on from others, by the losses that it gives.

    Args:
        losses: table of losses, see `losses`: subject, image, loss, and of shadow models out_1 ..., in_1 ...
        form: threshold (the loss alone), ratio (against shadow models), auto: ratio where the table has any.
        scale: how losses become Gaussian: logit for cross-entropies, log for errors above 0 (squared, absolute),
            none for what is already symmetric.
    """

    losses: str = ""
    form: Form = "auto"
    scale: Scale = "logit"

    name: ClassVar[str] = "infer.membership"
    summary: ClassVar[str] = (
        "tells whether a scan was in the training set of a shared model, from the model's losses"
    )

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise UsageError("infer.membership: no such form", hint="known are " + ", ".join(get_args(Form)))
        if self.scale not in get_args(Scale):
            raise UsageError(
                "infer.membership: no such scale", hint="known are " + ", ".join(get_args(Scale))
            )

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> Guesses:
        """`yes` or `no` for every probe image, from its row in the table; no image is opened.

        Raises:
            UsageError: no table was named, no probes, an image without a row, ratio without shadow models.
            InputRefused: the table cannot be read.
        """
        del threat, observer
        if not self.losses:
            raise UsageError(
                "infer.membership: needs a table of losses",
                hint="--set infer.membership.losses=LOSSES.csv, with the columns subject, image, loss",
            )
        table = read_losses(Path(self.losses)).of((r.subject, r.name) for r in probes)
        return self.claims(table, condition=condition)

    def claims(self, losses: Losses, *, condition: str) -> Guesses:
        """The same from losses in memory, e.g. of `losses.losses_by`.

        The score is how far the evidence lies from where it says neither, so that with the guess it gives the
        evidence back: positive for `yes`, negative for `no`.
        """
        if not len(losses.keys):
            raise UsageError("infer.membership: expected at least one probe image")
        shadows = losses.out.shape[1] >= FEWEST_SHADOWS
        if self.form == "ratio" and not shadows:
            raise UsageError(
                f"infer.membership: form is ratio, which needs losses of at least {FEWEST_SHADOWS} shadow models",
                hint="columns out_1, out_2 ... of the table, or form = threshold",
            )
        ratio = shadows and self.form != "threshold"
        evidence = _ratio(losses, self.scale) if ratio else _below_median(losses, self.scale)
        return Guesses(
            probe_subject=np.array([s for s, _ in losses.keys]),
            probe_image=np.array([name for _, name in losses.keys]),
            attribute=ATTRIBUTE,
            guess=np.where(evidence > 0, YES, NO),
            score=np.abs(evidence),
            attack=self.name,
            condition=condition,
            notes={"shadow_models": float(losses.out.shape[1] + losses.inside.shape[1]) if ratio else 0.0},
        )

    def describe(self) -> str:
        """In words, what the attack will do."""
        if self.form == "threshold":
            return "take images with a loss below the median of all for members of the training set"
        fallback = ", or by the loss alone where there are no shadow models" if self.form == "auto" else ""
        return (
            f"compare the loss of each image (scale: {self.scale}) with those of shadow models trained without "
            f"it, and with it where there are any, as a likelihood ratio of Gaussians{fallback}"
        )


def confidence(loss: Floats, scale: Scale) -> Floats:
    """Losses as numbers that grow with confidence and are roughly Gaussian over models.

    logit: log(p / (1 - p)) of the probability p = exp(-loss) of the truth; log: -log(loss); none: -loss.

    >>> confidence(np.array([np.log(2.0)]), "logit").round(6).tolist()  # p = 1/2
    [0.0]
    """
    if scale == "none":
        return -loss
    safe = np.maximum(loss, TINY)
    if scale == "log":
        return np.asarray(-np.log(safe))
    return np.asarray(-safe - np.log(-np.expm1(-safe)))


def _below_median(losses: Losses, scale: Scale) -> Floats:
    phi = confidence(losses.loss, scale)
    return np.asarray(phi - np.median(phi))


def _ratio(losses: Losses, scale: Scale) -> Floats:
    """(N,) log N(phi; in) - log N(phi; out) where there are models with the image; else deviations above `out`.

    Off-line, `no` means within 1.645 standard deviations, which a non-member exceeds in one case of twenty.
    """
    phi = confidence(losses.loss, scale)
    mean_out, sd_out = _gaussian(confidence(losses.out, scale))
    z_out = (phi - mean_out) / sd_out
    if losses.inside.shape[1] < FEWEST_SHADOWS:
        return np.asarray(z_out - 1.645)
    mean_in, sd_in = _gaussian(confidence(losses.inside, scale))
    z_in = (phi - mean_in) / sd_in
    return np.asarray(0.5 * (z_out**2 - z_in**2) + np.log(sd_out / sd_in))


def _gaussian(phi: Floats) -> tuple[Floats, Floats]:
    """(N,) mean and standard deviation over shadow models; one deviation for all where there are few models.

    Raises:
        UsageError: an image for which fewer than two models have a say.
    """
    count = np.isfinite(phi).sum(axis=1)
    if (count < FEWEST_SHADOWS).any():
        few = int((count < FEWEST_SHADOWS).sum())
        raise UsageError(
            f"infer.membership: {few} images have losses of fewer than {FEWEST_SHADOWS} shadow models"
        )
    mean = np.nanmean(phi, axis=1)
    variance = np.nansum((phi - mean[:, None]) ** 2, axis=1) / (count - 1)
    pooled = float((variance * (count - 1)).sum() / (count - 1).sum())
    spread = np.where(count >= OWN_VARIANCE_FROM, variance, pooled)
    return mean, np.sqrt(np.maximum(spread, TINY))
