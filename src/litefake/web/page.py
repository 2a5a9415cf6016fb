"""The page, in Gradio: choose a clip, watch the progress, see what was found and why."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from litefake.errors import LitefakeError
from litefake.web import render
from litefake.web.limits import Refused
from litefake.web.parts import Answer, Parts
from litefake.web.process import CLIP
from litefake.web.service import Outcome, Service

HERE = Path(__file__).resolve().parent
SAMPLES = {
    "Try a rendered head, as filmed": HERE / "samples" / "rendered_real.mp4",
    "Try a rendered head, face swapped": HERE / "samples" / "rendered_fake.mp4",
}
INTRO = (
    "<h1>Is this clip manipulated?</h1><p>litefake looks at the faces in a video and says how "
    "much they resemble known face manipulations.</p>"
)
# Announced by screen readers whenever its content changes.
SPOKEN = '<div class="lf" role="status" aria-live="polite">${value}</div>'
PLAIN = '<div class="lf">${value}</div>'


def mount(app: FastAPI, service: Service) -> FastAPI:
    """Put the page at ``/`` of ``app``."""
    # Gradio reads both when a component is made: uploads and results lie in our folder alone.
    os.environ["GRADIO_TEMP_DIR"] = str(service.kept)
    os.environ["GRADIO_EXAMPLES_CACHE"] = str(service.kept)
    system = ["system-ui", "sans-serif"]
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(service),
        path="/",
        server_name="127.0.0.1",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=service.limits.max_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Default(font=system, font_mono=["monospace"]),
        css_paths=HERE / "style.css",
    )
    return mounted


def build(service: Service) -> gr.Blocks:
    """The page's parts and what its buttons do."""
    page: gr.Blocks
    with gr.Blocks(title="litefake", analytics_enabled=False) as page:
        _html(INTRO)
        with gr.Row():
            with gr.Column():
                upload = gr.File(label="A video with faces", type="filepath", height=150)
                # Gradio's own leaves an empty file behind each time.
                upload.preprocess = _path_of  # type: ignore[method-assign]
                start = gr.Button("Judge this clip", variant="primary")
                samples = [gr.Button(label) for label in SAMPLES]
                _html(render.limits(service.limits))
            with gr.Column():
                verdict = gr.HTML("", html_template=SPOKEN, elem_id="verdict")
                progress = gr.HTML("", html_template=PLAIN, elem_id="progress")
                video = gr.Video(
                    label="The clip with its faces marked",
                    interactive=False,
                    visible=False,
                    elem_id="annotated",
                )
        details = gr.HTML("", html_template=PLAIN, elem_id="details")
        parts = Parts(upload, verdict, progress, video, details, [start, *samples])

        async def judge_upload(path: str | None) -> AsyncIterator[Answer]:
            async for answer in judged(service, parts, Path(path) if path else None):
                yield answer

        _on_click(start, judge_upload, service, [upload], parts)
        for button, sample in zip(samples, SAMPLES.values(), strict=True):
            _on_click(button, _judge_sample(service, parts, sample), service, [], parts)
    page.queue(max_size=service.limits.capacity + 50, api_open=False)
    return page


async def judged(
    service: Service, parts: Parts, clip: Path | None, keep: bool = False
) -> AsyncIterator[Answer]:
    """What the page shows while ``clip`` is judged and after; an upload is removed then."""
    yield parts.started()
    try:
        with service.job_folder() as folder:
            name = _take(clip, folder, keep)
            steps = service.judge(folder, name, pictures=True)
            try:
                async with aclosing(steps):
                    async for step in steps:
                        if isinstance(step, Outcome):
                            yield parts.found(step)
                        else:
                            yield parts.working(*step)
            finally:
                if clip and not keep:
                    _forget(clip, folder, service.kept)
    except LitefakeError as error:
        yield parts.failed(error)
    except Exception:  # a bug keeps its traceback, but the buttons work again
        yield parts.failed(LitefakeError("the service failed; see what the server prints"))
        raise


def _take(clip: Path | None, folder: Path, keep: bool) -> str:
    if clip is None:
        raise Refused("choose a file first")
    try:
        if not clip.is_file():
            raise FileNotFoundError
        if keep:
            shutil.copyfile(clip, folder / CLIP)
        else:
            (folder / CLIP).hardlink_to(clip)
    except FileNotFoundError:
        raise Refused("the file is no longer here; choose it again") from None
    return clip.name


def _forget(clip: Path, folder: Path, kept: Path) -> None:
    # Somebody else may have sent the same file meanwhile, which then has the same name here.
    with suppress(FileNotFoundError):
        if clip.samefile(folder / CLIP):
            clip.unlink()
    if clip.parent != kept:
        with suppress(OSError):  # the same file lies there under another name
            clip.parent.rmdir()


def _judge_sample(
    service: Service, parts: Parts, sample: Path
) -> Callable[[], AsyncIterator[Answer]]:
    async def judge_sample() -> AsyncIterator[Answer]:
        async for answer in judged(service, parts, sample, keep=True):
            yield answer

    return judge_sample


def _on_click(
    button: gr.Button,
    work: Callable[..., AsyncIterator[Answer]],
    service: Service,
    inputs: list[gr.File],
    parts: Parts,
) -> None:
    # Our own queue decides who is refused, and says so in words.
    button.click(
        work,
        inputs,
        parts.all,
        show_progress="hidden",
        postprocess=False,  # Gradio's would have ffmpeg open the marked copy
        api_visibility="private",
        concurrency_limit=service.limits.capacity + 50,
    )


def _html(text: str) -> gr.HTML:
    return gr.HTML(text, html_template=PLAIN)


def _path_of(payload: Any) -> str | None:
    return payload.path if payload else None
