"""Members: from a table of losses to who can be told to have been in the training set of a shared model.

subject,image,loss,member,out_1,...    the attack sees all columns but `member`; measuring needs it
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medveil.attack.infer.losses import read_losses
from medveil.attack.infer.membership import ATTRIBUTE, NO, YES, Form, Membership
from medveil.core.errors import InputRefused
from medveil.core.findings import Findings
from medveil.core.inference import Inference
from medveil.core.release import settings
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.core.verdict import Verdict
from medveil.io.tables import read_rows
from medveil.measure.guesses.membership import membership_estimates
from medveil.measure.verdict import ALPHA

WAYS: dict[str, Form] = {"the loss alone": "threshold", "against shadow models": "ratio"}


def is_losses(path: Path) -> bool:
    """Whether a table holds losses rather than scores of pairs: told by its header."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        header = file.readline(100_000).decode("utf-8-sig", errors="replace")
    names = {name.strip().strip('"') for name in header.replace("\t", ",").split(",")}
    return "loss" in names and "score" not in names


def of_losses(path: Path, base: Findings, *, seeds: Seeds, rounds: int) -> Findings:
    """The findings of a table of losses that also says who was a member.

    Args:
        base: findings to fill: versions, methods and seed.

    Raises:
        InputRefused: the table cannot be read, or does not say of each row whether it was a member.
        UsageError: everybody, or nobody, was in the training set.
    """
    losses, truth = read_losses(path), _truth(path)
    conditions = {}
    for label, form in WAYS.items():
        if form == "ratio" and losses.out.shape[1] < 2:
            continue
        guesses = Membership(form=form).claims(losses, condition=label)
        conditions[label] = membership_estimates(guesses, truth, seeds=seeds, rounds=rounds)
    p = min(1.0, len(conditions) * min(e["auc"].p_value or 1.0 for e in conditions.values()))
    leaks = p < ALPHA
    verdict: Verdict = "leak" if leaks else "attack too weak"
    reason = (
        f"Members can be told from others by what the model makes of them, p = {p:.2g}."
        if leaks
        else f"Members were not told from others, p = {p:.2g}. No model that is known to remember was attacked "
        "beside it, so this may only mean that the attack is weak."
    )
    people = {s: row[ATTRIBUTE] for s, row in truth.properties.items()}
    found = Inference(
        attack=Membership.name,
        summary=Membership.summary,
        settings=settings(Membership()),
        attribute=ATTRIBUTE,
        numeric=False,
        conditions=conditions,
        verdict=verdict,
        reason=reason,
        people=len(people),
        classes={v: sum(x == v for x in people.values()) for v in (NO, YES)},
    )
    answer = (
        "The model gives away who was in its training set."
        if leaks
        else "Nobody can say yet whether the model gives away who was in its training set."
    )
    return replace(base, title="Membership", answer=answer, verdict=verdict, inferences=[found])


def _truth(path: Path) -> Truth:
    """Who was a member, from the column `member`; of one person's images all or none may be."""
    told: dict[str, dict[str, str]] = {}
    for line, row in read_rows(path):
        value = row.get(ATTRIBUTE, "").lower()
        value = {"1": YES, "true": YES, "0": NO, "false": NO}.get(value, value)
        if value not in (YES, NO):
            raise InputRefused(
                f"losses: line {line}, column {ATTRIBUTE}: expected yes or no",
                hint="to measure an attack, say of each image whether it was in the training set",
            )
        if told.setdefault(row["subject"], {ATTRIBUTE: value}) != {ATTRIBUTE: value}:
            raise InputRefused(
                f"losses: line {line}: a person is both a member and held out",
                hint="people are the unit: all images of one person belong on one side",
            )
    return Truth(properties=told)
