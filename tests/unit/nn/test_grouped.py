"""GroupedLinear is a grouped convolution, and its adjoint is the transpose of it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from torch.nn import functional as F  # noqa: E402 - as torch's own documents

from medveil.nn.grouped import GroupedLinear, tiled, untiled  # noqa: E402
from medveil.nn.settings import Grouping, NetSettings  # noqa: E402

SHAPES = [(4, 4), (4, 2), (6, 2), (8, 4), (3, 1), (1, 1)]  # window, stride


def layer(grouping: Grouping, window: int, stride: int, levels: int = 3, atoms: int = 5) -> GroupedLinear:
    s = NetSettings(
        levels=levels, atoms=atoms, nonzeros=2, window=window, stride=stride, grouping=grouping, width=4
    )
    return GroupedLinear(s, levels)


@pytest.mark.parametrize("grouping", ["atom", "map"])
@pytest.mark.parametrize(("window", "stride"), SHAPES)
def test_the_adjoint_is_the_transpose(grouping: Grouping, window: int, stride: int) -> None:
    w = layer(grouping, window, stride)
    x = torch.randn(2, w.maps, stride**2, 7, 5)
    z = torch.randn_like(w(x))
    back = w.adjoint(z, 7, 5)
    assert back.shape == x.shape
    left, right = (w(x).double() * z).sum(), (x.double() * back).sum()
    size = w(x).norm().double() * z.norm()
    assert abs(left - right) <= 1e-5 * size
    # Not only for one pair: every entry of W is found again in W'.
    by_hand = torch.autograd.functional.vjp(w.forward, x, z)[1]
    assert (back - by_hand).abs().max() <= 1e-5 * by_hand.abs().max()


@pytest.mark.parametrize("grouping", ["atom", "map"])
@pytest.mark.parametrize(("window", "stride"), SHAPES)
def test_it_equals_torch_s_own_convolutions(grouping: Grouping, window: int, stride: int) -> None:
    w = layer(grouping, window, stride)
    ratio = window // stride
    rows, cols = ratio + 2, ratio + 1
    # (ratio, ratio, maps, per map, pixels of a tile) -> (maps * per map, 1, window, window)
    kernel = w.weight.detach().unflatten(-1, (stride, stride)).permute(2, 3, 0, 4, 1, 5)
    kernel = kernel.reshape(w.maps * w.per_map, 1, window, window)

    features = torch.randn(2, w.maps, rows * stride, cols * stride)
    expected = F.conv2d(features, kernel, stride=stride, groups=w.maps)
    sites = expected.shape[-2:]
    assert sites == (3, 2)
    expected = expected.unflatten(1, (w.maps, w.per_map)).flatten(-2)
    got = w(tiled(features, stride))
    assert got.shape == (2, 3, 5, 6)  # B, L, M, sites
    assert torch.allclose(got if w.by_map else got.transpose(1, 2), expected, rtol=1e-5, atol=1e-5)

    code = torch.randn_like(got)
    grouped = (code if w.by_map else code.transpose(1, 2)).flatten(1, 2).unflatten(-1, sites)
    expected = F.conv_transpose2d(grouped, kernel, stride=stride, groups=w.maps)
    got = untiled(w.adjoint(code, rows, cols), stride)
    assert torch.allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("grouping", ["atom", "map"])
def test_both_directions_carry_gradients_to_the_one_weight(grouping: Grouping) -> None:
    w = layer(grouping, 4, 2)
    assert [name for name, _ in w.named_parameters()] == ["weight"]
    z = w(torch.randn(1, w.maps, 4, 4, 4))
    (there,) = torch.autograd.grad(z.square().sum(), w.weight)
    (back,) = torch.autograd.grad(w.adjoint(z.detach(), 4, 4).square().sum(), w.weight)
    assert there.abs().min() > 0
    assert back.abs().min() > 0


def test_a_map_has_kernels_of_its_own() -> None:
    w = layer("map", 4, 2)
    x = torch.randn(1, w.maps, 4, 4, 4)
    alone = x.clone()
    alone[:, 1:] = 0
    assert torch.equal(w(alone)[:, 0], w(x)[:, 0])
    assert not w(alone)[:, 1:].any()


def test_tiles_are_cut_row_by_row() -> None:
    tiles = tiled(torch.arange(24.0).reshape(1, 1, 4, 6), 2)
    assert tiles.shape == (1, 1, 4, 2, 3)
    assert tiles[0, 0, :, 0, 1].tolist() == [2, 3, 8, 9]
    assert tiles[0, 0, :, 1, 2].tolist() == [16, 17, 22, 23]


@pytest.mark.parametrize(("side", "height", "width"), [(1, 3, 5), (2, 4, 10), (4, 12, 8)])
def test_untiled_is_the_inverse_of_tiled(side: int, height: int, width: int) -> None:
    features = torch.randn(2, 3, height, width)
    tiles = tiled(features, side)
    assert tiles.shape == (2, 3, side**2, height // side, width // side)
    assert torch.equal(untiled(tiles, side), features)
