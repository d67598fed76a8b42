"""Pictures while DEMVM and tokenizers train: of this epoch's masks, and without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmpmg.engine.hooks import reconstruction

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
HOOK = dict(type="ReconstructionHook", num_clips=1, columns=2)


def small_run(recipe: str, work_dir: Path) -> Config:
    """Two epochs of two steps, on shader images, narrow and shallow."""
    config = Config.fromfile(CONFIGS / recipe)
    if "tokenizer" in recipe:
        config.model.update(channels=16, num_codes=32, layers=1)
    else:
        config.model.backbone.arch.update(embed_dims=24, depths=(1, 1, 1, 1))
        tokenizer = config.model.branches.token.head.target.tokenizer
        tokenizer.update(channels=16, num_codes=32, layers=1)
    loader = config.train_dataloader
    loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    loader.dataset.pop("num_images", None)
    loader.dataset.images = dict(
        type="ShaderImages", num_categories=4, images_per_category=1, size=96
    )
    config.train_cfg.max_epochs = 2
    config.param_scheduler = None
    config.custom_hooks = []
    config.work_dir = str(work_dir)
    config.experiment_name = f"codes_{work_dir.name}"
    config.launcher = "none"
    return config


def trained(config: Config) -> dict[str, torch.Tensor]:
    runner = Runner.from_cfg(config)
    runner.train()
    return runner.model.state_dict()


@pytest.mark.parametrize(
    "recipe", ["demvm/swin-toy_generated_smoke.py", "tokenizer/vqvae3d_toy_photographs.py"]
)
def test_training_is_bit_for_bit_the_same(recipe: str, tmp_path: Path) -> None:
    without = trained(small_run(recipe, tmp_path / "without"))
    config = small_run(recipe, tmp_path / "with")
    config.custom_hooks = [dict(HOOK)]
    with_hook = trained(config)
    assert without.keys() == with_hook.keys()
    for name, value in without.items():
        assert torch.equal(value, with_hook[name]), name
    drawn = sorted(path.name for path in (tmp_path / "with" / "reconstructions").iterdir())
    assert drawn == ["epoch_1.png", "epoch_2.png"]


def test_masks_are_those_of_the_epochs_own_ratios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks: list[torch.Tensor] = []
    draw = reconstruction.reconstruction_picture

    def spy(models: Any, *options: Any) -> Any:
        masks.append(torch.from_numpy(models[""][0]["token"].mask).reshape(8, 64))
        return draw(models, *options)

    monkeypatch.setattr(reconstruction, "reconstruction_picture", spy)
    config = small_run("demvm/swin-toy_generated_smoke.py", tmp_path / "run")
    ratios = dict(spatial_ratio=(0.3, 1.0), temporal_ratio=(0.5, 1.0))
    config.custom_hooks = [dict(HOOK), dict(type="MaskingRatioHook", ratios=ratios, period=1)]
    trained(config)
    first, second = masks
    assert first.any(1).sum() == 4 and not first.all()
    assert second.all()
