"""What every layout has in common: the columns of a row, listing files, reading lists."""

import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from litefake.errors import DataMissing
from litefake.params import Section

REAL = "youtube"  # the real class of every data set, named as in FaceForensics++
SPLITS = ("train", "val", "test")
IDENTITY = (
    "key",
    "method",
    "target",
    "source",
    "person",
    "source_person",
    "control",
    "given_split",
)
COLUMNS = (*IDENTITY, "path", "bytes", "mtime_ns")
VIDEO_SUFFIXES = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"}
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}

Row = dict[str, Any]


class Clip(Section):
    """Whom a clip shows, and whether it is a null control (re-warped, not forged)."""

    person: str
    control: bool = False


def row(root: Path, path: Path, key: str, method: str) -> Row:
    """The row of the file at ``path``, as yet without any identity. Raises DataMissing."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DataMissing(f"{str(path)!a}: its name is no text in UTF-8; rename it") from None
    if "\r" in str(path):  # an unquoted one ends a row of a CSV
        raise DataMissing(f"{str(path)!a}: its name has a carriage return; rename it")
    try:
        state = path.stat()
    except FileNotFoundError:
        raise DataMissing(f"{path}: a link to nothing, or removed just now; mend it") from None
    except OSError as error:  # a link to itself, or through a file
        raise DataMissing(f"{path}: {error.strerror}; mend or remove it") from None
    if not stat.S_ISREG(state.st_mode):  # a pipe: whoever opens it waits for ever
        raise DataMissing(f"{path}: is no regular file; rename or remove it")
    return dict.fromkeys(IDENTITY, "") | {
        "key": key,
        "method": method,
        "control": False,
        "path": path.relative_to(root).as_posix(),
        "bytes": state.st_size,
        "mtime_ns": state.st_mtime_ns,
    }


def videos(folder: Path) -> list[Path]:
    """The videos right in ``folder``, by name; none when there is no such folder."""
    return sorted(path for path in entries(folder) if path.suffix.lower() in VIDEO_SUFFIXES)


def _refuse(error: OSError) -> None:
    raise error


def below(folder: Path, unlisted: Callable[[OSError], None] = _refuse) -> Iterator[Path]:
    """All below ``folder`` that is no folder and not hidden, each folder once, links followed.

    A link to nothing is among it, for whoever reads it to name. ``unlisted`` is called with the
    error of a folder that cannot be listed, and raises it unless told otherwise.
    """
    seen = {folder.resolve()}
    for place, folders, names in os.walk(folder, onerror=unlisted, followlinks=True):
        where = {name: Path(place, name).resolve() for name in sorted(folders) if name[0] != "."}
        folders[:] = [name for name, real in where.items() if real not in seen]
        seen.update(where.values())
        yield from (Path(place, name) for name in names if name[0] != ".")


def remedy(method: str) -> str:
    """What to do about a class without a file."""
    if method == REAL:
        return f"real faces must lie there ({REAL} is what the real class is called)"
    return "add some, or leave the method out (dataset.methods in params.yaml, --method)"


def images(folder: Path) -> list[Path]:
    """The images right in ``folder`` in natural order: 2.jpg before 10.jpg."""
    return sorted(pictures(entries(folder)), key=lambda path: (_natural(path.name), path.name))


def pictures(paths: Iterable[Path]) -> list[Path]:
    """Those of ``paths`` that are images by their names and not hidden, sorted."""
    seen = (path for path in paths if not path.name.startswith("."))
    return sorted(path for path in seen if path.suffix.lower() in IMAGE_SUFFIXES)


def entries(folder: Path) -> Iterator[Path]:
    """What lies right in ``folder`` and is not hidden."""
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if not path.name.startswith("."))


def _natural(name: str) -> list[str | int]:
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if odd % 2 else part for odd, part in enumerate(parts)]


def read_json(path: Path, kind: Any, wanted: str) -> Any:
    """The file as a ``kind``. Raises DataMissing, saying what is ``wanted``."""

    def parse(text: str) -> Any:
        return TypeAdapter(kind).validate_python(json.loads(text))

    return _read(path, parse, wanted)


def read_lines(path: Path, wanted: str) -> list[str]:
    """The lines of a text file. Raises DataMissing, saying what is ``wanted``."""
    lines: list[str] = _read(path, str.splitlines, wanted)
    return lines


def _read(path: Path, parse: Callable[[str], Any], wanted: str) -> Any:
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataMissing(f"{path}: not found; it must be {wanted}") from None
    except (ValueError, RecursionError):
        raise DataMissing(f"{path}: must be {wanted}") from None


def read_people(path: Path) -> dict[str, Clip]:
    """Who is seen in a clip, for clips whose name does not say so; empty without the file.

    ``{"060": {"person": "012", "control": true}}``: clip 060 shows person 012, re-warped only.
    No public data set has such a file; there a clip's own name stands for the person.
    """
    if not path.exists():
        return {}
    wanted = 'a mapping such as {"060": {"person": "012", "control": true}}'
    people: dict[str, Clip] = read_json(path, dict[str, Clip], wanted)
    return people
