"""Make a trained network smaller in steps, and train what is left after each one."""

from litefake.pruning.iterations import PruneResult, prune_iteratively
from litefake.pruning.params import PruneParams

__all__ = ["PruneParams", "PruneResult", "prune_iteratively"]
