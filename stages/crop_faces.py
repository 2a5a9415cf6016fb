"""Cut the biggest face out of every frame; make a sheet of crops per method for the eye."""

import shutil
from functools import partial
from pathlib import Path

from litefake import cropping, errors, faces, manifest, params
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone
from litefake.parallel import map_items
from litefake.storage import writing

FOLDER, SHEETS = Path("data/faces"), Path("data/contact_sheets")


@writing()
@alone("crop_faces")
def main() -> None:
    dataset = params.section("dataset", manifest.DatasetParams)
    crop = params.section("faces", faces.CropParams)
    ready = dataset.layout == "faces"
    root = Path(dataset.root if ready else "data/frames")
    frames = manifest.read_table("data/manifest.csv" if ready else root / "index.csv")
    if ready:
        frames = frames.assign(frame=0, seconds=float("nan"))
    frames = frames[[*manifest.IDENTITY, "frame", "seconds", "path"]]

    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.rmtree(SHEETS, ignore_errors=True)
    items = [rows.to_dict("records") for _, rows in frames.groupby("key", sort=False)]
    work = partial(cropping.crop_clip, root=root, folder=FOLDER, p=crop, ready=ready)
    clips = list(map_items(work, items, f"faces -> {FOLDER}", "clip"))
    crops = cropping.index(frames, clips)

    cropping.write_contact_sheets(crops, FOLDER, SHEETS)
    write_csv(FOLDER / "index.csv", crops)
    write_json("metrics/crop_faces.json", cropping.summary(clips))


if __name__ == "__main__":
    errors.run(main)
