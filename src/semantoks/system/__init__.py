"""The machine: memory, worker processes, and the ranks of a distributed training."""
