import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from scipy import stats

from mmpmg.models.data_preprocessors import ClipMixup, ClipVideoMix


def samples(seeds):
    out = [ActionDataSample() for _ in seeds]
    for sample, seed in zip(out, seeds, strict=True):
        sample.set_metainfo(dict(sample_seed=int(seed)))
    return out


def constant_clips(count, size=4):
    """Clip b is b everywhere, so that a mix shows its share."""
    return torch.arange(count, dtype=torch.float64).view(-1, 1, 1, 1, 1, 1) + torch.zeros(
        1, 1, 3, 2, size, size, dtype=torch.float64
    )


def test_mixup_blends_every_frame_with_the_clip_before():
    clips = torch.randn(3, 1, 3, 4, 8, 8)
    mixed, _ = ClipMixup()(clips, samples([5, 6, 7]))
    for b in range(3):
        partner = clips[b - 1]
        # Solve for the one share that explains all pixels of all frames.
        difference = clips[b] - partner
        share = ((mixed[b] - partner) * difference).sum() / difference.square().sum()
        assert 0 <= share <= 1
        torch.testing.assert_close(mixed[b], share * clips[b] + (1 - share) * partner)


def test_shares_follow_the_beta_distribution():
    clips = constant_clips(2000, size=1)
    mixed, _ = ClipMixup(alpha=0.8)(clips, samples(range(2000)))
    shares = (mixed - clips.roll(1, 0))[1:].flatten(1)[:, 0]  # neighbours differ by 1
    assert stats.kstest(shares.numpy(), stats.beta(0.8, 0.8).cdf).pvalue > 0.01


def test_a_share_depends_on_the_sample_alone():
    a, _ = ClipMixup()(constant_clips(4), samples([1, 2, 3, 4]))
    b, _ = ClipMixup()(constant_clips(3), samples([9, 2, 3]))
    torch.testing.assert_close(a[1:3], b[1:3])


def test_videomix_keeps_the_drawn_share_and_copies_the_rest():
    clips = constant_clips(64, size=32)
    mixed, _ = ClipVideoMix()(clips, samples(range(64)))
    own = mixed == clips
    assert torch.equal(mixed[~own], clips.roll(1, 0)[~own])
    # One rectangle, the same in every frame and colour.
    assert (own == own[:, :, :1, :1]).all()
    for b in range(64):
        rows, columns = np.nonzero(~own[b, 0, 0, 0].numpy())
        if len(rows):
            height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
            assert height * width == len(rows)
            assert height == width


def test_prob_zero_mixes_nothing_and_half_mixes_half():
    clips = constant_clips(400, size=1)
    untouched, _ = ClipMixup(prob=0)(clips, samples(range(400)))
    assert torch.equal(untouched, clips)
    half, _ = ClipMixup(prob=0.5)(clips, samples(range(400)))
    share = (half == clips).all(dim=(1, 2, 3, 4, 5)).double().mean()
    assert abs(share - 0.5) < 5 * (0.25 / 400) ** 0.5


def test_a_batch_of_one_stays_as_it_is():
    clips = torch.randn(1, 1, 3, 2, 4, 4)
    assert ClipMixup()(clips, samples([1]))[0] is clips


def test_mixing_runs_in_training_only():
    preprocessor = MODELS.build(
        dict(
            type="ActionDataPreprocessor", mean=[128.0] * 3, std=[64.0] * 3, format_shape="NCTHW",
            blending=dict(type="ClipMixup"),
        )
    )  # fmt: skip
    clips = torch.randint(0, 256, (2, 1, 3, 2, 4, 4), dtype=torch.uint8)
    batch = dict(inputs=list(clips), data_samples=samples([1, 2]))
    plain = (clips - 128.0) / 64.0
    torch.testing.assert_close(preprocessor(dict(batch), training=False)["inputs"], plain)
    mixed = preprocessor(dict(batch), training=True)["inputs"]
    assert not torch.allclose(mixed, plain)
    torch.testing.assert_close(mixed, ClipMixup()(plain, samples([1, 2]))[0])


@pytest.mark.parametrize(
    "settings", [dict(alpha=0), dict(prob=1.5), dict(alpha=-1), dict(prob=-0.1)]
)
def test_illegal_settings_name_the_key(settings):
    with pytest.raises(ValueError, match=r"model\.data_preprocessor\.blending"):
        ClipMixup(**settings)
    with pytest.raises(ValueError, match=r"model\.data_preprocessor\.blending"):
        ClipVideoMix(**settings)


def test_unknown_kind():
    with pytest.raises(ValueError, match="spatiotemporal"):
        ClipVideoMix(kind="temporal")
