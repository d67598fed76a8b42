import math

import pytest
import torch
import torch.distributed as dist
from integration.forked_tools import call_in_two
from mmaction.registry import MODELS
from reference.token_codes import BrightnessCodes  # registers it

from mmpmg.models.targets import WholeClip
from mmpmg.models.tokens import split_tokens

SHAPE = (2, 8, 8)


def build(**options):
    torch.manual_seed(0)
    head = MODELS.build(
        dict(
            type="MaskedClassificationHead", in_channels=6, token_shape=SHAPE,
            target=dict(type="BrightnessCodes"), **options,
        )
    )  # fmt: skip
    head.init_weights()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_()
    return head


def batch():
    generator = torch.Generator().manual_seed(1)
    cells = torch.rand(2, 1, 2, 4, 4, generator=generator)
    pixels = cells.repeat_interleave(2, 2).repeat_interleave(8, 3).repeat_interleave(8, 4)
    mask = torch.rand(2, 32, generator=generator).argsort(1) < 10
    features = torch.randn(2, 32, 6, generator=generator)
    return WholeClip(pixels.expand(-1, 3, -1, -1, -1)), mask, features


def test_loss_is_minus_the_log_of_the_true_code_s_share():
    head = build()
    clip, mask, features = batch()
    codes = BrightnessCodes(SHAPE)(clip, mask).tolist()
    weight, bias = head.classifier.weight.double(), head.classifier.bias.double()
    total, right = 0.0, 0
    for token, code in zip(features[mask].double(), codes):
        scores = [float(token @ weight[k] + bias[k]) for k in range(8)]
        top = max(scores)
        total -= scores[code] - top - math.log(sum(math.exp(s - top) for s in scores))
        right += scores[code] == top
    told = head.loss(features[mask], clip, mask)
    assert told["loss"].item() == pytest.approx(total / 20, rel=1e-5)
    assert told["accuracy"].item() == pytest.approx(right / 20)
    assert 0 < right < 20
    assert told["commonest_code"].item() == pytest.approx(max(map(codes.count, codes)) / 20)


def of_a_share(rank, folder):
    """Gradients of one process of two: one clip each, of which 3 and 14 tokens are masked."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    head, (clip, _, features) = build(), batch()
    mask = unequal()[rank : rank + 1]
    own = WholeClip(clip.pixels[rank : rank + 1])
    head.loss(features[rank : rank + 1][mask], own, mask)["loss"].backward()
    torch.save([parameter.grad for parameter in head.parameters()], f"{folder}/{rank}.pth")
    dist.destroy_process_group()


def unequal():
    return torch.arange(32) < torch.tensor([[3], [14]])


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one(tmp_path):
    call_in_two(of_a_share, str(tmp_path))
    shares = [torch.load(tmp_path / f"{rank}.pth") for rank in (0, 1)]
    head, (clip, _, features) = build(), batch()
    head.loss(features[unequal()], clip, unequal())["loss"].backward()
    for parameter, *grads in zip(head.parameters(), *shares, strict=True):
        torch.testing.assert_close(sum(grads) / 2, parameter.grad)  # DDP's mean


def test_nothing_masked_is_no_loss():
    clip, mask, features = batch()
    told = build().loss(features[~mask][:0], clip, torch.zeros_like(mask))
    assert told["loss"].item() == 0


def test_numbers_of_tokens_are_the_mask_that_they_say():
    """As behind a ViT: (B, K, C) features, (B, K) numbers."""
    head = build()
    clip, mask, features = batch()
    masked = split_tokens(mask, 10)[1]
    rows = features[torch.arange(2).unsqueeze(1), masked]
    told = [head.loss(features[mask], clip, mask), head.loss(rows, clip, masked)]
    assert torch.equal(told[0]["loss"], told[1]["loss"])
    assert torch.equal(*head.target.masks)


def test_weight_and_smoothing():
    clip, mask, features = batch()
    plain = build().loss(features[mask], clip, mask)["loss"]
    assert torch.equal(build(loss_weight=2.5).loss(features[mask], clip, mask)["loss"], 2.5 * plain)
    head = build(label_smoothing=0.2)
    logits = head(features[mask]).log_softmax(1)
    expected = 0.8 * plain - 0.2 * logits.mean()
    torch.testing.assert_close(head.loss(features[mask], clip, mask)["loss"], expected)


def test_bfloat16_features_meet_a_loss_in_float32():
    head = build()
    clip, mask, features = batch()
    with torch.autocast("cpu", torch.bfloat16):
        rough = head.loss(features[mask], clip, mask)["loss"]
    assert rough.dtype == torch.float32
    torch.testing.assert_close(
        rough, head.loss(features[mask], clip, mask)["loss"], rtol=0.02, atol=0.02
    )


def test_every_code_is_as_likely_at_first():
    head = MODELS.build(
        dict(
            type="MaskedClassificationHead", in_channels=6, token_shape=SHAPE,
            target=dict(type="BrightnessCodes", num_codes=8),
        )
    )  # fmt: skip
    head.init_weights()
    clip, mask, features = batch()
    loss = head.loss(features[mask], clip, mask)["loss"].item()
    assert loss == pytest.approx(math.log(8), rel=0.05)


def test_the_target_is_checked_when_it_is_built():
    head = build()
    head.check(16, torch.nn.Identity())
    assert head.target.checked == 16


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(loss_weight=-1.0), "head.loss_weight"),
        (dict(loss_weight=math.nan), "head.loss_weight"),
        (dict(label_smoothing=1.0), "head.label_smoothing"),
    ],
)
def test_illegal_settings_name_the_key(options, words):
    with pytest.raises(ValueError, match=words):
        build(**options)
