"""The tokenizers' recipes against VideoGPT's figures, as its kinetics_stride2x4x4 was trained."""

from pathlib import Path

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

CONFIGS = Path(__file__).parents[1] / "configs/tokenizer"
RECIPES = sorted(path.stem for path in CONFIGS.glob("*.py"))
LARGE = [name for name in RECIPES if "_toy_" not in name]


def built(name):
    init_default_scope("mmaction")
    config = Config.fromfile(CONFIGS / f"{name}.py", import_custom_modules=False)
    return config, MODELS.build(config.model)


@pytest.mark.parametrize("name", LARGE)
def test_tokenizers_of_the_paper_s_size_have_videogpt_s_figures(name):
    config, model = built(name)
    assert type(model).__name__ == ("VQVAE2D" if name.startswith("vqvae2d") else "VQVAE3D")
    assert (model.channels, model.layers, model.num_heads) == (240, 4, 2)
    assert (model.num_codes, model.codebook.code_dim) == (2048, 256)
    assert (model.codebook.decay, model.codebook.restart_below) == (0.99, 1.0)
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, tuple(optimizer.betas)) == ("Adam", 3e-4, (0.9, 0.999))
    assert config.auto_scale_lr.base_batch_size == config.train_dataloader.batch_size == 32
    assert not config.param_scheduler, "always the same rate"


@pytest.mark.parametrize("name", RECIPES)
def test_every_tokenizer_has_videogpt_s_loss_and_demvm_s_codes(name):
    config, model = built(name)
    assert (model.commitment, model.variance) == (0.25, 0.06)
    assert model.downsample == (2, 4, 4)
    assert model.scale == 2, "as CodebookTarget halves clips: a code for a token of 2 x 8 x 8"
    assert config.optim_wrapper.optimizer.type == "Adam"


def test_there_are_recipes():
    assert len(LARGE) >= 4 and len(RECIPES) > len(LARGE)
