"""Clips mapped over a real Dask cluster, two of whose workers' processes are killed at work."""

import socket
import sys
import time
from functools import partial

import dask
import numpy as np
import pytest
from distributed import LocalCluster

from litefake import cluster
from litefake.errors import LitefakeError
from litefake.parallel import map_items
from litefake.staging import Staging
from tests import fragile

MOODS = {"a": "", "fatal": "once", "poisoned": "always", "b": "", "c": ""}


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def address():
    settings = {
        "distributed.scheduler.allowed-failures": 1,
        # A busy machine may need longer than 15 s to start a killed worker again.
        "distributed.deploy.lost-worker-timeout": "10 minutes",
    }
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as two,
    ):
        yield two.scheduler_address


def test_a_killed_worker_costs_a_try_and_a_poisoned_clip_is_named(address, tmp_path, monkeypatch):
    monkeypatch.setenv("LITEFAKE_SCHEDULER", address)
    notes = tmp_path / "notes"
    notes.mkdir()
    clips = [{"key": key, "path": f"{key}.mp4", "mood": mood} for key, mood in MOODS.items()]
    work = partial(fragile.make, notes=notes)
    staging = Staging.of(tmp_path / "cluster", tmp_path)
    found = staging.map(work, clips, fragile.killer)
    assert [made.key for made in found if not made.paths] == ["poisoned"]
    # Twice blamed with what lay beside it, then twice alone.
    assert fragile.tries(notes, "poisoned") == 4
    assert fragile.tries(notes, "fatal") >= 2
    staging.publish(path for made in found for path in made.paths)

    monkeypatch.delenv("LITEFAKE_SCHEDULER")
    monkeypatch.setenv("LITEFAKE_WORKERS", "1")
    healthy = [clip | {"mood": ""} for clip in clips if clip["key"] != "poisoned"]
    here = Staging.of(tmp_path / "here", tmp_path)
    expected = here.map(work, healthy, fragile.killer)
    here.publish(path for made in expected for path in made.paths)
    assert [made for made in found if made.paths] == expected
    assert contents(tmp_path / "cluster") == contents(tmp_path / "here")
    assert not list(tmp_path.glob(".*.part"))


def test_results_come_in_order_and_what_work_raises_is_raised(address, monkeypatch):
    monkeypatch.setenv("LITEFAKE_SCHEDULER", address)
    assert list(map_items(abs, range(-20, 0), "abs")) == list(range(20, 0, -1))
    with pytest.raises(np.exceptions.AxisError):
        list(map_items(partial(np.sum, axis=3), [np.zeros(2)], "sum"))


def test_a_scheduler_that_cannot_be_reached_is_one_line_within_seconds(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    for address in (f"tcp://127.0.0.1:{port}", "nonsense://x"):
        monkeypatch.setenv("LITEFAKE_SCHEDULER", address)
        with pytest.raises(LitefakeError, match=f"no Dask scheduler at {address}.*dask scheduler"):
            list(map_items(abs, [1], "abs"))
    assert time.monotonic() - started < 30


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setenv("LITEFAKE_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(LitefakeError, match=r"pip install '\.\[cluster\]'"):
        list(map_items(abs, [1], "abs"))


def test_a_scheduler_without_workers_is_one_line(monkeypatch):
    monkeypatch.setattr(cluster, "POLL", 0.1)
    monkeypatch.setattr(cluster, "WITHOUT_WORKERS", 0.2)
    with LocalCluster(n_workers=0, dashboard_address=None) as empty:
        monkeypatch.setenv("LITEFAKE_SCHEDULER", empty.scheduler_address)
        with pytest.raises(LitefakeError, match="has no worker: start some with `dask worker tcp"):
            list(map_items(abs, [1], "abs"))
