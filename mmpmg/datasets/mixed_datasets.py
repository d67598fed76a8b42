"""Several data sets as one, with stated shares of an epoch (PMG paper, Tables 8 and 9)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mmaction.registry import DATASETS
from torch.utils.data import Dataset

from .image_choice import shuffled
from .sample_seed import SeedSample
from .sample_seed_sampler import seed_samples
from .shares import interleaved, largest_remainder, named_seed, shares_of


@DATASETS.register_module()
class MixedDatasets(Dataset):
    """Real videos, pseudo-motion clips and whatever else in one dataloader, by weight.

    Every part is a data set with a pipeline of its own; the parts must agree in what their
    pipelines return (clips of one shape, for one model). An epoch has ``num_samples`` samples, and
    part s gives exactly its share of them, rounded by largest remainder:
    ``num_samples * weight / sum of weights``. A part's samples come round in one fixed random
    order, which goes on from epoch to epoch: none comes a second time before all others have come
    once, so that at any time two samples of a part have been drawn equally often or differ by
    one. Which samples an epoch has follows from the options and the epoch's number alone, hence
    also after a resume. `SampleSeedSampler` tells the epoch; it shuffles within it, so that a
    batch holds the shares on average. A sample that comes twice in an epoch is seeded anew.

    MMEngine's ConcatDataset has no shares and takes a list, which no recipe can change in part;
    its RepeatDataset and ClassBalancedDataset draw only whole multiples.

    Attributes:
        datasets: the parts.
        counts: name -> samples of that part in an epoch.

    Args:
        parts: name -> recipe of a data set, or the data set; a dict, so that a recipe can change
            one by its name, or take it out with None; its weight is ignored then.
        weights: name -> positive number. None: the parts' lengths; every sample comes once in an
            epoch of the default length.
        num_samples: length of an epoch. None: the greatest in which no sample comes twice.
        seed: of the order in which a part's samples come.

    Raises:
        ValueError: an option is illegal, or a part is empty or so small in weight that an epoch
            has no sample of it.
    """

    def __init__(
        self,
        parts: Mapping[str, dict | Dataset | None],
        weights: Mapping[str, float] | None = None,
        num_samples: int | None = None,
        seed: int = 0,
    ) -> None:
        built = {
            name: DATASETS.build(part) if isinstance(part, dict) else part
            for name, part in parts.items()
            if part is not None
        }
        if not built:
            raise ValueError("dataset.parts is empty: name at least one data set")
        if weights is not None:  # those of parts that were taken out do not count
            out = {name for name, part in parts.items() if part is None}
            weights = {name: weight for name, weight in weights.items() if name not in out}
        self._names = list(built)
        self.datasets: list[Any] = list(built.values())
        lengths = [len(part) for part in self.datasets]
        for name, length in zip(self._names, lengths, strict=True):
            if not length:
                raise ValueError(f"dataset.parts.{name} holds no sample; None takes it out")
        shares = shares_of("dataset.parts", "dataset.weights", self._names, lengths, weights)
        if num_samples is None:
            most = min(n / share for n, share in zip(lengths, shares, strict=True))
            num_samples = sum(lengths) if weights is None else math.floor(most + 1e-9)
        if type(num_samples) is not int or num_samples < 1:
            raise ValueError(
                f"dataset.num_samples={num_samples!r}: must be a whole number, 1 or more, or None"
            )
        counts = largest_remainder(shares, num_samples)
        self.counts = dict(zip(self._names, counts, strict=True))
        for name, count in self.counts.items():
            if not count:
                raise ValueError(
                    f"dataset.parts.{name} has no sample in an epoch of {num_samples}: raise "
                    f"dataset.weights.{name} or dataset.num_samples, or take it out with None"
                )
        self._part, self._rank = interleaved(counts)
        self._orders = [
            shuffled(length, named_seed(seed, name))
            for name, length in zip(self._names, lengths, strict=True)
        ]
        # Its own tells the epoch, and pins the global generators for parts that have none.
        self.seed_sample = SeedSample()
        self._seeds = [list(dict.fromkeys(s for s, _ in seed_samples(p))) for p in self.datasets]

    def __len__(self) -> int:
        return len(self._part)

    def address(self, index: int) -> tuple[str, int]:
        """Return (name of the part, index in it) of a sample, in the epoch that is now."""
        which, number = self._place(index)
        return self._names[which], number

    def _place(self, index: int) -> tuple[int, int]:
        index = range(len(self))[index]
        which = int(self._part[index])
        order, count = self._orders[which], self.counts[self._names[which]]
        drawn = self.seed_sample.epoch * count + int(self._rank[index])
        return which, int(order[drawn % len(order)])

    def get_data_info(self, index: int) -> dict[str, Any]:
        """Return what the part knows of a sample without reading it, and ``part``, its name."""
        which, number = self._place(index)
        part, number = _innermost(self.datasets[which], number)
        return {**part.get_data_info(number), "part": self._names[which]}

    def __getitem__(self, index: int) -> Any:
        which, number = self._place(index)
        index = range(len(self))[index]
        self.seed_sample({"sample_idx": index})
        part, number = _innermost(self.datasets[which], number)
        for seed in self._seeds[which]:
            seed.note_outer_index(index)
        return part[number]

    def __repr__(self) -> str:
        """Show the shares of an epoch."""
        parts = ", ".join(f"{name}: {count}" for name, count in self.counts.items())
        return f"{type(self).__name__}({len(self)} samples an epoch; {parts})"


def _innermost(dataset: Any, number: int) -> tuple[Any, int]:
    """Go through repeating wrappers, which would note their own index for seeding."""
    for wrapper in _wrappers(dataset):
        number = type(wrapper)._get_ori_dataset_idx(wrapper, number)
        dataset = wrapper.dataset
    return dataset, number


def _wrappers(dataset: Any) -> Iterator[Any]:
    while hasattr(dataset, "_get_ori_dataset_idx") and hasattr(dataset, "dataset"):
        yield dataset
        dataset = dataset.dataset
