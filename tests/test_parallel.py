import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from litefake.parallel import map_items

SOURCE = Path(__file__).resolve().parent.parent / "src"


def test_results_come_in_the_order_of_the_items(monkeypatch):
    monkeypatch.setenv("LITEFAKE_WORKERS", "2")
    assert list(map_items(abs, range(-300, 0), "abs")) == list(range(300, 0, -1))


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
