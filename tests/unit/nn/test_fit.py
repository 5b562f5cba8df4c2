"""The training loop: it learns, it can be stopped at any time, and it takes up only what is its own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")
pytest.importorskip("lightning_fabric", reason="training needs the extra `learn`")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from medveil.core.errors import InputRefused, UsageError  # noqa: E402
from medveil.nn.fit import FitSettings, History, fit  # noqa: E402

SETTINGS = FitSettings(steps=12, rate=0.02, warm_up=3, every=3)


def toy(width: int = 3) -> torch.nn.Module:
    torch.manual_seed(5)
    return torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))


def batch(step: int) -> torch.Tensor:
    return torch.randn(16, 2, generator=torch.Generator().manual_seed(step))


def loss(net: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (net(x)[:, 0] - x[:, 0] + 2 * x[:, 1]).square().mean()


def validate(net: torch.nn.Module) -> float:
    return float(loss(net, batch(10**6)).detach())


def train(net: torch.nn.Module, settings: FitSettings = SETTINGS, **other: Any) -> History:
    return fit(net, loss, batch, validate, settings, **other)


def weights(net: torch.nn.Module) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in net.parameters()]


def stopping(at: int) -> Callable[[int], torch.Tensor]:
    """Batches until somebody pulls the plug."""

    def drawn(step: int) -> torch.Tensor:
        if step == at:
            raise KeyboardInterrupt
        return batch(step)

    return drawn


def test_the_loss_goes_down() -> None:
    net = toy()
    before = validate(net)
    history = train(net, replace(SETTINGS, steps=150, every=50))
    assert history.steps == [50, 100, 150]
    assert history.held_out[-1] == pytest.approx(validate(net))
    assert history.held_out[-1] < 0.2 * before
    assert history.train == sorted(history.train, reverse=True)


def test_the_history_holds_the_mean_loss_since_the_last_look() -> None:
    seen: list[float] = []

    def noted(net: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        value = loss(net, x)
        seen.append(float(value.detach()))
        return value

    told: list[tuple[int, float, float]] = []
    history = fit(
        toy(), noted, batch, validate, replace(SETTINGS, steps=8), told=lambda *facts: told.append(facts)
    )
    assert history.steps == [3, 6, 8]  # the last step is always looked at
    means = [sum(part) / len(part) for part in (seen[:3], seen[3:6], seen[6:])]
    assert history.train == pytest.approx(means)
    assert told == list(zip(history.steps, history.train, history.held_out, strict=True))


def test_validation_sees_the_net_in_evaluation_and_training_goes_on_after_it() -> None:
    modes: list[bool] = []
    net = toy()

    def watched(net: torch.nn.Module) -> float:
        modes.append(net.training or torch.is_grad_enabled())
        return 0.0

    fit(net, loss, batch, watched, SETTINGS)
    assert modes == [False] * 4
    assert net.training


@pytest.mark.parametrize("at", [4, 6, 11])
def test_a_stopped_training_ends_where_an_unbroken_one_does(at: int, tmp_path: Path) -> None:
    unbroken = toy()
    expected = train(unbroken)
    state = tmp_path / "state.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(toy(), loss, stopping(at), validate, SETTINGS, state=state)
    resumed = toy()
    torch.nn.init.zeros_(resumed[0].weight)  # what it begins with does not matter
    again: list[int] = []
    history = train(resumed, state=state, told=lambda step, *_: again.append(step))
    assert weights(resumed) == weights(unbroken)
    assert history == expected
    assert again == [n for n in (3, 6, 9, 12) if n > at // 3 * 3]
    assert [p.name for p in tmp_path.iterdir()] == [state.name]


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = toy()
    expected = train(first, state=state)
    second = toy()

    def none(step: int) -> torch.Tensor:
        raise AssertionError(step)

    assert fit(second, loss, none, validate, SETTINGS, state=state) == expected
    assert weights(second) == weights(first)


def test_no_state_is_kept_where_none_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train(toy())
    assert not list(tmp_path.iterdir())


def test_other_settings_and_another_net_are_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    train(toy(), state=state)
    kept = state.read_bytes()
    with pytest.raises(InputRefused, match="other settings"):
        train(toy(), replace(SETTINGS, steps=13), state=state)
    with pytest.raises(InputRefused, match="does not belong to this net"):
        train(toy(width=4), state=state)
    assert state.read_bytes() == kept


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:7],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data.replace(b'"settings"', b'"sett1ngs"'),
        lambda data: data.replace(b"adam/exp_avg/0.bias", b"adam/exp_avg/0.bits"),
        lambda data: data.replace(b"net/2.bias", b"net/2.bits"),
        lambda data: b"\x80\x04\x95" + data,  # how a pickle begins
    ],
)
def test_a_damaged_state_is_refused(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    state = tmp_path / "state"
    train(toy(), state=state)
    state.write_bytes(spoil(state.read_bytes()))
    with pytest.raises(InputRefused, match="damaged"):
        train(toy(), state=state)


@pytest.mark.parametrize(
    "history",
    [
        "{}",
        "[]",
        "null",
        '{"steps": [], "train": [], "held_out": []}',
        '{"steps": ["3"], "train": [1.0], "held_out": [1.0]}',
        '{"steps": [3], "train": [1.0], "held_out": [1.0], "more": 1}',
        '{"steps": 3, "train": 1, "held_out": 1}',
    ],
)
def test_a_strange_history_is_refused(history: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    train(toy(), state=state)
    rewrite(state, history=history)
    with pytest.raises(InputRefused, match="damaged"):
        train(toy(), state=state)


def test_moments_of_another_shape_are_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    train(toy(), state=state)
    with safe_open(state, framework="pt") as kept:
        tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118 - not a dict
    rewrite(state, tensors={**tensors, "adam/exp_avg/0.weight": torch.zeros(7)})
    with pytest.raises(InputRefused, match="damaged"):
        train(toy(), state=state)


def rewrite(state: Path, tensors: dict[str, Any] | None = None, **facts: str) -> None:
    with safe_open(state, framework="pt") as kept:
        told = {**(kept.metadata() or {}), **facts}
        tensors = tensors or {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118 - not a dict
    save_file(tensors, state, metadata=told)


def test_a_state_is_plain_tensors_and_json(tmp_path: Path) -> None:
    state = tmp_path / "state"
    train(toy(), state=state)
    with safe_open(state, framework="pt") as kept:
        facts = kept.metadata()
        names = set(kept.keys())
    assert json.loads(facts["history"])["steps"] == [3, 6, 9, 12]
    assert json.loads(facts["settings"])["steps"] == 12
    assert {n.split("/")[0] for n in names} == {"net", "adam"}


def test_the_rate_warms_up_and_falls_along_half_a_cosine() -> None:
    s = FitSettings(steps=110, rate=0.01, warm_up=10)
    assert s.rate_at(0) == pytest.approx(0.001)
    assert s.rate_at(9) == s.rate_at(10) == pytest.approx(0.01)
    assert s.rate_at(60) == pytest.approx(0.01 * 0.51)
    assert s.rate_at(109) == pytest.approx(0.01 * (0.02 + 0.49 * (1 + math.cos(math.pi * 0.99))))
    assert FitSettings(steps=5, warm_up=0).rate_at(0) == 1e-3
    assert FitSettings(steps=5, warm_up=50).rate_at(4) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"every": 0}, {"warm_up": -1}, {"rate": 0}, {"rate": 1}, {"clip": 0}]
)
def test_settings_that_train_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="training"):
        FitSettings(**wrong)
