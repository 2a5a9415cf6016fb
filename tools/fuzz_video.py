"""Read damaged clips, each in a process of its own with bounded time and memory.

``python -m tools.fuzz_video`` (or ``make fuzz``) goes through all CASES and writes
metrics/fuzz.json; stopped, it goes on where it was. It fails unless every clip gives frames
or a VideoUnreadable: no crash, no hang, no other exception.
"""

import argparse
import hashlib
import itertools
import json
import multiprocessing
import resource
import signal
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from litefake import gops, group_reader, video
from litefake.artifacts import write_json
from litefake.errors import VideoUnreadable
from tools import fuzz_mutations, fuzz_seeds
from tools.fuzz_mutations import MUTATIONS

CASES = 1200
CPU_SECONDS, WALL_SECONDS = 10, 120  # of one clip; the latter also on a busy machine
MEMORY = 1 << 30  # bytes of address space that reading may add
WANTED = frozenset({0, 5, 13, 22})
OUT = Path("metrics/fuzz.json")
GOOD = {"read", "damaged", "unreadable"}


def mutated(case: int) -> tuple[str, str, bytes]:
    """The seed, the mutation and the bytes of a case."""
    seeds = sorted(fuzz_seeds.FOLDER.iterdir())
    seed, mutate = seeds[case % len(seeds)], MUTATIONS[case // len(seeds) % len(MUTATIONS)]
    data = mutate(bytearray(seed.read_bytes()), np.random.default_rng(case))
    return seed.name, mutate.__name__, bytes(data)


def read(path: Path) -> dict[str, Any]:
    """Read some frames, and all of them; what came of it."""
    try:
        video.count_packets(path)
        health = video.Health()
        some = [frame.index for frame in video.read_frames(path, WANTED, health)]
        whole = sum(1 for _ in video.read_frames(path))
    except VideoUnreadable as error:
        return {"outcome": "unreadable" if path.name in str(error) else "untyped"}
    assert some == sorted(WANTED.intersection(some))
    assert len(some) <= whole
    bad = health != video.Health(frames=fuzz_seeds.FRAMES)
    return {"outcome": "damaged" if bad else "read"}


def _work(path: Path, answer: Connection) -> None:
    """In the child: read under limits, and send what came of it."""
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = size * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        result = read(path)
    except Exception as error:
        result = {"outcome": "untyped", "error": f"{type(error).__name__}: {error}"}
    used = resource.getrusage(resource.RUSAGE_SELF)
    result["cpu"] = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    result["memory"] = used.ru_maxrss / 1024
    answer.send(result)


def run(cases: Iterable[int]) -> Iterator[dict[str, Any]]:
    """What came of each case."""
    # A fork is cheap, and safe while this process itself has read no clip and started no thread.
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            seed, mutation, data = mutated(case)
            path = Path(folder) / f"{case}{Path(seed).suffix}"
            path.write_bytes(data)
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(path, theirs))
            process.start()
            theirs.close()
            yield {"case": case, "seed": seed, "mutation": mutation} | _result(process, ours)
            path.unlink()


def _result(process: Any, answer: Connection) -> dict[str, Any]:
    with answer:
        try:
            done = answer.poll(WALL_SECONDS)
            result = answer.recv() if done else {"outcome": "hang"}
        except EOFError:
            result = {"outcome": "crash"}
    if result["outcome"] == "hang":
        process.kill()
    process.join()
    if result["outcome"] == "crash":
        result["exit"] = process.exitcode
        if process.exitcode in (-signal.SIGXCPU, -signal.SIGKILL):
            result["outcome"] = "hang"
    return dict(result)


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts by outcome, by mutation and by seed; every failure."""
    outcomes = Counter(result["outcome"] for result in results)
    named = {
        name: {
            key: dict(sorted(Counter(one["outcome"] for one in ours).items()))
            for key, group in itertools.groupby(
                sorted(results, key=lambda one: str(one[name])), key=lambda one: one[name]
            )
            if (ours := list(group))
        }
        for name in ("mutation", "seed")
    }
    return {
        "clips": len(results),
        "outcomes": {key: outcomes[key] for key in (*sorted(GOOD), "crash", "hang", "untyped")},
        "by": named,
        "limits": {"cpu_seconds": CPU_SECONDS, "memory_mb": MEMORY / 2**20},
        "largest": {
            "cpu_seconds": max((result.get("cpu", 0.0) for result in results), default=0.0),
            "memory_mb": max((result.get("memory", 0.0) for result in results), default=0.0),
        },
        "failures": [result for result in results if result["outcome"] not in GOOD],
    }


def code() -> str:
    """A digest of what decides the results."""
    modules = (video, gops, group_reader, fuzz_mutations, fuzz_seeds)
    files = [*(Path(str(module.__file__)) for module in modules), Path(__file__)]
    content = b"".join(path.read_bytes() for path in [*files, *sorted(fuzz_seeds.FOLDER.iterdir())])
    return hashlib.sha256(content).hexdigest()[:12]


def main(cases: range, out: Path) -> None:
    log = Path("checkpoints") / f"fuzz_{code()}_{cases.step}.jsonl"
    log.parent.mkdir(exist_ok=True)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    results = [json.loads(line) for line in lines]
    with log.open("a", encoding="utf-8") as file:
        for result in run(cases[len(results) :]):
            results.append(result)
            print(json.dumps(result), file=file, flush=True)
    report = summary(results)
    write_json(out, report)
    print(json.dumps(report["outcomes"]))
    if report["failures"]:
        raise SystemExit(f"{len(report['failures'])} failures, in {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take one case of so many")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    main(range(0, CASES, asked.every), asked.out)
