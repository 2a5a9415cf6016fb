"""The door of the server: what may be asked for, how much may be sent, by how many at once."""

import json
from itertools import chain
from typing import Any
from urllib.parse import unquote

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from litefake.web.body import Body
from litefake.web.limits import Busy, Malformed, NotFound, Refused
from litefake.web.sender import check_sender
from litefake.web.service import Service

API_UPLOAD, PAGE_UPLOAD = "/api/detect", "/gradio_api/upload"
FILE, JOIN = "/gradio_api/file=", "/gradio_api/queue/join"
SMALL = 10**6  # bytes of a request that carries no file
ENVELOPE = 10**5  # bytes that a form adds to its file
DEPTH = 50  # levels of JSON in a request; the page sends five
# What the page needs of Gradio. The rest stays shut: among it are routes that fetch from other
# machines, run ffmpeg on an upload, or write code.
OPEN = {
    "/", API_UPLOAD, "/api/limits", "/api/openapi.json",
    "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt",
    PAGE_UPLOAD, "/gradio_api/upload_progress", "/gradio_api/startup-events",
    JOIN, "/gradio_api/queue/data", "/gradio_api/reset", "/gradio_api/cancel",
}  # fmt: skip
OPEN_BELOW = ("/assets/", "/static/", "/svelte/", "/pwa_icon", "/gradio_api/heartbeat/")
# The browser itself then refuses to reach another machine. Gradio compiles its templates.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Gate:
    """ASGI middleware before everything else."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass with its body bounded, or answer it with one line."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        try:
            await self._pass(scope, receive, sending)
        except Refused as error:
            if not started:
                await answer(error)(scope, receive, sending)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        check_sender(scope)
        self._check_path(path)
        if scope["method"] == "POST" and path in (API_UPLOAD, PAGE_UPLOAD):
            await self._pass_upload(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = Body(receive, SMALL, f"a request may have {SMALL} bytes", 30.0)
        body.check_header(scope)
        if path == JOIN:
            await self._check_files(body)
        await self._app(scope, body.receive, send)

    def _check_path(self, path: str) -> None:
        if path in OPEN or (path.startswith(OPEN_BELOW) and ".." not in path):
            return
        if path.startswith(FILE) and self._is_ours(path.removeprefix(FILE)):
            return
        raise NotFound("there is nothing here")

    def _is_ours(self, path: str) -> bool:
        inside = unquote(path).startswith(f"{self._service.kept}/")
        # A part and not a piece: a name may have dots in it, as in "What now...mp4".
        return inside and ".." not in unquote(path).split("/") and "\0" not in unquote(path)

    async def _pass_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._service.limits
        if self._uploads >= limits.capacity or self._service.full:
            raise Busy(f"{limits.capacity} clips are being sent or judged; try again in a minute")
        if self._service.stored() > limits.store_megabytes * 10**6:
            raise Busy(
                "the room for uploads is used up; it is free again after "
                f"{limits.keep_minutes:g} minutes"
            )
        too_large = f"the file is too large; {limits.max_megabytes} MB are allowed"
        body = Body(receive, limits.max_bytes + ENVELOPE, too_large, limits.upload_seconds)
        body.check_header(scope)

        async def sending(message: Message) -> None:
            # A form's parser makes an answer of its own from what the limit raised.
            if body.refused is None:
                await send(message)

        self._uploads += 1
        try:
            await self._app(scope, body.receive, sending)
        except Exception:
            if body.refused is None:
                raise
        finally:
            self._uploads -= 1
            if not self._uploads:  # what still is unfinished will never be finished
                self._service.forget_unfinished(0)
        if body.refused:
            raise body.refused

    async def _check_files(self, body: Body) -> None:
        """Refuse a job on a file that the page did not upload: a path, or an address to fetch."""
        try:
            asked = json.loads(await body.peek())
        except (ValueError, RecursionError):
            raise Malformed("the request is no JSON, or nested too deeply") from None
        if not all(self._is_ours(path) for path in _paths(asked)):
            raise NotFound("only a file that was uploaded here can be judged")


def answer(error: Exception) -> JSONResponse:
    """The one line of ``error`` as JSON, with its status; 500 when it has none."""
    status = error.status if isinstance(error, Refused) else 500
    return JSONResponse({"error": " ".join(str(error).split())}, status)


def _paths(value: Any) -> list[str]:
    """Every text under a key ``path`` in ``value``.

    Raises Malformed beyond DEPTH: what reads the request after the gate calls itself a level.
    """
    found: list[str] = []
    values = [value]
    for _ in range(DEPTH):
        dicts = [item for item in values if isinstance(item, dict)]
        found += [item["path"] for item in dicts if isinstance(item.get("path"), str)]
        lists = [item for item in values if isinstance(item, list)]
        values = list(chain.from_iterable([*(item.values() for item in dicts), *lists]))
    if values:
        raise Malformed("the request is nested too deeply")
    return found
