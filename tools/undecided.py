"""How often a verdict is ``undecided``: ``python -m tools.undecided``, after make repro.

Judges every validation clip of the built-in data as ``litefake detect`` does and writes
metrics/undecided.json: at most one clip in ten should end there.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from tqdm import tqdm

from litefake import errors, report
from litefake.artifacts import write_json
from litefake.report import Judgement
from tools.demo_clips import clips_of

OUT = Path("metrics/undecided.json")
MODEL = Path("models/prune_kd_int8.onnx")  # trained on the same data set, unlike the packaged one
EVERY = 10  # frames, the default of the command
LABELS = ("real", "fake")


def main() -> None:
    judge = report.Judge.load(MODEL, threads=1)
    clips = tqdm(clips_of("val"), "undecided", unit="clip")
    found = [(LABELS[label], report.judge_file(path, judge, EVERY)) for path, label in clips]
    results = summary(found) | {"model": MODEL.name, "every": EVERY, "split": "val"}
    write_json(OUT, results)
    print(results)


def summary(found: list[tuple[str, Judgement]]) -> dict[str, Any]:
    """How often clips of each class got each answer, and why an answer was withheld.

    ``too_few_faces``: no track long enough; ``doubtful``: an interval or probability too near the
    threshold. Accuracy is that of the decided.
    """
    answers: Counter[tuple[str, str]] = Counter((label, one.verdict.answer) for label, one in found)
    withheld = [one.verdict for _, one in found if one.verdict.answer == "undecided"]
    unscored = sum(one.probability is None for one in withheld)
    decided = len(found) - len(withheld)
    return {
        "clips": len(found),
        "undecided": len(withheld),
        "share": len(withheld) / len(found),
        "too_few_faces": unscored,
        "doubtful": len(withheld) - unscored,
        "accuracy_of_decided": sum(answers[label, label] for label in LABELS) / max(decided, 1),
        "answers": {
            label: {answer: answers[label, answer] for answer in (*LABELS, "undecided")}
            for label in LABELS
        },
    }


if __name__ == "__main__":
    errors.run(main)
