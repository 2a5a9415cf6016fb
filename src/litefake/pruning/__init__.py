"""Make a trained network smaller in steps, and train what is left after each one."""

from litefake.pruning.iterations import PruneResult, check_processes, prune_iteratively
from litefake.pruning.params import PruneParams

__all__ = ["PruneParams", "PruneResult", "check_processes", "prune_iteratively"]
