"""Decode every clip once and keep the frames that the rule of its class chooses."""

import shutil
from functools import partial
from pathlib import Path

from litefake import errors, extraction, manifest, params
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone
from litefake.parallel import map_items
from litefake.storage import writing

FOLDER = Path("data/frames")


@writing()
@alone("extract_frames")
def main() -> None:
    dataset = params.section("dataset", manifest.DatasetParams)
    sampling = params.section("frames", extraction.SamplingParams)
    videos = manifest.read_table("data/manifest.csv")
    clips = videos[manifest.identity_columns(videos)]

    shutil.rmtree(FOLDER, ignore_errors=True)
    if dataset.held_ready:
        write_csv(FOLDER / "index.csv", extraction.index(clips, []))
        reason = f"layout {dataset.layout}: the data set holds images"
        write_json("metrics/extract_frames.json", {"skipped": reason})
        return
    root = manifest.base(dataset)
    work = partial(extraction.extract, root=root, folder=FOLDER, real=manifest.REAL, p=sampling)
    extractions = list(map_items(work, videos.to_dict("records"), f"frames -> {FOLDER}", "clip"))
    frames = extraction.index(clips, extractions)
    write_json("metrics/extract_frames.json", extraction.summary(extractions))
    extraction.check_losses(extractions, sampling)
    write_csv(FOLDER / "index.csv", frames)


if __name__ == "__main__":
    errors.run(main)
