"""Share the work on a batch among threads that do not wait for each other.

The usual way, several threads inside every layer, meets at a barrier some thousand times a
step. Threads that spin there lose 3 to 30 times their speed as soon as another program wants
a core, threads that sleep lose a quarter on a quiet machine. Here each thread carries its
part of the batch through the whole network and back; they meet once a step.
"""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

import torch
from torch import nn

from litefake import reproducibility
from litefake.dataset import Batch
from litefake.distillation import Objective
from litefake.models import Classifier
from litefake.reproducibility import seed_of


class Shards:
    """A network in one copy a thread; the copies share its weights and have own gradients.

    Results depend on the number of copies (BatchNorm sees one part of a batch at a time)
    and on nothing else: sums are taken in a fixed order, and each copy draws its dropout
    from a generator of its own.
    """

    def __init__(self, model: nn.Module, count: int, pool: ThreadPoolExecutor) -> None:
        self.copies = [model, *(_sharing_copy(model) for _ in range(count - 1))]
        self._pool = pool

    @classmethod
    @contextmanager
    def of(cls, model: nn.Module) -> Iterator[Self]:
        """Copies of ``model`` for the threads of this run; a single one on a GPU."""
        on_cpu = next(model.parameters()).device.type == "cpu"
        count = reproducibility.threads() if on_cpu else 1
        with reproducibility.thread_pool(count) as pool:
            shards = cls(model, count, pool)
            try:
                yield shards
            finally:
                _set_generators([model], None)

    def seed(self, seed: int) -> None:
        """Start the random numbers of dropout anew."""
        _set_generators(self.copies, seed)

    def train(self, mode: bool) -> None:
        """Put every copy in training or evaluation mode."""
        for model in self.copies:
            model.train(mode)

    def backward(self, objective: Objective, batch: Batch) -> dict[str, float]:
        """Add the gradients of ``objective`` over ``batch`` to those of the network.

        Returns the terms of the objective, averaged over the batch like the gradients.
        """
        device = next(self.copies[0].parameters()).device
        count = min(len(self.copies), len(batch.labels))
        halves = (values.tensor_split(count) for values in batch)
        parts = [Batch(images, labels) for images, labels in zip(*halves, strict=True)]

        def work(model: nn.Module, part: Batch) -> dict[str, float]:
            share = len(part.labels) / len(batch.labels)
            terms = objective(model, part.to(device))
            (terms["loss"] * share).backward()
            return {name: value.item() * share for name, value in terms.items()}

        busy = self.copies[: len(parts)]
        results = list(self._pool.map(work, busy, parts))
        self._gather(busy)
        return {name: sum(terms[name] for terms in results) for name in results[0]}

    @torch.no_grad()
    def _gather(self, busy: list[nn.Module]) -> None:
        """Sum the gradients and average the running statistics into the first copy."""
        first = busy[0]
        for other in busy[1:]:
            for own, theirs in zip(first.parameters(), other.parameters(), strict=True):
                if theirs.grad is not None:
                    own.grad = theirs.grad if own.grad is None else own.grad.add_(theirs.grad)
                    theirs.grad = None
        if not first.training:
            return
        for buffers in zip(*(model.buffers() for model in self.copies), strict=True):
            if buffers[0].is_floating_point():
                mean = torch.stack(buffers[: len(busy)]).mean(0)
                for buffer in buffers:
                    buffer.copy_(mean)

    @torch.no_grad()
    def share_statistics(self) -> None:
        """Give the running statistics of the network to its copies, after a change of it."""
        for other in self.copies[1:]:
            for own, theirs in zip(self.copies[0].buffers(), other.buffers(), strict=True):
                theirs.copy_(own)


def _sharing_copy(model: nn.Module) -> nn.Module:
    """A copy whose parameters are other objects over the same memory."""
    other = copy.deepcopy(model)
    for own, theirs in zip(model.parameters(), other.parameters(), strict=True):
        theirs.data = own.data
        theirs.grad = None
    return other


def _set_generators(models: list[nn.Module], seed: int | None) -> None:
    for number, model in enumerate(models):
        for layer in model.modules():
            if isinstance(layer, Classifier):
                layer.generator = (
                    None if seed is None else torch.Generator().manual_seed(seed_of(seed, number))
                )
