"""The parts of the page that a job changes, and what each of its moments does to them."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from litefake.web import render
from litefake.web.service import Outcome

Answer = dict[Any, Any]  # component -> its new value or properties


class Parts:
    """The components that a job changes; every method gives their changes for Gradio."""

    def __init__(
        self,
        upload: gr.File,
        verdict: gr.HTML,
        progress: gr.HTML,
        video: gr.Video,
        details: gr.HTML,
        buttons: list[gr.Button],
    ) -> None:
        self._upload, self._buttons = upload, buttons
        self._verdict, self._progress = verdict, progress
        self._video, self._details = video, details
        self.all = [upload, verdict, progress, video, details, *buttons]

    def working(self, share: float, doing: str) -> Answer:
        """How far the job is."""
        return {self._progress: render.progress(share, doing)}

    def started(self) -> Answer:
        """Nothing of the clip before is left, and no second job can be started."""
        empty = {self._verdict: "", self._details: ""}
        video = {self._video: gr.update(value=None, visible=False)}
        return empty | video | self._enabled(False)

    def found(self, outcome: Outcome) -> Answer:
        """The verdict, the marked clip or why there is none, and everything that led to it."""
        assert outcome.pictures is not None
        no_video = render.no_video(outcome.no_video) if outcome.no_video else ""
        return {
            self._verdict: render.verdict(outcome.report) + no_video,
            self._video: gr.update(value=_served(outcome.video), visible=outcome.video is not None),
            self._details: render.details(outcome.report, outcome.pictures),
        } | self._ended()

    def failed(self, error: Exception) -> Answer:
        """Why there is no verdict."""
        return {self._verdict: render.message(" ".join(str(error).split()))} | self._ended()

    def _ended(self) -> Answer:
        return {self._progress: "", self._upload: None} | self._enabled(True)

    def _enabled(self, yes: bool) -> Answer:
        return {button: gr.Button(interactive=yes) for button in self._buttons}


def _served(path: Path | None) -> dict[str, Any] | None:
    """A file as the browser is told of it, by us: Gradio would have ffprobe open it before."""
    return FileData(path=str(path), orig_name=path.name).model_dump() if path else None
