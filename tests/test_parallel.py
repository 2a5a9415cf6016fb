import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from litefake.errors import LitefakeError, ParamsInvalid
from litefake.parallel import cores, map_items, workers
from litefake.process_pool import TRIES
from tests import fragile

SOURCE = Path(__file__).resolve().parent.parent / "src"


def test_results_come_in_the_order_of_the_items(monkeypatch):
    monkeypatch.setenv("LITEFAKE_WORKERS", "2")
    assert list(map_items(abs, range(-300, 0), "abs")) == list(range(300, 0, -1))


def test_an_item_whose_process_dies_is_tried_again_and_a_poisoned_one_is_named(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("LITEFAKE_WORKERS", "2")
    items = [(1, ""), (2, "once"), (3, "always"), (4, ""), (5, "")]
    work = partial(fragile.negate, notes=tmp_path)
    results = map_items(work, items, "negate", lost=lambda item: f"lost {item[0]}")
    assert list(results) == [-1, -2, "lost 3", -4, -5]
    assert [fragile.tries(tmp_path, str(n)) for n in range(1, 6)] == [1, 2, TRIES, 1, 1]


def test_where_nobody_counts_the_lost_a_poisoned_item_ends_the_work_in_one_line(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("LITEFAKE_WORKERS", "2")
    work = partial(fragile.negate, notes=tmp_path)
    with pytest.raises(LitefakeError, match=r"\(1, 'always'\): killed every process"):
        list(map_items(work, [(1, "always"), (2, "")], "negate"))


def test_workers_end_when_the_process_that_started_them_is_killed():
    code = "import time; from litefake.parallel import map_items\n"
    code += "list(map_items(time.sleep, [60, 60], 'sleep'))"
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "LITEFAKE_WORKERS": "2"}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
        workers = wait_for_workers(parent.pid)
        parent.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def wait_for_workers(pid):
    """The two workers of process ``pid``, once both have imported what they need."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children()
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        # A worker that has begun to work has its watching thread.
        if len(workers) == 2 and all(worker.num_threads() > 1 for worker in workers):
            return workers
        time.sleep(0.1)
    raise AssertionError("no workers within a minute")


@pytest.mark.parametrize(("wanted", "count"), [("3", 3), ("0", cores()), ("", cores())])
def test_as_many_workers_as_asked_for(monkeypatch, wanted, count):
    monkeypatch.setenv("LITEFAKE_WORKERS", wanted)
    assert workers() == count


@pytest.mark.parametrize("wanted", ["many", "-2", "1.5"])
def test_a_number_of_workers_that_is_none_is_one_line(monkeypatch, wanted):
    monkeypatch.setenv("LITEFAKE_WORKERS", wanted)
    with pytest.raises(ParamsInvalid, match=f"LITEFAKE_WORKERS is {wanted}; it must be a number"):
        workers()
