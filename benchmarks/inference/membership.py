"""Who was in the training set of a model that is shared: an overfitted one and a careful one; see README.md."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.infer.losses import Losses
from medveil.attack.infer.membership import Membership
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.guesses.membership import membership_estimates
from medveil.simulate.person import draw_person

HERE = Path(__file__).parent
Array = npt.NDArray[Any]
NOISE = 2.0  # of a measurement, in standard deviations over people


@dataclass(frozen=True)
class Target:
    """A network that tells sex from measured shapes of head and brain."""

    label: str
    penalty: float
    rounds: int

    def fit(self, x: Array, y: Array, seed: int) -> Any:
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(
            (64,), alpha=self.penalty, max_iter=self.rounds, n_iter_no_change=self.rounds, random_state=seed
        ).fit(x, y)


TARGETS = (Target("overfitted", 0.0, 200), Target("careful", 10.0, 20))


def measured(people: int, seeds: Seeds) -> tuple[Array, Array]:
    """(N, 91) head shape, brain shape, brain size and ventricles of people as measured with noise; (N,) sex.

    Sex and age move the shapes as in the simulator's cohorts; no image is built, which is what makes thousands of
    people affordable.
    """
    rows, sex = [], []
    for index in range(people):
        p = draw_person(seeds, index)
        rows.append([*p.shape.values(), *p.brain, *p.brain_scale, p.ventricles_mm])
        sex.append(p.sex > 0)
    x = np.array(rows)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x + seeds.stream("benchmark/noise").normal(0, NOISE, x.shape), np.array(sex)


def loss_of(model: Any, x: Array, y: Array) -> Array:
    """(N,) cross-entropy of the truth."""
    p = model.predict_proba(x)[np.arange(len(y)), y.astype(int)]
    return np.asarray(-np.log(np.clip(p, 1e-12, 1)))


def attacked(target: Target, x: Array, y: Array, args: argparse.Namespace, seeds: Seeds) -> dict[str, Any]:
    """Train the target on some, shadow models on random halves of all, and attack by both forms.

    The shadow models' halves are the attacker's own people and the probes themselves, as in LiRA: each probe is in
    about half of them. The off-line form is only told of those without it.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)  # so many rounds and no more is the point
    members = np.arange(len(y)) < args.members
    model = target.fit(x[members], y[members], 0)
    loss = loss_of(model, x, y)
    out = np.full((len(y), args.shadows), np.nan)
    inside = np.full((len(y), args.shadows), np.nan)
    for k in range(args.shadows):
        drawn = seeds.stream("benchmark/shadow", k).permutation(len(y))[: args.members]
        without = np.ones(len(y), dtype=bool)
        without[drawn] = False
        shadow = target.fit(x[drawn], y[drawn], k + 1)
        seen = loss_of(shadow, x, y)
        out[without, k], inside[~without, k] = seen[without], seen[~without]
    keys = tuple((f"sub-{i:05d}", "shape") for i in range(len(y)))
    truth = Truth(
        properties={s: {"member": "yes" if m else "no"} for (s, _), m in zip(keys, members, strict=True)}
    )
    none = np.empty((len(y), 0))
    tables = {
        "threshold": (Membership(form="threshold"), Losses(keys, loss, none, none)),
        "ratio, off-line": (Membership(form="ratio"), Losses(keys, loss, out, none)),
    }
    if (np.isfinite(inside).sum(axis=1) >= 2).all():
        tables["ratio, on-line"] = (Membership(form="ratio"), Losses(keys, loss, out, inside))
    right = {
        "trained on": float(np.mean(model.predict(x[members]) == y[members])),
        "held out": float(np.mean(model.predict(x[~members]) == y[~members])),
    }
    found = {
        form: membership_estimates(part.claims(table, condition=target.label), truth, seeds=seeds, rounds=300)
        for form, (part, table) in tables.items()
    }
    return {
        "accuracy": right,
        "forms": {f: {k: e.to_json() for k, e in es.items()} for f, es in found.items()},
    }


def lines(result: dict[str, Any]) -> list[str]:
    out = [
        "| model | accuracy: trained on, held out | attack | AUC | TPR at FPR .01 | TPR at FPR .001 |",
        "|---" * 6 + "|",
    ]
    for label, row in result["models"].items():
        a = row["accuracy"]
        for form, estimates in row["forms"].items():
            cells = [_cell(Estimate(**e)) for e in estimates.values()]
            out.append(
                f"| {label} | {a['trained on']:.3f}, {a['held out']:.3f} | {form} | "
                + " | ".join(cells)
                + " |"
            )
    return out


def _cell(e: Estimate) -> str:
    if e.value is None:
        return e.note
    return f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" if e.low is not None else f"{e.value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1000, help="people the target was trained on")
    parser.add_argument("--held-out", type=int, default=1000, help="people it was not trained on")
    parser.add_argument("--shadows", type=int, default=24)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--to", type=Path, default=HERE / "membership.json")
    args = parser.parse_args()
    seeds = Seeds(args.seed)
    x, y = measured(args.members + args.held_out, seeds)
    models = {t.label: attacked(t, x, y, args, seeds) for t in TARGETS}
    result = {
        "members": args.members, "held_out": args.held_out, "shadows": args.shadows, "seed": args.seed,
        "models": models,
    }  # fmt: skip
    args.to.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(result)))


if __name__ == "__main__":
    main()
