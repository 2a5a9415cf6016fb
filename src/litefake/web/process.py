"""The server's end of a worker: a process that judges one clip and can be killed any time."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple, Self

from litefake.errors import LitefakeError
from litefake.web.limits import Limits, NoWorker, Refused, TooSlow, refusal

# The files in a job's folder: what is judged, and what the worker makes of it.
CLIP, REPORT, PICTURES, VIDEO = "clip", "report.json", "pictures.json", "annotated.mp4"
SOURCE = Path(__file__).resolve().parents[2]
START_SECONDS = 120  # for loading torch and the model on a busy machine


class Step(NamedTuple):
    """How far a job is: ``share`` of 1, and what it does now."""

    share: float
    doing: str


class Worker:
    """A process with the model loaded, which opens each clip in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ready = False
        self.finished = True  # the last job came to an end of its own

    @classmethod
    async def start(cls, model: Path, limits: Limits) -> Self:
        """Start a process; it loads the model until ``ready`` returns."""
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "litefake.web.worker"),
            *(str(model), str(limits.memory_megabytes)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,  # a group to kill; Ctrl-C reaches the server, which ends it
        )
        return cls(process)

    async def ready(self) -> bool:
        """Wait until it can take a job; False when it is dead.

        Raises LitefakeError when it cannot load the model.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while not self._ready and (said := await self._message()):
                    if "refused" in said:
                        raise LitefakeError(said["refused"])
                    self._ready = "ready" in said
        return self._ready and self._process.returncode is None

    async def run(self, job: dict[str, Any], seconds: float) -> AsyncGenerator[Step, None]:
        """Do ``job`` (see ``job.work``), yielding its steps.

        Raises Refused: what the job refused, TooSlow after ``seconds``, and 422 when the clip
        ended its process.
        """
        assert self._process.stdin is not None
        deadline = asyncio.get_running_loop().time() + seconds
        self._ready = self.finished = False
        with contextlib.suppress(ConnectionError):  # it is dead: no message will come
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            await self._process.stdin.drain()
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    said = await self._message()
            except TimeoutError:
                raise TooSlow(
                    f"judging the clip took longer than {seconds:g} s; send a shorter one"
                ) from None
            self.finished = said is not None and bool({"ended", "refused", "done"} & said.keys())
            if said is None or "ended" in said:
                raise Refused("reading the clip ended the process that read it")
            if "refused" in said:
                raise refusal(said["status"], said["refused"])
            if "done" in said:
                return
            yield Step(said["share"], said["doing"])

    async def kill(self) -> None:
        """End the process and the one of its job, whatever they do."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _message(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        found: dict[str, Any] | None = json.loads(line) if line else None
        return found


class Place:
    """Room for one worker. It is empty while there is none, and the next job fills it.

    Each method leaves it usable, whatever it raises and wherever it is cancelled.
    """

    def __init__(self, model: Path, limits: Limits) -> None:
        self._model, self._limits = model, limits
        self._worker: Worker | None = None

    async def ready(self) -> Worker:
        """Its worker, a new one where that has died.

        Raises NoWorker, and LitefakeError when the model cannot be loaded.
        """
        if self._worker and await self._worker.ready():
            return self._worker
        worker = await self.renew()
        if not await worker.ready():
            raise NoWorker("no worker can be started; see what the server prints")
        return worker

    async def renew(self) -> Worker:
        """Begin to start a worker in the place of what is there. Raises NoWorker."""
        await self.clear()
        try:
            self._worker = await Worker.start(self._model, self._limits)
        except OSError as error:
            raise NoWorker(
                f"no process can be started to judge the clip ({error.strerror}); "
                "try again in a minute"
            ) from None
        return self._worker

    async def tidy(self) -> None:
        """After a job: begin to start another worker if that one did not come to its end."""
        if self._worker and not self._worker.finished:
            with contextlib.suppress(NoWorker):  # the next job tries again, and tells
                await self.renew()

    async def clear(self) -> None:
        """End the worker, if there is one."""
        worker, self._worker = self._worker, None
        if worker:
            await worker.kill()
