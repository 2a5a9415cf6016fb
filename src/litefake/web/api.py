"""The HTTP API, and the page mounted beside it: docs/web.md describes both."""

import asyncio
import shutil
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from litefake.errors import LitefakeError
from litefake.web.gate import Gate, answer
from litefake.web.limits import Refused
from litefake.web.process import CLIP
from litefake.web.service import Outcome, Service

HOSTS = ["127.0.0.1", "localhost"]  # another name is a page elsewhere that points here
REFUSALS: dict[int | str, dict[str, Any]] = {
    408: {"description": "the file did not arrive in time"},
    413: {"description": "the file is too large"},
    415: {"description": "the file cannot be opened as a video"},
    422: {"description": "the video is too long or too large, or cannot be decoded"},
    429: {"description": "too many clips are waiting"},
    504: {"description": "judging took too long"},
}


def create(service: Service) -> FastAPI:
    """The app: ``POST /api/detect``, ``GET /api/limits``. Every error is ``{"error": line}``."""
    # The usual documentation pages load scripts from another machine.
    app = FastAPI(title="litefake", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.add_middleware(Gate, service=service)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)

    @app.get("/api/limits", summary="The limits of one upload")
    async def limits() -> dict[str, Any]:
        return service.limits.model_dump()

    @app.post("/api/detect", summary="Judge a clip: its report", responses=REFUSALS)
    async def detect(file: UploadFile) -> JSONResponse:
        with service.job_folder() as folder:
            with (folder / CLIP).open("wb") as target:
                await asyncio.to_thread(shutil.copyfileobj, file.file, target)
            steps = service.judge(folder, file.filename or "", pictures=False)
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Outcome):
                        return JSONResponse(step.report)
        raise Refused("the clip is not judged")

    @app.exception_handler(LitefakeError)
    async def refused(_: Request, error: Exception) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, __: Exception) -> JSONResponse:
        return answer(Refused("send the clip as the field `file` of a form (multipart/form-data)"))

    return app
