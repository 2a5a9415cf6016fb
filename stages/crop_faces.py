"""Cut the biggest face out of every frame; make a sheet of crops per method for the eye."""

import shutil
from functools import partial
from pathlib import Path

from litefake import crop_store, cropping, errors, faces, manifest, pairs, params, portraits
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone
from litefake.staging import Staging

FOLDER, SHEETS = Path("data/faces"), Path("data/contact_sheets")


@alone("crop_faces")
def main() -> None:
    dataset = params.section("dataset", manifest.DatasetParams)
    crop = params.section("faces", faces.CropParams)
    pairing = params.section("pairs", pairs.PairParams)
    stored = crop if dataset.layout != "portraits" else portraits.larger(crop, pairing)
    root = manifest.base(dataset) if dataset.held_ready else Path("data/frames")
    frames = cropping.frames_of(dataset.held_ready)
    shutil.rmtree(FOLDER, ignore_errors=True)
    staging = Staging.of(FOLDER, root, dataset, stored)
    work = partial(cropping.crop_clip, root=root, p=stored, ready=dataset.layout == "faces")
    clips = staging.map(work, cropping.by_clip(frames), cropping.killer)
    crops, summary = cropping.index(frames, clips), cropping.summary(clips)
    staging.publish(crops["path"])
    if dataset.layout == "portraits":
        crops, summary["without_points"] = portraits.prepare(FOLDER, crops, crop, pairing)
    cropping.write_contact_sheets(crops, FOLDER, SHEETS)
    crop_store.keep(FOLDER, crops, params.section("storage", crop_store.StorageParams))
    write_csv(FOLDER / "index.csv", crops)
    write_json("metrics/crop_faces.json", summary)


if __name__ == "__main__":
    errors.run(main)
