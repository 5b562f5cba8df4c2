"""Verdict on guesses: what one may conclude of what images tell beside a name, and no more.

- `leak`: from the release the property is guessed better than without the images, and a test proves it;
- `attack too weak`: it is not, but neither is it from the untouched originals;
- `no evidence of a leak`: it works on the originals and was not seen to work on the release; the smallest success
  that so many people could have shown stands beside it.

"Without the images" is the released table where it has other columns, else the most frequent class or the median.
Several ways of looking are several chances: the smallest p counts as often as there are ways (Bonferroni). Several
properties are corrected by Holm's steps. Where the released table states the property, images can add nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medveil.core.estimate import Estimate
from medveil.core.inference import ORIGINAL, PRIOR, RELEASE, TABLE, Inference
from medveil.measure.guesses.power import smallest_accuracy, smallest_correlation
from medveil.measure.verdict import ALPHA, FEWEST_PERSONS, holm

Estimates = dict[str, Estimate]


def judge_inference(found: Inference) -> Inference:
    """The same findings with smallest effect, verdict and reason; whatever stood there is replaced."""
    return _ruled(replace(found, smallest=_smallest(found)), p_of(found, RELEASE))


def correct_inferences(found: Sequence[Inference]) -> list[Inference]:
    """The same findings with verdicts that hold for all properties together (Holm). Twice changes nothing."""
    tested = [None if f.stated else p_of(f, RELEASE) for f in found]
    adjusted = iter(holm([p for p in tested if p is not None]))
    many = sum(p is not None for p in tested)
    out = []
    for f, p in zip(found, tested, strict=True):
        corrected = next(adjusted) if p is not None else None
        lost = f.verdict == "leak" and corrected is not None and corrected >= ALPHA
        remark = f" once corrected for {many} properties ({_p(p)} before)" if p is not None else ""
        out.append(_ruled(f, corrected, remark) if lost else f)
    return out


def p_of(found: Inference, side: str) -> float | None:
    """p of "no better than without images" on one side, `original` or `release`: the least, times the ways."""
    tested = [p for e in _side(found, side).values() if (p := _tested(e, found)) is not None]
    return min(1.0, len(tested) * min(tested)) if tested else None


def _side(found: Inference, side: str) -> dict[str, Estimates]:
    return {k: e for k, e in found.conditions.items() if k.split()[0] == side}


def _tested(e: Estimates, found: Inference) -> float | None:
    """The p of one condition; with a table it must beat both chance and the table, so the larger one counts."""
    names = ("with_table", "gain_over_table") if found.baseline == TABLE else (
        "gain_over_prior" if found.numeric else "balanced_accuracy",
    )  # fmt: skip
    p = [e[name].p_value for name in names if name in e]
    known = [x for x in p if x is not None]
    return max(known) if len(known) == len(names) else None


def _smallest(found: Inference) -> float | None:
    alpha = ALPHA / max(len(_side(found, RELEASE)), 1)
    if found.numeric:
        return smallest_correlation(found.people, alpha=alpha)
    if len(found.classes) < 2:
        return None
    return smallest_accuracy(found.people, 1 / len(found.classes), alpha=alpha)


def _ruled(f: Inference, p: float | None, remark: str = "") -> Inference:
    released, control = _best(f, RELEASE), _best(f, ORIGINAL)
    if released is None or f.people < FEWEST_PERSONS:
        few = f"{f.people} people" if f.people else "nobody"
        reason = f.reason or f"The property is known of {few} in the release: too few to measure anything."
        return replace(f, verdict="attack too weak", reason=reason)
    on_release = f"from the release it reaches {released}{_said(p)}{remark}"
    on_original = f"from the originals it reaches {control}{_said(p_of(f, ORIGINAL))}" if control else ""
    without = _without(f)
    if f.stated:
        reason = (
            "The released table states this property itself, so the images add nothing to it. Were it "
            f"withheld: {on_release}; {without}."
        )
        return replace(f, verdict="no evidence of a leak", reason=reason)
    if p is not None and p < ALPHA:
        beside = on_original or "the control on the originals is missing, which takes nothing from this"
        reason = f"The images tell what is not told without them: {on_release}; {without}; {beside}."
        return replace(f, verdict="leak", reason=reason)
    works = p_of(f, ORIGINAL)
    if works is None or works >= ALPHA:
        why = on_original or "the control on the originals is missing"
        reason = (
            "The attack does not clearly beat what is told without images, on the originals either, so its failure on "
            f"the release means nothing: {why}; {on_release}; {without}. {_smallest_words(f)}"
        )
        return replace(f, verdict="attack too weak", reason=reason)
    reason = (
        "The attack works on the originals and was not seen to work on the release: "
        f"{on_original}; {on_release}; {without}. {_smallest_words(f)}"
    )
    return replace(f, verdict="no evidence of a leak", reason=reason)


def _best(f: Inference, side: str) -> str | None:
    """The figure of the way of looking that did best on one side."""
    ways = [(label, e, _tested(e, f)) for label, e in _side(f, side).items()]
    ways = [w for w in ways if _main(w[1], f) is not None]
    if not ways:
        return None
    label, e, _ = min(ways, key=lambda w: 2.0 if w[2] is None else w[2])
    main = _main(e, f)
    beside = " with the table" if f.baseline == TABLE and "with_table" in e else ""
    return f"{_figure(main)}{beside} ({label})" if main else None


def _main(e: Estimates, f: Inference) -> Estimate | None:
    name = "mae" if f.numeric else "balanced_accuracy"
    if f.baseline == TABLE and "with_table" in e:
        name = "with_table"
    found = e.get(name)
    return found if found is not None and found.value is not None else None


def _without(f: Inference) -> str:
    e = f.conditions.get(f.baseline, {})
    main = e.get("mae" if f.numeric else "balanced_accuracy")
    what = {TABLE: "the other released columns alone reach", PRIOR: "guessing without images reaches"}[
        f.baseline
    ]
    return f"{what} {_figure(main)}" if main is not None and main.value is not None else f"{what} nothing"


def _figure(e: Estimate) -> str:
    what = "a mean error of " if e.unit or "mae" in e.name or "absolute" in e.note else "balanced accuracy "
    unit = f" {e.unit}" if e.unit else ""
    interval = f" [{e.low:.2f}, {e.high:.2f}]" if e.low is not None and e.high is not None else ""
    return f"{what}{e.value:.2f}{interval}{unit}"


def _smallest_words(f: Inference) -> str:
    if f.smallest is None:
        return f"{f.people} people could not have shown even a perfect attack."
    what = "correlation" if f.numeric else "balanced accuracy"
    return (
        f"The smallest {what} that {f.people} people could have shown is about {f.smallest:.2f} "
        "(one-sided 5 % over all ways of looking, power 80 %)."
    )


def _said(p: float | None) -> str:
    return "" if p is None else f", p = {_p(p)}"


def _p(p: float | None) -> str:
    return "unknown" if p is None else f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"
