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
from lightning_fabric import Fabric
from torch import nn

from litefake import devices, reproducibility
from litefake.batches import Batch
from litefake.distillation import Objective
from litefake.models import Classifier
from litefake.seeds import seed_of


class Shards:
    """A network in one copy a thread; the copies share its weights and have own gradients.

    Results depend on the number of copies in all processes (BatchNorm sees one part of a batch
    at a time) and on nothing else: sums are taken in a fixed order, and each copy draws its
    dropout from a generator of its own. Every process must call the same methods.
    """

    def __init__(
        self, model: nn.Module, count: int, pool: ThreadPoolExecutor, fabric: Fabric
    ) -> None:
        self.copies = [model, *(_sharing_copy(model) for _ in range(count - 1))]
        self._pool, self._fabric = pool, fabric

    @classmethod
    @contextmanager
    def of(cls, model: nn.Module, fabric: Fabric | None = None) -> Iterator[Self]:
        """Copies of ``model`` for the threads of this process; a single one on a GPU.

        Without ``fabric`` this process is the only one.
        """
        on_cpu = next(model.parameters()).device.type == "cpu"
        count = reproducibility.threads() if on_cpu else 1
        with reproducibility.thread_pool(count) as pool:
            shards = cls(model, count, pool, fabric or devices.single())
            try:
                yield shards
            finally:
                _set_generators([model], None)

    def seed(self, seed: int) -> None:
        """Start the random numbers of dropout anew."""
        _set_generators(self.copies, seed, self._fabric.global_rank * len(self.copies))

    def train(self, mode: bool) -> None:
        """Put every copy in training or evaluation mode."""
        for model in self.copies:
            model.train(mode)

    def backward(self, objective: Objective, batch: Batch) -> dict[str, float]:
        """Add the gradients of ``objective`` over ``batch`` to those of the network.

        Returns the terms of the objective, averaged over the batch like the gradients. With
        several processes ``batch`` is the part of this one, and both are those of the whole.
        """
        device = next(self.copies[0].parameters()).device
        count = min(len(self.copies), len(batch.labels))
        parts = batch.parts(count)

        def work(model: nn.Module, part: Batch) -> dict[str, float]:
            share = len(part.labels) / (part.whole or 1)
            with self._fabric.autocast():
                terms = objective(model, part.to(device))
            self._fabric.backward(terms["loss"] * share)
            return {name: value.item() * share for name, value in terms.items()}

        busy = self.copies[: len(parts)]
        results = list(self._pool.map(work, busy, parts))
        self._gather(busy)
        sums = [sum(terms[name] for terms in results) for name in results[0]]
        return dict(zip(results[0], self._over_processes(sums), strict=True))

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
    def _over_processes(self, terms: list[float]) -> list[float]:
        """Gradients, running statistics and ``terms`` of the whole batch, from all processes."""
        if self._fabric.world_size == 1:
            return terms
        first = self.copies[0]
        gradients = [value.grad for value in first.parameters() if value.grad is not None]
        devices.add_up(self._fabric, gradients)
        if first.training:
            statistics = [buffer for buffer in first.buffers() if buffer.is_floating_point()]
            devices.add_up(self._fabric, statistics, "mean")
            self.share_statistics()
        sums = torch.tensor(terms, dtype=torch.float64, device=self._fabric.device)
        devices.add_up(self._fabric, [sums])
        return sums.tolist()

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


def _set_generators(models: list[nn.Module], seed: int | None, first: int = 0) -> None:
    for number, model in enumerate(models, start=first):
        for layer in model.modules():
            if isinstance(layer, Classifier):
                layer.generator = (
                    None if seed is None else torch.Generator().manual_seed(seed_of(seed, number))
                )
