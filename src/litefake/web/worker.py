"""The process that opens uploaded clips: ``python -m litefake.web.worker MODEL MEGABYTES``.

It loads the model once. For each line of JSON that it reads from standard input (a job, see
``job.work``) it forks, so that every clip is opened in a process of its own that has the model
already: nothing of a clip outlives it, and a crash, a hang or a bomb ends nothing else. It
writes JSON, one object a line: ``{"ready"}`` when it waits for a job; ``{"share", "doing"}``
while one runs; at last ``{"done"}``, ``{"refused", "status"}``, or ``{"ended"}`` when the job's
process died.
"""

import errno
import json
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from litefake import onnx_files
from litefake.errors import LitefakeError
from litefake.report import Judge
from litefake.web.job import Tell, work
from litefake.web.limits import Refused

MAX_OUTPUT = 2**30  # bytes of one written file
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
LINE = 2**20  # bytes of a job, at most
# Forked, macOS ends a process that uses its libraries; there each job ends the worker.
FORKS = sys.platform == "linux"


def main() -> None:
    tell = _private_output()
    model, megabytes = sys.argv[1:]
    cv2.setNumThreads(1)
    try:
        load = _loader(Path(model))
    except LitefakeError as error:
        tell({"refused": str(error), "status": 500})
        return
    while True:
        tell({"ready": True})
        line = os.read(0, LINE)
        if not line:  # the server ended
            return
        job = json.loads(line)
        if not FORKS:
            _do(job, load, tell, int(megabytes))
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            _do(job, load, tell, int(megabytes))
        os.close(writing)
        _wait_for(child, reading, tell)


def _loader(model: Path) -> Callable[[], Judge]:
    """What gives a job its model: loaded now, or by each job where a fork would break it.

    Raises ModelUnreadable.
    """
    # No thread may exist when it forks. Workers stand side by side anyway.
    load = partial(Judge.load, model, threads=1)
    if model.suffix != ".onnx":
        judge = load()
        return lambda: judge
    onnx_files.read(model)
    # The engines keep threads, which a fork does not copy; an ONNX file loads in no time.
    return load


def _do(job: dict[str, Any], load: Callable[[], Judge], tell: Tell, megabytes: int) -> None:
    """Do the job and end this process."""
    try:
        _bound_resources(megabytes)
        work(job, load(), tell)
        tell({"done": True})
    except Refused as error:
        tell({"refused": " ".join(str(error).split()), "status": error.status})
    except LitefakeError as error:  # not of the clip: the model answers with no number
        traceback.print_exc()
        tell({"refused": " ".join(str(error).split()), "status": 500})
    except BaseException as error:  # a bug, or no memory left
        traceback.print_exc()
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            tell({"refused": "the service's disk is full; try again later", "status": 503})
        else:
            os._exit(1)
    os._exit(0)


def _wait_for(child: int, reading: int, tell: Tell) -> None:
    """Wait until ``child`` ends; end it, and this process, when the server ends first."""
    ready, _, _ = select.select([0, reading], [], [])
    if reading not in ready:
        os.killpg(0, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if status:
        tell({"ended": True})


def _private_output() -> Tell:
    """Keep standard output for the server: what a library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=channel, flush=True)

    return tell


def _bound_resources(megabytes: int) -> None:
    """A clip that asks for more memory or disk ends this process, and this process alone."""
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
