"""Measure the peak memory of extraction and cropping over 100 and 1,000 clips.

    python -m tools.bench_memory       # after make repro, on the demo's clips

The clips are links to those of the demo under other names; one frame of each is taken, and all
go through the same mapping and staging as in the stages. Writes metrics/bench/memory.json.
"""

import argparse
import itertools
import multiprocessing
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from litefake import cropping, extraction, params
from litefake.artifacts import write_json
from litefake.extraction import SamplingParams
from litefake.faces import CropParams
from litefake.staging import Staging

OUT = Path("metrics/bench/memory.json")
MANY = (100, 1000)
ONE = {"spread": 1}  # frames of a clip
SAMPLING = {"real": ONE, "fake": ONE, "seed": 0, "format": "png", "quality": 95}


def peaks(videos: list[Path], clips: int) -> dict[str, float]:
    """MB that this process and the largest of its workers needed at most."""
    sampling, crop = SamplingParams.model_validate(SAMPLING), params.section("faces", CropParams)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for number, video in zip(range(clips), itertools.cycle(videos), strict=False):
            (folder / f"{number}.mp4").symlink_to(video)
            rows.append({"key": f"youtube/{number}", "method": "youtube", "path": f"{number}.mp4"})
        frames = Staging.of(folder / "frames", folder, sampling)
        extract = partial(extraction.extract, root=folder, real="youtube", p=sampling)
        extracted = frames.map(extract, rows, extraction.killer)
        taken = [result.rows for result in extracted if result.rows]
        frames.publish(row["path"] for one in taken for row in one)
        items = [[row | {"method": "youtube"} for row in one] for one in taken]
        faces = Staging.of(folder / "faces", folder / "frames", crop)
        crops = faces.map(
            partial(cropping.crop_clip, root=faces.root, p=crop), items, cropping.killer
        )
        found = sum(len(clip.rows) for clip in crops)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"faces": found, "main_mb": own / 1024, "worker_mb": workers / 1024}


def main(folder: Path) -> None:
    videos = sorted(path.resolve() for path in folder.rglob("*.mp4"))
    context = multiprocessing.get_context("spawn")
    results = {}
    for clips in MANY:
        # A fresh process each, since a peak never falls; one that may have workers.
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            results[str(clips)] = pool.submit(peaks, videos, clips).result()
        print(clips, results[str(clips)], flush=True)
    write_json(OUT, {"clips": results})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("data/videos"))
    main(parser.parse_args().folder)
