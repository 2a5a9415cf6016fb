"""Divide the faces into train, val and test, by the protocol of params.yaml."""

from litefake import errors, manifest, pairs, params, splits
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone


@alone("split")
def main() -> None:
    dataset = params.section("dataset", manifest.DatasetParams)
    split = params.section("split", splits.SplitParams)
    faces = manifest.read_table("data/faces/index.csv")

    if dataset.layout == "portraits":
        faces = splits.paired(faces, pairs.METHOD, int(params.value("pairs.draws")))
    people_known = dataset.layout != "faces"
    placed = (splits.place if people_known else splits.place_given)(faces, split)
    table = splits.cap(placed, split)
    left_out = {"no_split": len(faces) - len(placed), "over_the_cap": len(placed) - len(table)}

    write_csv("data/split.csv", table)
    write_json("metrics/split.json", {"left_out": left_out, **splits.counts(table, people_known)})


if __name__ == "__main__":
    errors.run(main)
