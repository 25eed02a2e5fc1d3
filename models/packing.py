"""Strings as arrays, because saved state holds arrays only."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def pack_strings(name: str, strings: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the strings as one array of UTF-8 bytes and one of n + 1 offsets into it.

    Examples
    --------
    >>> packed = pack_strings("titles", ["Alien", "Amélie"])
    >>> packed["titles.offsets"].tolist()
    [0, 5, 12]
    >>> unpack_strings("titles", packed)
    ['Alien', 'Amélie']
    """
    encoded = [string.encode() for string in strings]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return {
        f"{name}.utf8": np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}.offsets": offsets,
    }


def unpack_strings(name: str, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Return the strings that `pack_strings` stored under this name."""
    text = arrays[f"{name}.utf8"].tobytes()
    offsets = arrays[f"{name}.offsets"].tolist()
    return [text[start:end].decode() for start, end in pairwise(offsets)]


def prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a part under ``prefix.name``."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def unprefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of one part under their own names."""
    start = len(prefix) + 1
    return {name[start:]: array for name, array in arrays.items() if name.startswith(prefix + ".")}
