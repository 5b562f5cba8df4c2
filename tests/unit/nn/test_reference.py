"""The released layout: what is known of it holds, errors included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from medveil.core.errors import UsageError  # noqa: E402
from medveil.nn.reference import RELEASED, Reference, _extremes  # noqa: E402

SMALL = replace(RELEASED, atoms=12, levels=3, nonzeros=4)


@pytest.fixture(scope="module")
def small() -> Reference:
    torch.manual_seed(2)
    return Reference(SMALL).eval().requires_grad_(False)


def test_it_has_as_many_parameters_as_the_released_one() -> None:
    assert sum(p.numel() for p in Reference().parameters()) == 988_210


def test_a_code_keeps_32_of_256_at_25_positions_a_tile() -> None:
    net = Reference().eval()
    with torch.no_grad():
        codes = net.encode(torch.rand(1, 1, 64, 100))
    assert net.positions == 25
    assert [c.code.shape for c in codes] == [(1, 256, 50)] * 4  # two tiles
    assert all(((c.code != 0).sum(dim=1) == 32).all() for c in codes)


def test_the_k_largest_and_the_k_smallest_are_kept_as_they_are() -> None:
    site = [0.3, -2.0, 0.1, 5.0, -0.4, 0.2, 4.5]
    got = _extremes(torch.tensor(site)[None, :, None], 2)
    assert got.support[0, :, 0].tolist() == [1, 3, 4, 6]  # -0.4 is among the smallest, 0.3 among neither
    assert got.code[0, :, 0].tolist() == pytest.approx([0, -2.0, 0, 5.0, -0.4, 0, 4.5])
    assert got.values[0, :, 0].tolist() == pytest.approx([-2.0, 5.0, -0.4, 4.5])


@pytest.mark.parametrize("size", [(64, 64), (65, 130), (20, 199), (1, 3)])
def test_an_image_of_any_size_comes_back_in_its_size(small: Reference, size: tuple[int, int]) -> None:
    image = torch.rand(2, 1, *size)
    codes = [c.code for c in small.encode(image)]
    tiles = -(-size[0] // 64) * -(-size[1] // 64)
    assert [c.shape for c in codes] == [(2, 12, 25 * tiles)] * 3
    back = small.decode(codes, *size)
    assert back.shape == image.shape
    assert torch.allclose(back, small(image))
    zero = torch.zeros_like(codes[0])
    assert torch.equal(small.decode(codes[:1], *size), small.decode([codes[0], zero, zero], *size))


def test_tiles_know_nothing_of_each_other(small: Reference) -> None:
    image = torch.rand(1, 1, 128, 192)
    other = image.clone()
    other[..., 64:, 64:128] = 0
    before, after = small(image), small(other)
    same = torch.ones(128, 192, dtype=torch.bool)
    same[64:, 64:128] = False
    assert (before - after)[0, 0][same].abs().max() < 1e-5
    assert (before - after)[0, 0][~same].abs().max() > 1e-3
    alone = small(image[..., 64:, 64:128])
    assert torch.allclose(alone, before[..., 64:, 64:128], atol=1e-5)


def test_sites_go_tile_by_tile(small: Reference) -> None:
    image = torch.rand(1, 1, 64, 128)
    whole, right = small.encode(image), small.encode(image[..., 64:])
    for a, b in zip(whole, right, strict=True):
        assert torch.equal(a.support[..., 25:], b.support)


def test_the_decoder_reads_channels_in_another_order() -> None:
    """W' lays component c of code m down with a kernel of channel 256 m + c, which is another component's."""
    net = Reference(SMALL).eval().requires_grad_(False)
    for code, atom in [(0, 0), (0, 5), (1, 5), (2, 10)]:
        one = torch.zeros(3, 1, 12, 25)
        one[code, 0, atom, 12] = 1.0  # the position in the middle
        seen: list[torch.Tensor] = []
        hook = net.out_of.register_forward_pre_hook(lambda _, x: seen.append(x[0]))  # noqa: B023 - read at once
        net.decode(list(one), 64, 64)
        hook.remove()
        channel = 12 * code + atom
        group = channel // 3
        assert seen[0][0].flatten(1).any(dim=1).nonzero()[:, 0].tolist() == [3 * group + n for n in range(3)]
        laid = seen[0][0, 3 * group : 3 * group + 3, 4:12, 4:12]
        assert torch.equal(laid, net.linear.weight[channel])
        if (code, atom) != (0, 0):
            assert channel != 3 * atom + code  # where the encoder found it


def test_encoder_and_decoder_are_no_adjoints() -> None:
    net = Reference(SMALL).eval().requires_grad_(False)
    net.linear.bias.zero_()
    maps = torch.randn(1, 36, 16, 16)
    raw = net.linear(maps).unflatten(1, (12, 3)).transpose(1, 2)  # (1, L, M, 5, 5)
    seen: list[torch.Tensor] = []
    net.out_of.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    net.decode(list(raw.flatten(-2).unbind(1)), 64, 64)
    assert (maps * seen[0]).sum() < 0.5 * raw.square().sum()  # of adjoints, <x, W' W x> is |W x|^2


def test_it_learns_and_drops_channels_only_in_training() -> None:
    net = Reference(SMALL)
    image = torch.rand(2, 1, 64, 64)
    loss = (net(image) - image).square().mean()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())
    assert sum(float(p.grad.abs().max()) > 0 for p in net.parameters()) == len(list(net.parameters()))
    net.drop.p = 0.5
    net.train()
    with torch.no_grad():
        assert not torch.equal(net(image), net(image))
        net.eval()
        assert torch.equal(net(image), net(image))


@pytest.mark.parametrize(
    "wrong", [{"variant": "paper"}, {"nonzeros": 5}, {"grouping": "map"}, {"window": 18, "stride": 2}]
)
def test_settings_of_another_layout_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="reference layout"):
        Reference(replace(SMALL, **wrong))


def test_windows_that_leave_some_features_out_still_give_a_whole_image() -> None:
    net = Reference(replace(SMALL, window=6, stride=3)).eval()
    assert net.positions == 16
    image = torch.from_numpy(np.ones((1, 1, 64, 64), dtype=np.float32))
    assert net(image).shape == image.shape
