"""Decode every clip once and keep the frames that the rule of its class chooses."""

import shutil
from functools import partial
from pathlib import Path

from litefake import errors, extraction, manifest, params
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone
from litefake.staging import Staging

FOLDER = Path("data/frames")


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
    staging = Staging.of(FOLDER, manifest.base(dataset), dataset, sampling)
    work = partial(extraction.extract, root=staging.root, real=manifest.REAL, p=sampling)
    extractions = staging.map(work, videos.to_dict("records"), extraction.killer)
    frames = extraction.index(clips, extractions)
    write_json("metrics/extract_frames.json", extraction.summary(extractions))
    extraction.check_losses(extractions, sampling)
    staging.publish(frames["path"])
    write_csv(FOLDER / "index.csv", frames)


if __name__ == "__main__":
    errors.run(main)
