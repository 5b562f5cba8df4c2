"""Tables of diffusion gradients beside an image: which ones are its own, and their text.

dwi.bval                                   speaks of every _dwi image below, unless
sub-01/dwi/sub-01_dwi.bval  .bvec          a nearer one does (BIDS inheritance, as for sidecars)

Nothing is judged here: `protect.header.gradients` says what of a table may leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from medveil.core.errors import InputRefused
from medveil.io.inheritance import inherited

if TYPE_CHECKING:
    from medveil.io.bids import Inventory

SUFFIXES = (".bval", ".bvec")
_MOST_BYTES = 1 << 20


def gradients(inventory: Inventory, place: PurePosixPath) -> tuple[Path, ...]:
    """The .bval and the .bvec of an image, in this order, as far as they are there.

    Args:
        place: of the image in the source.
    """
    return tuple(inventory.root / p for p in inventory.gradients.get(place, ()))


def nearest_tables(
    images: Sequence[PurePosixPath], tables: Sequence[PurePosixPath]
) -> dict[PurePosixPath, tuple[PurePosixPath, ...]]:
    """Image to its nearest table of each kind; images of none are not there."""
    found: dict[PurePosixPath, tuple[PurePosixPath, ...]] = {}
    for suffix in SUFFIXES:
        for image, chain in inherited(images, [t for t in tables if t.suffix == suffix]).items():
            found[image] = (*found.get(image, ()), chain[-1])
    return found


def read_table(path: Path) -> str:
    """The text of a table, not looked at.

    Raises:
        InputRefused: cannot be read, is no text, is larger than any table.
    """
    what = path.suffix[1:]
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError:
        raise InputRefused(f"{what}: could not be read") from None
    except UnicodeDecodeError:
        raise InputRefused(f"{what}: is no text") from None
    if len(content) > _MOST_BYTES:
        raise InputRefused(f"{what}: is too large for a table of gradients")
    return text
