"""Recipes say where images come from that are not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpmg.datasets.image_sources import FolderImages

CONFIGS = Path(__file__).parent.parent / "configs"
PHOTOGRAPHS = sorted(
    str(path.relative_to(CONFIGS)) for path in CONFIGS.glob("*/*toy_photographs*.py")
)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_missing_photographs_are_told_their_source_and_a_way_without_it(name, tmp_path):
    recipe = Config.fromfile(str(CONFIGS / name), import_custom_modules=False)
    images = recipe.train_dataloader.dataset.images.to_dict()
    assert images.pop("type") == "FolderImages"
    key = "--cfg-options train_dataloader.dataset.images.root="
    with pytest.raises(FileNotFoundError, match=rf"BSDS500.*Arbelaez.*{re.escape(key)}"):
        FolderImages(**{**images, "root": str(tmp_path / "absent")})
