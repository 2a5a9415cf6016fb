"""The door of the server: what may be asked for, how much may be sent, by how many at once."""

import asyncio
import json
from typing import Any
from urllib.parse import unquote

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from litefake.web.limits import Busy, NotFound, Refused, TooLarge, TooSlowUpload
from litefake.web.service import Service

API_UPLOAD, PAGE_UPLOAD = "/api/detect", "/gradio_api/upload"
FILE, JOIN = "/gradio_api/file=", "/gradio_api/queue/join"
SMALL = 10**6  # bytes of a request that carries no file
ENVELOPE = 10**5  # bytes that a form adds to its file
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
        self._check_path(path)
        if scope["method"] == "POST" and path in (API_UPLOAD, PAGE_UPLOAD):
            await self._pass_upload(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = _Body(receive, SMALL, f"a request may have {SMALL} bytes", 30.0)
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
        return inside and ".." not in unquote(path) and "\0" not in unquote(path)

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
        body = _Body(receive, limits.max_bytes + ENVELOPE, too_large, limits.upload_seconds)
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
        if body.refused:
            raise body.refused

    async def _check_files(self, body: "_Body") -> None:
        """Refuse a job on a file that the page did not upload: a path, or an address to fetch."""
        try:
            asked = json.loads(await body.peek())
        except ValueError:
            raise Refused("the request is no JSON") from None
        if not all(self._is_ours(path) for path in _paths(asked)):
            raise NotFound("only a file that was uploaded here can be judged")


class _Body:
    """A request's body that ends with a Refused when it grows or lasts too long."""

    def __init__(self, receive: Receive, most: int, too_large: str, seconds: float) -> None:
        self._receive, self._most, self._too_large = receive, most, too_large
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._seen, self._complete = 0, False
        self._peeked: list[Message] = []
        self.refused: Refused | None = None

    def check_header(self, scope: Scope) -> None:
        """Refuse at once what says that it is too large. Raises TooLarge."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            raise TooLarge(self._too_large)

    async def peek(self) -> bytes:
        """The whole body; ``receive`` gives it again."""
        while not self._complete:
            message = await self._next()
            self._peeked.append(message)
            if message["type"] == "http.disconnect":
                break
        return b"".join(message.get("body", b"") for message in self._peeked)

    async def receive(self) -> Message:
        """The next ASGI message. Raises TooLarge and TooSlowUpload."""
        return self._peeked.pop(0) if self._peeked else await self._next()

    async def _next(self) -> Message:
        if self._complete:  # only a disconnect is still to come, however late
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.refused = TooSlowUpload("the file did not arrive in time")
            raise self.refused from None
        self._seen += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._seen > self._most:
            self.refused = TooLarge(self._too_large)
            raise self.refused
        return message


def answer(error: Exception) -> JSONResponse:
    """The one line of ``error`` as JSON, with its status; 500 when it has none."""
    status = error.status if isinstance(error, Refused) else 500
    return JSONResponse({"error": " ".join(str(error).split())}, status)


def _paths(value: Any) -> list[str]:
    """Every text under a key ``path`` in ``value``, and every address of another kind."""
    if isinstance(value, dict):
        own = [item for key, item in value.items() if key == "path" and isinstance(item, str)]
        return own + [path for item in value.values() for path in _paths(item)]
    if isinstance(value, list):
        return [path for item in value for path in _paths(item)]
    return []
