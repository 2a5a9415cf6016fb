"""One bounded queue for page and API, and the folder in which everything lies and vanishes."""

import asyncio
import contextlib
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from litefake.shipped import FaceDetector
from litefake.web.limits import Busy, Limits, Refused
from litefake.web.process import PICTURES, REPORT, VIDEO, Place, Step, Worker

MAX_JSON = 64 * 2**20  # bytes of a worker's report
SWEEP_SECONDS = 30
ASK_SECONDS = 1.0  # between two looks whether whoever waits is still there
UNFINISHED = "tmp*"  # in ``kept``: what Gradio calls an upload while it arrives


@dataclass(frozen=True)
class Outcome:
    """A judged clip: its report and, for the page, pictures and the marked copy.

    no_video: why the page gets no marked copy.
    """

    report: dict[str, Any]
    pictures: dict[str, Any] | None
    video: Path | None
    no_video: str | None


class Service:
    """Judges clips with a model file, one worker process each; an async context manager.

    ``folder`` holds one folder a running job and, in ``kept``, what the page still shows.
    """

    def __init__(
        self, model: Path, limits: Limits, every: int, detector: FaceDetector | None = None
    ) -> None:
        self.limits = limits
        self._every, self._detector = every, detector
        self._slots = asyncio.Semaphore(limits.workers)
        self._inside = 0
        self._idle = [Place(model, limits) for _ in range(limits.workers)]
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the workers. Raises LitefakeError when the model cannot be loaded."""
        self.folder = Path(tempfile.mkdtemp(prefix="litefake-web-")).resolve()
        self.kept = self.folder / "kept"
        self.kept.mkdir()
        try:
            for place in self._idle:
                await place.renew()
            await self._idle[0].ready()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._sweeper = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._sweeper:
            self._sweeper.cancel()
        try:
            for place in self._idle:
                await place.clear()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def full(self) -> bool:
        """Whether another clip would be refused now."""
        return self._inside >= self.limits.capacity

    @contextlib.contextmanager
    def job_folder(self) -> Iterator[Path]:
        """A folder for one job, removed at the end; its clip belongs into CLIP."""
        folder = self.folder / secrets.token_hex(16)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def judge(
        self, folder: Path, name: str, pictures: bool
    ) -> AsyncGenerator[Step | Outcome, None]:
        """Judge the clip in ``folder``: its steps, then one Outcome. Raises Refused."""
        if self.full:
            raise Busy(
                f"{self.limits.capacity} clips are being judged or waiting; try again in a minute"
            )
        self._inside += 1
        turn = asyncio.ensure_future(self._slots.acquire())
        await asyncio.sleep(0)  # a slot that is free is taken
        try:
            # Said again and again: whoever has left is noticed, and gives up its place.
            while not turn.done():
                yield Step(0.0, "Waiting for the clips that came before")
                await asyncio.wait({turn}, timeout=ASK_SECONDS)
            # Closed at once when the job is given up: the next one needs its worker.
            async with aclosing(self._work(folder, name, pictures)) as steps:
                async for step in steps:
                    yield step
        finally:
            self._inside -= 1
            if not turn.cancel():  # it had its turn
                self._slots.release()

    async def _work(
        self, folder: Path, name: str, pictures: bool
    ) -> AsyncGenerator[Step | Outcome, None]:
        yield Step(0.0, "Opening the clip")
        job = {
            "folder": str(folder),
            "name": plain_name(name),
            "every": self._every,
            "detector": self._detector,
            "pictures": pictures,
            "limits": self.limits.model_dump(),
        }
        no_video = None
        try:
            async with (
                self._worker() as worker,
                aclosing(worker.run(job, self.limits.job_seconds)) as steps,
            ):
                async for step in steps:
                    yield step
        except Refused as error:
            if not (folder / PICTURES).exists():
                raise
            no_video = str(error)  # the clip is judged; only its marked copy is missing
        yield self._outcome(folder, no_video)

    def _outcome(self, folder: Path, no_video: str | None) -> Outcome:
        pictures, video = None, None
        if (folder / PICTURES).exists():
            pictures = _read_json(folder / PICTURES)
        if (folder / VIDEO).exists():
            video = self.kept / secrets.token_hex(16) / VIDEO
            video.parent.mkdir()
            (folder / VIDEO).rename(video)
        return Outcome(_read_json(folder / REPORT), pictures, video, None if video else no_video)

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        """A worker for one job. Raises NoWorker, and LitefakeError without its model."""
        place = self._idle.pop(0)
        try:
            yield await place.ready()
        finally:
            try:
                await place.tidy()
            finally:
                self._idle.append(place)

    def stored(self) -> int:
        """Bytes on the disk of what the page keeps; the smallest file takes a block."""
        sizes = 0
        for path in self.kept.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                sizes += path.stat().st_blocks * 512 if path.is_file() else 0
        return sizes

    def forget_unfinished(self, seconds: float) -> None:
        """Remove uploads that never arrived whole, begun ``seconds`` ago or earlier."""
        remove_older(self.kept.glob(UNFINISHED), seconds)

    async def _sweep(self) -> None:
        while True:
            remove_older(self.kept.rglob("*"), self.limits.keep_minutes * 60)
            self.forget_unfinished(self.limits.upload_seconds)
            await asyncio.sleep(SWEEP_SECONDS)


def remove_older(paths: Iterable[Path], seconds: float) -> None:
    """Remove those ``paths``, files and empty folders, that have not changed for so long."""
    # What a folder holds comes before it. Gradio fills the folders that it makes in a moment.
    for path in sorted(paths, reverse=True):
        with contextlib.suppress(OSError):  # gone meanwhile, or a folder that is not empty
            if time.time() - path.stat().st_ctime > seconds:
                remove = path.rmdir if path.is_dir() else path.unlink
                remove()


def plain_name(name: str) -> str:
    """The last part of an uploaded file's name, printable and short: only ever shown."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:100] or "clip"


def _read_json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_JSON:
        raise Refused("the clip shows too many faces to report")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
