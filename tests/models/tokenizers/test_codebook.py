"""Search, straight-through gradients, moving averages and the return of dead codes."""

import copy

import pytest
import torch
from reference.videogpt_reference import nearest, update

from mmpmg.models.tokenizers import codebook as codebook_module
from mmpmg.models.tokenizers.codebook import Codebook


def vectors(count, dim, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def filled(num_codes=8, dim=4, **options):
    """A codebook that no longer waits for its first batch."""
    book = Codebook(num_codes, dim, **options)
    book.embeddings.copy_(vectors(num_codes, dim, seed=99))
    book.z_avg.copy_(3 * book.embeddings)
    book.N.fill_(3.0)
    return book


def test_the_nearest_code_is_found_in_any_number_of_pieces(monkeypatch):
    book, data = filled(), vectors(37, 4)
    expected = nearest(data, book.embeddings)
    assert book.nearest(data).tolist() == expected
    monkeypatch.setattr(codebook_module, "ROWS", 5)
    assert book.nearest(data).tolist() == expected


def test_codes_come_back_from_their_vectors():
    book = Codebook(512, 16)
    codes = torch.randint(512, (3, 2, 5))
    assert book.nearest(book.lookup(codes).flatten(0, 2)).reshape(3, 2, 5).equal(codes)


def test_the_gradient_passes_straight_through_and_the_commitment_pulls_to_the_code():
    book, data = filled().eval(), vectors(20, 4).requires_grad_()
    weight = vectors(20, 4, seed=1)
    quantized = book(data)
    chosen = book.embeddings[quantized.codes]
    torch.testing.assert_close(quantized.vectors, chosen)
    (passed,) = torch.autograd.grad((quantized.vectors * weight).sum(), data, retain_graph=True)
    assert passed.equal(weight)
    (pull,) = torch.autograd.grad(quantized.commitment, data)
    torch.testing.assert_close(pull, 2 * (data.detach() - chosen) / data.numel())


@pytest.mark.parametrize(("decay", "rows"), [(0.99, 1 << 14), (0.5, 7)])
def test_three_updates_follow_the_formula(decay, rows, monkeypatch):
    monkeypatch.setattr(codebook_module, "ROWS", rows)
    book = filled(decay=decay, restart_below=0.0).train()
    counts, sums = book.N.tolist(), list(book.z_avg.clone())
    codes = list(book.embeddings.clone())
    for step in range(3):
        data = vectors(30, 4, seed=step)
        chosen = nearest(data, codes)
        quantized = book(data)
        assert quantized.codes.tolist() == chosen, "of the codes before the update"
        counts, sums, codes = update(counts, sums, data, chosen, decay)
        torch.testing.assert_close(book.N, torch.tensor(counts))
        torch.testing.assert_close(book.z_avg, torch.stack(sums))
        torch.testing.assert_close(book.embeddings, torch.stack(codes))


def test_usage_and_perplexity_count_what_the_batch_uses():
    book = filled().eval()
    codes = torch.tensor([2] * 6 + [5] * 2)
    quantized = book(book.embeddings[codes])
    assert quantized.usage.item() == 2 / 8
    # Shares 3/4 and 1/4: exp of the entropy.
    assert quantized.perplexity.item() == pytest.approx((4 / 3) ** 0.75 * 4**0.25, rel=1e-5)


def test_a_dead_code_is_put_onto_a_vector_of_the_batch_and_others_are_not():
    book = filled(restart_below=3.0).train()
    book.N[:] = 30.0
    book.N[[1, 6]] = 2.9
    data = vectors(40, 4) + 5 * book.embeddings[3]  # far from most
    before = book.embeddings.clone()
    book(data)
    own = [bool((code == data).all(1).any()) for code in book.embeddings]
    assert own == [number in (1, 6) for number in range(8)]
    assert book.N[[1, 6]].tolist() == [3.0, 3.0], "alive as long as three a step choose it"
    assert book.z_avg[[1, 6]].equal(3 * book.embeddings[[1, 6]]), "nothing of before is left"
    assert not book.embeddings[1].equal(before[1])


@pytest.mark.parametrize(("restart_below", "used"), [(1.0, 1.0), (0.0, 1 / 8)])
def test_dead_codes_come_back(restart_below, used):
    """Eight codes, all but one out of reach, and data in four clusters."""
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])
    book = filled(8, 2, restart_below=restart_below).train()
    book.embeddings.copy_(90.0 + vectors(8, 2))
    book.embeddings[0] = 2.0
    book.z_avg.copy_(book.embeddings)
    book.N.fill_(1.0)
    for step in range(150):
        data = centres.repeat(16, 1) + 0.1 * vectors(64, 2, seed=step)
        quantized = book(data)
    assert quantized.usage.item() == used
    error = (data - book.embeddings[book.nearest(data)]).square().mean().item()
    assert (error < 0.02) == (used == 1.0)


@pytest.mark.parametrize("count", [50, 3])
def test_the_first_batch_fills_the_codebook_with_codes_that_all_differ(count):
    book = Codebook(8, 4).train()
    assert not book.filled
    data = vectors(count, 4)
    book._fill(data)
    assert book.filled
    assert book.N.eq(1).all()
    assert len(book.embeddings.unique(dim=0)) == 8
    distances = torch.cdist(book.embeddings, data).amin(1)
    assert distances.max() < (1e-6 if count > 8 else 0.03)


def test_nothing_is_learnt_in_evaluation():
    book = filled().eval()
    before = copy.deepcopy(book.state_dict())
    book(vectors(30, 4))
    assert all(value.equal(before[key]) for key, value in book.state_dict().items())


def test_a_resumed_codebook_goes_on_bit_for_bit():
    def run(book, steps):
        for step in steps:
            book(vectors(20, 4, seed=step))

    straight = Codebook(16, 4).train()
    run(straight, range(4))
    stopped = copy.deepcopy(straight.state_dict())
    run(straight, range(4, 9))

    torch.manual_seed(12345)  # another state of the process's generator
    resumed = Codebook(16, 4).train()
    resumed.load_state_dict(stopped)
    run(resumed, range(4, 9))
    assert straight.N.eq(1).any(), "restarts are drawn"
    for key, value in straight.state_dict().items():
        assert value.equal(resumed.state_dict()[key]), key


def test_draws_of_two_steps_differ():
    book, data = Codebook(4, 2), vectors(100, 2)
    first = book._draw(data)
    assert first.equal(book._draw(data))
    book.num_updates += 1
    assert not first.equal(book._draw(data))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(num_codes=1), "num_codes=1"),
        (dict(decay=1.5), "decay=1.5"),
        (dict(eps=0.0), "eps=0.0"),
        (dict(restart_below=-1.0), "restart_below=-1.0"),
    ],
)
def test_an_option_out_of_its_range_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        Codebook(**dict(dict(num_codes=8, code_dim=4), **options))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_vector_that_is_no_number_changes_no_code(bad):
    book, data = filled().train(), vectors(20, 4)
    data[3, 1] = bad
    before = copy.deepcopy(book.state_dict())
    book(data)
    for key in ("N", "z_avg", "embeddings"):
        assert book.state_dict()[key].equal(before[key]), key
    book(vectors(20, 4))
    assert not book.embeddings.equal(before["embeddings"]), "and it learns on"
    assert all(value.isfinite().all() for value in book.state_dict().values())


def test_a_first_batch_with_no_numbers_does_not_fill_the_codebook():
    book, data = Codebook(8, 4).train(), vectors(8, 4)
    data[3] = torch.nan
    book(data)
    assert not book.filled and book.embeddings.isfinite().all()
    book(vectors(20, 4))
    assert book.filled and book.embeddings.isfinite().all()


def test_a_fresh_state_that_is_loaded_waits_for_its_first_batch_again():
    fresh, book = copy.deepcopy(Codebook(8, 4).state_dict()), Codebook(8, 4).train()
    book(vectors(20, 4))
    assert book.filled
    book.load_state_dict(fresh)
    assert not book.filled
