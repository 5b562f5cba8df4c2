"""Verdict: what one may conclude, and no more.

- `leak`: the attack does better on the release than chance, and permutations prove it;
- `attack too weak`: it does not, but neither does it on the untouched originals, so nothing follows;
- `no evidence of a leak`: it works on the originals and was not seen to work on the release; the smallest
  effect that so many persons could have shown stands beside it.

An attack has two chances to succeed, AUC and rank-1. Its p is the smaller one doubled (Bonferroni); over several
attacks Holm's step-down correction follows. Both sides owe a proof: a leak needs p < 0.05, a working control
needs p < 0.05 and an interval clear of the range of the null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Condition, Verdict

ALPHA = 0.05
FEWEST_PERSONS = 5  # four have 24 permutations, and twice 1/24 proves nothing
_TESTED = ("auc", "rank_1")
_Z_ALPHA, _Z_POWER = 1.9600, 0.8416  # one-sided 2.5 % for each of the two statistics, power 80 %
# SE of the AUC of N independent mated scores under chance; distances between vectors give about 0.22 / sqrt(N).
_SE_TIMES_ROOT_N = 1 / sqrt(12)


@dataclass(frozen=True)
class _Conditions:
    original: Condition | None
    release: Condition
    null: Condition

    @staticmethod
    def of(f: AttackFindings) -> _Conditions:
        """Told apart by label: the release is `release`, or else the last that is neither control nor null."""
        others = [c for label, c in f.conditions.items() if label not in ("original", "null")]
        release = f.conditions.get("release") or (others[-1] if others else None)
        original = f.conditions.get("original")
        if release is None:  # a table of originals only: they were judged, without a control
            release, original = original or next(iter(f.conditions.values())), None
        return _Conditions(original, release, f.conditions.get("null", release))


def judge(
    attack: str,
    summary: str,
    settings: dict[str, Any],
    original: Condition | None,
    release: Condition,
    null: Condition,
) -> AttackFindings:
    """The findings of one attack with the verdict they allow.

    Args:
        attack, summary, settings: public name, one sentence, and fields of the attack.
        original: the attack on untouched images (positive control); None if it could not be run.
        release: the attack on what is released; any label but original and null.
        null: the attack by a guesser, from `null_condition`.
    """
    labelled = {"original": original, release.label: release, "null": null}
    conditions = {label: replace(c, label=label) for label, c in labelled.items() if c is not None}
    smallest, _ = smallest_auc(null, _persons(release))
    p = p_value(release)
    findings = AttackFindings(
        attack, summary, settings, conditions, "attack too weak", "", smallest, p_value=p
    )
    return _ruled(findings, _Conditions(original, release, null), p)


def judged(f: AttackFindings) -> Condition:
    """The condition that the verdict is about: the release, or what stands in its place in a bare table."""
    return _Conditions.of(f).release


def correct(findings: Sequence[AttackFindings]) -> list[AttackFindings]:
    """The same findings with verdicts that hold for all attacks together (Holm).

    An attack that counted as a leak alone may lose that standing among many; its reason says so. Every attack
    that was tested carries the corrected p. Doing it twice changes nothing.
    """
    tested = [p_value(_Conditions.of(f).release) for f in findings]
    adjusted = iter(holm([p for p in tested if p is not None]))
    attacks = sum(p is not None for p in tested)
    return [
        f if p is None else _corrected(f, p, next(adjusted), attacks)
        for f, p in zip(findings, tested, strict=True)
    ]


def overall(findings: Sequence[AttackFindings]) -> Verdict:
    """The strongest verdict over all attacks, after `correct`; too weak only if none was strong enough."""
    verdicts = {f.verdict for f in correct(findings)}
    if "leak" in verdicts:
        return "leak"
    return "no evidence of a leak" if "no evidence of a leak" in verdicts else "attack too weak"


def strongest(findings: Sequence[AttackFindings]) -> AttackFindings | None:
    """The attack that goes furthest on the release: smallest p, and of equal ones the largest excess over chance.

    Many attacks share the smallest p that so many permutations can give; the excess then decides: of AUC or
    rank-1, whichever has more, the part of the way from chance to certainty. None if nothing was measured.
    """
    rows = [(f, _excess(judged(f))) for f in correct(findings)]
    rows = [(f, x) for f, x in rows if x is not None or f.p_value is not None]
    if not rows:
        return None
    return min(rows, key=lambda row: (1.0 if row[0].p_value is None else row[0].p_value, -(row[1] or 0.0)))[0]


def strongest_words(findings: Sequence[AttackFindings]) -> str:
    """One sentence on the strongest of several attacks; empty where there are fewer than two."""
    first = strongest(findings)
    if first is None or len(findings) < 2:
        return ""
    tested = sum(f.p_value is not None for f in correct(findings))
    p = "" if first.p_corrected is None else f"; p = {_p(first.p_corrected)}, corrected for {tested} attacks"
    return f"The strongest of {len(findings)} attacks is {first.attack}: {_figures(judged(first))}{p}."


def p_value(condition: Condition) -> float | None:
    """p of "no better than chance": the smaller of AUC's and rank-1's, times how many there are."""
    found = [e.p_value for e in _tested(condition) if e.p_value is not None]
    return min(1.0, len(found) * min(found)) if found else None


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given. Source: Holm, Scand. J. Statist. 6 (1979).

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    out, worst = [0.0] * len(p_values), 0.0
    for place, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[i]))
        out[i] = worst
    return out


def smallest_auc(null: Condition, persons: int | None = None) -> tuple[float | None, str]:
    """The smallest AUC that so many persons tell from 0.5 with power 80 %, and where its SE is from.

    0.5 + (1.960 + 0.842) SE: one-sided 5 %, shared by the two statistics that are tested. The SE of the
    AUC under chance is the null's range / 3.92, or 1 / sqrt(12 N) where there is no range. None if even an AUC
    of 1 would not do.

    Args:
        null: from `null_condition`.
        persons: how many persons are in the release, if fewer than in the null (protection refused some).
    """
    e = null.estimates.get("auc")
    drawn = max(_persons(null), 1)
    persons = min(drawn, persons) if persons else drawn
    if e is not None and e.low is not None and e.high is not None and e.high > e.low:
        se, source = (e.high - e.low) / (2 * 1.96) * sqrt(drawn / persons), "the spread of the null"
    else:
        se, source = _SE_TIMES_ROOT_N / sqrt(persons), "1 / sqrt(12 persons)"
    smallest = 0.5 + (_Z_ALPHA + _Z_POWER) * se
    return (smallest if persons >= FEWEST_PERSONS and smallest <= 1.0 else None), source


def _ruled(f: AttackFindings, c: _Conditions, p: float | None, remark: str = "") -> AttackFindings:
    """The findings with verdict and reason, given a p that may have been corrected."""
    reached = f"on the release it reaches {_figures(c.release)}{_test(p)}{remark}"
    control = "" if c.original is None else f"on the originals it reaches {_figures(c.original)}"
    rest = f" {_smallest_words(f.smallest_auc, c)}{_wrong_way(c)}"
    if _leaks(c, p):
        beside = control or "the control on the originals is missing, which takes nothing from this"
        return replace(f, verdict="leak", reason=f"The attack beats chance: {reached}; {beside}.")
    if c.original is None:
        reason = (
            "No leak was shown, but the control is missing: this attack was not run on the originals, so its "
            f"failure may only mean that it is weak; {reached}.{rest}"
        )
        return replace(f, verdict="attack too weak", reason=reason)
    if not _works(c):
        reason = (
            "The attack does not clearly beat chance on the untouched originals, so its failure on the "
            f"release means nothing: {control}{_test(p_value(c.original))}; {reached}.{rest}"
        )
        return replace(f, verdict="attack too weak", reason=reason)
    reason = (
        "The attack works on the originals and was not seen to work on the release: "
        f"{control}; {reached}.{rest}"
    )
    return replace(f, verdict="no evidence of a leak", reason=reason)


def _corrected(f: AttackFindings, alone: float, adjusted: float, attacks: int) -> AttackFindings:
    """A leak that one attack alone would have proven loses that standing if so many attacks don't prove it."""
    f = replace(f, p_value=alone, p_corrected=adjusted)
    if f.verdict != "leak" or adjusted < ALPHA:
        return f
    remark = f" once corrected for {attacks} attacks ({_p(alone)} before), which proves nothing"
    return _ruled(f, _Conditions.of(f), adjusted, remark)


def _leaks(c: _Conditions, p: float | None) -> bool:
    """p proves it; figures without a p need an interval clear of the null's range."""
    if p is not None:
        return p < ALPHA
    return any(_clear(c.release, c.null, name) for name in _TESTED)


def _works(c: _Conditions) -> bool:
    """Whether the positive control is convincing: p < 0.05 and an interval clear of the null's range."""
    if c.original is None:
        return False
    p = p_value(c.original)
    return (p is None or p < ALPHA) and any(_clear(c.original, c.null, name) for name in _TESTED)


def _clear(condition: Condition, null: Condition, name: str) -> bool:
    e, chance = condition.estimates.get(name), null.estimates.get(name)
    if e is None or e.low is None or chance is None:
        return False
    limit = chance.high if chance.high is not None else chance.value
    return limit is not None and e.low > limit


def _wrong_way(c: _Conditions) -> str:
    e, chance = c.release.estimates.get("auc"), c.null.estimates.get("auc")
    if e is None or chance is None or e.high is None or chance.low is None or e.high >= chance.low:
        return ""
    return " The scores are the wrong way round, below chance: check their sign, an attacker would."


def _excess(condition: Condition) -> float | None:
    """How far AUC or rank-1 got from chance towards 1, the larger of the two; None if neither is known."""
    parts = [
        (e.value - e.chance) / (1 - e.chance)
        for e in _tested(condition)
        if e.value is not None and e.chance is not None and e.chance < 1
    ]
    return max(parts, default=None)


def _tested(condition: Condition) -> list[Estimate]:
    return [condition.estimates[name] for name in _TESTED if name in condition.estimates]


def _persons(condition: Condition) -> int:
    """How many persons the figures rest on: those on both sides."""
    return max((e.n for e in _tested(condition)), default=0) or condition.persons


def _figures(condition: Condition) -> str:
    """AUC and rank-1 with intervals and chance, over so many persons."""
    words = []
    for title, e in zip(("AUC", "rank-1"), _tested(condition), strict=False):
        if e.value is not None:
            interval = f" [{e.low:.2f}, {e.high:.2f}]" if e.low is not None and e.high is not None else ""
            chance = f", chance {e.chance:.2f}" if e.chance is not None else ""
            words.append(f"{title} {e.value:.2f}{interval}{chance}")
    n = _persons(condition)
    people = f"{n} person{'' if n == 1 else 's'}"
    return f"{' and '.join(words)} ({people})" if words else f"no figure at all ({people})"


def _smallest_words(smallest: float | None, c: _Conditions) -> str:
    if smallest is None:
        return "So few persons could not have shown even a perfect attack."
    said = (
        f"The smallest AUC that so many persons could have shown is {smallest:.2f} "
        f"(one-sided 5 %, power 80 %, from {smallest_auc(c.null)[1]})."
    )
    e = c.original.estimates.get("auc") if c.original else None
    if e is not None and e.value is not None and e.value < smallest:
        said += f" The originals give {e.value:.2f} themselves, so a release that hides nothing could have passed."
    return said


def _test(p: float | None) -> str:
    return "" if p is None else f", p = {_p(p)}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"
