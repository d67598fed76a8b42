"""A frozen encoder: no gradient, no memory for one, no drawn drops."""

import pytest
import torch

from mmpmg.models.backbones.masked_vit import MaskedVisionTransformer

SMALL = dict(img_size=32, num_frames=4, patch_size=8, embed_dims=24, depth=3, num_heads=3)


def encoder(frozen):
    torch.manual_seed(0)
    model = MaskedVisionTransformer(
        frozen=frozen, drop_path_rate=0.5, drop_rate=0.2, attn_drop_rate=0.2, **SMALL
    )
    model.init_weights()
    return model.train()


def saved_floats(model, clip):
    """Numbers that autograd keeps for the backward pass."""
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: kept.append(tensor.numel()) or tensor, lambda tensor: tensor
    ):
        output = model(clip)
    return sum(kept), output


def test_no_gradient_is_computed_and_nothing_is_kept_for_one():
    clip = torch.randn(2, 3, 4, 32, 32)
    kept, output = saved_floats(encoder(frozen=True), clip)
    assert kept == 0 and not output.requires_grad
    assert saved_floats(encoder(frozen=False), clip)[0] > 100_000


def test_drops_stay_off_whatever_the_model_around_it_does():
    frozen = encoder(frozen=True)
    whole = torch.nn.Sequential(frozen, torch.nn.Dropout()).train()
    assert whole[1].training and not any(module.training for module in frozen.modules())
    clip = torch.randn(2, 3, 4, 32, 32)
    assert torch.equal(frozen(clip), frozen(clip))
    loose = encoder(frozen=False)
    assert loose.training and not torch.equal(loose(clip), loose(clip))
    with torch.no_grad():
        torch.testing.assert_close(frozen(clip), loose.eval()(clip), rtol=0, atol=0)


@pytest.mark.parametrize("with_cp", [True, False])
def test_activation_checkpointing_changes_nothing(with_cp):
    frozen = encoder(frozen=True)
    frozen.with_cp = with_cp
    assert saved_floats(frozen, torch.randn(1, 3, 4, 32, 32))[0] == 0
