"""Train Lite0 from the start under the finished B0: the distilled student."""

from litefake import dataset, errors, models, params, scoring, starting, training
from litefake.artifacts import write_csv, write_json
from litefake.distillation import Distillation, DistillParams
from litefake.locks import alone
from litefake.setting import Setting

FACES, SPLIT = "data/faces", "data/split.csv"
TEACHER, MODEL = "models/b0.safetensors", "models/kd_lite0.safetensors"


@alone("kd_lite0")
def main() -> None:
    setting = Setting.read()
    network = params.section("lite0", starting.ModelParams)
    kd = params.section("kd", DistillParams)
    print(f"kd_lite0: will write {MODEL}")

    inputs = [*dataset.sources(FACES, SPLIT), TEACHER, *network.files]
    with setting.run("kd_lite0", {"lite0": network, "kd": kd}, inputs) as run:
        teacher, teacher_card = models.load(TEACHER)
        model, card = starting.create(network, setting.faces, setting.trained_on, setting.seed)
        faces = dataset.read_train_val(FACES, SPLIT, card, setting.augment)
        objective = Distillation(teacher, teacher_card, card, kd)
        fit = training.fit(model, faces, setting.phases(network.epoch_factor), objective, run)

        models.save(model, scoring.calibrated(model, card, faces.val), MODEL)
        write_csv("metrics/curves/kd_lite0.csv", fit.curve)
        write_json("metrics/kd_lite0.json", {**fit.summary(), **network.record()})


if __name__ == "__main__":
    errors.run(main)
