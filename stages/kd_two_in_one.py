"""Train Lite0 under both branches of the dual teacher: two-in-one distillation."""

from litefake import dataset, errors, gradient_log, models, params, scoring, starting, training
from litefake.apprentice import Apprentice, TwoInOneParams
from litefake.artifacts import write_csv, write_json
from litefake.distillation import DistillParams
from litefake.locks import alone
from litefake.setting import Setting
from litefake.two_in_one import objective_of

FACES, SPLIT = "data/faces", "data/split.csv"
TEACHER, MODEL = "models/dual.safetensors", "models/kd_two_in_one.safetensors"


@alone("kd_two_in_one")
def main() -> None:
    setting = Setting.read()
    network = params.section("lite0", starting.ModelParams)
    kd = params.section("kd", DistillParams)
    ours = params.section("two_in_one", TwoInOneParams)
    print(f"kd_two_in_one: will write {MODEL}")

    own, inputs = {"lite0": network, "kd": kd, "two_in_one": ours}, [TEACHER, *network.files]
    with setting.run("kd_two_in_one", own, [*dataset.sources(FACES, SPLIT), *inputs]) as run:
        student, card = starting.create(network, setting.faces, setting.trained_on, setting.seed)
        faces = dataset.read_train_val(FACES, SPLIT, card, setting.augment)
        model = Apprentice(student, ours, setting.seed)
        objective = objective_of(*models.load(TEACHER), card, kd, ours)
        fit = training.fit(model, faces, setting.phases(network.epoch_factor), objective, run)

        models.save(student, scoring.calibrated(student, card, faces.val), MODEL)
        write_csv("metrics/curves/kd_two_in_one.csv", fit.curve)
        write_csv("metrics/two_in_one/gradients.csv", gradient_log.table(fit.curve))
        gradient_log.draw("metrics/two_in_one/gradients.png", fit.curve)
        found = {"variant": ours.variant, **fit.summary(), **network.record()}
        write_json("metrics/kd_two_in_one.json", found)


if __name__ == "__main__":
    errors.run(main)
