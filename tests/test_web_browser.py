"""The page in a real Chromium, and the running server that brings it."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
import pytest
from playwright.sync_api import expect, sync_playwright

from litefake import models
from litefake.faces import CropParams
from tests.clips import draw_face, write_clip
from tests.conftest import CROP, new_model
from tools import browser as chromium

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
WAIT = 90_000  # ms: a worker loads torch, perhaps on a busy machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def clip(folder):
    frames = [np.roll(draw_face(), number, axis=1) for number in range(50)]
    return write_clip(folder / "<b>clip.mp4", frames)


@pytest.fixture(scope="module")
def server(folder):
    """The address of a running ``litefake web``; its folder is gone when it has ended."""
    network, card = new_model(CropParams.model_validate(CROP))
    models.save(network, card, folder / "model.safetensors")
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(temporary)}
    environment["PATH"] = f"{tempting_tools(folder)}:{environment['PATH']}"
    options = ["--port", "0", "--max-megabytes", "1", "--model", folder / "model.safetensors"]
    process = subprocess.Popen(
        [sys.executable, "-m", "litefake", "web", *map(str, options)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment | {"PYTHONUNBUFFERED": "1"},
    )
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
    for _ in range(300):  # it says where before it listens
        with (
            contextlib.suppress(OSError),
            socket.create_connection((urlsplit(address).hostname, urlsplit(address).port)),
        ):
            break
        time.sleep(0.1)
    yield address
    # It holds neither torch nor a clip: those are in its workers.
    assert psutil.Process(process.pid).memory_info().rss < 500 * 2**20
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert list(temporary.glob("litefake-web-*")) == []
    assert not (folder / "called").exists()


def tempting_tools(folder):
    """A folder of what Gradio's own video would have open a marked copy, outside of any limit."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        (tools / name).write_text(f"#!/bin/sh\necho $0 $* >> '{folder}/called'\n")
        (tools / name).chmod(0o755)
    return tools


@pytest.fixture(scope="module")
def driver():
    found = chromium.find()
    if found is None:
        pytest.skip("no Chromium: run `make browser`")
    with sync_playwright() as started:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        driven = started.chromium.launch(executable_path=found, args=options)
        yield driven
        driven.close()


@pytest.fixture(params=SIZES)
def page(request, driver, server):
    """The page at one width, which fails when anything is asked of another machine."""
    context = driver.new_context(viewport=SIZES[request.param], accept_downloads=True)
    opened = context.new_page()
    asked, problems = [], []
    opened.on("request", lambda asking: asked.append(urlsplit(asking.url)))
    opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    opened.goto(server)
    yield opened
    outside = {url.hostname for url in asked if url.scheme not in ("data", "blob")} - {"127.0.0.1"}
    context.close()
    assert outside == set()
    assert [line for line in problems if "Content Security Policy" in line] == []


def judge(page, path):
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text(Path(path).stem[-4:]).first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Judge this clip").click()


def word(page):
    heading = page.locator("#verdict h2")
    expect(heading).to_be_visible(timeout=WAIT)
    return heading.inner_text()


def test_a_clip_is_uploaded_judged_and_played(page, clip):
    judge(page, clip)
    assert word(page) in ("FAKE", "REAL", "UNDECIDED")
    video = page.locator("#annotated video")
    expect(video).to_be_visible(timeout=WAIT)
    page.wait_for_function(
        "document.querySelector('#annotated video').readyState == 4", timeout=WAIT
    )
    assert video.evaluate("one => one.videoWidth") == 320
    choices = page.get_by_role("radio")
    assert choices.count() == 9
    choices.nth(0).check()
    shown = page.locator(".lf-plot figure:visible")
    expect(shown).to_contain_text("at 0.0 s")
    choices.nth(0).press("ArrowRight")
    expect(shown).to_contain_text("at 0.2 s")
    expect(shown).to_have_count(1)
    suspects = page.locator(".lf-faces li").count()
    assert suspects >= 2
    assert page.locator(".lf-faces img").count() == 2 * suspects
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the report").click()
    saved = json.loads(Path(downloading.value.path()).read_text(encoding="utf-8"))
    assert saved["verdict"] == word(page).lower()
    assert saved["file"].endswith("clip.mp4")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]  # nothing to scroll sideways


def test_a_name_with_dots_in_it_is_no_way_out_of_the_folder(page, folder, clip):
    named = folder / "What now...mp4"
    named.write_bytes(clip.read_bytes())
    judge(page, named)
    assert word(page) in ("FAKE", "REAL", "UNDECIDED")


def test_a_bad_file_shows_its_message(page, folder, clip):
    (folder / "text.mp4").write_text("no video at all")
    judge(page, folder / "text.mp4")
    assert word(page) == "Not judged"
    expect(page.locator("#verdict")).to_contain_text("cannot be opened as a video")
    expect(page.locator("#annotated")).to_have_count(0)
    judge(page, clip)  # and the next clip is judged
    expect(page.locator("#verdict h2")).to_have_text(
        re.compile("FAKE|REAL|UNDECIDED"), timeout=WAIT
    )


def test_a_sample_is_one_click_away(page):
    page.get_by_role("button", name="face swapped").click()
    assert word(page) in ("FAKE", "REAL", "UNDECIDED")
    status = page.get_by_role("status").filter(has=page.locator("h2"))
    assert status.get_attribute("aria-live") == "polite"


def test_the_page_names_its_parts(page):
    assert page.get_by_role("heading", level=1).inner_text() == "Is this clip manipulated?"
    assert page.locator("html").get_attribute("lang") == "en"
    for name in ("Judge this clip", "rendered head, as filmed"):
        assert page.get_by_role("button", name=name).is_enabled()
    page.get_by_role("button", name="Judge this clip").click()
    assert word(page) == "Not judged"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/file=KEPT/../../../../../../../../etc/passwd",
        "/gradio_api/file=KEPT/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/file=KEPT/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "/gradio_api/file=http://127.0.0.1/",
        "/gradio_api/file=SOURCE/pyproject.toml",
        "/static/../../../../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc/passwd",
    ],
)
def test_no_file_outside_the_folder_is_read(server, folder, path):
    (kept,) = (folder / "tmp").glob("litefake-web-*/kept")
    target = path.replace("KEPT", str(kept)).replace("SOURCE", str(ROOT))
    host, port = urlsplit(server).hostname, urlsplit(server).port
    # httpx would tidy the path up before it is sent.
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", target)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (403, 404)
    assert b"root:" not in body
    assert b"litefake" not in body


def test_the_api_answers_beside_the_page(server, clip):
    with clip.open("rb") as file:
        found = httpx.post(f"{server}/api/detect", files={"file": file}, timeout=WAIT / 1000)
    assert found.status_code == 200
    assert found.json()["faces"] == 9


def test_the_api_keeps_its_form_beside_the_page(server):
    found = httpx.get(f"{server}/api/detect")
    assert (found.status_code, found.headers["allow"]) == (405, "POST")
    assert list(found.json()) == ["error"]


def test_an_upload_leaves_no_folder_behind(page, folder, clip):
    (kept,) = (folder / "tmp").glob("litefake-web-*/kept")
    (folder / "words.mp4").write_text("no video either")
    before = set(kept.iterdir())
    judge(page, folder / "words.mp4")
    assert word(page) == "Not judged"
    assert set(kept.iterdir()) <= before


def test_a_taken_port_is_one_line(server, folder):
    port = str(urlsplit(server).port)
    done = subprocess.run(
        [sys.executable, "-m", "litefake", "web", "--port", port, "--model", "none"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ready", [False, True])
def test_no_upload_outlives_the_service(tmp_path, number, ready):
    """Also when its terminal is closed, or it is ended while the model is still being loaded."""
    process = subprocess.Popen(
        [sys.executable, "-m", "litefake", "web", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)},
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # nohup would have it ignored
    )
    if ready:
        assert b"litefake listens" in process.stdout.readline()
    until = time.monotonic() + 60
    while not list(tmp_path.glob("litefake-web-*")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(timeout=30) != 0
    assert list(tmp_path.glob("litefake-web-*")) == []
