"""The HTTP API, and the page mounted beside it: docs/web.md describes both."""

import asyncio
import shutil
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from litefake.errors import LitefakeError
from litefake.web.gate import API_UPLOAD, Gate, answer
from litefake.web.limits import Refused
from litefake.web.process import CLIP
from litefake.web.service import Outcome, Service

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "the request cannot be read, or is sent under another host name"},
    403: {"description": "another page has the browser send it"},
    408: {"description": "the file did not arrive in time"},
    413: {"description": "the file is too large"},
    415: {"description": "the file cannot be opened as a video"},
    422: {"description": "the video is too long or too large, or cannot be decoded"},
    429: {"description": "too many clips are waiting"},
    503: {"description": "no process can be started to judge the clip, or the disk is full"},
    504: {"description": "judging took too long"},
}


def create(service: Service) -> FastAPI:
    """The app: ``POST /api/detect``, ``GET /api/limits``. Every error is ``{"error": line}``."""
    # The usual documentation pages load scripts from another machine.
    app = FastAPI(title="litefake", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.add_middleware(Gate, service=service)
    _answer_in_one_line(app)

    @app.get("/api/limits", summary="The limits of one upload")
    async def limits() -> dict[str, Any]:
        return service.limits.model_dump()

    @app.post("/api/detect", summary="Judge a clip: its report", responses=REFUSALS)
    async def detect(file: UploadFile, request: Request) -> JSONResponse:
        if len((await request.form()).getlist("file")) > 1:
            raise Refused("send one file at a time")
        with service.job_folder() as folder:
            with (folder / CLIP).open("wb") as target:
                await asyncio.to_thread(shutil.copyfileobj, file.file, target)
            steps = service.judge(folder, file.filename or "", pictures=False)
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Outcome):
                        return JSONResponse(step.report)
                    if await request.is_disconnected():  # the next one wants its place
                        break
        raise Refused("the clip is not judged")

    # The page, mounted at /, would answer for another method, in its own words.
    app.mount("/api", _other_method)
    return app


async def _other_method(scope: Scope, receive: Receive, send: Send) -> None:
    right = "POST" if scope["path"] == API_UPLOAD else "GET"
    raise HTTPException(405, f"this is asked for with {right}", {"allow": right})


def _answer_in_one_line(app: FastAPI) -> None:
    @app.exception_handler(LitefakeError)
    async def refused(_: Request, error: Exception) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def incomplete(_: Request, __: Exception) -> JSONResponse:
        return answer(Refused("send the clip as the field `file` of a form (multipart/form-data)"))

    @app.exception_handler(HTTPException)
    async def malformed(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(Exception)  # a bug: its traceback is printed all the same
    async def failed(_: Request, __: Exception) -> JSONResponse:
        return answer(LitefakeError("the service failed; see what the server prints"))
