"""The JPEG 2000 codestream of one slice: written and read by Pillow's OpenJPEG, cut into its layers, put together.

    SOC SIZ COD QCD [COM] SOT [PLT] SOD  packets of layer 1 | layer 2 | ... EOC      (ISO/IEC 15444-1, annex A)

In the LRCP order the packets of one layer lie side by side and PLT tells their lengths. The first k layers under
a header that says "k layers" are a complete codestream, not a truncated one: any decoder takes it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from math import inf, log10

import numpy as np

from medveil.core.errors import MissingPackage, VerificationFailed
from medveil.core.image import Array

SOC, SIZ, COD, QCD, PLT, SOT, SOD, EOC = 0xFF4F, 0xFF51, 0xFF52, 0xFF5C, 0xFF58, 0xFF90, 0xFF93, 0xFFD9


def written(
    pixels: Array, *, layers_db: Sequence[float], irreversible: bool = False, packet_lengths: bool = True
) -> bytes:
    """The codestream of a slice.

    Args:
        pixels: (H, W[, 3]) uint8 or uint16; colour only uint8.
        layers_db: PSNR to aim at of each layer, ascending; MAX is that of the dtype. 0 means all that is left.
        irreversible: the 9/7 wavelet, never exact, instead of the 5/3 one.
        packet_lengths: write PLT, without which the codestream cannot be `cut`.

    Raises:
        MissingPackage: Pillow was built without JPEG 2000.
    """
    from PIL import Image as Pillow
    from PIL import features

    if not features.check("jpg_2000"):
        raise MissingPackage(
            "Pillow with JPEG 2000", "codec.jpeg2000", "pip install --force-reinstall pillow"
        )
    buffer = BytesIO()
    Pillow.fromarray(pixels).save(
        buffer,
        "JPEG2000",
        no_jp2=True,
        irreversible=irreversible,
        progression="LRCP",
        quality_mode="dB",
        quality_layers=list(layers_db),
        mct=int(pixels.ndim == 3),
        plt=packet_lengths,
    )
    return buffer.getvalue()


def decoded(stream: bytes, shape: Sequence[int], bits: int) -> Array:
    """The pixels of a codestream.

    Raises:
        VerificationFailed: it cannot be decoded or has another size.
    """
    from PIL import Image as Pillow

    mode = "RGB" if len(shape) == 3 else "L" if bits == 8 else "I;16"
    try:
        with Pillow.open(BytesIO(stream), formats=["JPEG2000"]) as picture:
            if picture.size != (shape[1], shape[0]) or picture.mode != mode:
                raise VerificationFailed("codec.jpeg2000: a slice has another size than its settings say")
            return np.asarray(picture)
    except (
        OSError,
        ValueError,
        SyntaxError,
        MemoryError,
        struct.error,
        Pillow.DecompressionBombError,
    ) as error:
        raise VerificationFailed("codec.jpeg2000: a slice cannot be decoded") from error


def cut(stream: bytes, pixels: Array, layers: int) -> tuple[bytes, list[bytes]]:
    """COD and QCD segments of the codestream of some pixels, and the bytes of each of its layers.

    Raises:
        VerificationFailed: it is not laid out as above.
    """
    segments: dict[int, bytes] = {}
    lengths: list[int] = []
    at = 2
    while (marker := struct.unpack_from(">H", stream, at)[0]) != SOD:
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        if marker == PLT:
            length = 0
            for byte in stream[at + 5 : end]:
                length = length << 7 | byte & 0x7F
                if byte < 0x80:
                    lengths.append(length)
                    length = 0
        segments[marker] = stream[at:end]
        at = end
    body = stream[at + 2 : -2]
    each = len(lengths) // layers
    plain = segments[SIZ] == size_segment(pixels.shape, 8 * pixels.itemsize)
    if not plain or each * layers != len(lengths) or sum(lengths) != len(body):
        raise VerificationFailed(
            "codec.jpeg2000: the library wrote a codestream that cannot be cut into layers"
        )
    ends = [sum(lengths[: each * k]) for k in range(layers + 1)]
    return segments[COD] + segments[QCD], [body[a:b] for a, b in pairwise(ends)]


def codestream(shape: Sequence[int], bits: int, header: bytes, layers: Sequence[bytes]) -> bytes:
    """A complete codestream of the first layers (ISO/IEC 15444-1, annex A)."""
    body = b"".join(layers)
    return b"".join(
        (
            struct.pack(">H", SOC),
            size_segment(shape, bits),
            header[:6] + struct.pack(">H", len(layers)) + header[8:],
            struct.pack(">HHHIBBH", SOT, 10, 0, 14 + len(body), 0, 1, SOD),
            body,
            struct.pack(">H", EOC),
        )
    )


def size_segment(shape: Sequence[int], bits: int) -> bytes:
    """SIZ: one tile, unsigned, no subsampling."""
    height, width = shape[:2]
    components = shape[2] if len(shape) == 3 else 1
    area = struct.pack(">8I", width, height, 0, 0, width, height, 0, 0)
    tail = struct.pack(">H", components) + bytes((bits - 1, 1, 1)) * components
    return struct.pack(">HHH", SIZ, 38 + 3 * components, 0) + area + tail


def mean_square(original: Array, other: Array) -> float:
    """Mean squared error of two arrays."""
    return float(np.square(original.astype(np.float64) - other).mean())


def decibel(error: float, data_range: float) -> float:
    """PSNR of a mean squared error, 10 log10(data_range^2 / error) in dB; infinite where there is no error."""
    return inf if error == 0 else 10 * log10(data_range**2 / error)
