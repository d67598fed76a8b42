import pytest
import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from torch import nn
from torch.nn import functional as F

from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.segmenters.frame_encoder import FrameEncoder, make_clips

SIZES = dict(
    img_size=32, num_frames=8, patch_size=8, tubelet_size=2, embed_dims=24, num_heads=2, depth=3
)


def vit(kind, **changes):
    torch.manual_seed(0)
    model = kind(**{**SIZES, **changes})
    model.init_weights()
    return model.eval()


@pytest.fixture(params=[MaskedVisionTransformer, VisionTransformer])
def kind(request):
    return request.param


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
@pytest.mark.parametrize("frame_context", ["repeat", "window"])
def test_a_whole_clip_is_what_the_backbone_makes_of_it(kind, frame_context, size):
    clips = torch.randn(2, 3, 8, *size)
    whole = vit(kind, return_feat_map=True)
    expected = whole(clips)  # [B, C, t, h, w]; closed by nothing where fc_norm is the closing
    encoder = FrameEncoder(vit(kind), frame_context, slot=1)
    expected = F.layer_norm(expected[:, :, 1].flatten(2).transpose(1, 2), (24,))
    torch.testing.assert_close(encoder(clips), F.normalize(expected, dim=-1), rtol=1e-4, atol=1e-5)


def test_a_tubelet_stands_at_the_positions_of_its_slot(kind):
    clips = torch.randn(2, 3, 2, 24, 40)
    alone = vit(kind, num_frames=2, return_feat_map=True)
    alone.pos_embed = vit(kind).pos_embed.reshape(4, 16, 24)[3:]
    expected = alone(clips)[:, :, 0].flatten(2).transpose(1, 2)
    encoder = FrameEncoder(vit(kind), "tubelet", slot=3, standardise=False)
    torch.testing.assert_close(encoder(clips), F.normalize(expected, dim=-1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("layer", "depth"), [(0, 1), (1, 2), (-1, 3), (-2, 2), (-3, 1)])
def test_a_layer_is_where_a_shorter_encoder_ends(kind, layer, depth):
    clips = torch.randn(1, 3, 2, 32, 32)
    short = vit(kind, depth=depth)
    short.load_state_dict(vit(kind).state_dict(), strict=False)
    found = FrameEncoder(vit(kind), layer=layer)(clips)
    torch.testing.assert_close(found, FrameEncoder(short)(clips))


def test_features_have_length_one_and_standardised_mean_zero(kind):
    found = FrameEncoder(vit(kind))(torch.randn(1, 3, 2, 32, 32))
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(1, 16))
    torch.testing.assert_close(found.mean(-1), torch.zeros(1, 16), atol=1e-6, rtol=0)


def test_the_frame_described_stands_in_its_slot():
    encoder = FrameEncoder(vit(MaskedVisionTransformer), "window", slot=2)
    assert encoder.frame_numbers(10, 100) == [6, 7, 8, 9, 10, 11, 12, 13]
    assert encoder.frame_numbers(1, 100) == [0, 0, 0, 0, 1, 2, 3, 4]
    assert encoder.frame_numbers(99, 100) == [95, 96, 97, 98, 99, 99, 99, 99]
    for frame_context, length in (("tubelet", 2), ("repeat", 8)):
        encoder = FrameEncoder(vit(MaskedVisionTransformer), frame_context)
        assert encoder.slot == 2, "the middle one"
        assert encoder.frame_numbers(10, 100) == [10] * length


def test_clips_are_laid_out_by_number():
    frames = torch.arange(3.0).view(3, 1, 1, 1)
    clips = make_clips(frames, [[4, 4, 9], [7, 9, 4]], [4, 7, 9])
    assert clips.shape == (2, 1, 3, 1, 1)
    assert clips.flatten(1).tolist() == [[0, 0, 2], [1, 2, 0]]


def test_a_frame_at_480p_has_as_many_cells_as_the_page_says():
    encoder = FrameEncoder(vit(MaskedVisionTransformer, patch_size=16))
    assert encoder.grid((480, 854)) == (30, 53)


def test_frames_shrink_by_the_mean_of_a_tent_as_wide_as_they_shrink():
    frames = torch.rand(1, 3, 11, 16, generator=torch.Generator().manual_seed(0))
    scale = 11 / 8
    expected = torch.zeros(1, 3, 8, 16)
    for row in range(8):
        centre = (row + 0.5) * scale
        weights = [max(0.0, 1 - abs(y + 0.5 - centre) / scale) for y in range(11)]
        for y in range(11):
            expected[:, :, row] += weights[y] / sum(weights) * frames[:, :, y]
    torch.testing.assert_close(FrameEncoder(vit(MaskedVisionTransformer)).fit(frames), expected)


@pytest.mark.parametrize(
    ("size", "cells"), [((480, 854), (60, 107)), ((32, 32), (4, 4)), ((3, 13), (1, 2))]
)
def test_frames_are_resized_to_whole_cells(size, cells):
    encoder = FrameEncoder(vit(MaskedVisionTransformer))
    assert encoder.grid(size) == cells
    frames = torch.rand(1, 3, *size)
    fitted = encoder.fit(frames)
    assert fitted.shape[2:] == (cells[0] * 8, cells[1] * 8)
    if fitted.shape == frames.shape:
        assert fitted is frames


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("frame_context", "clip"), ("slot", 4), ("slot", -1), ("layer", 3), ("layer", -4),
        ("standardise", 1),
    ],
)  # fmt: skip
def test_what_is_out_of_range_names_its_key(key, value):
    with pytest.raises(ValueError, match=rf"model\.{key}"):
        FrameEncoder(vit(MaskedVisionTransformer), **{key: value})


def test_another_backbone_is_refused_by_name():
    with pytest.raises(ValueError, match=r"Conv3d.*MaskedVisionTransformer"):
        FrameEncoder(nn.Conv3d(3, 8, 1))
