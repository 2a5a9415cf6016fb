"""One bounded queue for page and API, and the folder in which everything lies and vanishes."""

import asyncio
import contextlib
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from litefake.errors import LitefakeError
from litefake.shipped import FaceDetector
from litefake.web.limits import Busy, Limits, Refused
from litefake.web.process import PICTURES, REPORT, VIDEO, Step, Worker

MAX_JSON = 64 * 2**20  # bytes of a worker's report
SWEEP_SECONDS = 30


@dataclass(frozen=True)
class Outcome:
    """A judged clip: its report and, for the page, pictures and the annotated video."""

    report: dict[str, Any]
    pictures: dict[str, Any] | None
    video: Path | None


class Service:
    """Judges clips with a model file, one worker process each; an async context manager.

    ``folder`` holds one folder a running job and, in ``kept``, what the page still shows.
    """

    def __init__(
        self, model: Path, limits: Limits, every: int, detector: FaceDetector | None = None
    ) -> None:
        self.limits = limits
        self._model, self._every, self._detector = model, every, detector
        self._slots = asyncio.Semaphore(limits.workers)
        self._inside = 0
        self._idle: list[Worker] = []
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the first worker. Raises LitefakeError when the model cannot be loaded."""
        self.folder = Path(tempfile.mkdtemp(prefix="litefake-web-")).resolve()
        self.kept = self.folder / "kept"
        self.kept.mkdir()
        try:
            for _ in range(self.limits.workers):
                self._idle.append(await Worker.start(self._model, self.limits))
            self._idle.insert(0, await self._worker())
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
            while self._idle:
                await self._idle.pop().kill()
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
        try:
            if self._slots.locked():
                yield Step(0.0, "Waiting for the clips that came before")
            async with self._slots:
                async for step in self._work(folder, name, pictures):
                    yield step
                yield self._outcome(folder)
        finally:
            self._inside -= 1

    async def _work(self, folder: Path, name: str, pictures: bool) -> AsyncGenerator[Step, None]:
        yield Step(0.0, "Opening the clip")
        job = {
            "folder": str(folder),
            "name": plain_name(name),
            "every": self._every,
            "detector": self._detector,
            "pictures": pictures,
            "limits": self.limits.model_dump(),
        }
        worker = await self._worker()
        try:
            async for step in worker.run(job, self.limits.job_seconds):
                yield step
        finally:
            self._idle.append(worker if worker.finished else await self._replace(worker))

    def _outcome(self, folder: Path) -> Outcome:
        pictures, video = None, None
        if (folder / PICTURES).exists():
            pictures = _read_json(folder / PICTURES)
            video = self.kept / secrets.token_hex(16) / VIDEO
            video.parent.mkdir()
            (folder / VIDEO).rename(video)
        return Outcome(_read_json(folder / REPORT), pictures, video)

    async def _worker(self) -> Worker:
        """An idle worker, or a new one where that has died. Raises LitefakeError."""
        worker = self._idle.pop(0)
        try:
            if not await worker.ready():
                worker = await self._replace(worker)
            if not await worker.ready():
                raise LitefakeError("no worker can be started; see what the server prints")
        except BaseException:
            self._idle.append(await self._replace(worker))
            raise
        return worker

    async def _replace(self, worker: Worker) -> Worker:
        await worker.kill()
        return await Worker.start(self._model, self.limits)

    def stored(self) -> int:
        """Bytes of uploads and results that the page keeps."""
        sizes = 0
        for file in _files(self.kept):
            with contextlib.suppress(FileNotFoundError):
                sizes += file.stat().st_size
        return sizes

    async def _sweep(self) -> None:
        while True:
            remove_older(self.kept, self.limits.keep_minutes * 60)
            await asyncio.sleep(SWEEP_SECONDS)


def remove_older(folder: Path, seconds: float) -> None:
    """Remove the files below ``folder`` that are older than this, and folders left empty."""
    for file in _files(folder):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_ctime > seconds:
                file.unlink()
                with contextlib.suppress(OSError):  # not empty, or the folder itself
                    if file.parent != folder:
                        file.parent.rmdir()


def plain_name(name: str) -> str:
    """The last part of an uploaded file's name, printable and short: only ever shown."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:100] or "clip"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _read_json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_JSON:
        raise Refused("the clip shows too many faces to report")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
