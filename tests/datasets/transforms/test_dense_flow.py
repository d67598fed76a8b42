import cv2
import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.registry import init_default_scope

from mmpmg.datasets.flow_estimation import consistent, estimate_flow, lands_inside
from mmpmg.datasets.transforms import DenseFlow
from mmpmg.motion import build_op

SIZE = (48, 64)


def frames(count: int, seed: int = 0) -> list[np.ndarray]:
    """A textured picture that moves one pixel to the right a frame."""
    rough = np.random.default_rng(seed).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    wide = cv2.resize(rough, (SIZE[1] + count, SIZE[0]), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(wide[:, count - k : count - k + SIZE[1]]) for k in range(count)]


@pytest.mark.parametrize("covisible", ["consistent", "inside"])
def test_a_clip_gets_the_keys_of_pseudo_motion_clips(covisible):
    clip = frames(4)
    results = DenseFlow(covisible=covisible)(dict(imgs=list(clip), clip_len=4))
    forth, back = estimate_flow(clip, backward=True)
    np.testing.assert_allclose(results["flow"], forth, atol=1e-2, rtol=0)
    seen = consistent(forth, back) if covisible == "consistent" else lands_inside(forth)
    np.testing.assert_array_equal(results["covisible"], seen)
    assert results["flow"].shape == (3, *SIZE, 2) and results["flow"].dtype == np.float16
    assert results["covisible"].shape == (3, *SIZE) and results["covisible"].dtype == bool
    assert 0.8 < np.median(results["flow"][..., 0]) < 1.2
    assert not results["covisible"].all(), "the last column leaves the frame"
    for before, after in zip(clip, results["imgs"], strict=True):
        assert before is after


def test_clips_of_one_sample_are_apart():
    first, second = frames(3, 1), frames(3, 2)[::-1]
    both = DenseFlow()(dict(imgs=first + second, clip_len=3, num_clips=2))
    assert both["flow"].shape == (2, 2, *SIZE, 2) and both["covisible"].shape == (2, 2, *SIZE)
    for number, clip in enumerate((first, second)):
        alone = DenseFlow()(dict(imgs=clip))
        for key in ("flow", "covisible"):
            np.testing.assert_array_equal(both[key][number], alone[key])
    assert np.median(both["flow"][0, ..., 0]) > 0.8
    assert np.median(both["flow"][1, ..., 0]) < -0.8


def test_grey_frames_have_the_flow_of_their_colours():
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames(3)]
    expected = DenseFlow()(dict(imgs=frames(3)))["flow"]
    for clip in (grey, [frame[..., None] for frame in grey]):
        np.testing.assert_array_equal(DenseFlow()(dict(imgs=clip))["flow"], expected)


@pytest.mark.parametrize("key", ["motion", "deferred_motion"])
def test_pseudo_motion_clips_keep_their_exact_flow(key):
    motion = build_op(dict(type="Affine")).sample(np.random.default_rng(0), 3, SIZE)
    results = {"imgs": frames(1), key: motion}
    assert DenseFlow()(dict(results)).keys() == results.keys()


def test_a_mirrored_clip_has_the_mirrored_flow():
    """Behind MMAction2's Flip, as its place is."""
    init_default_scope("mmaction")
    flip = TRANSFORMS.build(dict(type="Flip", flip_ratio=1.0))
    results = flip(dict(imgs=frames(3), modality="RGB", img_shape=SIZE))
    flow = DenseFlow()(results)["flow"]
    assert np.median(flow[..., 0]) < -0.8
    plain = DenseFlow()(dict(imgs=frames(3)))["flow"]
    inner = np.s_[:, 8:-8, 8:-8]
    off = np.abs(flow[:, :, ::-1] * (-1, 1) - plain)[inner]
    assert np.median(off) < 0.05 and np.quantile(off, 0.9) < 0.3


@pytest.mark.parametrize(
    ("results", "told"),
    [
        (dict(imgs=frames(1)), r"1 frames in clips of clip_len=1.*SampleFrames\.clip_len"),
        (dict(imgs=frames(5), clip_len=2), r"5 frames in clips of clip_len=2"),
        (dict(imgs=[]), "0 frames"),
        (dict(), "must be a list.*NoneType"),
        (
            dict(imgs=np.zeros((1, 3, 4, *SIZE), np.uint8)),
            r"must be a list.*a uint8 array of shape \(1, 3",
        ),
        (dict(imgs=[f.astype(np.float32) for f in frames(2)]), "a float32 array of shape"),
        (dict(imgs=[f[..., :2] for f in frames(2)]), r"shape \(48, 64, 2\)"),
        (dict(imgs=[f[:8] for f in frames(2)]), r"\(8, 64\); .* at least 16 pixels"),
        (dict(imgs=[frames(1)[0], frames(1)[0][:40]]), r"\(40, 64\), \(48, 64\).*one size"),
    ],
)
def test_what_cannot_be_used_is_named(results, told):
    with pytest.raises(ValueError, match=f"DenseFlow: .*{told}"):
        DenseFlow()(results)


def test_options_are_checked():
    with pytest.raises(ValueError, match="DenseFlow: method='tvl1' is unknown; .*dis_medium"):
        DenseFlow(method="tvl1")
    with pytest.raises(ValueError, match="DenseFlow: covisible=True is unknown"):
        DenseFlow(covisible=True)
    assert repr(DenseFlow()) == "DenseFlow(method='dis_medium', covisible='consistent')"
