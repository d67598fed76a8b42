import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmpmg.motion import Box, mixup, sample_box, sample_lam, videomix


def clips(kind, shape=(2, 3, 4, 5, 6)):
    a, b = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    if kind == "torch":
        torch = pytest.importorskip("torch")
        return torch.from_numpy(a), torch.from_numpy(b)
    return a, b


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_mixup_blends_with_one_share(kind):
    a, b = clips(kind)
    mixed = mixup(a, b, 0.3)
    assert mixed.dtype == a.dtype
    np.testing.assert_allclose(
        np.asarray(mixed), 0.3 * np.asarray(a) + 0.7 * np.asarray(b), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_mixup_blends_each_clip_of_a_batch_with_its_own_share(kind):
    a, b = clips(kind)
    shares = a.reshape(-1)[:2] * 0 + 1
    shares[1] = 0.25
    mixed = mixup(a, b, shares)
    np.testing.assert_array_equal(np.asarray(mixed[0]), np.asarray(a[0]))
    np.testing.assert_allclose(
        np.asarray(mixed[1]), 0.25 * np.asarray(a[1]) + 0.75 * np.asarray(b[1]), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_mixup_rounds_eight_bit_clips(kind):
    a = np.array([[0, 10, 255]], dtype=np.uint8)
    b = np.array([[255, 11, 255]], dtype=np.uint8)
    if kind == "torch":
        torch = pytest.importorskip("torch")
        a, b = torch.from_numpy(a), torch.from_numpy(b)
    mixed = mixup(a, b, 0.3)
    assert mixed.dtype == a.dtype
    assert np.asarray(mixed).tolist() == [[178, 11, 255]]


def test_shares_follow_the_beta_distribution():
    rng = np.random.default_rng(0)
    drawn = np.array([sample_lam(rng, 0.8) for _ in range(4000)])
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)
    assert drawn.var() == pytest.approx(1 / (4 * (2 * 0.8 + 1)), rel=0.05)
    with pytest.raises(ValueError, match="alpha=0"):
        sample_lam(rng, 0)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_videomix_fills_the_box_and_nothing_else(kind):
    a, b = clips(kind)
    before = np.asarray(a).copy()
    mixed = np.asarray(videomix(a, b, Box(1, 3, 0, 2, 4, 6)))
    expected = before.copy()
    for t, y, x in np.ndindex(4, 5, 6):
        if 1 <= t < 3 and y < 2 and x >= 4:
            expected[:, :, t, y, x] = np.asarray(b)[:, :, t, y, x]
    np.testing.assert_array_equal(mixed, expected)
    np.testing.assert_array_equal(np.asarray(a), before)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_videomix_takes_one_box_per_clip(kind):
    a, b = clips(kind)
    boxes = [Box(0, 4, 0, 5, 0, 6), Box(0, 0, 0, 0, 0, 0)]
    mixed = videomix(a, b, boxes)
    np.testing.assert_array_equal(np.asarray(mixed[0]), np.asarray(b[0]))
    np.testing.assert_array_equal(np.asarray(mixed[1]), np.asarray(a[1]))
    with pytest.raises(ValueError, match="1 boxes for 2 clips"):
        videomix(a, b, boxes[:1])


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    lam=st.floats(0, 1),
    shape=st.tuples(st.integers(1, 32), st.integers(1, 224), st.integers(1, 224)),
    kind=st.sampled_from(["spatial", "spatiotemporal"]),
)
def test_boxes_lie_inside_and_have_the_volume_asked_for(seed, lam, shape, kind):
    box = sample_box(np.random.default_rng(seed), lam, shape, kind)
    ends = np.array([[box.t0, box.t1], [box.y0, box.y1], [box.x0, box.x1]])
    assert (ends[:, 0] >= 0).all()
    assert (ends[:, 0] <= ends[:, 1]).all()
    assert (ends[:, 1] <= shape).all()
    power = 1 / 2 if kind == "spatial" else 1 / 3
    sides = np.array(shape) * (1 - lam) ** power
    if kind == "spatial":
        sides[0] = shape[0]
    assert np.abs(ends[:, 1] - ends[:, 0] - sides).max() <= 0.5 + 1e-9
    assert box.volume == np.prod(ends[:, 1] - ends[:, 0])


def test_boxes_reach_every_place():
    rng = np.random.default_rng(0)
    boxes = [sample_box(rng, 0.75, (4, 8, 8)) for _ in range(300)]
    assert {b.x0 for b in boxes} == set(range(5))
    assert {b.y0 for b in boxes} == set(range(5))


def test_what_cannot_be_mixed_is_refused():
    a, b = clips("numpy")
    with pytest.raises(ValueError, match="cannot be mixed"):
        mixup(a, b[:1], 0.5)
    with pytest.raises(ValueError, match="cannot be mixed"):
        videomix(a, b[..., :3], Box(0, 1, 0, 1, 0, 1))
    with pytest.raises(ValueError, match="spatial, spatiotemporal"):
        sample_box(np.random.default_rng(0), 0.5, (4, 8, 8), "temporal")
    with pytest.raises(ValueError, match="lam=1.2"):
        sample_box(np.random.default_rng(0), 1.2, (4, 8, 8))
