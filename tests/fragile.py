"""Work that kills the process that does it: once, or every time."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def negate(item: tuple[int, str], notes: Path) -> int:
    """-number of ``item``, unless its mood, "once" or "always", is fatal to the process."""
    number, mood = item
    _note(notes, str(number))
    if mood == "always" or (mood == "once" and tries(notes, str(number)) == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


@dataclass
class Made:
    """Which file was made of a clip."""

    key: str
    paths: list[str]
    final: bool = True


def make(clip: dict[str, Any], folder: Path, notes: Path) -> Made:
    """Write a file and, unless the clip's mood kills the process in between, another one."""
    key = clip["key"]
    _note(notes, key)
    (folder / key).mkdir()
    (folder / key / "one").write_text(clip["path"])
    if clip["mood"] == "always" or (clip["mood"] == "once" and tries(notes, key) == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / key / "two").write_text(clip["path"] * 2)
    return Made(key, [f"{key}/one", f"{key}/two"], clip["mood"] != "doubtful")


def killer(clip: dict[str, Any]) -> Made:
    return Made(clip["key"], [])


def tries(notes: Path, name: str) -> int:
    """How often work on ``name`` was begun."""
    return len(list(notes.glob(f"{name} *")))


def _note(notes: Path, name: str) -> None:
    """Leave a file for a try: a killed process tells nothing else."""
    (notes / f"{name} {os.urandom(8).hex()}").touch()
