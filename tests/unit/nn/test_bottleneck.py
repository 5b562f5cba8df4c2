"""The auto-encoders: any size, no seams, and what fewer levels give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from medveil.core.errors import UsageError  # noqa: E402
from medveil.nn.bottleneck import Bottleneck, filled, mirrored  # noqa: E402
from medveil.nn.settings import NetSettings, Variant  # noqa: E402
from medveil.nn.sparsify import spread  # noqa: E402

VARIANTS: list[Variant] = ["paper", "independent", "progressive"]


def net(variant: Variant, **other: Any) -> Bottleneck:
    small = {"levels": 3, "atoms": 64, "nonzeros": 8, "window": 4, "stride": 2, "width": 4}
    return Bottleneck(NetSettings(variant=variant, **{**small, **other})).eval().requires_grad_(False)


def picture(film: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(film).float()[None, None] / 255


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    """dB, of images in [0, 1]."""
    return -10 * float(torch.log10((a - b).square().mean()))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [(64, 64), (65, 64), (71, 130), (200, 97), (123, 199)])
def test_an_image_of_any_size_comes_back_in_its_size(
    variant: Variant, size: tuple[int, int], film: np.ndarray
) -> None:
    n = net(variant)
    image = picture(film)[..., : size[0], : size[1]]
    codes = n.encode(image)
    rows, cols = n.settings.sites(*size)
    assert [c.code.shape for c in codes] == [(1, 64, rows * cols)] * 3
    back = n.decode([c.code for c in codes], *size)
    assert back.shape == image.shape
    assert psnr(back, image) > 35
    assert torch.equal(back, n(image))


@pytest.mark.parametrize("variant", VARIANTS)
def test_narrow_and_tiny_images_are_mirrored_as_often_as_it_takes(variant: Variant) -> None:
    for size in [(1, 1), (3, 40)]:
        assert net(variant, window=8)(torch.rand(2, 1, *size)).shape == (2, 1, *size)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("grouping", ["map", "atom"])
def test_grouping_by_map_and_few_atoms_work_as_well(variant: Variant, grouping: str) -> None:
    n = net(variant, grouping=grouping, atoms=7, nonzeros=2, levels=2)
    assert n(torch.rand(1, 1, 33, 47)).shape == (1, 1, 33, 47)


def test_images_of_a_batch_do_not_meet(film: np.ndarray) -> None:
    n = net("progressive")
    both = torch.cat([picture(film)[..., :96, :96], picture(film)[..., 50:146, 50:146]])
    assert torch.allclose(n(both), torch.cat([n(one[None]) for one in both]), atol=1e-3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_there_are_no_seams(variant: Variant, film: np.ndarray) -> None:
    """A film that is shifted by one pitch has the same code, shifted by one site."""
    n = net(variant, levels=2)
    pitch, side = n.settings.pitch, 184
    here, there = (picture(film)[..., p : p + side, p : p + side] for p in (0, pitch))
    rows, cols = n.settings.sites(side, side)
    for level, (a, b) in enumerate(zip(n.encode(here), n.encode(there), strict=True)):
        one, other = (c.code[0].unflatten(-1, (rows, cols)) for c in (a, b))
        edge = 3 * (level + 1)  # what the border reaches: windows, and those of the levels before
        inner, shifted = one[:, 1:, 1:], other[:, :-1, :-1]
        inner, shifted = (x[:, edge:-edge, edge:-edge] for x in (inner, shifted))
        assert inner.shape[1] >= 10
        assert inner.any()
        different = (inner - shifted).abs() > 1e-4  # one step is 0.01
        assert different.float().mean() < 1e-3  # a value may fall between two steps
    back, moved = n(here), n(there)
    apart = (back[..., pitch:, pitch:] - moved[..., :-pitch, :-pitch])[..., 48:-48, 48:-48].abs()
    assert apart.mean() < 1e-4


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("window", [2, 4, 6])
def test_every_pixel_is_covered_by_equally_many_windows(variant: Variant, window: int) -> None:
    n = net(variant, window=window)
    s = n.settings
    pair = n.pairs[0]
    pair.linear.weight.fill_(1.0)
    rows, cols = s.sites(24, 40)
    maps = pair.linear.adjoint(
        torch.ones(1, pair.levels, s.atoms, rows * cols), rows + window // 2 - 1, cols + window // 2 - 1
    )
    edge = s.margin // s.pitch
    seen = maps[..., edge : edge + 3, edge : edge + 5]
    assert (seen == (window // s.stride) ** 2 * pair.levels).all()
    image = pair.decode(torch.ones(1, pair.levels, s.atoms, rows * cols), 24, 40)
    blocks = image[0, 0].unflatten(-1, (-1, s.pitch)).unflatten(-3, (-1, s.pitch))
    assert (blocks - blocks[:1, :, :1]).abs().max() < 1e-4


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("grey", [0.0, 0.3, 1.0])
def test_a_constant_image_comes_back_constant(variant: Variant, grey: float) -> None:
    back = net(variant)(torch.full((1, 1, 75, 90), grey))
    assert (back - grey).abs().max() < 0.015
    inner = back[..., 16:56, 16:72]
    assert (inner[..., 8:, :] - inner[..., :-8, :]).abs().max() < 1e-4
    assert (inner[..., 8:] - inner[..., :-8]).abs().max() < 1e-4
    assert abs(back[..., :8, :].mean() - inner.mean()) < 0.01


def test_more_levels_never_make_a_film_worse(film: np.ndarray) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        n = net("progressive", levels=4)
        for image in (picture(film), picture(film[:77, 40:140]), picture(film.T.copy())):
            codes = [c.code for c in n.encode(image)]
            gained = [psnr(n.decode(codes[:k], *image.shape[-2:]), image) for k in range(1, 5)]
            assert gained == sorted(gained)
            assert gained[0] > 30


def test_progressive_codes_what_is_left_and_adds_up(film: np.ndarray) -> None:
    n = net("progressive")
    image = picture(film)[..., :80, :96]
    codes = n.encode(image)
    rest = image
    for level, chosen in enumerate(codes):
        again = n.pairs[level].raw(rest)[:, 0]
        assert torch.allclose(
            again.gather(1, chosen.support), chosen.code.gather(1, chosen.support), atol=6e-3
        )
        rest = rest - n.pairs[level].decode(chosen.code[:, None], 80, 96)
    assert torch.allclose(image - rest, n(image), atol=1e-5)


def test_independent_levels_see_the_image_and_are_averaged(film: np.ndarray) -> None:
    n = net("independent")
    image = picture(film)[..., :80, :96]
    codes = [c.code for c in n.encode(image)]
    alone = [pair.decode(code[:, None], 80, 96) for pair, code in zip(n.pairs, codes, strict=True)]
    assert torch.allclose(n.decode(codes[:2], 80, 96), (alone[0] + alone[1]) / 2, atol=1e-6)
    assert torch.allclose(n(image), sum(alone) / 3, atol=1e-6)


def test_the_paper_s_decoder_takes_missing_levels_as_0(film: np.ndarray) -> None:
    n = net("paper")
    image = picture(film)
    codes = [c.code for c in n.encode(image)]
    zero = torch.zeros_like(codes[0])
    assert torch.equal(n.decode(codes[:1], 200, 200), n.decode([codes[0], zero, zero], 200, 200))
    found = [psnr(n.decode(codes[:k], 200, 200), image) for k in (1, 2, 3)]
    assert found[2] > found[1] + 3
    assert len(n.pairs) == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_support_and_steps_are_all_a_receiver_needs(variant: Variant, film: np.ndarray) -> None:
    n = net(variant)
    image = picture(film)[..., :70, :90]
    sent = [(c.support, c.steps) for c in n.encode(image)]
    got = n.decode([spread(support, steps, n.settings) for support, steps in sent], 70, 90)
    assert torch.allclose(got, n(image), atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_is_reached_by_a_gradient(variant: Variant) -> None:
    n = net(variant).train().requires_grad_(True)
    for module in n.modules():  # the last layer begins at 0 and lets nothing through in the first step
        if isinstance(module, torch.nn.Conv2d) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.1)
    (n(torch.rand(2, 1, 48, 48)) - 0.5).square().mean().backward()
    for name, parameter in n.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_mixed_precision_trains() -> None:
    n = net("progressive").train().requires_grad_(True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        back = n(torch.rand(1, 1, 32, 32))
    back.float().square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in n.parameters())


def test_the_released_layout_is_another_class() -> None:
    with pytest.raises(UsageError, match="reference"):
        net("reference")


def test_borders_are_mirrored_with_the_last_pixel_doubled() -> None:
    line = torch.tensor([1.0, 2.0, 3.0])[None, None, None]
    assert filled(line, 4)[0, 0, 0].tolist() == [1, 2, 3, 3]
    assert filled(line, 4).shape == (1, 1, 4, 4)
    assert mirrored(line, 4)[0, 0, 0].tolist() == [3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1]
