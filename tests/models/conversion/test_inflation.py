"""An inflated image model is the image model, on clips in which nothing moves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.conversion.inflation import Inflated, inflate_vit
from mmpmg.models.conversion.report import UNEXPECTED

timm = pytest.importorskip("timm")
SIZES = dict(img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
GRID = (2, 4, 4)


def image_vit(**options: Any) -> nn.Module:
    """Timm's own model, every weight of it drawn, biases of the key too."""
    model = timm.models.VisionTransformer(num_classes=5, **{**SIZES, **options})
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(0.3 * torch.randn(value.shape, generator=generator))
    return model.eval()


def video_vit(inflated: Inflated, img_size: int = 32, **options: Any) -> MaskedVisionTransformer:
    init_default_scope("mmaction")
    encoder = MaskedVisionTransformer(
        img_size=img_size, num_frames=4, patch_size=8, embed_dims=24, depth=2, num_heads=3,
        **options,
    )  # fmt: skip
    encoder.load_state_dict(inflated.state, strict=True)
    return encoder.eval()


def picture(size: int = 32) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


def still(image: Tensor) -> Tensor:
    return image.unsqueeze(2).repeat(1, 1, 4, 1, 1)


def without_class_token(model: nn.Module, image: Tensor) -> Tensor:
    """Run timm's own parts on the patches alone; (B, h * w, C)."""
    prefix = model.num_prefix_tokens
    x = model.patch_embed(image) + model.pos_embed[:, prefix if prefix else 0 :]
    return model.norm(model.blocks(x))


@pytest.mark.parametrize("patches", ["mean", "center"])
def test_a_still_clip_gives_the_features_of_an_image_model_that_pools(patches):
    model = image_vit(class_token=False, global_pool="avg")
    encoder = video_vit(inflate_vit(model.state_dict(), GRID, patches=patches, positions="image"))
    with torch.no_grad():
        wanted = model.forward_head(model.forward_features(picture()), pre_logits=True)
        found = encoder(still(picture()))
    assert wanted.std() > 0.1
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)


def test_a_still_clip_gives_the_tokens_of_an_image_model_but_for_its_class_token():
    model = image_vit()
    encoder = video_vit(
        inflate_vit(model.state_dict(), GRID, positions="image", mean_pooling=False),
        use_mean_pooling=False,
    )
    visible = torch.arange(32).repeat(2, 1)
    with torch.no_grad():
        wanted = without_class_token(model, picture()).repeat(1, 2, 1)
        found = encoder(still(picture()), visible)
        seen = model.forward_features(picture())[:, 1:].repeat(1, 2, 1)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)
    assert (found - seen).abs().max() > 1e-2  # the class token is what differs


def test_a_key_bias_changes_no_output():
    model = image_vit()
    with torch.no_grad():
        before = model(picture())
        for block in model.blocks:
            block.attn.qkv.bias[24:48] += torch.randn(24)
        torch.testing.assert_close(model(picture()), before, rtol=0, atol=1e-4)
        for block in model.blocks:
            block.attn.qkv.bias[:24] += torch.randn(24)  # that of the query does
        assert (model(picture()) - before).abs().max() > 1e-2


def test_frames_count_alike_or_the_middle_one_alone():
    image = image_vit().state_dict()
    clip = torch.randn(1, 3, 2, 8, 8)
    for patches, frame in (("mean", clip.mean(2)), ("center", clip[:, :, 1])):
        state = inflate_vit(image, GRID, patches=patches).state
        found = nn.functional.conv3d(
            clip, state["patch_embed.projection.weight"], state["patch_embed.projection.bias"]
        )
        wanted = nn.functional.conv2d(
            frame, image["patch_embed.proj.weight"], image["patch_embed.proj.bias"]
        )
        torch.testing.assert_close(found[:, :, 0], wanted, rtol=0, atol=1e-4)


def turned(encoder: nn.Module) -> float:
    """How far features move when a clip's two tubelets change places."""
    clip = torch.randn(1, 3, 4, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return float((encoder(clip) - encoder(clip[:, :, [2, 3, 0, 1]])).abs().max())


def test_the_order_of_time_is_invisible_to_an_image_s_positions_alone():
    image = image_vit().state_dict()
    moved = {p: turned(video_vit(inflate_vit(image, GRID, positions=p)))
             for p in ("image", "image+time", "sinusoid")}  # fmt: skip
    assert moved["image"] < 1e-4
    assert moved["image+time"] > 3e-3
    assert moved["sinusoid"] > 3e-3


def test_time_is_as_strong_as_the_image_s_positions_and_adds_nothing_on_average():
    image = image_vit().state_dict()
    alone = inflate_vit(image, (8, 4, 4), positions="image").state["pos_embed"]
    both = inflate_vit(image, (8, 4, 4)).state["pos_embed"]
    time = (both - alone).reshape(8, 16, 24)
    assert torch.allclose(time, time[:, :1].expand_as(time), atol=1e-6)  # alike everywhere
    assert time.mean(0).abs().max() < 1e-6
    assert float(time.square().mean()) == pytest.approx(float(alone.square().mean()), rel=1e-4)


def test_positions_without_those_of_the_class_token_are_resized():
    image = image_vit().state_dict()
    grid = (3, 6, 6)
    found = inflate_vit(image, grid, positions="image").state["pos_embed"].reshape(3, 6, 6, 24)
    table = image["pos_embed"][0, 1:].reshape(4, 4, 24).permute(2, 0, 1)[None]
    wanted = nn.functional.interpolate(table, size=(6, 6), mode="bicubic")[0].permute(1, 2, 0)
    for slot in found:
        torch.testing.assert_close(slot, wanted, rtol=0, atol=1e-5)


def test_a_single_slot_has_no_time():
    image = image_vit().state_dict()
    alone, both = (inflate_vit(image, (1, 4, 4), positions=p).state["pos_embed"]
                   for p in ("image", "image+time"))  # fmt: skip
    assert torch.equal(both, alone) and alone.isfinite().all()


def test_a_distilled_deit_leaves_its_second_token_and_classifier_behind():
    model = timm.models.deit.VisionTransformerDistilled(**SIZES, num_classes=5)
    image = model.state_dict()
    inflated = inflate_vit(image, GRID, positions="image")
    table = image["pos_embed"][:, 2:].repeat(1, 2, 1)  # both tokens come before the image
    assert torch.equal(inflated.state["pos_embed"], table)
    dropped = {row.source: row.reason for row in inflated.rows if row.status == UNEXPECTED}
    assert "distillation" in dropped["dist_token"]
    assert dropped["head_dist.bias"] == dropped["head.bias"] == "a classifier of images"


def test_what_starts_fresh_or_is_replaced_has_a_row_too():
    image = image_vit().state_dict()
    table = {row.target: row for row in inflate_vit(image, GRID, positions="sinusoid").rows}
    assert table["pos_embed"].reason.endswith("tokens, in place of the image's")
    for lost in ("norm.weight", "norm.bias", "pos_embed"):
        del image[lost]
    rows = {row.target: row for row in inflate_vit(image, GRID).rows}
    assert (rows["fc_norm.*"].status, rows["pos_embed"].status) == ("missing", "missing")
    assert "image's" not in rows["pos_embed"].reason


def test_every_weight_has_a_row_and_what_has_no_place_a_reason():
    image = image_vit().state_dict()
    inflated = inflate_vit(image, GRID)
    assert {row.source for row in inflated.rows} == set(image)
    assert {row.target for row in inflated.rows} - {""} == set(inflated.state)
    dropped = {row.source: row.reason for row in inflated.rows if row.status == UNEXPECTED}
    biases = {f"blocks.{i}.attn.qkv.bias" for i in range(2)}
    assert set(dropped) == {"cls_token", "head.weight", "head.bias"} | biases
    assert "the same to all scores" in dropped["blocks.0.attn.qkv.bias"]
    sources = {id(value) for value in image.values()}
    assert not any(id(value) in sources for value in inflated.state.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [(dict(init_values=0.1), r"no place for blocks\.0\.ls1"),
     (dict(qk_norm=True), r"no place for blocks\.0\.attn\.q_norm"),
     (dict(reg_tokens=2), "no place for reg_token"),
     (dict(pre_norm=True), "no place for norm_pre")],
)  # fmt: skip
def test_a_vit_of_another_make_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        inflate_vit(image_vit(**options).state_dict(), GRID)


def test_what_is_no_image_vit_or_no_option_is_refused():
    image = image_vit().state_dict()
    with pytest.raises(ValueError, match=r"no ViT for images.*it holds a"):
        inflate_vit({"a": torch.zeros(1)}, GRID)
    video = {**image, "patch_embed.proj.weight": torch.zeros(24, 3, 2, 8, 8)}
    with pytest.raises(ValueError, match=r"of a video model.*convert_checkpoint"):
        inflate_vit(video, GRID)
    with pytest.raises(ValueError, match=r"pos_embed of shape \(1, 23, 24\) is not one of a squ"):
        inflate_vit({**image, "pos_embed": torch.zeros(1, 23, 24)}, GRID)
    with pytest.raises(ValueError, match="NaN"):
        inflate_vit({**image, "norm.bias": torch.full((24,), torch.nan)}, GRID)
    for option in ("patches", "positions"):
        with pytest.raises(ValueError, match=f"{option}='x' is none of"):
            inflate_vit(image, GRID, **{option: "x"})
