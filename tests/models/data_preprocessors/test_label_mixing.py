import pytest
import torch
from mmaction.structures import ActionDataSample

from mmpmg.models.data_preprocessors import MixupOrCutmix

CLASSES = 5


def batch(labels):
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    # Every pixel of a clip holds its number, so the mixture can be read off.
    clips = torch.arange(1.0, len(labels) + 1).view(-1, 1, 1, 1, 1, 1)
    return clips.expand(-1, 1, 3, 2, 32, 32).clone(), samples


def mixed(seed, **options):
    torch.manual_seed(seed)
    clips, samples = batch([0, 1, 2, 3])
    clips, samples = MixupOrCutmix(CLASSES, **options)(clips, samples)
    return clips, torch.stack([sample.gt_label for sample in samples])


@pytest.mark.parametrize("cutmix_prob", [0.0, 0.5, 1.0])
def test_labels_are_the_shares_of_the_clips_that_are_seen(cutmix_prob):
    for seed in range(20):
        clips, labels = mixed(seed, cutmix_prob=cutmix_prob)
        assert labels.shape == (4, CLASSES)
        # A clip's mean pixel is the mean of the numbers of the clips in it; so is its label's.
        numbers = torch.tensor([1.0, 2.0, 3.0, 4.0, float("nan")])
        expected = (labels[:, :4] * numbers[:4]).sum(1)
        torch.testing.assert_close(clips.flatten(1).mean(1), expected, rtol=1e-4, atol=1e-4)
        assert (labels[:, 4] == 0).all()
        torch.testing.assert_close(labels.sum(1), torch.ones(4))


def test_cutmix_leaves_pixels_whole_and_mixup_does_not():
    def whole(cutmix_prob):
        return [
            bool((clips == clips.round()).all())
            for clips, _ in (mixed(seed, cutmix_prob=cutmix_prob) for seed in range(40))
        ]

    assert all(whole(1.0))
    assert not all(whole(0.0))
    both = whole(0.5)
    assert 8 < sum(both) < 35, "half of the batches, and those of mixup that stayed alone"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(mixup_alpha=float("inf")), r"mixup_alpha inf must be > 0 and finite"),
        (dict(cutmix_alpha=float("nan")), r"cutmix_alpha nan must be > 0 and finite"),
        (dict(mixup_alpha=0), r"mixup_alpha 0 must be > 0.*blending=None"),
        (dict(cutmix_alpha=-1.0), "cutmix_alpha -1.0 must be > 0"),
        (dict(cutmix_prob=1.5), r"cutmix_prob 1.5 is outside \[0, 1\]"),
    ],
)
def test_an_illegal_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        MixupOrCutmix(CLASSES, **options)
