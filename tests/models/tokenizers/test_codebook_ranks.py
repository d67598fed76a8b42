"""Two processes keep one codebook: that of all their vectors."""

import pytest
import torch
import torch.distributed as dist
from integration.forked_tools import call_in_two

from mmpmg.models.tokenizers.codebook import Codebook


def batch(step, rank):
    generator = torch.Generator().manual_seed(10 * step + rank)
    return torch.randn(24, 4, generator=generator)


def trained(batches, restart_below, out_of_reach=0):
    """The state after some batches, and what the last one logs."""
    torch.manual_seed(0)
    book = Codebook(8, 4, restart_below=restart_below).train()
    book.N.fill_(1.0)
    book.embeddings[:out_of_reach] += 100
    for data in batches:
        quantized = book(data)
    return dict(book.state_dict(), usage=quantized.usage, perplexity=quantized.perplexity)


def _train(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    averages = trained([batch(step, rank) for step in range(3)], restart_below=0.0)
    restarts = trained([batch(0, rank)], restart_below=1.0, out_of_reach=3)
    torch.save((averages, restarts), f"{folder}/{rank}.pth")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_keep_the_codebook_of_one(tmp_path):
    call_in_two(_train, str(tmp_path))
    first, second = (torch.load(tmp_path / f"{rank}.pth") for rank in (0, 1))
    for mine, other in zip(first, second):
        for key, value in mine.items():
            assert value.equal(other[key]), key

    averages, restarts = first
    joint = [torch.cat((batch(step, 0), batch(step, 1))) for step in range(3)]
    for key, value in trained(joint, restart_below=0.0).items():
        torch.testing.assert_close(averages[key], value)

    at_a_vector = [bool((code == batch(0, 0)).all(1).any()) for code in restarts["embeddings"]]
    assert at_a_vector == [True] * 3 + [False] * 5, "of the first process"
