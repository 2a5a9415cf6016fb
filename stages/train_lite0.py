"""Train EfficientNet-Lite0 alone: the light network without a teacher."""

from litefake import dataset, errors, models, params, scoring, starting, training
from litefake.artifacts import write_csv, write_json
from litefake.distillation import hard_loss
from litefake.locks import alone
from litefake.setting import Setting

FACES, SPLIT, MODEL = "data/faces", "data/split.csv", "models/lite0.safetensors"


@alone("train_lite0")
def main() -> None:
    setting = Setting.read()
    network = params.section("lite0", starting.ModelParams)
    print(f"train_lite0: will write {MODEL}")

    inputs = [*dataset.sources(FACES, SPLIT), *network.files]
    with setting.run("train_lite0", {"lite0": network}, inputs) as run:
        model, card = starting.create(network, setting.faces, setting.trained_on, setting.seed)
        faces = dataset.read_train_val(FACES, SPLIT, card, setting.augment)
        phases = setting.phases(network.epoch_factor)
        fit = training.fit(model, faces, phases, hard_loss, run)

        models.save(model, scoring.calibrated(model, card, faces.val), MODEL)
        write_csv("metrics/curves/train_lite0.csv", fit.curve)
        write_json("metrics/train_lite0.json", {**fit.summary(), **network.record()})


if __name__ == "__main__":
    errors.run(main)
