"""How close do films come back? Per 64 x 64 patch and per whole film, on people the networks never saw; see README.md."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from medveil.carry.training import part_of, tensor, units
from medveil.core.seeds import Seeds
from medveil.io.film_folder import find_films
from medveil.io.models import read_model, shipped
from medveil.measure.fidelity.error import mae, me, psnr, rmse
from medveil.measure.fidelity.similarity import ssim
from medveil.nn.bottleneck import Bottleneck

HERE = Path(__file__).parent
SIDE = 64
METRICS = ("mae", "me", "rmse", "psnr", "ssim")
# Table 1 of the PRIMIS paper; its ME equals its MAE in every digit, and it does not say patch or film.
PAPER = {4: (16.86, 0.48), 8: (34.29, 0.95), 16: (38.48, 0.98)}
Unit = npt.NDArray[np.float32]


def main() -> None:
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("table", type=Path, help="films and whose they are, see docs/how-to")
    o.add_argument("--models", nargs="+", default=list(shipped()))
    o.add_argument("--threads", type=int, default=2)
    o.add_argument("--part", default="test", choices=("validate", "test"))
    o.add_argument("--to", type=Path, default=HERE / "fidelity.json")
    o.add_argument("--figures", type=Path, default=None, help="folder for joint histograms and bias maps")
    a = o.parse_args()
    torch.set_num_threads(a.threads)
    files = [f for f in find_films(a.table.parent, a.table) if part_of(f.group) == a.part]
    films = [(f.group, u) for f in files for u in units([f])]
    people = len({g for g, _ in films})
    print(f"{len(films)} films of {people} people, from {min(min(u.shape) for _, u in films)} pixels a side")
    rows = []
    for name in a.models:
        net = read_model(name).net
        own = net.settings.nonzeros
        for nonzeros in sorted({own, *((4, 8) if own == 16 else ())}):
            rows.append(row(name, truncated(net, nonzeros), own, films, a.figures))
            a.to.write_text(
                json.dumps({"films": len(films), "people": people, "rows": rows}, indent=1) + "\n"
            )
    for nonzeros, (db, alike) in PAPER.items():
        print(f"paper, Table 1               S_x {nonzeros:2}: PSNR {db:.2f} dB  SSIM {alike:.2f}")


def truncated(net: Bottleneck, nonzeros: int) -> Bottleneck:
    """The same network, keeping fewer components than it was trained for."""
    other = Bottleneck(replace(net.settings, nonzeros=nonzeros))
    other.load_state_dict(net.state_dict())
    return other.eval()


def row(
    name: str, net: Bottleneck, own: int, films: list[tuple[str, Unit]], figures: Path | None
) -> dict[str, Any]:
    """Both kinds of figures of one network at one S_x."""
    whole, patches = defaultdict(list), defaultdict(list)
    joint = np.zeros((256, 256), dtype=np.int64)
    with torch.inference_mode():
        for group, film in films:
            back = net(tensor(film)).clamp(0, 1)[0, 0].numpy()
            whole[group].append(measured(film, back))
            joint += np.histogram2d(film.ravel(), back.ravel(), 256, ((0, 1), (0, 1)))[0].astype(np.int64)
            cut = tiles(film)
            for patch, again in zip(
                cut, net(torch.from_numpy(cut)[:, None]).clamp(0, 1)[:, 0].numpy(), strict=True
            ):
                patches[group].append(measured(patch, again))
    s = net.settings
    out = {"model": name, "variant": s.variant, "trained_at": own, "nonzeros": s.nonzeros}
    out |= {"film": summary(whole), "patch": summary(patches)}
    for kind in ("film", "patch"):
        p, q = out[kind]["psnr"], out[kind]["ssim"]
        print(
            f"{name:22} {kind:5} S_x {s.nonzeros:2}{'' if s.nonzeros == own else f' (trained at {own})'}: "
            f"PSNR {p['mean']:.2f} [{p['low']:.2f}, {p['high']:.2f}] SD {p['sd']:.2f} dB, "
            f"pooled {out[kind]['pooled_db']:.2f};  SSIM {q['mean']:.3f} SD {q['sd']:.3f};  "
            f"MAE {out[kind]['mae']['mean'] * 255:.2f}  ME {out[kind]['me']['mean'] * 255:+.3f} of 255",
            flush=True,
        )
    if figures:
        draw(figures / f"{name}-{s.nonzeros}.png", joint, net, films[:3])
    return out


def tiles(film: Unit) -> Unit:
    """The film's 64 x 64 patches, (N, 64, 64); what is left over at the lower and right border is not used."""
    rows, cols = (n // SIDE for n in film.shape)
    cut = film[: rows * SIDE, : cols * SIDE].reshape(rows, SIDE, cols, SIDE)
    return np.ascontiguousarray(cut.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE))


def measured(a: Unit, b: Unit) -> tuple[float, ...]:
    """The metrics, of numbers in [0, 1]; an exact patch counts as 100 dB."""
    ratio = psnr(a, b, data_range=1.0)
    return mae(a, b), me(a, b), rmse(a, b), 100.0 if ratio is None else ratio, ssim(a, b, data_range=1.0)


def summary(found: dict[str, list[tuple[float, ...]]]) -> dict[str, Any]:
    """Mean, SD over all, and a 95 % interval of the mean from a bootstrap over people."""
    each = [np.array(rows) for rows in found.values()]
    every = np.concatenate(each)
    sums, counts = np.array([e.sum(axis=0) for e in each]), np.array([len(e) for e in each])
    drawn = Seeds(0).stream("benchmarks/primis").integers(0, len(each), (2000, len(each)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None]
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    out: dict[str, Any] = {
        m: {"mean": every[:, i].mean(), "sd": every[:, i].std(), "low": low[i], "high": high[i]}
        for i, m in enumerate(METRICS)
    }
    out["n"] = len(every)
    out["pooled_db"] = -10 * np.log10((every[:, 2] ** 2).mean())
    return out


def draw(path: Path, joint: npt.NDArray[np.int64], net: Bottleneck, films: list[tuple[str, Unit]]) -> None:
    """Joint histogram, and where three films are too bright or too dark; kept out of the repository: real people."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.colors import LogNorm

    path.parent.mkdir(parents=True, exist_ok=True)
    fig, axes = plt.subplots(1, 1 + len(films), figsize=(4 * (1 + len(films)), 4), layout="constrained")
    axes[0].imshow(joint.T + 0.5, origin="lower", extent=(0, 1, 0, 1), norm=LogNorm(), cmap="viridis")
    axes[0].plot((0, 1), (0, 1), "w--", lw=0.8)
    axes[0].set(xlabel="original", ylabel="opened", title=f"joint histogram, S_x = {net.settings.nonzeros}")
    with torch.inference_mode():
        for ax, (_, film) in zip(axes[1:], films, strict=True):
            bias = net(tensor(film)).clamp(0, 1)[0, 0].numpy() - film
            shown = ax.imshow(bias * 255, cmap="RdBu_r", vmin=-10, vmax=10)
            ax.set(title="opened - original, of 255", xticks=[], yticks=[])
    fig.colorbar(shown, ax=axes[1:], shrink=0.8)
    fig.savefig(path, dpi=110)
    plt.close(fig)


if __name__ == "__main__":
    main()
