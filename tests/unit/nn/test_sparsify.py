"""What is kept at a site, in which steps, and what a gradient sees of it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from medveil.nn.settings import NetSettings  # noqa: E402
from medveil.nn.sparsify import dequantise, quantise, sparsify, spread  # noqa: E402

S = NetSettings(levels=1, atoms=5, nonzeros=2, width=4, step=0.25, steps=5)
STEP = S.step


def rows(*sites: list[float]) -> torch.Tensor:
    """(1, M, sites) from the components of each site."""
    return torch.tensor(sites).T[None].clone()


def test_hand_computed_sites() -> None:
    got = sparsify(rows([0.1, -0.9, 0.3, 0.0, 0.5], [-0.26, 0.2, 0.1, 0.6, 0.0]), S)
    assert got.support[0].T.tolist() == [[1, 4], [0, 3]]
    # -0.9 / 0.25 = -3.6 -> 4 steps down; 0.5 -> 2 up; each told one further from 0.
    assert got.steps[0].T.tolist() == [[-5, 3], [-2, 3]]
    assert got.code[0].T.tolist() == [[0, -1.0, 0, 0, 0.5], [-0.25, 0, 0, 0.5, 0]]


def test_a_site_of_nothing_still_keeps_s_x_components() -> None:
    got = sparsify(torch.zeros(2, 5, 3), S)
    assert got.support.shape == got.steps.shape == (2, 2, 3)
    assert (got.steps == 1).all()
    assert not got.code.any()


@pytest.mark.parametrize("kept", [1, 4, 16, 64])
def test_s_x_are_kept_exactly_the_largest_and_never_0(kept: int) -> None:
    s = NetSettings(atoms=64, nonzeros=kept, step=0.01, steps=255)
    raw = torch.randn(3, 64, 20)
    got = sparsify(raw, s)
    assert got.support.shape == (3, kept, 20)
    assert (got.support.diff(dim=1) > 0).all()  # ascending, so none twice
    assert (got.steps != 0).all()
    assert got.steps.dtype == torch.int16
    size = raw.abs()
    chosen = torch.zeros_like(raw, dtype=torch.bool).scatter(1, got.support, True)
    if kept < 64:
        assert (size.masked_fill(~chosen, 9).amin(dim=1) >= size.masked_fill(chosen, 0).amax(dim=1)).all()
    assert ((got.code != 0) <= chosen).all()


def test_the_code_is_what_a_receiver_of_support_and_steps_makes_of_it() -> None:
    s = NetSettings(atoms=64, nonzeros=8, step=0.02, steps=100)
    got = sparsify(torch.randn(2, 64, 9, requires_grad=True), s)
    assert torch.allclose(spread(got.support, got.steps, s), got.code, atol=1e-6)


def test_the_grid_of_values() -> None:
    q = torch.tensor([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5], dtype=torch.int16)
    values = dequantise(q, S)
    assert values.tolist() == [-1.0, -0.75, -0.5, -0.25, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0]
    away_from_0 = q.abs() > 1
    assert torch.equal(quantise(values, S)[away_from_0], q[away_from_0])


def test_quantising_is_off_by_half_a_step_at_most_and_stops_at_q() -> None:
    values = torch.linspace(-1.0, 1.0, 1001)
    assert ((dequantise(quantise(values, S), S) - values).abs() <= STEP / 2 + 1e-6).all()
    far = torch.tensor([-1e9, -1.2, 1.2, 1e9])
    assert quantise(far, S).tolist() == [-5, -5, 5, 5]
    big = NetSettings(atoms=5, nonzeros=2, steps=16383)
    assert quantise(far * 1e9, big).abs().max() == 16383  # int16 holds the largest Q that is allowed


def test_gradients_pass_straight_through_to_what_is_kept() -> None:
    raw = rows([0.1, -0.9, 0.3, 0.0, 0.51]).requires_grad_()
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    (sparsify(raw, S).code[0, :, 0] * weights).sum().backward()
    assert raw.grad is not None
    assert raw.grad[0, :, 0].tolist() == [0, 2, 0, 0, 5]


def test_beyond_q_no_gradient_pushes_further() -> None:
    raw = rows([0.0, -7.0, 0.0, 0.0, 0.5]).requires_grad_()
    got = sparsify(raw, S)
    assert got.code[0, :, 0].tolist() == [0, -1.0, 0, 0, 0.5]
    got.code.sum().backward()
    assert raw.grad is not None
    assert raw.grad[0, :, 0].tolist() == [0, 0, 0, 0, 1]


def test_half_precision_comes_out_on_the_same_grid() -> None:
    raw = torch.randn(1, 5, 7).bfloat16()
    got = sparsify(raw, S)
    assert got.code.dtype == torch.float32
    assert torch.equal(got.steps, sparsify(raw.float(), S).steps)
