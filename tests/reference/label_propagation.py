"""Label propagation by loops over cells, and what is alive in memory while it runs."""

import math

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def propagate_by_loops(
    query, keys, labels, grid, top_k, radius=None, temperature=0.07, restrict_first=False
):
    """Labels of each cell of ``query``: the softmax-weighted mean over its ``top_k`` likes."""
    query, keys, labels = query.tolist(), keys.tolist(), labels.tolist()
    width = grid[1]
    result = []
    for asking, vector in enumerate(query):
        candidates = []
        for frame, cells in enumerate(keys):
            for cell, other in enumerate(cells):
                distance = math.dist(divmod(asking, width), divmod(cell, width))
                restricted = radius is not None and (frame > 0 or restrict_first)
                if restricted and distance >= radius:
                    continue
                cosine = sum(a * b for a, b in zip(vector, other))
                cosine /= math.hypot(*vector) * math.hypot(*other)
                candidates.append((cosine, labels[frame][cell]))
        best = sorted(candidates, key=lambda one: -one[0])[:top_k]
        weights = [math.exp(cosine / temperature) for cosine, _ in best]
        result.append(
            [
                sum(weight * label[which] for weight, (_, label) in zip(weights, best))
                / sum(weights)
                for which in range(len(labels[0][0]))
            ]
        )
    return torch.tensor(result)


def shares_by_loops(mask, object_ids, grid):
    """Share of every label in every cell, pixel by pixel; frames are multiples of the grid."""
    height, width = mask.shape
    down, across = height // grid[0], width // grid[1]
    result = torch.zeros(grid[0] * grid[1], 1 + len(object_ids))
    for y in range(height):
        for x in range(width):
            label = [0, *object_ids].index(int(mask[y, x]))
            result[y // down * grid[1] + x // across, label] += 1 / (down * across)
    return result


class LiveMemory(TorchDispatchMode):
    """Counts the bytes of the tensors that operations make, while any of them is alive."""

    def __init__(self):
        super().__init__()
        self.alive = {}
        self.peak = 0
        self.largest = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run an operation and look at what it made."""
        before = {
            leaf.untyped_storage().data_ptr()
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, torch.Tensor)
        }
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if not isinstance(tensor, torch.Tensor):
                continue
            storage = tensor.untyped_storage()
            if storage.data_ptr() in before:  # a view, or in place
                continue
            self.alive[storage.data_ptr()] = (StorageWeakRef(storage), storage.nbytes())
            self.largest = max(self.largest, storage.nbytes())
        self.alive = {k: v for k, v in self.alive.items() if not v[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.alive.values()))
        return result
