"""List the data set by name, size and time, so that it is neither copied nor hashed whole."""

from litefake import errors, manifest, params
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone


@alone("list_videos")
def main() -> None:
    dataset = params.section("dataset", manifest.DatasetParams)
    manifest.require_outside(dataset)
    videos = manifest.list_videos(dataset)
    if manifest.is_demo(dataset):
        # DVC tracks the demo's content; its times differ between two clones.
        videos["mtime_ns"] = 0
    write_csv("data/manifest.csv", videos)
    write_json("metrics/list_videos.json", manifest.summary(videos))


if __name__ == "__main__":
    errors.run(main)
