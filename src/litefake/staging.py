"""The files of many clips, made by any number of workers, kept after a kill, published whole.

A stage works in ``.NAME.part/`` beside its output ``NAME/``: ``files/`` become the output,
``done/`` has a marker with the result of every finished clip, and ``making/`` what workers are
busy with. Work done under other parameters, code or libraries is never taken up again: the
folder in between is named by their digest.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_json

from litefake.artifacts import digest, write_text
from litefake.parallel import map_items

LIBRARIES = ("av", "numpy", "opencv-python-headless", "openvino")


class Outcome(Protocol):
    """What is known of a clip after the work on it, a dataclass."""

    @property
    def final(self) -> bool:
        """Whether another try would find the same."""


Item = TypeVar("Item")  # a clip's row, or the rows of its frames, each with a ``path``
Result = TypeVar("Result", bound=Outcome)


@dataclass(frozen=True)
class Staging:
    """Where the files of ``output`` come together; ``root`` is what the rows' paths start from."""

    output: Path
    root: Path
    folder: Path

    @classmethod
    def of(cls, output: Path, root: Path, *settings: BaseModel) -> Self:
        """The staging of ``output`` for these ``settings``."""
        package = Path(__file__).parent
        code = {str(path.relative_to(package)): digest(path) for path in sorted(_sources(package))}
        about = [settings, code, {name: version(name) for name in LIBRARIES}]
        return cls(output, root, output.parent / f".{output.name}.part" / _digest(about))

    def map(
        self, work: Callable[..., Result], items: Sequence[Item], lost: Callable[[Item], Result]
    ) -> list[Result]:
        """``work(item, folder=F)`` for every item that has not been done before.

        What ``work`` writes below F lies in ``files/`` afterwards. ``lost`` as in ``map_items``.
        """
        once = partial(_once, staging=self, work=work)
        return list(map_items(once, items, f"-> {self.output}", "clip", lost))

    def publish(self, paths: Iterable[str]) -> None:
        """Make ``paths`` of ``files/``, and nothing else, the output, and leave no trace."""
        # First: from here on a kill leaves files that no marker may vouch for.
        shutil.rmtree(self.folder / "done", ignore_errors=True)
        files, wanted = self.folder / "files", {*paths}
        files.mkdir(parents=True, exist_ok=True)
        for file in [path for path in files.rglob("*") if path.is_file()]:
            if str(file.relative_to(files)) not in wanted:
                file.unlink()  # of a clip that has changed since, or is not listed any more
        shutil.rmtree(self.output, ignore_errors=True)
        files.rename(self.output)
        shutil.rmtree(self.folder.parent)


def _once(item: Item, staging: Staging, work: Callable[..., Result]) -> Result:
    """Do an item, or read what became of it.

    It may be done twice at a time, by a worker that was given up and is still alive: each has a
    folder of its own, and a file takes its place whole, over an equal one.
    """
    rows: list[dict[str, Any]] = item if isinstance(item, list) else [item]  # type: ignore[list-item]
    inputs = [_stamp(staging.root / row["path"]) for row in rows]
    marker = staging.folder / "done" / f"{_digest([item, inputs])}.json"
    kind = TypeAdapter(_result_type(work))
    if marker.exists():
        return kind.validate_json(marker.read_bytes())
    making = staging.folder / "making"
    making.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=making) as name:
        result = work(item, folder=Path(name))
        for file in [path for path in Path(name).rglob("*") if path.is_file()]:
            place = staging.folder / "files" / file.relative_to(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    if result.final:
        write_text(marker, kind.dump_json(result).decode())
    return result


def _sources(package: Path) -> Iterator[Path]:
    """The files of ``package`` without what is cached or hidden, which comes and goes."""
    for path in package.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(package).parts)
        if path.is_file() and not hidden and "__pycache__" not in path.parts:
            yield path


def _result_type(work: Callable[..., Result]) -> type[Result]:
    function = work.func if isinstance(work, partial) else work
    kind: type[Result] = get_type_hints(function)["return"]
    return kind


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; None when it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _digest(values: Any) -> str:
    return hashlib.sha256(to_json(values)).hexdigest()[:32]
