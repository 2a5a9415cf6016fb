"""The service behind the page: what it takes, what it refuses, and what it leaves behind."""

import asyncio
import os
import time

import httpx
import numpy as np
import pytest

from litefake import models
from litefake.errors import LitefakeError
from litefake.faces import CropParams
from litefake.web import api
from litefake.web.gate import _Body
from litefake.web.job import check
from litefake.web.limits import BeyondLimits, Limits, Refused, TooSlow, TooSlowUpload
from litefake.web.process import CLIP, Worker
from litefake.web.service import Outcome, Service, plain_name, remove_older
from tests.clips import draw_face, write_clip
from tests.conftest import CROP, new_model
from tests.test_detect import KEYS

LIMITS = Limits(max_megabytes=1, queue=3)


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
        await _Body(wait, 10, "", 0.01).receive()

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
        ((("GET", "/api/other"), {}), 404),
        ((("GET", "/docs"), {}), 404),
        ((("GET", "/gradio_api/file=/etc/passwd"), {}), 404),
        ((("GET", "/gradio_api/proxy=http://example.org"), {}), 404),
        ((("POST", "/gradio_api/process_recording"), {}), 404),
        ((("POST", "/gradio_api/queue/join"), {"content": b"{"}), 422),
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
    remove_older(service.kept, 0)
    assert list(service.kept.iterdir()) == []


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


def test_a_long_video_is_refused_by_its_packets(clip):
    check(clip, LIMITS)
    with pytest.raises(BeyondLimits, match="lasts 2 s; 1 s are allowed"):
        check(clip, Limits(max_video_seconds=1.0))


def test_a_missing_model_is_one_line_and_leaves_no_folder(run, tmp_path):
    made = Service(tmp_path / "none.safetensors", LIMITS, every=10)
    with pytest.raises(LitefakeError, match="none.safetensors: no such model"):
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
    remove_older(tmp_path, 60)
    assert (tmp_path / "a" / "x.mp4").exists()
    os.utime(tmp_path / "a" / "x.mp4", (0, 0))  # what a file says of itself does not count
    remove_older(tmp_path, 60)
    assert (tmp_path / "a" / "x.mp4").exists()
    time.sleep(0.01)
    remove_older(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []
