"""What is drawn of a tokenizer is its own decoding, with numbers of these clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmpmg.models.tokenizers.shrinking import shrink
from mmpmg.visualization import tokenizer_picture as module
from mmpmg.visualization.picture_options import PictureOptions
from mmpmg.visualization.recipe_pictures import draw_recipe
from mmpmg.visualization.training_samples import TrainingSample

ROOT = Path(__file__).resolve().parents[2]


def tiny(name: str = "vqvae3d_toy_photographs") -> Config:
    init_default_scope("mmaction")
    config = Config.fromfile(ROOT / "configs" / "tokenizer" / f"{name}.py")
    config.model.update(channels=16, num_codes=32, layers=1)
    config.train_dataloader.dataset.images = dict(
        type="ShaderImages", num_categories=2, images_per_category=1, size=96
    )
    return config


@pytest.mark.parametrize("name", ["vqvae3d_toy_photographs", "vqvae2d_toy_photographs"])
def test_rows_and_numbers_are_those_of_the_clips(name, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model: Any = MODELS.build(tiny(name).model)
    told: dict[str, Any] = {}
    monkeypatch.setattr(module, "tile", lambda rows, **said: told.update(rows=rows, **said))
    clips = torch.randint(0, 256, (2, 3, 8, 64, 64), dtype=torch.uint8)
    samples = [
        TrainingSample(
            dict(inputs=clip[None], data_samples=ActionDataSample()),
            clip.permute(1, 2, 3, 0).numpy(),
            None,
            "real clip",
            f"{number}.mp4",
        )
        for number, clip in enumerate(clips)
    ]
    codes = torch.randint(0, 29, (2, 4, 8, 8))  # a fresh tokenizer knows but one
    given: list[torch.Tensor] = []
    monkeypatch.setattr(model, "encode", lambda clip: given.append(clip) or codes)
    module.tokenizer_picture(model, samples, columns=8)
    assert model.training
    model.eval()
    small = shrink(clips / 255, model.scale)
    torch.testing.assert_close(given[0], small)
    decoded = model.decode(codes)
    assert len(told["rows"]) == 4
    for i in range(2):
        true = (small[i].permute(1, 2, 3, 0) * 255).round().byte().numpy()
        drawn = (decoded[i].permute(1, 2, 3, 0) * 255).round().byte().numpy()
        np.testing.assert_array_equal(np.stack(told["rows"][2 * i]), true)
        np.testing.assert_array_equal(np.stack(told["rows"][2 * i + 1]), drawn)
        psnr = 10 * np.log10(1 / float((decoded[i] - small[i]).square().mean()))
        assert told["row_labels"][2 * i] == f"{i}.mp4"
        wanted = f"{psnr:.1f} dB PSNR\n{len(codes[i].unique())} codes"
        assert told["row_labels"][2 * i + 1].endswith(wanted)
    assert f"{len(codes.unique())} of 32 are used" in told["title"]


def test_one_command_draws_a_tokenizer_and_masks_are_refused(tmp_path: Path) -> None:
    config = tiny()
    torch.save(dict(state_dict=MODELS.build(config.model).state_dict()), tmp_path / "epoch_1.pth")
    options = PictureOptions(num_clips=2, formats=("png",), columns=3)
    files = draw_recipe(config, tmp_path / "out", options, str(tmp_path / "epoch_1.pth"))
    assert [file.name for file in files] == ["clips.png", "reconstructions_tokenizer.png"]
    assert Image.open(files[1]).height > 4 * 128
    with pytest.raises(ValueError, match=r"VQVAE3D masks nothing.*drop --mask and --guided"):
        draw_recipe(config, tmp_path, PictureOptions(guided=()))
