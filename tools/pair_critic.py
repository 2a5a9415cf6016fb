"""What networks that know deepfakes say of pairs: ``python -m tools.pair_critic FOLDER MODEL...``.

FOLDER holds pictures of real faces that no MODEL was trained on. Pairs are made of them as
profiles/portraits.yaml says, or with ``--set pairs.blend.misfit=0.06`` and the like otherwise; all
ways together, then each alone. For every network: its AUC between the fake and the real halves,
and by how many logits it finds a fake more fake than its own real half (the median). A network
answers to what it has seen in deepfakes, so this orders ways to make pairs in a minute, where a
training takes a quarter of an hour for each. The pictures have been published already, so they are
not once more: ``--published`` does it. Faces are framed as the first network asks.
docs/decisions/self-blending-log.md says what came of it.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from litefake import detection, errors, networks, params
from litefake.artifacts import write_json
from litefake.blend_params import Way
from litefake.card import Card
from litefake.degradation import DegradationParams
from litefake.errors import DataMissing, NoFaceFound, ParamsInvalid
from litefake.networks import Network
from litefake.pairs import PairMaker, PairParams, Recipe
from litefake.report import files_of
from tools.pair_sheet import PROFILE, prepared
from tools.study import overrides

WAYS = get_args(Way)
UNTOUCHED = DegradationParams(
    smallest=1.0, blur=0.0, noise=0.0, h264=0.0, crf=[18, 18], quality=[98, 98], again=0.0
)


def main(pictures: Path, files: Sequence[Path], changes: dict[str, Any], published: bool) -> None:
    """Print the table. Raises DataMissing, NoFaceFound, ModelUnreadable or ParamsInvalid."""
    if not pictures.is_dir():
        raise DataMissing(f"{pictures}: no such folder; name one with pictures of real faces")
    critics = {str(file): networks.load(file) for file in files}
    changed = overrides.apply(params.read(PROFILE), changes, PROFILE)
    pairing = params.validate("pairs", changed["pairs"], PairParams, PROFILE)
    still: dict[str, Any] = {"zoom": 0.0, "shift": 0.0}
    if not published:
        still |= {"before": UNTOUCHED, "degradation": UNTOUCHED}
    pairing = pairing.model_copy(update=still)
    crop = next(iter(critics.values()))[1].crop
    with tempfile.TemporaryDirectory() as name:
        folder, names = Path(name), files_of([pictures])[0]
        crops = prepared(folder, names, crop, pairing)["path"].tolist()
        if len(crops) < 2:
            raise NoFaceFound(f"{pictures}: fewer than two faces; give more pictures")
        print(f"{len(crops)} faces of {len(names)} pictures; AUC and median difference, of:")
        print(*(f"{number}: {name}" for number, name in enumerate(critics, start=1)), sep="\n")
        for title, ours in ways(pairing):
            write_json(folder / "pairs.json", Recipe(pairs=ours, margin=crop.margin).model_dump())
            real, fake = halves(PairMaker(folder, set(crops)), crops)
            answers = (answer(*critic, real, fake) for critic in critics.values())
            print(f"{title:12s}", *(f"| {auc:.2f} {apart:+.2f}" for auc, apart in answers))


def ways(pairing: PairParams) -> Iterator[tuple[str, PairParams]]:
    """``pairing`` itself, then with each of its ways alone."""
    yield "all", pairing
    for way in WAYS:
        shares = {
            name: getattr(pairing.blend, name).model_copy(update={"share": float(name == way)})
            for name in WAYS
        }
        yield way, pairing.model_copy(update={"blend": pairing.blend.model_copy(update=shares)})


def halves(
    maker: PairMaker, paths: Sequence[str]
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """The real and the fake halves of one pair of each of ``paths``."""
    real, fake = [], []
    for seed, path in enumerate(paths):  # side by side: the maker keeps few pairs
        real.append(maker.half(path, False, seed))
        fake.append(maker.half(path, True, seed))
    return real, fake


def answer(
    network: Network, card: Card, real: list[NDArray[np.uint8]], fake: list[NDArray[np.uint8]]
) -> tuple[float, float]:
    """The AUC between the halves, and the median of fake less real logit over the pairs."""
    ours, theirs = (detection.logits(faces, network, card) for faces in (real, fake))
    labels = np.repeat([0, 1], [len(real), len(fake)])
    auc = float(roc_auc_score(labels, np.concatenate([ours, theirs])))
    return auc, float(np.median(theirs - ours))


def change(word: str) -> tuple[str, Any]:
    """KEY=VALUE of a ``--set``. Raises ParamsInvalid."""
    key, equals, value = word.partition("=")
    if not equals or not key.startswith("pairs."):
        raise ParamsInvalid(f"--set {word}: is not pairs.KEY=VALUE, as in pairs.blend.misfit=0.06")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError:
        raise ParamsInvalid(f"--set {word}: {value} is no value as YAML has them") from None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.pair_critic")
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--set", action="append", default=[], metavar="pairs.KEY=VALUE")
    parser.add_argument("--published", action="store_true")
    words = parser.parse_args()
    errors.run(
        lambda: main(words.folder, words.models, dict(map(change, words.set)), words.published)
    )
