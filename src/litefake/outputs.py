"""What a command is given as a path, found out before the work; and a table that is kept in it."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from litefake.errors import LitefakeError
from litefake.storage import writing

MARKED = {".mp4", ".m4v", ".mov"}  # boxes of one kind: what players open by these names
TABLES = {".json", ".csv", ".tsv", ".txt"}  # what a report may replace
# What the layouts read beside clips and pictures: a report of that name would be taken for it.
LISTS = {"people.json", "metadata.json", "conversion_dict.json", "train.json", "val.json"}
LISTS |= {"test.json", "List_of_testing_videos.txt"}
KEPT_EVERY = 10  # seconds of results that a killed run loses


def require_named(text: str) -> Path:
    """``text`` as a path. Raises LitefakeError when it is empty: an unset variable of the shell
    would else be the working folder."""
    if not text.strip():
        raise LitefakeError("no path is given; name a file or a folder (. is this one)")
    return Path(text)


def require_writable(path: Path | None) -> Path | None:
    """``path``, if any, as an option of a command calls back with it; of a link its target.

    Makes its folder. Raises LitefakeError when ``path`` is a folder or no file at all, or its
    own folder cannot be made or written.
    """
    if path is None:
        return None
    path = _target(path)
    if path.is_symlink():
        raise LitefakeError(f"{path}: is a link to itself; remove it or name another file")
    if path.is_dir():
        raise LitefakeError(f"{path}: is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise LitefakeError(f"{path}: is no regular file; name one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LitefakeError(f"{path.parent}: cannot be made ({error.strerror})") from None
    try:
        with tempfile.TemporaryFile(dir=path.parent):  # permissions alone do not tell: /proc
            return path
    except OSError as error:
        reason = f"not writable ({error.strerror}); name a file in another folder"
        raise LitefakeError(f"{path.parent}: {reason}") from None


def _target(path: Path) -> Path:
    return _real(path) if path.is_symlink() else path


def require_apart(written: Iterable[Path | None], read: Iterable[Path]) -> None:
    """Raise LitefakeError when what is to be written is ``read``, or is written twice."""
    taken = {_real(path) for path in read}
    for path in (path for path in written if path):
        if _real(path) in taken:
            raise LitefakeError(f"{path}: is judged or written already; give it another name")
        taken.add(_real(path))


def _real(path: Path) -> Path:
    """``path`` without links. Not ``Path.resolve``, which raises on a link to itself."""
    return Path(os.path.realpath(path))


def require_beside(written: Iterable[Path | None], root: Path) -> None:
    """``require_apart``; and no report replaces a file of the data set in ``root`` or makes a list.

    A CSV may be replaced: no data set that is read has one.
    """
    paths = [path for path in written if path]
    require_apart(paths, [])
    for path in paths:
        within = _real(root) in _real(path).parents
        if within and path.exists() and path.suffix.lower() != ".csv":
            raise LitefakeError(f"{path}: exists in the data set; give the report another name")
        if within and path.name in LISTS:
            raise LitefakeError(f"{path}: is what a list of the data set is called; take another")


@contextmanager
def kept(results: Sized, write: Callable[[], None] | None) -> Iterator[None]:
    """A long run as a context: ``write`` is called however it ends, if there are ``results`` yet.

    So what was found before Ctrl-C is not lost; nor before a kill, for a thread calls ``write``
    every KEPT_EVERY seconds if there are more ``results``. Nothing is written when it is None.
    """
    if write is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_now_and_then, args=(results, write, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if results:
            write()


def _now_and_then(results: Sized, write: Callable[[], None], over: threading.Event) -> None:
    written = 0
    while not over.wait(KEPT_EVERY):
        if (now := len(results)) > written:
            with suppress(LitefakeError):  # the last call says what is wrong
                write()
            written = now


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """``storage.writing``, whose line names ``path``: the system's own does not on a full disk."""
    try:
        with writing():
            yield
    except LitefakeError as error:
        named = str(error) if str(path) in str(error) else f"{path}: {error}"
        raise LitefakeError(named) from None


@contextmanager
def cleaned_up() -> Iterator[None]:
    """What SIGTERM or SIGHUP ends here ends as by Ctrl-C: nothing that is half written stays."""
    before = raise_on(signal.SIGTERM, signal.SIGHUP)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_on(*numbers: signal.Signals) -> dict[signal.Signals, Any]:
    """Have signals raise SystemExit; what they did before. An ignored one stays so: see nohup."""
    handlers = {number: signal.getsignal(number) for number in numbers}
    before = {number: one for number, one in handlers.items() if one is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    return before


def end(number: int, _: FrameType | None) -> None:
    """What a signal does that ends the program as an exception does."""
    raise SystemExit(128 + number)


def plain(text: str) -> str:
    """``text``, of a file's name or from a file, on one line and without what moves a cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def require_clip(path: Path | None) -> Path | None:
    """``require_writable`` for a marked copy, which is an MP4 whatever its name says."""
    if path and _target(path).suffix.lower() not in MARKED:
        raise LitefakeError(f"{path}: the marked copy is an MP4; give it a name in .mp4")
    return require_writable(path)


def require_report(path: Path | None) -> Path | None:
    """``require_writable`` for a report, which never replaces a clip or a model."""
    if path and path.is_file() and _target(path).suffix.lower() not in TABLES:
        raise LitefakeError(f"{path}: exists and is no report; give the report another name")
    return require_writable(path)
