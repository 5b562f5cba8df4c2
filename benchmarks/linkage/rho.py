"""Does a brain tell a face? The attack from brains to photographs where the answer is known; see README.md."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from medveil.attack.observer import Observer
from medveil.attack.reidentify.from_brain import FromBrain
from medveil.core.cohort import Cohort
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.measure.summary import summarise
from medveil.simulate.cohort import simulate_cohort

HERE = Path(__file__).parent
ATTACKS = {
    "brain": FromBrain(),
    "brain without size": FromBrain(size=False),
    "age and sex": FromBrain(features="table"),
    "brain, age and sex": FromBrain(features="brain+table"),
}


def rows(a: argparse.Namespace, confounder: float, observer: Observer) -> list[dict[str, Any]]:
    """All attacks at each rho. A person's photographs do not depend on rho, so they are looked at once."""
    photographs: Cohort | None = None
    out = []
    for rho in a.rho:
        everybody = simulate_cohort(
            a.others + a.people, seed=a.seed, rho=rho, confounder=confounder, photos=a.photos
        )
        photographs = photographs or everybody.photographs
        who = everybody.scans.subjects
        others, people = who[: a.others], who[a.others :]
        background = Cohort(
            (*everybody.scans.of(*others), *photographs.of(*others)),
            everybody.scans.of(*others).participants,
            simulated=True,
        )
        threat = Threat(gallery=photographs.of(*people), background=background)
        for label, attack in ATTACKS.items():
            claims = attack.run(everybody.scans.of(*people), threat, condition="original", observer=observer)
            found = summarise(claims, None, seeds=Seeds(a.seed))
            row: dict[str, Any] = {"confounder": confounder, "rho": rho, "features": label}
            row["explained"] = claims.notes["explained"]
            for name in ("auc", "rank_1"):
                e = found.estimates[name]
                row[name] = {"value": e.value, "low": e.low, "high": e.high, "p": e.p_value}
            auc = found.estimates["auc"]
            print(f"confounder {confounder:g}  rho {rho:3g}  {label:20} AUC {auc}", flush=True)
            out.append(row)
    return out


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=80)
    options.add_argument("--others", type=int, default=160)
    options.add_argument("--photos", type=int, default=2)
    options.add_argument("--rho", type=float, nargs="+", default=[0.0, 0.2, 0.5, 0.9])
    options.add_argument("--confounder", type=float, nargs="+", default=[0.0, 1.0])
    options.add_argument("--seed", type=int, default=21)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--to", type=Path, default=HERE / "rho.json")
    a = options.parse_args()
    start, found = time.time(), []
    for confounder in a.confounder:
        found += rows(a, confounder, Observer(n_jobs=a.jobs))
        settings = {k: v for k, v in vars(a).items() if k not in ("to", "jobs")}
        a.to.write_text(json.dumps({"settings": settings, "rows": found}, indent=1) + "\n")
    print("seconds:", round(time.time() - start))


if __name__ == "__main__":
    main()
