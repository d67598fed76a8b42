"""Weights and arithmetic of recipes' models, against formulas, papers and real passes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmpmg.evaluation.zoo.model_size import model_size

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TOKENS, VALUES = 8 * 14 * 14, 2 * 16 * 16 * 3


def load(recipe: str) -> Config:
    return Config.fromfile(str(CONFIGS / f"{recipe}.py"), import_custom_modules=False)


def block_weights(width: int) -> int:
    """Four square matrices of attention, q's and v's and the output's biases, MLP, two norms."""
    return 4 * width**2 + 3 * width + 8 * width**2 + 5 * width + 4 * width


def block_flops(tokens: int, width: int) -> int:
    """12 d² weights; two products of attention."""
    return 2 * tokens * 12 * width**2 + 2 * 2 * tokens**2 * width


def test_a_fine_tuned_vit_has_the_weights_and_products_of_the_formula():
    size = model_size(load("finetune/vit-b_ucf101"))
    width, classes = 768, 101
    encoder = (VALUES + 1) * width + 12 * block_weights(width) + 2 * width
    assert size.encoder_parameters == encoder
    assert size.parameters == size.trained_parameters == encoder + (width + 1) * classes
    products = 2 * TOKENS * VALUES * width + 12 * block_flops(TOKENS, width)
    assert size.flops == products + 2 * width * classes
    # VideoMAE's paper and MMAction2's zoo: 180 "GFLOPs", which are multiply-adds, and 87 M.
    assert size.flops / 2e9 == pytest.approx(180.5, abs=0.5)


def test_pretraining_counts_visible_tokens_in_the_encoder_and_all_in_the_decoder():
    size = model_size(load("pmg/vit-b_shaders1k"))
    visible = 8 * (196 - 147)
    encoder = 2 * visible * VALUES * 768 + 12 * block_flops(visible, 768)
    joint = 2 * visible * 768 * 384
    last = 2 * (TOKENS - visible) * 384 * VALUES
    whole = encoder + joint + 4 * block_flops(TOKENS, 384) + last
    # The last block of the decoder answers for masked tokens only, so a little less.
    assert whole * 0.97 < size.flops <= whole
    # Forward and backward are 329 GFLOP in docs/speed.md; nothing flows back into the pixels.
    assert (3 * size.flops - 2 * visible * VALUES * 768) / 1e9 == pytest.approx(329, abs=0.5)


def test_swin_is_that_of_its_paper():
    """Video Swin's and DEMVM's (Table 3) 28 M and 88 G multiply-adds are of 32 frames; here 16."""
    size = model_size(load("finetune/swin-t_ucf101"))
    assert size.encoder_parameters / 1e6 == pytest.approx(28, abs=0.5)
    assert size.flops / 2e9 == pytest.approx(44, abs=0.5)


def test_probing_trains_the_classifier_only():
    size = model_size(load("linear_probe/vit-b_hmdb51"))
    assert size.trained_parameters == (768 + 1) * 51
    assert size.parameters == size.encoder_parameters + size.trained_parameters


@pytest.mark.parametrize("recipe", ["pmg/vit-toy_generated", "demvm/swin-toy_photographs_random"])
def test_a_model_without_values_counts_what_a_real_one_does(recipe):
    config = load(recipe)
    size = model_size(config)
    init_default_scope("mmaction")
    for branch in config.model.branches.values():
        if branch.head.target.type == "CodebookTarget":
            branch.head.target.update(checkpoint=None, random=True)
    model = MODELS.build(config.model).eval()
    assert sum(weight.numel() for weight in model.parameters()) == size.parameters
    clip = torch.randn(1, 3, 16, 64, 64)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        tokens = model.draw(clip) if "vit" in recipe else None
        if tokens is not None:
            encoded = model.backbone(clip, tokens.visible)
            model.heads["pixel"](model.decode(encoded, tokens.visible, tokens.masked)["pixel"])
        else:
            model.heads["token"](model.necks["token"](model.backbone(clip)))
    assert counter.get_total_flops() == size.flops


def test_a_model_of_no_known_kind_is_refused():
    """It must not be counted as nothing."""
    config = Config(dict(model=dict(type="ActionDataPreprocessor", num_frames=16)))
    config.train_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", scale=(32, 32))]))
    del config.model["num_frames"]
    with pytest.raises(ValueError, match="ActionDataPreprocessor.*model_size.py"):
        model_size(config)
