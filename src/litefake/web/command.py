"""``litefake web``: start the service on this machine's own address."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from litefake import shipped
from litefake.errors import LitefakeError
from litefake.outputs import end, raise_on
from litefake.shipped import FaceDetector
from litefake.web.limits import Limits

DEFAULT = Limits()
ADDRESS = "127.0.0.1"
DAY = 86_400.0  # seconds


def web(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1")] = 7860,
    model: Annotated[
        Path | None, typer.Option(help="model file, safetensors or ONNX; the packaged one if none")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="look at one frame in so many")] = 10,
    detector: Annotated[
        FaceDetector | None, typer.Option(help="what finds the faces; as in training if none")
    ] = None,
    max_megabytes: Annotated[
        int, typer.Option(min=1, max=2000, help="largest upload, MB")
    ] = DEFAULT.max_megabytes,
    max_video_seconds: Annotated[
        float, typer.Option(min=0.1, max=DAY, help="longest video")
    ] = DEFAULT.max_video_seconds,
    max_side: Annotated[
        int, typer.Option(min=16, max=8192, help="largest side of a frame, px")
    ] = DEFAULT.max_side,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="clips judged at the same time")
    ] = DEFAULT.workers,
    queue: Annotated[
        int, typer.Option(min=0, max=1000, help="clips that may wait")
    ] = DEFAULT.queue,
    job_seconds: Annotated[
        float, typer.Option(min=0.1, max=DAY, help="longest time for one clip")
    ] = DEFAULT.job_seconds,
) -> None:
    """Judge clips in the browser: a page and an HTTP API on this machine (docs/web.md)."""
    limits = Limits(
        max_megabytes=max_megabytes,
        max_video_seconds=max_video_seconds,
        max_side=max_side,
        workers=workers,
        queue=queue,
        job_seconds=job_seconds,
    )
    asyncio.run(serve(model or shipped.MODEL, limits, every, detector, port))


async def serve(
    model: Path, limits: Limits, every: int, detector: FaceDetector | None, port: int
) -> None:
    """Serve until interrupted.

    Raises LitefakeError when the port is taken or the model cannot be loaded.
    """
    with _listening(port) as listener:
        import uvicorn

        from litefake.web import api, page
        from litefake.web.service import Service

        # Before there is a folder to remove. uvicorn raises the signal again when it has stopped:
        # the service must end too.
        signal.signal(signal.SIGINT, end)
        raise_on(signal.SIGTERM, signal.SIGHUP)
        async with Service(model, limits, every, detector) as service:
            app = page.mount(api.create(service), service)
            # A page that is still open holds a connection for ever.
            config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
            address = "http://{}:{}".format(*listener.getsockname())
            typer.echo(f"litefake listens on {address} (end it with Ctrl-C)")
            await uvicorn.Server(config).serve([listener])


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
    except OSError as error:
        listener.close()
        raise LitefakeError(
            f"{ADDRESS}:{port}: {error.strerror}; choose another port with --port"
        ) from None
    return listener
