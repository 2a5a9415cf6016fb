"""Divide faces into train, val and test: official lists, whole people, or single frames."""

from collections.abc import Iterator
from typing import Any, Literal, Self

import networkx as nx
import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from litefake import official
from litefake.aggregation import by_dataset
from litefake.errors import DataMissing, ParamsInvalid
from litefake.layouts.rows import REAL, SPLITS
from litefake.params import Section
from litefake.seeds import seed_of


class SplitParams(Section):
    """Section ``split``.

    ``official`` follows the data set's own lists, ``identity`` draws whole people,
    ``frame`` draws single frames (leaky: kept to compare with published figures).
    ``val`` and ``test`` are shares; the caps count faces over all splits.
    """

    protocol: Literal["official", "identity", "frame"]
    seed: int = Field(ge=0)
    val: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)
    real: int = Field(ge=1)
    per_method: int = Field(ge=1)

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError("val and test must leave a share for training")
        return self


def place(faces: pd.DataFrame, params: SplitParams) -> pd.DataFrame:
    """``faces`` with the columns ``label`` (1 = fake) and ``split``, without those in no split.

    ``given_split`` holds the split that the data set's own lists give a clip, if any; the
    protocol ``official`` goes by it, and divides those of several data sets that bring no
    list by people. A face whose target and source stand in different splits, or in none, is
    left out, but for lists that name test clips alone (``official.divide``). Raises DataMissing,
    and ParamsInvalid when pairs would be parted.
    """
    require_whole_pairs(params, "draw" in faces)
    faces = faces.assign(label=(faces["method"] != REAL).astype(int))
    if params.protocol == "frame":
        faces = _by_frame(faces, params)
    elif params.protocol == "official":
        listed, without = official.divide(faces, params.val, params.seed)
        faces = pd.concat([listed, _by_people(without, params)]) if len(without) else listed
    else:
        faces = _by_people(faces, params)
    return faces.dropna(subset="split")


def require_whole_pairs(params: SplitParams, pairs: bool) -> None:
    """Raise ParamsInvalid when the halves of ``pairs`` would come into different splits."""
    if pairs and params.protocol == "frame":
        raise ParamsInvalid(
            "params.yaml, split.protocol: frame would part the halves of a pair; portraits take "
            "identity"
        )


def place_given(faces: pd.DataFrame, params: SplitParams) -> pd.DataFrame:
    """The same for crops that come in ``train`` and ``test`` folders without names of people.

    In a data set without a ``val`` folder, validation is one contiguous block, the last of the
    same share of every category: neighbouring files show the same person, so a block keeps most
    people apart, but for its edge.
    """
    faces = faces.assign(label=(faces["method"] != REAL).astype(int), split=faces["given_split"])
    for _, own in by_dataset(faces):
        if (own["split"] == "val").any():
            continue
        for _, rows in own[own["split"] == "train"].groupby("method", sort=True):
            count = round(len(rows) * params.val)
            faces.loc[rows.index[len(rows) - count :], "split"] = "val"
    return faces


def paired(portraits: pd.DataFrame, method: str, draws: int) -> pd.DataFrame:
    """Each of the ``portraits`` ``draws`` times, as itself and as the fake made of it.

    The column ``draw`` numbers the pairs of a portrait; ``method`` names the fakes.
    """
    halves = []
    for draw in range(draws):
        fakes = portraits.assign(method=method, key=f"{method}/" + portraits["person"])
        halves += [half.assign(draw=draw) for half in (portraits, fakes)]
    return pd.concat(halves, ignore_index=True)


def cap(placed: pd.DataFrame, params: SplitParams) -> pd.DataFrame:
    """About ``real`` real faces and ``per_method`` of each method, spread over the splits.

    Of several data sets each has caps of its own, so that a large one does not crowd out another.

    Each split gets the share of the cap that it has of all faces, to a whole number, so that the
    mix of classes is the same in every split; the rows come shuffled. Of pairs (``paired``) both
    halves are kept, by the smaller of the two caps. Raises DataMissing when a
    split ends without real or without fake faces.
    """
    if placed.empty:
        raise DataMissing("split: no face can be assigned; check split.protocol in params.yaml")
    parts = [part for _, rows in by_dataset(placed) for part in _capped(rows, params)]
    kept = pd.concat(parts)
    _require_both_classes(kept, params)
    return kept.sample(frac=1, random_state=params.seed % 2**32).reset_index(drop=True)


def _capped(placed: pd.DataFrame, params: SplitParams) -> Iterator[pd.DataFrame]:
    share = placed["split"].value_counts(normalize=True)
    pairs = "draw" in placed
    for (split, method), rows in placed.groupby(["split", "method"], sort=True):
        most = params.real if method == REAL else params.per_method
        if pairs:
            most = min(params.real, params.per_method)
        count = min(len(rows), max(1, round(most * share[split])))
        # The halves of pairs stand in one order, so that one seed draws those of the same pairs.
        drawn_by = REAL if pairs and count < len(rows) else method
        yield rows.sample(count, random_state=seed_of(params.seed, split, drawn_by) % 2**32)


def counts(table: pd.DataFrame, people_known: bool) -> dict[str, Any]:
    """Figures of a split table: faces per split, class and method, shares, shared people."""
    figures: dict[str, Any] = {"faces": len(table)}
    for split in SPLITS:
        rows = table[table["split"] == split]
        fakes = float(rows["label"].mean())
        figures[split] = {
            "faces": len(rows),
            "real": int((rows["label"] == 0).sum()),
            "fake": int((rows["label"] == 1).sum()),
            "controls": int(rows["control"].sum()),
            "majority_share": max(fakes, 1 - fakes),
            "identities": len(_people(rows)) if people_known else None,
            "methods": {
                str(key): int(n) for key, n in rows["method"].value_counts().sort_index().items()
            },
        }
    if "dataset" in table:
        figures["per_dataset"] = {
            name: {split: int((rows["split"] == split).sum()) for split in SPLITS}
            for name, rows in by_dataset(table)
        }
    figures["identities_shared"] = shared_identities(table) if people_known else None
    if not people_known:
        figures["identities_unknown"] = "the data set's file names carry no identity"
    return figures


def shared_identities(table: pd.DataFrame) -> int:
    """How many people stand, as target or source, in more than one split."""
    groups = [_people(rows) for _, rows in table.groupby("split")]
    everyone = set().union(*groups)
    return sum(sum(person in group for group in groups) > 1 for person in everyone)


def _people(rows: pd.DataFrame) -> set[str]:
    return (set(rows["person"]) | set(rows["source_person"])) - {""}


def _by_frame(faces: pd.DataFrame, params: SplitParams) -> pd.DataFrame:
    parts = []
    for method, rows in faces.groupby("method", sort=True):
        order = np.random.default_rng(seed_of(params.seed, "frame", str(method))).permutation(
            len(rows)
        )
        limits = np.array([params.val, params.val + params.test]) * len(rows)
        place = np.searchsorted(np.round(limits), order, side="right")
        parts.append(rows.assign(split=np.array(["val", "test", "train"])[place]))
    return pd.concat(parts)


def _by_people(faces: pd.DataFrame, params: SplitParams) -> pd.DataFrame:
    people: dict[str, str] = {}
    for rows in _unrelated(faces):
        people |= _by_identity(rows, params)
    own = faces["person"].map(people)
    donor = faces["source_person"].where(faces["source_person"] != "", faces["person"])
    return faces.assign(split=own.where(own == donor.map(people)))


def _unrelated(faces: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of each data set; those that share people (compressions of one) together.

    So each gives its share to val and test, and a small one is not left without any.
    """
    graph = nx.Graph()
    for name, rows in by_dataset(faces):
        graph.add_edges_from((("dataset", name), ("person", person)) for person in _people(rows))
    for group in nx.connected_components(graph):
        names = {name for kind, name in group if kind == "dataset"}
        yield pd.concat([rows for name, rows in by_dataset(faces) if name in names])


def _by_identity(faces: pd.DataFrame, params: SplitParams) -> dict[str, str]:
    """Whole groups of people joined by a fake, dealt out until each share is reached."""
    graph = nx.Graph()
    graph.add_nodes_from(sorted(_people(faces)))
    graph.add_edges_from(
        faces.loc[faces["source_person"] != "", ["person", "source_person"]].values
    )
    groups = sorted(sorted(group) for group in nx.connected_components(graph))
    order = np.random.default_rng(seed_of(params.seed, "identity")).permutation(len(groups))
    room = {"val": params.val * len(graph), "test": params.test * len(graph)}
    people: dict[str, str] = {}
    for number in order:
        group = groups[number]
        # A group larger than the room left (all FF++ people but pairs, say) goes to train.
        split = next((name for name, left in room.items() if len(group) <= left + 0.5), "train")
        if split != "train":
            room[split] -= len(group)
        people |= dict.fromkeys(group, split)
    return people


def _require_both_classes(table: pd.DataFrame, params: SplitParams) -> None:
    for split in SPLITS:
        labels = set(table.loc[table["split"] == split, "label"])
        for label, name in ((0, "real"), (1, "fake")):
            if label not in labels:
                raise DataMissing(
                    f"split: no {name} face in {split} (protocol {params.protocol}); "
                    "add data or change split in params.yaml"
                )
