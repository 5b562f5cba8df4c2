"""Layout: which vertices of a head model are skin, landmarks, ear canals and eyeballs.

A statistical head model is a cloud of numbered points; what point 4857 is, only its makers know. The layout
of ICT-FaceKit is written down here, so its files need to say nothing. A file of another model brings the four
arrays `skin_vertices`, `landmarks`, `ear_canals` and `eyeballs` itself.

Source of the numbers: README of ICT-FaceKit (tables of geometry and of the 68 landmarks of Multi-PIE);
the ear canals were read off the mean head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LANDMARKS = 68
"""Points of the Multi-PIE mark-up: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth, right first."""

# Where each of the 68 points goes when left and right are swapped.
MIRROR: npt.NDArray[np.intp] = np.array(
    [
        *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
        *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What the vertices of a model are.

    Args:
        skin: how many vertices, from the first one on, are skin of face, head and neck.
        landmarks: the 68 points, the person's right eye before the left one.
        canals: a vertex in each ear canal, left then right.
        eyeballs: ranges (start, stop) of the whites of the eyes, left then right.
    """

    skin: int
    landmarks: tuple[int, ...]
    canals: tuple[int, int]
    eyeballs: tuple[tuple[int, int], tuple[int, int]]

    def largest(self) -> int:
        """The largest vertex that is named."""
        return max(self.skin - 1, *self.landmarks, *self.canals, *(stop - 1 for _, stop in self.eyeballs))


ICT_VERTICES = 26719
ICT = Layout(
    skin=11248,
    landmarks=(
        1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443,
        268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147,
        4269, 3360, 1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081,
        0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
    ),
    canals=(7032, 7759),
    eyeballs=((21451, 22221), (23021, 23791)),
)  # fmt: skip
"""ICT-FaceKit, light version: face 0 to 9408, head and neck 9409 to 11247, then what lies inside."""
