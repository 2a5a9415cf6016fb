"""Train EfficientNet-B0: the accurate, heavy network that teaches the others."""

from litefake import dataset, errors, models, params, scoring, starting, training
from litefake.artifacts import write_csv, write_json
from litefake.distillation import hard_loss
from litefake.locks import alone
from litefake.setting import Setting

FACES, SPLIT, MODEL = "data/faces", "data/split.csv", "models/b0.safetensors"


@alone("train_b0")
def main() -> None:
    setting = Setting.read()
    network = params.section("b0", starting.ModelParams)
    print(f"train_b0: will write {MODEL}")

    inputs = [*dataset.sources(FACES, SPLIT), *network.files]
    with setting.run("train_b0", {"b0": network}, inputs) as run:
        model, card = starting.create(network, setting.faces, setting.trained_on, setting.seed)
        faces = dataset.read_train_val(FACES, SPLIT, card, setting.augment)
        phases = setting.phases(network.epoch_factor)
        fit = training.fit(model, faces, phases, hard_loss, run)

        models.save(model, scoring.calibrated(model, card, faces.val), MODEL)
        write_csv("metrics/curves/train_b0.csv", fit.curve)
        write_json("metrics/train_b0.json", {**fit.summary(), **network.record()})


if __name__ == "__main__":
    errors.run(main)
