"""The service behind the page: what it takes, what it refuses, and what it leaves behind."""

import asyncio
import json
import os
import re
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from litefake import models, video
from litefake.errors import LitefakeError, VideoUnreadable
from litefake.faces import CropParams
from litefake.report import Judge, judge_file
from litefake.web import api
from litefake.web.body import Body
from litefake.web.job import check, work
from litefake.web.limits import BeyondLimits, Limits, Refused, TooSlow, TooSlowUpload
from litefake.web.process import CLIP, PICTURES, REPORT, Worker
from litefake.web.service import Outcome, Service, Step, plain_name, remove_older
from tests.clips import draw_face, write_clip
from tests.conftest import CROP, new_model
from tests.test_detect import KEYS

LIMITS = Limits(max_megabytes=1, queue=3)
FORM = {"content-type": "multipart/form-data"}  # lacks its boundary


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def model(folder):
    network, card = new_model(CropParams.model_validate(CROP))
    models.save(network, card, folder / "model.safetensors")
    return folder / "model.safetensors"


@pytest.fixture(scope="module")
def clip(folder):
    """Two seconds of a face that moves."""
    frames = [np.roll(draw_face(), number, axis=1) for number in range(50)]
    return write_clip(folder / "clip.mp4", frames)


@pytest.fixture(scope="module")
def run():
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(scope="module")
def service(run, model):
    made = Service(model, LIMITS, every=10)
    run(made.__aenter__())
    yield made
    run(made.__aexit__(None, None, None))
    assert not made.folder.exists()


@pytest.fixture(scope="module")
def ask(run, service):
    """Send requests side by side to the API; their answers."""
    transport = httpx.ASGITransport(api.create(service))

    async def send(requests):
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", timeout=120
        ) as client:
            return await asyncio.gather(*(client.request(*how, **more) for how, more in requests))

    return lambda *requests: run(send(requests))


@pytest.fixture
def nothing_left(service):
    yield
    assert [path for path in service.folder.rglob("*") if path != service.kept] == []


def upload(content, name="clip.mp4"):
    return ("POST", "/api/detect"), {"files": {"file": (name, content)}}


def error_of(response):
    assert list(response.json()) == ["error"]
    assert "\n" not in response.json()["error"]
    return response.json()["error"]


def test_a_clip_gets_its_report(ask, clip, nothing_left):
    (found,) = ask(upload(clip.read_bytes(), "../../etc/my clip.mp4"))
    assert found.status_code == 200
    assert set(found.json()) == KEYS
    assert found.json()["file"] == "my clip.mp4"
    assert found.json()["faces"] == 9  # 50 frames, at least 8 looks: every sixth


def test_who_leaves_gives_up_the_place(run, service, monkeypatch, nothing_left):
    closed = []

    async def endless(*_job, **_how):
        try:
            while True:
                yield Step(0.1, "Looking")
                await asyncio.sleep(0.01)
        finally:
            closed.append(True)

    monkeypatch.setattr(service, "judge", endless)
    asked = httpx.Request("POST", "http://127.0.0.1/api/detect", files={"file": ("a.mp4", b"x")})
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/detect",
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in asked.headers.raw],
    }
    coming = [
        {"type": "http.request", "body": asked.read(), "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return coming.pop(0) if len(coming) > 1 else coming[0]

    async def send(_message):
        pass

    run(asyncio.wait_for(api.create(service)(scope, receive, send), 10))
    assert closed == [True]


def test_the_limits_are_told(ask):
    (found,) = ask((("GET", "/api/limits"), {}))
    assert Limits.model_validate(found.json()) == LIMITS
    assert "connect-src 'self'" in found.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("content", "name", "status", "says"),
    [
        (b"", "a.mp4", 415, "cannot be opened as a video"),
        (b"hello", "a.mp4", 415, "cannot be opened as a video"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "a.mp4", 415, "cannot be opened"),
        (b"<html><script>", "../../../tmp/x.html", 415, "cannot be opened"),
        (b"\x89PNG\r\n\x1a\n", "a.png", 415, "cannot be opened"),
        (bytes(1_200_000), "a.mp4", 413, "1 MB are allowed"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_line(ask, content, name, status, says, nothing_left):
    (found,) = ask(upload(content, name))
    assert found.status_code == status
    assert says in error_of(found)


def test_frames_that_no_reader_takes_are_too_large_and_not_no_video(clip, monkeypatch):
    monkeypatch.setattr(video, "MAX_PIXELS", 1000)
    with pytest.raises(BeyondLimits, match="too large; scale the video down"):
        check(clip, LIMITS)


def test_half_a_clip_is_judged_or_refused_but_ends_nothing(ask, clip, nothing_left):
    whole = clip.read_bytes()
    headless, cut = ask(upload(whole[len(whole) // 2 :]), upload(whole[: len(whole) // 2]))
    assert headless.status_code == 415
    assert cut.status_code in (200, 422)
    assert ask(upload(whole))[0].status_code == 200


def test_a_bomb_is_refused_before_it_is_decoded(ask, folder, nothing_left):
    """A few kilobytes that unfold to 32 million pixels a frame."""
    black = np.zeros((4000, 8000, 3), np.uint8)
    bomb = write_clip(folder / "bomb.mp4", [black], preset="ultrafast").read_bytes()
    assert len(bomb) < 300_000
    (found,) = ask(upload(bomb))
    assert found.status_code == 422
    assert "8000 x 4000 pixels; a side may have 4096" in error_of(found)


def test_a_large_body_without_a_length_is_cut_off(ask):
    async def endless():
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield bytes(100_000)

    form = {"content-type": "multipart/form-data; boundary=x"}
    (found,) = ask((("POST", "/api/detect"), {"content": endless(), "headers": form}))
    assert found.status_code == 413
    assert "1 MB are allowed" in error_of(found)


def test_a_slow_body_is_given_up():
    async def wait():
        await asyncio.Event().wait()

    async def read():
        await Body(wait, 10, "", 0.01).receive()

    with pytest.raises(TooSlowUpload):
        asyncio.run(read())


def test_fifty_at_once_each_get_an_answer(ask, clip, nothing_left):
    found = ask(*[upload(clip.read_bytes())] * 50)
    statuses = [response.status_code for response in found]
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == LIMITS.capacity
    busy = [response for response in found if response.status_code == 429]
    assert {"try again in a minute" in error_of(response) for response in busy} == {True}
    assert ask(upload(clip.read_bytes()))[0].status_code == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ((("POST", "/api/detect"), {}), 422),
        ((("POST", "/api/detect"), {"files": {"other": b"x"}}), 422),
        ((("POST", "/api/detect"), {"files": [("file", b"x"), ("file", b"y")]}), 422),
        ((("GET", "/api/other"), {}), 404),
        ((("GET", "/docs"), {}), 404),
        ((("GET", "/gradio_api/file=/etc/passwd"), {}), 404),
        ((("GET", "/gradio_api/proxy=http://example.org"), {}), 404),
        ((("POST", "/gradio_api/process_recording"), {}), 404),
        ((("GET", "/api/detect"), {}), 405),
        ((("DELETE", "/api/limits"), {}), 405),
        ((("POST", "/api/detect"), {"content": b"x", "headers": FORM}), 400),
        ((("POST", "/gradio_api/queue/join"), {"content": b"{"}), 400),
        ((("POST", "/gradio_api/queue/join"), {"content": b"[" * 100_000}), 400),
        ((("POST", "/gradio_api/queue/join"), {"content": b"[" * 300 + b"]" * 300}), 400),
        ((("POST", "/gradio_api/queue/join"), {"json": {"data": [{"path": "/etc/passwd"}]}}), 404),
        ((("POST", "/gradio_api/queue/join"), {"json": [{"path": "http://example.org/a"}]}), 404),
    ],
)
def test_what_is_not_offered_is_one_line(ask, request_, status):
    (found,) = ask(request_)
    assert found.status_code == status
    assert error_of(found)


def test_another_host_name_is_refused(ask):
    (found,) = ask((("GET", "/api/limits"), {"headers": {"host": "example.org"}}))
    assert found.status_code == 400
    assert "127.0.0.1" in error_of(found)


OWN = "http://127.0.0.1"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"origin": OWN, "sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://a.example", "x-forwarded-host": "a.example"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://evil.example", "x-forwarded-host": "a.example"}, False),
        ({"origin": f"{OWN}:8000"}, False),
        ({"origin": f"{OWN}.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
    ],
)
def test_another_page_can_send_nothing(ask, headers, passes):
    asked = [("POST", "/api/detect"), ("POST", "/gradio_api/upload"), ("OPTIONS", "/api/detect")]
    statuses = [found.status_code for found in ask(*((how, {"headers": headers}) for how in asked))]
    # Past the gate: no file, no page beside this API, another method.
    assert statuses == ([422, 404, 405] if passes else [403] * 3)
    (read,) = ask((("GET", "/api/limits"), {"headers": headers}))
    assert read.status_code == 200


def test_the_page_gets_steps_pictures_and_a_video(run, service, clip):
    async def judge():
        with service.job_folder() as job:
            (job / CLIP).write_bytes(clip.read_bytes())
            return [step async for step in service.judge(job, "a.mp4", pictures=True)]

    *steps, outcome = run(judge())
    assert isinstance(outcome, Outcome)
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 0.75
    assert len(outcome.pictures["points"]) == outcome.report["faces"] == 9
    suspects = outcome.pictures["suspects"]
    assert 2 <= len(suspects) <= 4
    assert all(face["image"] and face["heat"] for face in suspects)
    highest = max(face["probability"] for face in outcome.pictures["points"])
    assert suspects[0]["probability"] == highest
    assert outcome.video.is_relative_to(service.kept)
    assert outcome.video.stat().st_size > 1000
    remove_older(service.kept.rglob("*"), 0)
    assert list(service.kept.iterdir()) == []


def test_a_face_just_below_the_threshold_is_not_called_fake(model, clip, tmp_path):
    """Rounded to six digits, as the page reads them, it would lie above."""
    judge = Judge.load(model, threads=1)
    clip = shutil.copyfile(clip, tmp_path / CLIP)
    found = sorted(judge_file(clip, judge, 1).looks.faces["probability"])
    low = next(value for value in found if round(value, 6) > value)
    card = judge.card.model_copy(update={"threshold": float(np.nextafter(low, 1))})
    job = {"folder": str(tmp_path), "name": "a", "every": 1, "detector": None}
    job |= {"pictures": True, "limits": LIMITS.model_dump()}
    work(job, replace(judge, card=card), lambda _: None)
    points = json.loads((tmp_path / PICTURES).read_text())["points"]
    fakes = [point for point in points if point["answer"] == "fake"]
    assert len(fakes) == sum(value > low for value in found)


def test_a_clip_that_cannot_be_marked_is_judged_all_the_same(model, clip, tmp_path, monkeypatch):
    def annotate(source, *_):
        raise VideoUnreadable(f"{source}: no marked copy can be made of it")

    monkeypatch.setattr("litefake.annotation.annotate", annotate)
    shutil.copyfile(clip, tmp_path / CLIP)
    job = {"folder": str(tmp_path), "name": "my.mp4", "every": 10, "detector": None}
    job |= {"pictures": True, "limits": LIMITS.model_dump()}
    with pytest.raises(BeyondLimits, match=r"^my\.mp4: no marked copy can be made of it$"):
        work(job, Judge.load(model, threads=1), lambda _: None)
    assert json.loads((tmp_path / REPORT).read_text())["faces"] == 9
    assert len(json.loads((tmp_path / PICTURES).read_text())["points"]) == 9


def test_a_job_that_dies_or_hangs_is_one_refusal(run, model, clip, folder):
    async def refusal(worker, job, seconds):
        assert await worker.ready()
        with pytest.raises(Refused) as caught:
            async for _ in worker.run(job, seconds):
                pass
        return caught.value

    async def both():
        worker = await Worker.start(model, LIMITS)
        try:
            died = await refusal(worker, job, 60)  # a job without limits is a bug of ours
            assert worker.finished
            hung = await refusal(worker, job | {"limits": LIMITS.model_dump()}, 0.0)
            assert not worker.finished
        finally:
            await worker.kill()
        assert not await worker.ready()
        return died, hung

    (folder / CLIP).write_bytes(clip.read_bytes())
    job = {"folder": str(folder), "name": "a", "every": 1, "detector": None, "pictures": True}
    died, hung = run(both())
    assert (died.status, "ended the process" in str(died)) == (422, True)
    assert isinstance(hung, TooSlow)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_clip_that_wants_too_much_memory_ends_its_job_and_nothing_else(
    run, model, clip, folder, tmp_path
):
    """The limit is set 200 MB above what the worker holds; a frame of the large clip has 106."""
    large = write_clip(tmp_path / "large.mp4", [np.full((4320, 8192, 3), 90, np.uint8)] * 2)
    limits = LIMITS.model_copy(update={"max_side": 8192})

    async def held():
        worker = await Worker.start(model, limits)
        try:
            assert await worker.ready()
            status = Path(f"/proc/{worker._process.pid}/status").read_text()
            return int(re.search(r"VmData:\s+(\d+) kB", status)[1]) // 1024
        finally:
            await worker.kill()

    async def judged(worker, source):
        (folder / CLIP).write_bytes(source.read_bytes())
        job = {"folder": str(folder), "name": "a", "every": 1, "detector": None}
        job |= {"pictures": False, "limits": limits.model_dump()}
        assert await worker.ready()
        async for _ in worker.run(job, 120):
            pass
        return json.loads((folder / REPORT).read_text())["faces"]

    async def scene():
        tight = limits.model_copy(update={"memory_megabytes": await held() + 200})
        worker = await Worker.start(model, tight)
        try:
            with pytest.raises(Refused, match="ended the process|more memory than there is"):
                await judged(worker, large)
            return await judged(worker, clip)
        finally:
            await worker.kill()

    assert run(scene()) > 0


def test_a_long_video_is_refused_by_its_packets(clip):
    check(clip, LIMITS)
    with pytest.raises(BeyondLimits, match="lasts 2 s; 1 s are allowed"):
        check(clip, Limits(max_video_seconds=1.0))


def test_a_missing_model_is_one_line_and_leaves_no_folder(run, tmp_path):
    made = Service(tmp_path / "none.safetensors", LIMITS, every=10)
    with pytest.raises(LitefakeError, match="none.safetensors: no such file"):
        run(made.__aenter__())
    assert not made.folder.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\clips\\a.mp4", "a.mp4"),
        ("a\r\nb\0.mp4", "ab.mp4"),
        ("", "clip"),
        ("x" * 500, "x" * 100),
    ],
)
def test_a_name_is_only_ever_shown(name, shown):
    assert plain_name(name) == shown


def test_old_files_go_and_young_ones_stay(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.mp4").write_bytes(b"x")
    remove_older(tmp_path.rglob("*"), 60)
    assert (tmp_path / "a" / "x.mp4").exists()
    os.utime(tmp_path / "a" / "x.mp4", (0, 0))  # what a file says of itself does not count
    remove_older(tmp_path.rglob("*"), 60)
    assert (tmp_path / "a" / "x.mp4").exists()
    (tmp_path / "a" / "emptied" / "empty").mkdir(parents=True)
    time.sleep(0.01)
    remove_older(tmp_path.rglob("*"), 0)
    assert list(tmp_path.iterdir()) == []
