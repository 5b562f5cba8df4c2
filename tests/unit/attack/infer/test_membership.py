"""Losses and what they tell: by hand, and on a model that does remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medveil.attack.base import GuessAttack
from medveil.attack.infer.losses import Losses, losses_by, read_losses
from medveil.attack.infer.membership import Membership, confidence
from medveil.attack.observer import Observer
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused, UsageError
from medveil.core.image import Image
from medveil.core.threat import Threat

from .told import cohort


def losses(loss: list[float], out: list[list[float]] | None = None, inside: Any = None) -> Losses:
    n = len(loss)
    return Losses(
        keys=tuple((f"s{i}", "T1w") for i in range(n)),
        loss=np.array(loss),
        out=np.array(out, dtype=float) if out else np.empty((n, 0)),
        inside=np.array(inside, dtype=float) if inside else np.empty((n, 0)),
    )


def evidence(part: Membership, table: Losses) -> np.ndarray:
    said = part.claims(table, condition="model")
    return np.where(said.guess == "yes", said.score, -said.score)


def test_it_is_a_guess_attack() -> None:
    assert isinstance(Membership(), GuessAttack)


def test_confidence_of_half_is_zero_and_grows_as_the_loss_falls() -> None:
    phi = confidence(np.array([np.log(2), 1e-3, 5.0, 0.0]), "logit")
    assert phi[0] == pytest.approx(0)
    assert phi[1] == pytest.approx(np.log(np.exp(-1e-3) / (1 - np.exp(-1e-3))))
    assert phi[2] == pytest.approx(np.log(np.exp(-5) / (1 - np.exp(-5))))
    assert np.isfinite(phi[3])
    assert confidence(np.array([4.0]), "log")[0] == pytest.approx(-np.log(4))
    assert confidence(np.array([4.0]), "none")[0] == -4


def test_threshold_calls_losses_below_the_median_members() -> None:
    said = Membership(form="threshold").claims(losses([0.1, 0.2, 3.0, 4.0]), condition="model")
    assert said.guess.tolist() == ["yes", "yes", "no", "no"]
    assert said.attribute == "member"
    assert said.score[0] > said.score[1]


def test_off_line_ratio_by_hand() -> None:
    """phi = -loss. out -1 -3 and -2 -4: means -2, -3, pooled variance 2. phi -1: z = 1/sqrt 2; phi 0: 3/sqrt 2."""
    part = Membership(scale="none")
    got = evidence(part, losses([1.0, 0.0], [[1, 3], [2, 4]]))
    assert got == pytest.approx([1 / np.sqrt(2) - 1.645, 3 / np.sqrt(2) - 1.645])
    assert part.claims(losses([1.0, 0.0], [[1, 3], [2, 4]]), condition="x").guess.tolist() == ["no", "yes"]


def test_on_line_ratio_by_hand() -> None:
    """out N(-2, 2), in N(0, 2): log ratio (z_out^2 - z_in^2) / 2 = ((phi + 2)^2 - phi^2) / 4 = phi + 1."""
    table = losses([0.5, 1.5], [[1, 3], [1, 3]], [[-1, 1], [-1, 1]])
    assert evidence(Membership(scale="none"), table) == pytest.approx([0.5, -0.5])


def test_models_without_a_say_are_left_out() -> None:
    full = losses([1.0, 0.0], [[1, 3], [2, 4]])
    gaps = losses([1.0, 0.0], [[1, 3, np.nan], [np.nan, 2, 4]])
    part = Membership(scale="none")
    assert evidence(part, gaps) == pytest.approx(evidence(part, full))
    with pytest.raises(UsageError, match="1 images have losses of fewer than 2"):
        part.claims(losses([1.0, 0.0], [[1, 3], [2, np.nan]]), condition="x")


def test_with_many_shadow_models_each_image_has_its_own_spread() -> None:
    rng = np.random.default_rng(0)
    out = np.stack([rng.normal(0, 0.1, 40), rng.normal(0, 10, 40)])
    got = evidence(Membership(scale="none"), losses([-1.0, -1.0], out.tolist())) + 1.645
    assert got[0] > 5
    assert got[1] < 0.5


def test_hard_examples_are_told_by_the_ratio_and_not_by_the_threshold() -> None:
    """Each example has a difficulty; members lose a little of it. Only shadow models take the difficulty out."""
    rng = np.random.default_rng(1)
    n = 400
    hard, member = rng.normal(0, 3, n), np.arange(n) % 2 == 0
    phi = hard + 1.0 * member + 0.3 * rng.normal(size=n)
    out = hard[:, None] + 0.3 * rng.normal(size=(n, 8))
    table = losses((-phi).tolist(), (-out).tolist())

    def auc(part: Membership) -> float:
        e = evidence(part, table)
        return float((e[member][:, None] > e[~member][None]).mean())

    assert auc(Membership(scale="none")) > 0.95
    assert 0.5 < auc(Membership(scale="none", form="threshold")) < 0.65


def written(folder: Path, text: str, name: str = "losses.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


GOOD = (
    "subject,image,loss,out_1,out_2,remark\nsub-01,T1w,0.5,1,2,x\nsub-02,T1w,0.1,,3,y\nsub-03,T1w,2,1,n/a,z\n"
)


def test_a_table_is_read_by_its_columns(tmp_path: Path) -> None:
    table = read_losses(written(tmp_path, GOOD))
    assert table.keys == (("sub-01", "T1w"), ("sub-02", "T1w"), ("sub-03", "T1w"))
    assert table.loss.tolist() == [0.5, 0.1, 2.0]
    assert table.out.shape == (3, 2)
    assert np.isnan(table.out[1, 0])
    assert table.inside.shape == (3, 0)
    tabs = read_losses(written(tmp_path, GOOD.replace(",", "\t"), "losses.tsv"))
    assert tabs.keys == table.keys


def test_the_attack_takes_its_rows_in_the_order_of_the_probes(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace(",,", ",2,").replace("n/a", "2"))
    probes = cohort([("sub-03", "T1w"), ("sub-01", "T1w")])
    part = Membership(losses=str(path), form="threshold")
    said = part.run(probes, Threat(gallery=Cohort(())), condition="model", observer=Observer())
    assert said.probe_subject.tolist() == ["sub-03", "sub-01"]
    assert said.guess.tolist() == ["no", "yes"]
    assert said.notes == {"shadow_models": 0.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subject,image\na,b\n", "column loss is missing"),
        ("subject,image,loss\n", "no rows"),
        ("subject,image,loss\nCanary,T1w,much\n", "line 2, column loss"),
        ("subject,image,loss\nCanary,T1w,\n", "line 2, column loss"),
        ("subject,image,loss\nCanary,T1w,inf\n", "line 2, column loss"),
        ("subject,image,loss,out_1\nCanary,T1w,1,x\n", "line 2, column out_1"),
        ("subject,image,loss\nCanary,T1w,1\nCanary,T1w,2\n", "named twice"),
        ("", "no header"),
    ],
)
def test_tables_that_are_none_are_refused_by_line_and_never_by_value(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputRefused, match=said) as caught:
        read_losses(written(tmp_path, text))
    assert "Canary" not in str(caught.value)
    assert "much" not in str(caught.value)


def test_bad_use_is_refused(tmp_path: Path) -> None:
    nobody, probes = Threat(gallery=Cohort(())), cohort([("sub-09", "T1w")])
    with pytest.raises(UsageError, match="table of losses"):
        Membership().run(probes, nobody, condition="x", observer=Observer())
    with pytest.raises(InputRefused, match="not there"):
        Membership(losses=str(tmp_path / "no.csv")).run(probes, nobody, condition="x", observer=Observer())
    part = Membership(losses=str(written(tmp_path, GOOD)))
    with pytest.raises(UsageError, match="1 of 1 images have no row") as caught:
        part.run(probes, nobody, condition="x", observer=Observer())
    assert "sub-09" not in str(caught.value)
    with pytest.raises(UsageError, match="at least one probe"):
        part.run(cohort([]), nobody, condition="x", observer=Observer())
    with pytest.raises(UsageError, match="at least 2 shadow models"):
        Membership(form="ratio").claims(losses([1.0, 2.0]), condition="x")
    for settings in ({"form": "guess"}, {"scale": "dB"}):
        with pytest.raises(UsageError):
            Membership(**settings)  # type: ignore[arg-type]
    with pytest.raises(InputRefused, match="one entry an image"):
        Losses((("a", "b"),), np.zeros(2), np.empty((1, 0)), np.empty((1, 0)))


def test_models_may_be_asked_instead_of_a_table() -> None:
    def image(value: float) -> Image:
        return Image(np.full((2, 2, 2), value), np.eye(4))

    records = tuple(Record(f"s{i}", "T1w", (lambda i=i: image(i))) for i in range(3))

    def model(scale: float) -> Any:
        return lambda seen: scale * float(seen.data.mean())

    table = losses_by(model(1), Cohort(records), out=[model(2), model(3)], inside=[model(4)])
    assert table.loss.tolist() == [0, 1, 2]
    assert table.out.tolist() == [[0, 0], [2, 3], [4, 6]]
    assert table.inside.tolist() == [[0], [4], [8]]
    assert "s1" not in repr(table)


@pytest.mark.parametrize("form", ["auto", "threshold", "ratio"])
def test_every_form_describes_itself(form: Any) -> None:
    assert len(Membership(form=form).describe()) > 40
