"""Heads by the width are those of models that exist: our recipes', MMAction2's and others'."""

from pathlib import Path

import mmaction
import pytest
import torch
from mmengine.config import Config

from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.conversion.sizes import DECODER_HEADS, HEADS
from mmpmg.models.necks import MAEDecoder

CONFIGS = Path(__file__).parents[3] / "configs"
RECIPES = {
    "pmg/vit-s_shaders1k": (384, 192),
    "pmg/vit-b_shaders1k": (768, 384),
    "motionmae/vit-l_kinetics400": (1024, 512),
    "pmg/vit-h_shaders1k": (1280, 640),
}
SIZES = ("arch", "embed_dims", "num_heads")


@pytest.mark.parametrize("recipe", RECIPES)
def test_our_recipes_have_them(recipe):
    """As the modules read them, whose own tables give what the recipe does not say."""
    model = Config.fromfile(CONFIGS / f"{recipe}.py", import_custom_modules=False).model
    width, decoder_width = RECIPES[recipe]
    encoder = MaskedVisionTransformer(
        img_size=32, depth=1, **{key: model.backbone[key] for key in SIZES if key in model.backbone}
    )
    assert encoder.embed_dims == width
    assert HEADS[width] == encoder.blocks[0].attn.num_heads
    neck = model.branches.pixel.neck
    decoder = MAEDecoder(
        in_channels=8, num_tokens=8, depth=1, **{key: neck[key] for key in SIZES if key in neck}
    )
    assert decoder.embed_dims == decoder_width
    assert DECODER_HEADS[decoder_width] == decoder.blocks[0].attn.num_heads


def test_mmaction2s_recipes_of_its_published_files_have_them():
    folder = Path(mmaction.__file__).parent / ".mim/configs/recognition"
    backbones = [
        Config.fromfile(path).model.backbone for path in sorted(folder.glob("videomae*/vit-*.py"))
    ]
    assert {backbone.embed_dims for backbone in backbones} >= {384, 768, 1024}
    for backbone in backbones:
        assert HEADS[backbone.embed_dims] == backbone.num_heads


def test_transformers_model_has_them():
    transformers = pytest.importorskip("transformers")
    config = transformers.VideoMAEConfig()
    assert HEADS[config.hidden_size] == config.num_attention_heads
    assert DECODER_HEADS[config.decoder_hidden_size] == config.decoder_num_attention_heads


@pytest.mark.parametrize("name", ["tiny_patch16", "huge_patch14", "giant_patch14"])
def test_timms_image_models_have_them(name):
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        model = timm.create_model(f"vit_{name}_224", depth=1)
    assert HEADS[model.embed_dim] == model.blocks[0].attn.num_heads
