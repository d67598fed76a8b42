"""What is published: the weights and what helps, the same bytes each time, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from torch import nn

from mmpmg.engine.launch import recipe_file
from mmpmg.engine.publishing import Published, PublishOptions, publish
from mmpmg.models.weight_files import read_weights

TOOL = Path(__file__).parents[2] / "tools/publish_checkpoint.py"
RECIPE = TOOL.parents[1] / "configs/finetune/vit-toy_gestures.py"
RUN = dict(work_dir="/home/someone/runs", load_from="/home/someone/encoder.pth", resume=True)


class Recognizer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Linear(6, 5)
        self.backbone.register_buffer("pos_embed", torch.randn(1, 4, 5))
        self.cls_head = nn.Linear(5, 3)


def checkpoint(folder: Path, recipe: dict | None = None) -> Path:
    """Write what MMEngine writes after an epoch."""
    torch.manual_seed(0)
    model = Recognizer()
    optimizer = torch.optim.AdamW(model.parameters())
    model.cls_head(model.backbone(torch.randn(2, 6))).sum().backward()
    optimizer.step()
    hub = MessageHub("published")
    hub.update_scalar("train/loss", 2.5)
    text = Config({**Config.fromfile(RECIPE).to_dict(), **(RUN if recipe is None else recipe)})
    meta = dict(cfg=text.pretty_text, epoch=3, iter=30, seed=7, time="20260101_000000",
                mmengine_version="0.10.7" + "5a" * 20,
                experiment_name="vit-toy_gestures_20260101_000000",
                dataset_meta=dict(classes=("wave", "tap", "öffnen")))  # fmt: skip
    torch.save(
        dict(meta=meta, state_dict=model.state_dict(), optimizer=optimizer.state_dict(),
             message_hub=hub.state_dict(), param_schedulers=[dict(last_step=30)]),
        folder / "epoch_3.pth",
    )  # fmt: skip
    return folder / "epoch_3.pth"


def published(source: Path, out: Path, **options: object) -> Published:
    return publish(PublishOptions(str(source), str(out), **options))


def test_both_files_hold_the_checkpoint_s_weights_and_nothing_of_its_optimizer(tmp_path):
    source = checkpoint(tmp_path)
    result = published(source, tmp_path / "out")
    wanted = torch.load(source, weights_only=False)["state_dict"]
    for path, size, digest in result.files:
        found = read_weights(path)
        assert {k: v.tolist() for k, v in found.state.items()} == {
            k: v.tolist() for k, v in wanted.items()
        }
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert path.name == f"vit-toy_gestures-{digest[:8]}{path.suffix}"
        assert path.stat().st_size == size
        load_checkpoint(Recognizer(), str(path), map_location="cpu", strict=True, logger="silent")
    assert set(torch.load(result.files[0][0], weights_only=True)) == {"state_dict", "meta"}
    assert result.dropped == ("optimizer", "message_hub", "param_schedulers")
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_what_helps_is_kept_and_the_run_s_paths_are_not(tmp_path):
    result = published(checkpoint(tmp_path), tmp_path / "out")
    for path, _, _ in result.files:
        meta = read_weights(path).meta
        assert meta["classes"] == ["wave", "tap", "öffnen"]
        assert (meta["epoch"], meta["iter"], meta["seed"]) == (3, 30, 7)
        assert meta["mmengine_version"] == "0.10.7"
        assert b"someone" not in path.read_bytes()
        recipe = tmp_path / "again.py"
        recipe.write_text(meta["cfg"])
        again, first = Config.fromfile(recipe).to_dict(), Config.fromfile(RECIPE).to_dict()
        assert again == {key: value for key, value in first.items() if key not in RUN}
    assert "someone" not in result.card.read_text()
    assert result.notes == ()


def test_other_paths_of_the_machine_are_pointed_out_and_a_recipe_takes_their_place(tmp_path):
    source = checkpoint(tmp_path, dict(data_root="/home/someone/videos"))
    result = published(source, tmp_path / "out")
    assert "1 paths of this machine, such as /home/someone/videos" in result.notes[0]
    clean = published(source, tmp_path / "out", recipe=str(RECIPE))
    assert clean.notes == ()
    assert b"someone" not in clean.files[1][0].read_bytes()
    file = clean.files[0][0].name
    assert file.startswith("finetune_vit-toy_gestures-")
    use = f"mmpmg test mmpmg::finetune/vit-toy_gestures.py {file}"
    assert use in clean.card.read_text()
    assert recipe_file("mmpmg::finetune/vit-toy_gestures.py").samefile(RECIPE)


def test_the_same_input_gives_the_same_files_and_publishing_again_changes_nothing(tmp_path):
    source = checkpoint(tmp_path)
    first = published(source, tmp_path / "a")
    other = tmp_path / "elsewhere"
    other.mkdir()
    second = published(source.rename(other / source.name), tmp_path / "b")
    assert [f[1:] for f in first.files] == [f[1:] for f in second.files]
    assert first.card.read_text() == second.card.read_text()
    name = "vit-toy_gestures"
    third = published(first.files[1][0], tmp_path / "c", name=name)
    assert [f[2] for f in third.files] == [f[2] for f in first.files]


def test_half_precision_halves_weights_but_no_fixed_table(tmp_path):
    source = checkpoint(tmp_path)
    result = published(source, tmp_path / "out", half=True)
    wanted = read_weights(source).state
    for path, _, _ in result.files:
        found = read_weights(path).state
        assert torch.equal(found["backbone.pos_embed"], wanted["backbone.pos_embed"])
        for key in ("backbone.weight", "cls_head.bias"):
            assert torch.equal(found[key], wanted[key].half())
    assert "half precision" in result.card.read_text()
    largest = max(float((v.half() - v).abs().max()) for k, v in wanted.items() if "pos" not in k)
    assert f"moved weights by up to {largest:.1e}" in result.notes[0]


def test_weights_that_half_precision_cannot_hold_are_named(tmp_path):
    torch.save({"a": torch.ones(2), "b.weight": torch.tensor([1e5])}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"b\.weight has values up to 1e\+05.*65504"):
        published(tmp_path / "w.pth", tmp_path / "out", half=True)
    assert not (tmp_path / "out").exists()


def test_the_card_says_what_it_is_how_it_was_made_and_how_it_is_used(tmp_path):
    result = published(checkpoint(tmp_path), tmp_path / "out", license="CC-BY-4.0")
    card, file = result.card.read_text(), result.files[0][0].name
    for path, size, digest in result.files:
        assert f"| {path.name} | {size:,} | `{digest}` |" in card
    for words in ("- Licence: CC-BY-4.0", "A classifier of video clips", "- Classes: 3",
                  "MaskedVisionTransformer (arch=tiny, depth=6", "ann_file=", "- Epochs: 3",
                  "- Recipe: `vit-toy_gestures`", f"mmpmg test recipe.py {file}"):  # fmt: skip
        assert words in card, words
    unsaid = published(tmp_path / "epoch_3.pth", tmp_path / "out").card.read_text()
    assert "- Licence: not stated" in unsaid


def test_the_card_s_lines_take_the_recipe_out_and_classify_without_one(tmp_path, monkeypatch):
    recipe = Config.fromfile(RECIPE)
    init_default_scope("mmaction")
    meta = dict(cfg=recipe.pretty_text)  # which has the pipeline's steps sorted
    torch.save(dict(state_dict=MODELS.build(recipe.model).state_dict(), meta=meta),
               tmp_path / "epoch_3.pth")  # fmt: skip
    result = published(tmp_path / "epoch_3.pth", tmp_path, recipe=str(RECIPE))
    card = result.card.read_text()
    classify, take_out = re.findall(r"```python\n((?:import|from) .*?)```", card, re.S)
    monkeypatch.chdir(tmp_path)
    writer = cv2.VideoWriter("video.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 48))
    for level in range(20):
        writer.write(np.full((48, 64, 3), 12 * level, np.uint8))
    writer.release()
    names: dict = {}
    exec(compile(classify, "card", "exec"), names)
    assert len(names["inferencer"]("video.mp4")["predictions"][0]["pred_scores"]) == 10
    exec(compile(take_out, "card", "exec"), {})
    assert Config.fromfile("recipe.py").model == recipe.model
    for text in (None, "no recipe at all"):
        torch.save(dict(state_dict={"cls_head.w": torch.ones(1)}, meta=dict(cfg=text)),
                   tmp_path / "w.pth")  # fmt: skip
        bare = published(tmp_path / "w.pth", tmp_path).card.read_text()
        assert "ActionRecogInferencer" not in bare
        assert "recipe.py" not in bare
        assert "mmpmg test RECIPE w-" in bare


def test_accuracies_of_the_run_s_log_stand_in_the_card(tmp_path):
    source = checkpoint(tmp_path)
    start = tmp_path / "20260101_000000/vis_data"
    start.mkdir(parents=True)
    rows = [{"loss": 2.0, "epoch": e, "iter": 10 * e, "step": 10 * e} for e in (1, 2, 3)]
    rows += [{"acc/top1": 0.25 * e, "step": e} for e in (1, 2, 3)]
    (start / "scalars.json").write_text("\n".join(map(json.dumps, rows)))
    card = published(source, tmp_path / "out").card.read_text()
    assert "- Top-1 accuracy in validation after epoch 3: 75.00 %" in card


def test_a_recipe_in_a_checkpoint_is_never_run(tmp_path):
    mark = tmp_path / "ran"
    text = f"x = __import__('os').mkdir('{mark}')\nwork_dir = 'a'\nmodel = dict(type='A')\n"
    torch.save(dict(state_dict={"backbone.w": torch.ones(1)}, meta=dict(cfg=text)),
               tmp_path / "w.pth")  # fmt: skip
    card = published(tmp_path / "w.pth", tmp_path / "out").card.read_text()
    assert not mark.exists()
    assert "- Model: A" in card


def test_an_unknown_recipe_is_asked_for(tmp_path):
    for meta in ({}, dict(cfg="no recipe at all")):
        torch.save(dict(state_dict={"backbone.w": torch.ones(1)}, meta=meta), tmp_path / "w.pth")
        result = published(tmp_path / "w.pth", tmp_path / "out")
        assert "--recipe RECIPE" in result.notes[0]
        assert "- Recipe: not known" in result.card.read_text()
        assert result.files[0][0].name.startswith("w-")


@pytest.mark.parametrize("content", [dict(optimizer={}), dict(state_dict={}), None])
def test_a_file_without_weights_is_refused_without_a_traceback(tmp_path, content, monkeypatch):
    file = tmp_path / "w.pth"
    if content is not None:
        torch.save(content, file)
    monkeypatch.setattr(sys, "argv", [TOOL.name, str(file), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"error: .*w\.pth"):
        runpy.run_path(str(TOOL), run_name="__main__")
    assert not (tmp_path / "out").exists()


def test_half_weights_stay_called_so_when_they_are_published_again(tmp_path):
    first = published(checkpoint(tmp_path), tmp_path / "a", half=True)
    for file, _, _ in first.files:
        second = published(file, tmp_path / "b", name="again")
        assert read_weights(second.files[0][0]).meta["dtype"] == "float16"
        assert [f[2] for f in second.files] == [f[2] for f in first.files]
        assert "in half precision" in second.card.read_text()


def test_a_name_gets_one_hash(tmp_path):
    torch.save({"backbone.w": torch.ones(1)}, tmp_path / "w.pth")
    first = published(tmp_path / "w.pth", tmp_path / "a")
    again = published(first.files[0][0], tmp_path / "a")
    assert [f[0].name for f in again.files] == [f[0].name for f in first.files]


@pytest.mark.parametrize("name", ["", "a/b", "x\0", "x\n", "..", "a\\b"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"--name '.*' is no start of a file's name"):
        published(checkpoint(tmp_path), tmp_path / "out", name=name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    ["model=" + "-" * 20_000 + "1", "model=" + "+".join("1" * 20_000), "model={[]: 1}"],
    ids=["signs", "terms", "keys"],
)
def test_a_recipe_that_python_chokes_on_does_not_stop_publishing(tmp_path, text):
    torch.save(dict(state_dict={"backbone.w": torch.ones(1)}, meta=dict(cfg=text)),
               tmp_path / "w.pth")  # fmt: skip
    result = published(tmp_path / "w.pth", tmp_path / "out")
    assert "- Recipe: not known" in result.card.read_text()
    assert all("is no recipe: ;" not in note for note in result.notes)


def test_an_average_is_published_under_the_model_s_names_and_said(tmp_path):
    state = {"n_averaged": torch.tensor(7), "module.backbone.w": torch.ones(1)}
    torch.save({"model_ema": state, "optimizer": {}}, tmp_path / "w.pth")
    result = published(tmp_path / "w.pth", tmp_path / "out")
    assert list(read_weights(result.files[0][0]).state) == ["backbone.w"]
    assert "running average of weights (EMA) of 7 steps" in result.notes[0]
    assert result.dropped == ("optimizer",)
