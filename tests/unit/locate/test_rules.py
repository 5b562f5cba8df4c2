"""What is asked of a fit goes by what it implies."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from medveil.core.release import NOTHING
from medveil.locate.confidence import DEEP_MM, DEEP_RULE, SMALL, SMALL_RULE, SOFT, judge
from medveil.locate.head import _rule

SOFT_WAY: Any = SimpleNamespace(rule=SOFT)
GOOD = {
    **{name: (low + min(high, low + 1.0)) / 2 for name, (low, high) in SOFT.items()},
    **{"scale_min": 0.95, "scale_max": 1.0, "scale_ratio": 1.05, "skin_mm": 20.0},
    **{"inner_ratio": 99.0, "peak_ratio": 99.0},
}


def failed(**signals: float) -> tuple[str, ...]:
    """The signals that are not believed of a fit that is good but for these."""
    found = {**GOOD, **signals}
    return judge(found, _rule(SOFT_WAY, NOTHING, found))


def test_a_small_brain_has_to_be_clearer() -> None:
    limit = SMALL_RULE["inner_ratio"][0]
    assert failed(scale_min=SMALL - 0.01, inner_ratio=limit) == ()
    assert failed(scale_min=SMALL - 0.01, inner_ratio=limit - 0.01) == ("inner_ratio",)
    assert failed(scale_min=SMALL + 0.01, inner_ratio=limit - 0.01) == ()


def test_a_brain_deep_under_the_scalp_has_to_be_clearer() -> None:
    limit = DEEP_RULE["peak_ratio"][0]
    assert failed(skin_mm=DEEP_MM + 0.1, peak_ratio=limit) == ()
    assert failed(skin_mm=DEEP_MM + 0.1, peak_ratio=limit - 0.01) == ("peak_ratio",)
    assert failed(skin_mm=DEEP_MM, peak_ratio=limit - 0.01) == ()
