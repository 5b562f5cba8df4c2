"""Proofs that a release changed what it said and nothing else, from the two images alone.

Stored numbers are compared as bits: -0.0 is not 0.0, and a not-a-number equals itself. A difference of one
grey level, or a float round trip that nobody would see, breaks a proof.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.core.errors import VerificationFailed
from medveil.core.image import Image
from medveil.core.release import Mask


def verify_image(
    source: Image, released: Image, altered: Mask | None, protected: Mask | None
) -> dict[str, bool]:
    """What can be proved about a released image beside its source; each proof by its name.

    Args:
        source, released: both as read from their files.
        altered: (I, J, K) where the steps were allowed to change voxels; None if nowhere.
        protected: (I, J, K) where the steps promised to change nothing; None if they promised nothing.

    Returns:
        'same grid, type and scaling'; 'kept voxels identical' (outside `altered`); 'something was altered',
        if `altered` is given; 'protected voxels unchanged', if `protected` is given. In a series, a mask
        holds for every volume. On different grids or types every proof is False.

    Raises:
        VerificationFailed: a mask has another shape than the source's grid.
    """
    for mask in (altered, protected):
        if mask is not None and mask.shape != source.data.shape[:3]:
            raise VerificationFailed("mask: has another shape than the image it is meant for")
    changed = changed_voxels(source, released)
    proofs = {"same grid, type and scaling": changed is not None}
    if changed is None:
        changed = np.ones(source.data.shape[:3], dtype=bool)
    proofs["kept voxels identical"] = not (changed if altered is None else changed & ~altered).any()
    if altered is not None:
        proofs["something was altered"] = proofs["same grid, type and scaling"] and bool(changed.any())
    if protected is not None:
        proofs["protected voxels unchanged"] = not (changed & protected).any()
    return proofs


def count_voxels(
    source: Image, released: Image, altered: Mask | None, protected: Mask | None
) -> dict[str, int]:
    """The numbers behind the proofs: how many voxels of the grid changed, were allowed to, must not have.

    Raises:
        VerificationFailed: the two images do not have the same grid, type and scaling.
    """
    changed = changed_voxels(source, released)
    if changed is None:
        raise VerificationFailed("release: its grid, type or scaling is not the source's")
    counts = {"voxels": changed.size, "voxels_changed": int(changed.sum())}
    if altered is not None:
        counts["voxels_allowed_to_change"] = int(altered.sum())
        counts["voxels_changed_outside"] = int((changed & ~altered).sum())
    if protected is not None:
        counts["protected_voxels"] = int(protected.sum())
        counts["protected_voxels_changed"] = int((changed & protected).sum())
    return counts


def changed_voxels(source: Image, released: Image) -> Mask | None:
    """(I, J, K) True where a stored number differs in any bit, in any volume; None if not comparable."""
    a, b = source.data, released.data
    same = (
        a.shape == b.shape
        and a.dtype == b.dtype  # also the byte order
        and np.array_equal(source.affine, released.affine)
        and (source.slope, source.intercept) == (released.slope, released.intercept)
    )
    if not same:
        return None
    differs = np.asarray(_bits(a) != _bits(b), dtype=np.bool_)
    return np.asarray(differs.any(axis=3)) if a.ndim > 3 else differs


def _bits(data: npt.NDArray[np.generic]) -> npt.NDArray[np.unsignedinteger]:
    return data.view(np.dtype(f"u{data.dtype.itemsize}"))
