"""The server's end of a worker: a process that judges one clip and can be killed any time."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from litefake.errors import LitefakeError
from litefake.web.limits import Limits, Refused, TooSlow, refusal

# The files in a job's folder: what is judged, and what the worker makes of it.
CLIP, REPORT, PICTURES, VIDEO = "clip", "report.json", "pictures.json", "annotated.mp4"
SOURCE = Path(__file__).resolve().parents[2]
START_SECONDS = 120  # for loading torch and the model on a busy machine


class Step(NamedTuple):
    """How far a job is: ``share`` of 1, and what it does now."""

    share: float
    doing: str


class Worker:
    """A started process with its model loaded."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, model: Path, limits: Limits) -> "Worker":
        """Start a process and wait until it is ready. Raises LitefakeError when it is not."""
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
        worker = cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "litefake.web.worker"),
                *(str(model), str(limits.memory_megabytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C reaches the server, which ends it
            )
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                said = await worker._message()
            if said is None or "refused" in said:
                raise LitefakeError((said or {}).get("refused", "no worker could be started"))
        except TimeoutError:
            await worker.kill()
            raise LitefakeError(f"no worker was ready in {START_SECONDS} s") from None
        except BaseException:
            await worker.kill()
            raise
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    async def run(self, job: dict[str, Any], seconds: float) -> AsyncIterator[Step]:
        """Do ``job`` (see ``worker.work``), yielding its steps.

        Raises Refused: what the worker refused, TooSlow after ``seconds``, and 422 when the
        clip ended the process.
        """
        assert self._process.stdin is not None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
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
            if said is None:
                raise Refused("reading the clip ended the process that read it; it is not judged")
            if "refused" in said:
                raise refusal(said["status"], said["refused"])
            if "done" in said:
                return
            yield Step(said["share"], said["doing"])

    async def kill(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _message(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        found: dict[str, Any] | None = json.loads(line) if line else None
        return found
