"""NetSettings: what a network is, as plain numbers that go into its file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from medveil.core.errors import UsageError

Variant = Literal["paper", "independent", "progressive", "reference"]
Grouping = Literal["atom", "map"]


@dataclass(frozen=True)
class NetSettings:
    """The shape of an auto-encoder.

    One site lies every 4 * `stride` pixels in both directions and looks at windows of 4 * `window` pixels. At each
    site each of the `levels` code maps keeps the `nonzeros` largest of its `atoms` components.

    Args:
        variant: `paper`, one encoder and one decoder for all code maps; `independent`, a pair for each, whose images
            are averaged; `progressive`, each codes what the ones before it left; `reference`, the released layout.
        levels: L, number of code maps.
        atoms: M, components a site has in one code map.
        nonzeros: S_x, components kept at a site of one code map.
        window: side of the window of the grouped linear map, in feature pixels (4 image pixels each).
        stride: from one window to the next, in feature pixels.
        grouping: `atom`, one feature map for each of the M components (as released); `map`, one for each code map
            (the paper's Fig. 3).
        width: channels of the part of the trunk that is not linear.
        step: size of a quantisation step.
        steps: Q, largest number of steps.

    Raises:
        UsageError: numbers that make no network.
    """

    variant: Variant = "progressive"
    levels: int = 4
    atoms: int = 256
    nonzeros: int = 16
    window: int = 8
    stride: int = 4
    grouping: Grouping = "atom"
    width: int = 16
    step: float = 0.01
    steps: int = 255

    def __post_init__(self) -> None:
        if self.variant not in get_args(Variant):
            raise UsageError(f"network: variant must be one of {', '.join(get_args(Variant))}")
        if self.grouping not in get_args(Grouping):
            raise UsageError(f"network: grouping must be one of {', '.join(get_args(Grouping))}")
        whole = (self.levels, self.atoms, self.nonzeros, self.window, self.stride, self.width, self.steps)
        if any(type(n) is not int or n < 1 for n in whole) or not 0 < self.step < 1:
            raise UsageError("network: counts must be whole numbers of at least 1, and 0 < step < 1")
        if self.nonzeros > self.atoms or self.atoms > 65535 or self.levels > 16 or self.steps > 16383:
            raise UsageError(
                "network: S_x must be at most M, M at most 65535, L at most 16, steps at most 16383"
            )
        if self.window % self.stride:
            raise UsageError(
                "network: the window must be a multiple of the stride",
                hint="else some pixels are seen by more windows than others",
            )

    @property
    def pitch(self) -> int:
        """Pixels from one site to the next."""
        return 4 * self.stride

    @property
    def margin(self) -> int:
        """Pixels that are mirrored at each side, so that every pixel of the image is seen by equally many windows."""
        return 4 * (self.window - self.stride)

    def sites(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of sites of an image of that many pixels."""
        extra = self.window // self.stride - 1
        return -(-height // self.pitch) + extra, -(-width // self.pitch) + extra

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @staticmethod
    def from_json(given: dict[str, Any]) -> NetSettings:
        """Back from JSON.

        Raises:
            UsageError: fields that are missing, unknown or of a wrong kind.
        """
        if set(given) != {f.name for f in fields(NetSettings)}:
            raise UsageError("network: its settings have other fields than this version knows")
        return NetSettings(**given)
