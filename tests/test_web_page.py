"""What the page says of a judged clip, without a server or a browser."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from litefake import marks
from litefake.sightings import table
from litefake.verdict import Rule
from litefake.web import render
from litefake.web.job import check
from litefake.web.limits import Limits
from litefake.web.page import HERE, SAMPLES
from litefake.web.parts import Parts
from litefake.web.pictures import evenly, overlay, suspicious
from litefake.web.service import Outcome
from litefake.web.timeline import HEIGHT, timeline

STYLE = (HERE / "style.css").read_text(encoding="utf-8")


def face(seconds, probability, track=0):
    return {"frame": round(25 * seconds), "seconds": seconds, "track": track,
            "probability": probability}  # fmt: skip


@pytest.fixture
def report():
    rows = [face(0.0, 0.2), face(0.4, 0.9), face(0.4, 0.1, track=1), face(0.8, 0.5)]
    track = {"faces": 3, "first_frame": 0, "last_frame": 20, "low": 0.3, "high": 0.7}
    return {
        "schema": "litefake-report-1",
        "file": '<img src=x onerror="alert(1)">.mp4',
        "verdict": "fake",
        "reason": "probability 0.53 is <above>",
        "fake_rate": 0.5,
        "probability": 0.53,
        "interval": [0.3, 0.7],
        "threshold": 0.25,
        "frames": 3,
        "frames_decoded": 21,
        "faces": 4,
        "frames_without_face": 0,
        "bad_packets": 0,
        "damaged_frames": 0,
        "truncated": True,
        "tracks": [
            track | {"track": 0, "probability": 0.53, "fake_rate": 0.66},
            track | {"track": 1, "probability": 0.1, "fake_rate": 0.0},
        ],
        "timeline": rows,
        "model": {"file": "m.safetensors", "sha256": "0", "architecture": "a",
                  "parameters": 1234567, "image_size": 32, "trained_on": "<drawn> faces"},
        "seconds": 1.234,
    }  # fmt: skip


@pytest.fixture
def pictures(report):
    data = base64.b64encode(b"jpeg").decode()
    points = [
        row | {"image": data, "answer": Rule(report["threshold"]).answer(row["probability"])}
        for row in report["timeline"]
    ]
    return {"points": points, "suspects": [points[1] | {"heat": data}, points[3] | {"heat": None}]}


def test_the_verdict_says_word_probability_meaning_and_reason(report):
    said = render.verdict(report)
    assert '<h2 class="lf-word lf-fake">FAKE</h2>' in said
    assert "<strong>53 %</strong>" in said
    assert "30 % to 70 %" in said
    assert "from 25 % on" in said
    assert render.MEANING["fake"] in said
    assert "is &lt;above&gt;" in said


def test_without_a_probability_none_is_shown(report):
    nothing = {"verdict": "undecided", "probability": None, "interval": None, "reason": "no face"}
    said = render.verdict(report | nothing)
    assert "UNDECIDED" in said
    assert "%" not in said


def test_without_a_marked_copy_the_verdict_says_why(report, pictures):
    upload, verdict, progress, video, details = "upload", "verdict", "progress", "video", "details"
    parts = Parts(upload, verdict, progress, video, details, [])
    shown = parts.found(Outcome(report, pictures, None, "a.mp4: <too> narrow"))
    assert shown[verdict].startswith(render.verdict(report))
    assert "no marked copy of this clip: a.mp4: &lt;too&gt; narrow." in shown[verdict]
    assert not shown[video]["visible"]
    assert "no marked copy" not in parts.found(Outcome(report, pictures, Path("a"), None))[verdict]


def test_nothing_of_a_clip_becomes_markup(report, pictures):
    html = render.details(report, pictures) + render.verdict(report)
    assert "<img src=x" not in html
    assert "<drawn>" not in html
    assert "&lt;drawn&gt;" in html


def test_the_timeline_has_a_choice_a_face_at_its_place(report, pictures):
    html = timeline(report, pictures)
    choices = re.findall(r"<input [^>]*>", html)
    assert len(choices) == 4
    assert all('type="radio"' in choice and "aria-label=" in choice for choice in choices)
    assert f"left:50.00%;top:{0.1 * HEIGHT:.1f}px" in choices[1]
    assert ["checked" in choice for choice in choices] == [False, True, False, False]
    kinds = [re.search(r'class="lf-(\w+)"', choice)[1] for choice in choices]
    assert kinds == ["real", "fake", "real", "fake"]
    assert html.count("<polyline") == 2
    assert f'y1="{0.75 * HEIGHT:.1f}"' in html
    assert html.count("<figure>") == 4


def test_a_clip_without_faces_or_times_is_shown_too(report, pictures):
    assert timeline(report | {"timeline": []}, {"points": [], "suspects": []}) == ""
    timeless = [row | {"seconds": None} for row in report["timeline"]]
    points = [row | {"seconds": None} for row in pictures["points"]]
    html = timeline(report | {"timeline": timeless}, {"points": points})
    assert "in frame 10" in html
    assert "20.0 frame" in html


def test_every_picture_has_words(report, pictures):
    html = render.details(report, pictures)
    images = re.findall(r"<img [^>]*>", html)
    assert len(images) == 4 + 3
    assert all(re.search(r'alt="[^"]{6,}"', image) for image in images)


def test_the_download_is_the_report(report):
    link = re.search(r'href="data:application/json;base64,([^"]+)"', render.download(report))
    assert json.loads(base64.b64decode(link[1])) == report


def test_headings_follow_each_other(report, pictures):
    levels = re.findall(r"<h(\d)", render.verdict(report) + render.details(report, pictures))
    assert levels == ["2"] * 5


def test_colours_and_height_are_those_of_the_code():
    for answer, colour in marks.COLOURS.items():
        name = "none" if answer == "undecided" else answer
        assert f"--lf-{name}: #{bytes(colour).hex()};" in STYLE
        assert f".lf-plot input.lf-{answer} {{" in STYLE
    assert f"padding-top: {HEIGHT + 34}px" in STYLE


def test_the_limits_stand_on_the_page():
    said = render.limits(Limits(max_megabytes=7, max_video_seconds=9.5, max_side=99))
    assert all(part in said for part in ("7 MB", "9.5 s", "99 pixels"))


def test_the_samples_are_small_clips_within_the_limits():
    assert len(SAMPLES) == 2
    for path in SAMPLES.values():
        check(path, Limits())
        assert path.stat().st_size < 60_000


def test_points_are_spread_evenly_with_both_ends():
    assert evenly(3, 10) == [0, 1, 2]
    assert evenly(101, 5) == [0, 25, 50, 75, 100]
    assert evenly(1, 5) == [0]


def test_suspects_are_of_the_deciding_track_and_apart_in_time():
    seconds = np.arange(12) / 5
    values = [(0.9, 1), (0.1, 0), (0.8, 0), (0.85, 0), (0.2, 0), (0.3, 0)] + [(0.4, 0)] * 6
    faces = table(
        (look, seconds[look], track, 0, 0, 1, probability)
        for look, (probability, track) in enumerate(values)
    )
    chosen = suspicious(faces, track=0)
    assert chosen[0] == 3  # not the one of track 1, which did not decide
    assert 2 not in chosen
    assert all(abs(seconds[a] - seconds[b]) >= 0.5 for a in chosen for b in chosen if a != b)
    assert suspicious(faces, track=None)[0] == 0
    faces["seconds"] = np.nan
    assert len(suspicious(faces, track=0)) == 4


def test_the_overlay_changes_hot_pixels_alone():
    face = np.full((8, 8, 3), 100, np.uint8)
    heat = np.zeros((8, 8), np.float32)
    heat[0, 0] = 1
    shown = overlay(face, heat)
    assert (shown[1:] == 100).all()
    assert (shown[0, 0] != 100).any()
    assert shown.dtype == np.uint8
    assert shown[0, 0].max() == pytest.approx(0.4 * 100 + 0.6 * 252, abs=4)


def test_a_model_without_heat_maps_does_not_promise_any():
    face = {
        "image": "eA==",
        "heat": None,
        "seconds": 0.5,
        "frame": 3,
        "track": 1,
        "probability": 0.7,
    }
    assert render.NO_HEAT in render.suspects([face])
    assert render.HEAT in render.suspects([face | {"heat": "eA=="}])
    assert render.suspects([]) == ""
