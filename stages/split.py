"""Divide the faces into train, val and test, so that nobody stands in two of them."""

from litefake import errors, manifest, params, splits
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone


@alone("split")
def main() -> None:
    dataset = params.section("dataset", manifest.DatasetParams)
    split = params.section("split", splits.SplitParams)
    faces = manifest.read_table("data/faces/index.csv")

    if dataset.layout == "faces":
        table = splits.divide_given(faces, split)
    else:
        table = splits.divide(faces, split)

    figures = splits.counts(table, len(faces) - len(table), dataset.layout == "ffpp")
    write_csv("data/split.csv", table)
    write_json("metrics/split.json", figures)


if __name__ == "__main__":
    errors.run(main)
