import pytest
import torch
from reference.label_propagation import LiveMemory, propagate_by_loops
from torch.nn import functional as F

from mmpmg.models.segmenters.label_context import LabelContext
from mmpmg.models.segmenters.label_propagation import LabelPropagation, far_cells

GRID = (3, 4)
CELLS = 12


def random_context(frames=4, objects=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(frames + 1, CELLS, 5, generator=generator), dim=-1)
    labels = torch.rand(frames, CELLS, 1 + objects, generator=generator)
    return features[-1], features[:-1], labels / labels.sum(2, keepdim=True)


@pytest.mark.parametrize("restrict_first", [False, True])
@pytest.mark.parametrize("radius", [None, 1.0, 2.0, 2.5])
@pytest.mark.parametrize("top_k", [1, 3, 10, 1000])
def test_a_step_is_the_loops(top_k, radius, restrict_first):
    query, keys, labels = random_context()
    options = dict(top_k=top_k, radius=radius, temperature=0.2, restrict_first=restrict_first)
    found = LabelPropagation(**options)(query, keys, labels, GRID)
    expected = propagate_by_loops(query, keys, labels, GRID, **options)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.sum(1), torch.ones(CELLS))


@pytest.mark.parametrize("max_affinity", [1, 4 * CELLS, 5 * 4 * CELLS, 10**9])
def test_chunks_give_what_the_whole_gives(max_affinity):
    query, keys, labels = random_context()
    whole = LabelPropagation(radius=2.0)(query, keys, labels, GRID)
    found = LabelPropagation(radius=2.0, max_affinity=max_affinity)(query, keys, labels, GRID)
    torch.testing.assert_close(found, whole)


def test_no_tensor_is_larger_than_a_chunk():
    generator = torch.Generator().manual_seed(0)
    keys = F.normalize(torch.randn(6, 400, 8, generator=generator), dim=-1)
    labels = torch.rand(6, 400, 3, generator=generator)
    limit = 6 * 400 * 7
    with LiveMemory() as small:
        LabelPropagation(max_affinity=limit)(keys[0], keys, labels, (20, 20))
    with LiveMemory() as large:
        LabelPropagation(max_affinity=10**9)(keys[0], keys, labels, (20, 20))
    assert small.largest <= limit * 4  # float32
    assert large.largest == 6 * 400 * 400 * 4
    assert small.peak < 1.7 * limit * 4, "one chunk at a time, and what it looks at"


def test_reach_is_a_disk_that_ends_before_its_radius():
    far = far_cells(torch.tensor([5]), GRID, 2.0)[0].reshape(GRID)  # the cell at (1, 1)
    assert far.tolist() == [
        [False, False, False, True],
        [False, False, False, True],
        [False, False, False, True],
    ]
    far = far_cells(torch.tensor([5]), GRID, 1.0)[0]
    assert far.tolist() == [cell != 5 for cell in range(CELLS)]


def test_the_first_frame_is_seen_from_everywhere_unless_restricted():
    query = F.one_hot(torch.tensor([3]), CELLS).float().repeat(CELLS, 1)  # all look like cell 3
    keys = torch.eye(CELLS)[None]
    labels = torch.eye(CELLS)[None]
    free = LabelPropagation(top_k=1, radius=1.0)(query, keys, labels, GRID)
    assert free.argmax(1).tolist() == [3] * CELLS
    bound = LabelPropagation(top_k=1, radius=1.0, restrict_first=True)(query, keys, labels, GRID)
    assert bound.argmax(1).tolist() == list(range(CELLS))


def test_the_same_features_propagate_labels_unchanged():
    _, keys, labels = random_context(frames=1)
    propagation = LabelPropagation(top_k=1)
    found = labels[0]
    for _ in range(5):
        found = propagation(keys[0], keys, found[None], GRID)
    assert found.equal(labels[0])


def test_as_many_frames_alike_as_top_k_change_nothing_either():
    """Each cell's ten likes are itself, ten times; another cell is less alike."""
    _, keys, labels = random_context(frames=1)
    found = LabelPropagation(top_k=10)(
        keys[0], keys.repeat(10, 1, 1), labels.repeat(10, 1, 1), GRID
    )
    torch.testing.assert_close(found, labels[0])


@pytest.mark.parametrize("fill", [True, False])
@pytest.mark.parametrize("recent", [1, 3, 20])
def test_the_ring_holds_the_first_frame_and_the_latest(recent, fill):
    context = LabelContext(recent, fill)
    for frame in range(9):
        if frame:
            features, labels = context.look()
            numbers = features[:, 0, 0].int().tolist()
            assert numbers[0] == 0
            before = [max(0, number) for number in range(frame - recent, frame)]
            if not fill:
                before = [number for number in before if number]
            assert sorted(numbers) == [0, *before]
            assert labels[:, 0, 0].int().tolist() == numbers
        context.add(torch.full((CELLS, 5), float(frame)), torch.full((CELLS, 2), float(frame)))


def test_an_empty_context_says_so():
    with pytest.raises(RuntimeError, match="first frame"):
        LabelContext(3).look()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("context_frames", 0), ("top_k", 0), ("top_k", 1.5), ("radius", 0), ("radius", "12"),
        ("temperature", 0), ("temperature", float("nan")), ("restrict_first", "no"),
        ("fill_context", 1), ("max_affinity", 0),
    ],
)  # fmt: skip
def test_what_is_out_of_range_names_its_key(key, value):
    with pytest.raises(ValueError, match=rf"model\.{key}"):
        LabelPropagation(**{key: value})
