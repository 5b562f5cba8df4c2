"""The networks need the extra `learn`; one thread, so that sums are the same in every run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    torch = pytest.importorskip("torch", reason="networks need the extra `learn`")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def film() -> np.ndarray:
    """A picture with the spectrum of a film: smooth shades, an edge, a little grain; (200, 200) of 0 to 255."""
    draw = np.random.default_rng(4)
    rows, cols = np.mgrid[:200, :200] / 200
    shade = 0.35 + 0.3 * np.sin(3 * rows + 1) * np.cos(2.3 * cols)
    ribs = 0.08 * np.sin(40 * rows + 9 * cols**2) * (np.abs(cols - 0.5) > 0.1)
    heart = 0.2 * ((rows - 0.6) ** 2 + (cols - 0.55) ** 2 < 0.04)
    grain = 0.01 * draw.standard_normal((200, 200))
    return np.rint(255 * np.clip(shade + ribs + heart + grain, 0, 1)).astype(np.uint8)
