"""A checkout of few recipes, so that its zoo is written in a second, and looks into it."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import torch
import yaml
from mmengine.config import Config

from mmpmg.evaluation.zoo.check import write_zoo, zoo_problems
from mmpmg.evaluation.zoo.methods import METHODS
from mmpmg.evaluation.zoo.model_size import model_of_shapes
from mmpmg.evaluation.zoo.tables import BEGIN, END, STATE_BEGIN, STATE_END

ROOT = Path(__file__).resolve().parents[2]
RECIPES = (
    "pmg/vit-toy_generated",
    "pmg/vit-toy_generated_smoke",
    "pmg/vit-b_shaders1k",
    "finetune/vit-toy_gestures",
    "finetune/vit-b_ucf101",
    "vos/vit-toy_davis-mini",
)
RECORDS = """
Results:
- Recipe: finetune/vit-toy_gestures
  Pre-training: pmg/vit-toy_generated
  Metrics: {Top 1 Accuracy: 17.5}
  Row: generated-pmg
Measurements:
- {Recipes: [pmg/vit-b_shaders1k], Memory: 6456 MB (32 clips), Row: ViT base}
Published: []
"""
README = f"""# Short
| generated-pmg | 17.5 ± 3.0 |
| ViT base | 6456 |

{BEGIN}
{END}
behind
"""
PLACE = "pmg/vit-toy_generated"
METAFILE = "configs/pmg/metafile.yml"


def write_checkout(root: Path) -> Path:
    """Copy a few recipes and write a zoo for them."""
    shutil.copytree(ROOT / "configs/_base_", root / "configs/_base_")
    for recipe in RECIPES:
        path = root / "configs" / f"{recipe}.py"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "configs" / f"{recipe}.py", path)
    for about in METHODS.values():
        for place in (about.page, about.code):
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text("# Something\n")
    (root / "README.md").write_text(README)
    (root / "docs/zoo.md").write_text(f"# Zoo\n\n{STATE_BEGIN}\n{STATE_END}\n\n{BEGIN}\n{END}\n")
    (root / "zoo").mkdir()
    (root / "zoo/records.yml").write_text(RECORDS)
    write_zoo(root)
    return root


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def problems(root: Path, *counted: str) -> list[str]:
    return zoo_problems(root, counted)


def entry(root: Path, method: str, name: str) -> dict:
    models = yaml.safe_load((root / f"configs/{method}/metafile.yml").read_text())["Models"]
    (found,) = [model for model in models if model["Name"] == name]
    return found


def publish(root: Path, classes: int = 10) -> str:
    """Put weights of a classifier into the checkout, and on record."""
    recipe = "finetune/vit-toy_gestures"
    config = Config.fromfile(root / "configs" / f"{recipe}.py", import_custom_modules=False)
    config.model.cls_head.num_classes = classes
    shapes = {key: value.shape for key, value in model_of_shapes(config).state_dict().items()}
    content = io.BytesIO()  # of numbers that stand in the file once
    torch.save({key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}, content)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    where = f"zoo/files/vit-toy-{digest[:8]}.pth"
    (root / "zoo/files").mkdir()
    (root / where).write_bytes(content.getvalue())
    change(
        root / "zoo/records.yml",
        "Published: []",
        f"Published:\n- Recipe: {recipe}\n"
        "  Pre-training: pmg/vit-toy_generated\n"
        f"  Files: [{{Where: {where}, SHA256: '{digest}'}}]\n",
    )
    return where
