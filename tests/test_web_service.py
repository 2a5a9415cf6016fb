"""The queue when a process cannot be had or a job is given up: with workers that are none."""

import asyncio
import errno
import json
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from litefake.web import api
from litefake.web import service as service_module
from litefake.web.limits import Limits, NoWorker, Refused, TooSlow, refusal
from litefake.web.page import judged
from litefake.web.process import PICTURES, REPORT, VIDEO, Step, Worker
from litefake.web.service import Outcome, Service

AGAIN = OSError(errno.EAGAIN, "Resource temporarily unavailable")


class Machine:
    """What starts workers: it has no process while ``trouble``, none yet while ``waits``.

    Their jobs write the files ``makes``, then raise ``fails``.
    """

    def __init__(self):
        self.trouble = self.fails = None
        self.waits = False
        self.makes = [REPORT]

    async def start(self, *_):
        while self.waits:
            await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        return FakeWorker(self)


class FakeWorker:
    def __init__(self, machine):
        self._machine, self._alive, self.finished = machine, True, True

    async def ready(self):
        return self._alive

    async def run(self, job, _):
        assert self._alive
        self.finished = False
        yield Step(0.5, "judging")
        for name in self._machine.makes:
            (Path(job["folder"]) / name).write_text(json.dumps({"made": name}))
        if self._machine.fails:
            raise self._machine.fails
        self.finished = True

    async def kill(self):
        self._alive = False
        await asyncio.sleep(0)


class FakeParts:
    """Tells what the page would show."""

    def started(self):
        return "started"

    def working(self, share, doing):
        return doing

    def found(self, outcome):
        return outcome

    def failed(self, error):
        return f"failed: {error}"


@pytest.fixture
def machine(monkeypatch):
    made = Machine()
    monkeypatch.setattr(Worker, "start", made.start)
    return made


@asynccontextmanager
async def serving():
    async with Service(Path("none"), Limits(workers=1, queue=3), every=10) as service:
        yield service


async def begun(service, folder):
    """The steps of a clip that has its worker and is being judged."""
    steps = service.judge(folder, "a.mp4", pictures=False)
    while (await anext(steps)).doing != "judging":
        pass
    return steps


async def outcome(service):
    """What becomes of one clip."""
    with service.job_folder() as folder:
        async with aclosing(service.judge(folder, "a.mp4", pictures=True)) as steps:
            return [step async for step in steps][-1]


async def detect(service):
    """What the API answers to one clip."""
    transport = httpx.ASGITransport(api.create(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post("/api/detect", files={"file": b"x"})


@pytest.mark.parametrize("kind", [*Refused.__subclasses__(), Refused])
def test_a_refusal_comes_back_from_the_worker_with_its_status(kind):
    assert refusal(kind.status, "why").status == kind.status


def test_a_worker_that_cannot_be_replaced_is_replaced_later(machine):
    async def scene():
        async with serving() as service:
            machine.fails, machine.trouble = TooSlow("it took too long"), AGAIN
            with pytest.raises(TooSlow):  # not what came after it
                await outcome(service)
            machine.fails = None
            with pytest.raises(NoWorker, match="Resource temporarily unavailable"):
                await outcome(service)
            refused = await detect(service)
            assert refused.status_code == 503
            assert "no process can be started" in refused.json()["error"]
            machine.trouble = None
            assert isinstance(await outcome(service), Outcome)

    asyncio.run(scene())


def test_a_job_given_up_while_its_worker_is_replaced_costs_nothing(machine):
    async def scene():
        async with serving() as service:
            machine.fails, machine.waits = TooSlow("it took too long"), True
            job = asyncio.create_task(outcome(service))
            for _ in range(20):  # now it waits for the new process
                await asyncio.sleep(0)
            assert not job.done()
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
            machine.fails, machine.waits = None, False
            assert isinstance(await outcome(service), Outcome)

    asyncio.run(scene())


def test_a_job_given_up_hands_its_worker_to_the_one_that_waits(machine):
    async def scene():
        async with serving() as service:
            with service.job_folder() as folder:
                steps = await begun(service, folder)
                waiting = asyncio.create_task(outcome(service))
                await asyncio.sleep(0)
                await steps.aclose()
                assert isinstance(await waiting, Outcome)

    asyncio.run(scene())


def test_a_verdict_outlives_what_fails_after_it(machine):
    async def scene():
        async with serving() as service:
            machine.makes, machine.fails = [REPORT, PICTURES], Refused("no memory is left")
            found = await outcome(service)
            assert found == Outcome({"made": REPORT}, {"made": PICTURES}, None, "no memory is left")
            machine.makes = [REPORT, PICTURES, VIDEO]
            found = await outcome(service)
            assert (found.video.name, found.no_video) == (VIDEO, None)
            machine.makes = [REPORT]  # the page has nothing to show yet
            with pytest.raises(Refused, match="no memory is left"):
                await outcome(service)

    asyncio.run(scene())


def test_after_a_bug_the_page_and_the_api_say_so_and_work_on(machine):
    async def scene():
        async with serving() as service:
            machine.fails = ZeroDivisionError("a bug")
            answers = []
            with pytest.raises(ZeroDivisionError):  # and its traceback is printed
                async for answer in judged(service, FakeParts(), upload_in(service)):
                    answers.append(answer)
            assert answers[-1] == "failed: the service failed; see what the server prints"
            failed = await detect(service)
            assert failed.status_code == 500
            assert failed.json() == {"error": "the service failed; see what the server prints"}
            machine.fails = None
            assert (await detect(service)).status_code == 200

    asyncio.run(scene())


def test_an_upload_goes_with_its_folder_unless_another_lies_there(machine):
    async def scene():
        async with serving() as service:
            clip = upload_in(service)
            (clip.parent / "other.mp4").write_bytes(b"x")
            for upload in (clip, clip.with_name("other.mp4")):
                async for _ in judged(service, FakeParts(), upload):
                    assert clip.parent.exists()
                assert not upload.exists()
            assert list(service.kept.iterdir()) == []

    asyncio.run(scene())


def upload_in(service):
    """A clip as Gradio keeps it: in a folder named after its content."""
    clip = service.kept / "0123abcd" / "clip.mp4"
    clip.parent.mkdir()
    clip.write_bytes(b"x")
    return clip


def test_who_leaves_while_waiting_gives_up_the_place(machine, monkeypatch):
    monkeypatch.setattr(service_module, "ASK_SECONDS", 0.01)

    async def scene():
        async with serving() as service:
            with service.job_folder() as folder:
                first = await begun(service, folder)
                waiting = [service.judge(folder, "b.mp4", pictures=False) for _ in range(3)]
                for steps in waiting:
                    for _ in range(3):  # it is told again and again, and can leave each time
                        assert (await anext(steps)).doing.startswith("Waiting")
                assert service.full
                for steps in waiting[:2]:
                    await steps.aclose()
                assert not service.full
                await first.aclose()
                assert (await anext(waiting[2])).doing == "Opening the clip"
                await waiting[2].aclose()
            assert isinstance(await outcome(service), Outcome)

    asyncio.run(scene())


def test_what_never_arrived_whole_goes_and_what_did_stays(machine):
    async def scene():
        async with serving() as service:
            (service.kept / "tmp0123").write_bytes(b"x" * 5000)
            whole = service.kept / "0123" / "tmp.mp4"
            whole.parent.mkdir()
            whole.write_bytes(b"x")
            assert service.stored() >= 8192 + 4096  # blocks of the disk
            service.forget_unfinished(60)
            assert (service.kept / "tmp0123").exists()
            await asyncio.sleep(0.01)
            service.forget_unfinished(0)
            assert [path.name for path in service.kept.rglob("*.mp4")] == ["tmp.mp4"]
            assert not (service.kept / "tmp0123").exists()

    asyncio.run(scene())


def test_a_folder_is_no_file_to_judge(machine):
    async def scene():
        async with serving() as service:
            folder = upload_in(service).parent
            answers = [one async for one in judged(service, FakeParts(), folder)]
            assert answers[-1] == "failed: the file is no longer here; choose it again"

    asyncio.run(scene())
