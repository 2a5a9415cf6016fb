"""Seeds derived from names, so that every draw of a run has one of its own."""

import hashlib


def seed_of(*names: int | str) -> int:
    """A 63-bit seed that depends on every name: ``seed_of(seed, "train_b0", epoch)``."""
    text = "/".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
