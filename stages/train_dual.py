"""Train the dual-branch teacher: B0 on the image beside B0 on its frequency bands."""

from litefake import dataset, dual, errors, models, params, scoring, training
from litefake.artifacts import write_csv, write_json
from litefake.locks import alone
from litefake.setting import Setting

FACES, SPLIT = "data/faces", "data/split.csv"
START, MODEL = "models/b0.safetensors", "models/dual.safetensors"


@alone("train_dual")
def main() -> None:
    setting = Setting.read()
    network = params.section("dual", dual.DualParams)
    print(f"train_dual: will write {MODEL}")

    inputs = [*dataset.sources(FACES, SPLIT), START]
    with setting.run("train_dual", {"dual": network}, inputs) as run:
        model, card = dual.start(*models.load(START), network, setting.seed)
        faces = dataset.read_train_val(FACES, SPLIT, card, setting.augment)
        phases = setting.phases(network.epoch_factor)
        fit = training.fit(model, faces, phases, dual.dual_loss, run)

        models.save(model, scoring.calibrated(model, card, faces.val), MODEL)
        write_csv("metrics/curves/train_dual.csv", fit.curve)
        write_json("metrics/train_dual.json", fit.summary())


if __name__ == "__main__":
    errors.run(main)
