"""Prune a Lite0 step by step, each step followed by distillation."""

from litefake import dataset, errors, models, params, pruning, scoring
from litefake.artifacts import write_csv, write_json
from litefake.distillation import Distillation, DistillParams
from litefake.locks import alone
from litefake.setting import Setting

FACES, SPLIT = "data/faces", "data/split.csv"
TEACHER, MODEL = "models/b0.safetensors", "models/prune_kd.safetensors"


@alone("prune_kd")
def main() -> None:
    setting = Setting.read()
    kd = params.section("kd", DistillParams)
    prune = params.section("prune", pruning.PruneParams)
    print(f"prune_kd: will write {MODEL}")

    unpruned = f"models/{prune.student}.safetensors"
    inputs = [*dataset.sources(FACES, SPLIT), TEACHER, unpruned]
    with setting.run("prune_kd", {"kd": kd, "prune": prune}, inputs) as run:
        teacher, teacher_card = models.load(TEACHER)
        student, card = models.load(unpruned)
        faces = dataset.read_train_val(FACES, SPLIT, card, setting.augment)
        objective = Distillation(teacher, teacher_card, card, prune.distillation(kd))
        result = pruning.prune_iteratively(student, faces, prune, objective, run)

        models.save(result.model, scoring.calibrated(result.model, card, faces.val), MODEL)
        write_csv("metrics/curves/prune_kd.csv", result.curve)
        write_csv("metrics/pruning/iterations.csv", result.history)
        write_csv("metrics/pruning/widths.csv", result.widths)
        write_json("metrics/prune_kd.json", result.summary)


if __name__ == "__main__":
    errors.run(main)
