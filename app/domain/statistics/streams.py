"""Numbers that come out the same on every machine and with every version of every library.

SHA-256 in counter mode: word block i is SHA-256 of "seed|label|i". NumPy promises no stable streams
between versions; what is printed with its seed must be repeatable from this page alone. Meant for
resampling and simulation, a few hundred thousand numbers; never for a draw (see app/domain/draw).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED: Final = 20120716
_WORDS_A_BLOCK: Final = 8


def words(seed: int, label: str, count: int) -> NDArray[np.uint32]:
    """`count` 32-bit words of the stream `label`, big-endian within each block."""
    import numpy as np

    blocks = -(-count // _WORDS_A_BLOCK)
    head = f"{seed}|{label}|".encode()
    sha = hashlib.sha256
    data = b"".join(sha(head + b"%d" % i).digest() for i in range(blocks))
    return np.frombuffer(data, dtype=">u4")[:count].astype(np.uint32)


def uniforms(seed: int, label: str, count: int) -> NDArray[np.float64]:
    """Numbers strictly between 0 and 1, in steps of 2^-32."""
    import numpy as np

    made: NDArray[np.float64] = (words(seed, label, count).astype(np.float64) + 0.5) / 2.0**32
    return made


def normals(seed: int, label: str, count: int) -> NDArray[np.float64]:
    """Standard normal numbers, by the inverse of the distribution function."""
    import numpy as np
    from scipy.special import ndtri

    return np.asarray(ndtri(uniforms(seed, label, count)))


def picks(seed: int, label: str, count: int, size: int) -> NDArray[np.intp]:
    """`count` positions from 0 to `size` - 1, with replacement."""
    import numpy as np

    return (uniforms(seed, label, count) * size).astype(np.intp)
