"""Write results so that a reader never sees half of one, and equal results are equal bytes."""

import contextlib
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd  # a second to import, for those who write no table
    from matplotlib.figure import Figure

DIGITS = 4
UMASK = os.umask(0o077)  # it cannot be read but by setting it, which must not happen among threads
os.umask(UMASK)


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes that name only on success."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem[:50]}.", suffix=path.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; artefacts get the mode that open() would give.
        temporary.chmod(0o666 & ~UMASK)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """``value`` with every float in it rounded; NaN and infinity become null."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return round(value, digits) if math.isfinite(value) else None
    return value


def write_json(path: Path | str, values: dict[str, Any], digits: int = DIGITS) -> None:
    """Write ``values`` as indented JSON, floats rounded to ``digits``.

    Here and in a table, what is no text in the name of a file becomes a question mark.
    """
    text = json.dumps(rounded(values, digits), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", errors="replace")


def write_csv(path: Path | str, table: "pd.DataFrame", digits: int = 6) -> None:
    """Write ``table`` without its index, floats rounded to ``digits``."""
    with replacing(path) as temporary:
        table.round(digits).to_csv(temporary, index=False, lineterminator="\n", errors="replace")


def write_figure(path: Path | str, figure: "Figure", dpi: int) -> None:
    """Draw ``figure`` as PNG; without a software version in it, equal pictures are equal bytes."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata={"Software": None})


def digest(path: Path | str) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path | str, text: str) -> None:
    """Write ``text`` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
