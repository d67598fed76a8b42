import copy
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from reference.token_codes import BrightnessCodes  # noqa: F401  registers it
from torch import nn

from mmpmg.models.token_noise import token_noise

SCHEDULES = Path(__file__).parents[3] / "configs/_base_/schedules"
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONFIG = dict(
    type="MaskTokenPretrainer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=MEAN, std=STD, format_shape="NCTHW"
    ),
    masker=dict(type="BernoulliMasker", ratio=0.5),
    backbone=dict(
        type="MaskedSwinTransformer3D", img_size=64, num_frames=4, window_size=(2, 4, 4),
        arch=dict(embed_dims=12, depths=(2, 2, 2, 2), num_heads=(1, 2, 3, 4)),
        out_indices=(1, 3), drop_path_rate=0.0,
    ),
    branches=dict(
        token=dict(
            neck=dict(type="SwinDecoder"),
            head=dict(type="MaskedClassificationHead", target=dict(type="BrightnessCodes")),
        )
    ),
)  # fmt: skip
FUSING = dict(
    backbone=dict(CONFIG["backbone"], out_indices=(1, 2, 3)),
    branches=dict(
        token=dict(CONFIG["branches"]["token"], neck=dict(type="FusingSwinDecoder", embed_dims=16))
    ),
)
VIT = dict(
    type="MaskedVideoPretrainer",
    backbone=dict(
        type="MaskedVisionTransformer", img_size=64, num_frames=4, patch_size=8,
        embed_dims=48, depth=2, num_heads=3, use_mean_pooling=False,
    ),
    masker=dict(type="TubeMasker", mask_ratio=0.75),
    branches=dict(
        token=dict(
            neck=dict(type="MAEDecoder", embed_dims=24, depth=1, num_heads=3),
            head=dict(type="MaskedClassificationHead", target=dict(type="BrightnessCodes")),
        )
    ),
)  # fmt: skip


@MODELS.register_module(force=True)
class BernoulliMasker(nn.Module):
    """Every token on its own: another number of masked tokens in each sample."""

    def __init__(self, ratio):
        super().__init__()
        self.ratio = ratio

    def forward(self, seeds, grid, samples=None):
        noise = token_noise(seeds, grid[0] * grid[1] * grid[2]).double() / 2.0**64 + 0.5
        return noise < self.ratio


def build(**change):
    torch.manual_seed(0)
    model = MODELS.build({**copy.deepcopy(CONFIG), **copy.deepcopy(change)})
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def batch(clips=2):
    generator = torch.Generator().manual_seed(1)
    cells = torch.rand(clips, 1, 3, 2, 8, 8, generator=generator)
    pixels = cells.repeat_interleave(2, 3).repeat_interleave(8, 4).repeat_interleave(8, 5)
    samples = [ActionDataSample() for _ in range(clips)]
    for number, sample in enumerate(samples):
        sample.set_metainfo(dict(sample_seed=11 + number))
    return dict(inputs=list((255 * pixels).byte()), data_samples=samples)


@pytest.fixture
def model():
    return build()


@pytest.mark.parametrize("change", [{}, FUSING, VIT], ids=["light", "fusing", "vit"])
def test_every_parameter_gets_a_finite_gradient(change):
    model = build(**change)
    data = model.data_preprocessor(batch(), training=True)
    losses = model(**data, mode="loss")
    assert set(losses) == {"loss_token", "accuracy_token", "commonest_code_token"}
    total, log = model.parse_losses(losses)
    assert total == losses["loss_token"], "the accuracy is no loss"
    assert log["accuracy_token"] == losses["accuracy_token"]
    total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_loss_is_a_mean_over_all_masked_tokens_of_the_batch(model):
    data = model.data_preprocessor(batch(), training=True)
    clip, samples = data["inputs"].flatten(0, 1), data["data_samples"]
    with torch.no_grad():
        tokens, predictions = model.reconstruct(clip, samples)
        loss = model(**data, mode="loss")["loss_token"]
    counts = tokens.mask.sum(1)
    assert counts[0] != counts[1], "this is about samples with unequal numbers"
    shares = predictions["token"].double().log_softmax(1)
    whole = model.whole_clip(clip)
    codes = model.heads["token"].target(whole, tokens.mask)
    expected = -sum(shares[i, code] for i, code in enumerate(codes)) / counts.sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_loss_is_blind_to_what_is_predicted_for_visible_tokens(model):
    data = model.data_preprocessor(batch(), training=True)
    mask = model.draw(data["inputs"].flatten(0, 1), data["data_samples"]).mask
    before = model(**data, mode="loss")["loss_token"]

    def disturb(where):
        handle = model.necks["token"].register_forward_hook(
            lambda module, args, out: out + 5 * where.unsqueeze(2) * torch.rand_like(out)
        )
        loss = model(**data, mode="loss")["loss_token"]
        handle.remove()
        return loss

    assert torch.equal(disturb(~mask), before)
    assert (disturb(mask) - before).abs() > 0.01


def test_predictions_do_not_depend_on_masked_pixels(model):
    data = model.data_preprocessor(batch(), training=True)
    clip, samples = data["inputs"].flatten(0, 1), data["data_samples"]
    with torch.no_grad():
        tokens, before = model.reconstruct(clip, samples)
        hidden = tokens.mask.reshape(2, 1, 2, 8, 8)
        hidden = hidden.repeat_interleave(2, 2).repeat_interleave(8, 3).repeat_interleave(8, 4)
        _, after = model.reconstruct(clip + 3 * hidden, samples)
        _, other = model.reconstruct(clip + 3 * ~hidden, samples)
    assert torch.equal(before["token"], after["token"])
    assert (before["token"] - other["token"]).abs().max() > 0.01


def test_predict_hands_each_sample_its_own_tokens(model):
    data = model.data_preprocessor(batch(), training=False)
    views = torch.cat((data["inputs"], data["inputs"].flip(-1)), dim=1)
    out = model(views, data["data_samples"], mode="predict")
    tokens, together = model.reconstruct(views.flatten(0, 1), data["data_samples"])
    start = 0
    for sample in out:
        assert sample.mask.shape == (2, 128)
        assert not torch.equal(sample.mask[0], sample.mask[1])
        for mask, prediction in zip(sample.mask, sample.prediction["token"], strict=True):
            rows = together["token"][start : start + int(mask.sum())]
            torch.testing.assert_close(prediction, rows)
            start += len(rows)
    assert start == len(together["token"]) == tokens.mask.sum()


def test_clips_of_no_dataset_are_predicted_too(model):
    (sample,) = model(torch.zeros(1, 1, 3, 4, 64, 64), None, mode="predict")
    assert [len(p) for p in sample.prediction["token"]] == sample.mask.sum(1).tolist()


def test_tensor_mode_is_the_encoder_of_the_whole_clip(model):
    data = model.data_preprocessor(batch(), training=False)
    maps = model(**data, mode="tensor")
    assert [tuple(m.shape) for m in maps] == [(2, 24, 2, 8, 8), (2, 96, 2, 2, 2)]
    with pytest.raises(ValueError, match="mode 'train' is unknown"):
        model(**data, mode="train")


def test_bfloat16_autocast_takes_a_step(model):
    data = model.data_preprocessor(batch(), training=True)
    precise = model(**data, mode="loss")["loss_token"]
    with torch.autocast("cpu", torch.bfloat16):
        rough = model(**data, mode="loss")["loss_token"]
    rough.backward()
    torch.testing.assert_close(rough, precise, rtol=0.03, atol=0.03)
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.gpu
def test_a_step_on_a_gpu_in_bfloat16_is_that_of_the_cpu():
    losses = {}
    for device in ("cpu", "cuda"):
        model = build().to(device)
        data = model.data_preprocessor(batch(), training=True)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            losses[device] = model(**data, mode="loss")["loss_token"]
        losses[device].backward()
        assert all(p.grad.isfinite().all() for p in model.parameters())
    torch.testing.assert_close(losses["cuda"].cpu(), losses["cpu"], rtol=0.03, atol=0.03)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_compiled_without_a_backend_of_its_own_it_gives_the_same_gradients(model):
    # What other tests compiled makes sizes symbolic, and a Swin's windows of those have no end.
    torch.compiler.reset()
    data = model.data_preprocessor(batch(), training=True)
    gradients = []
    for step in (model, torch.compile(model, backend="aot_eager")):
        model.zero_grad()
        step(**data, mode="loss")["loss_token"].backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_it_learns():
    """Brightness can be told from the neighbours here: one value for a whole clip."""
    model = build()
    data = model.data_preprocessor(batch(8), training=True)
    data["inputs"] = data["inputs"].mean((3, 4, 5), keepdim=True).expand_as(data["inputs"])
    data["inputs"] = data["inputs"] * torch.linspace(-8, 8, 8).view(8, 1, 1, 1, 1, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        losses.append(model(**data, mode="loss")["loss_token"])
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(masker=dict(type="BernoulliMasker", ratio=0.0)), "masked no token.*model.masker"),
    ],
)
def test_a_batch_without_masked_tokens_is_an_error_not_nan(change, words):
    model = build(**change)
    data = model.data_preprocessor(batch(), training=True)
    with pytest.raises(ValueError, match=words):
        model(**data, mode="loss")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(backbone=dict(CONFIG["backbone"], with_mask_token=False)), "has no mask token"),
        (dict(backbone=VIT["backbone"]), "has no mask token.*MaskedVideoPretrainer"),
        (dict(branches=FUSING["branches"]), r"model.backbone.out_indices=\(1, 2, 3\)"),
        (dict(VIT, masker=dict(type="BernoulliMasker", ratio=0.5)), "FlowGuidedMasker"),
        (dict(VIT, decoder_masker=dict(type="BernoulliMasker", ratio=0.5)),
         "model.decoder_masker.*FlowGuidedMasker"),
        (dict(masker=dict(type="RandomMasker", mask_ratio=0.001)), "masks 0 of the 128 units"),
    ],
)  # fmt: skip
def test_parts_that_do_not_go_together_raise_when_built(change, words):
    with pytest.raises(ValueError, match=words):
        build(**change)


def test_clip_of_another_size_names_the_keys(model):
    data = model.data_preprocessor(batch(), training=True)
    with pytest.raises(ValueError, match="model.backbone.num_frames and img_size"):
        model(data["inputs"][..., :56], data["data_samples"], mode="loss")


@pytest.mark.parametrize("masker", ["RandomMasker", "TubeMasker", "FrameMasker"])
def test_any_masker_serves(masker):
    model = build(masker=dict(type=masker, mask_ratio=0.5))
    data = model.data_preprocessor(batch(), training=True)
    assert model(**data, mode="loss")["loss_token"].isfinite()


STRATIFIED = {
    "MMAction2's": dict(
        constructor="SwinOptimWrapperConstructor", paramwise_cfg=dict(backbone=dict(lr_mult=5e-3))
    ),
    "recipe's": dict(Config.fromfile(SCHEDULES / "demvm_10e.py").optim_wrapper),
}


@pytest.mark.parametrize("whose", STRATIFIED)
def test_stratified_learning_rate(whose):
    """Sec. 3.4: the encoder at 5e-3 times the learning rate, the rest at all of it.

    Of the mask token, which no image model has taught anything, the recipes say otherwise.
    """
    init_default_scope("mmaction")
    model = build(**FUSING)
    options = dict(
        type="AutocastOptimWrapper", optimizer=dict(type="Adam", lr=5e-5, weight_decay=1e-5)
    )
    options.update(copy.deepcopy(STRATIFIED[whose]))
    groups = build_optim_wrapper(model, options).optimizer.param_groups
    rates = [(id(p), g["lr"], g["weight_decay"]) for g in groups for p in g["params"]]
    expected = []
    for name, parameter in model.named_parameters():
        apart = whose == "recipe's" and name == "backbone.mask_token"
        rate = 5e-5 * (5e-3 if name.startswith("backbone.") and not apart else 1)
        expected.append((id(parameter), pytest.approx(rate, rel=1e-9), 1e-5))
    assert sorted(rates) == sorted(expected, key=lambda row: row[0]), "every parameter once"
