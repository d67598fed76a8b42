"""Fine-tuning on bad lists, class numbers and checkpoints: refused before the first step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from integration.forked_tools import fork_tool
from integration.tiny_runs import finetuning, options_of, pretraining, refusal

from mmpmg.engine.training import train

RECIPE = "finetune/vit-toy_gestures.py"
TRAIN, VAL = "train_dataloader.dataset", "val_dataloader.dataset"
BLENDING = "model.data_preprocessor.blending"


@pytest.fixture(scope="module")
def runs(tmp_path_factory, pictures, videos):
    """Return a folder with a pre-training (encoder.pth, epoch_1.pth) and a fine-tuning of it."""
    folder = tmp_path_factory.mktemp("runs")
    changes = pretraining(pictures, experiment_name="bad-pre")
    train(options_of("pmg/vit-toy_photographs.py", folder / "pre", changes))
    changes = finetuning(videos, folder / "pre/encoder.pth", experiment_name="bad-fine")
    train(options_of(RECIPE, folder / "fine", changes))
    zeros = torch.zeros(24, 24)
    torch.save({"state_dict": {"backbone.conv1.conv.weight": zeros}}, folder / "slowonly.pth")
    torch.save({"videomae.encoder.layer.0.attention.query.weight": zeros}, folder / "hf.pth")
    swin = {"backbone.patch_embed.projection.weight": torch.zeros(24, 3, 2, 8, 8),
            "backbone.layers.0.blocks.0.attn.qkv.weight": zeros}  # fmt: skip
    torch.save({"state_dict": swin}, folder / "swin.pth")
    return folder


def lines_of(videos: Path, case: str) -> list[str]:
    lines = videos.read_text().splitlines()
    return {
        "missing": [*lines, "clip98.mp4 0", "deeper/clip99.mp4 1"],
        "no label": [*lines[:-1], "clip7.avi"],
        "negative": [*lines[:-1], "clip7.avi -1"],
        "semicolon": [line.replace(" ", ";") for line in lines],
        "label 7": [*lines[:-1], "clip7.avi 7"],
        "one class": [line for line in lines if line.endswith("0")],
        "empty": [],
    }[case]


@pytest.mark.parametrize("part", [TRAIN, VAL])
@pytest.mark.parametrize(
    ("case", "words"),
    [
        (
            "missing",
            ["2 of the 10 videos", "clip98.mp4", "data_prefix.video", "tools/prepare_data"],
        ),
        ("no label", ["1 of 8 videos no label", "clip7.avi", "`path label`"]),
        ("negative", ["1 of the 8 videos", "No label was found", "clip7.avi -1"]),
        ("semicolon", ["8 of the 8", "No label was found", "dataset.delimiter=' '"]),
        ("label 7", ["label 7", "clip7.avi", "num_classes=2 allows 0 to 1", "num_classes=8"]),
        ("empty", ["names no video", "ann_file", "tools/prepare_data.py"]),
    ],
)
def test_a_bad_list_is_refused(part, case, words, videos, tmp_path, monkeypatch):
    file = videos.parent / f"{case}.txt"
    file.write_text("\n".join(lines_of(videos, case)))
    changes = {**finetuning(videos, None), f"{part}.ann_file": file}
    last = refusal(RECIPE, changes, tmp_path / re.sub(r"\W", "_", case + part), monkeypatch)
    assert str(file) in last
    assert not [word for word in words if word not in last], last


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({f"{TRAIN}.ann_file": "no/such.txt"}, ["no/such.txt", "ann_file", "does not exist"]),
        ({f"{TRAIN}.data_prefix.video": "no/where"}, ["8 of the 8 videos", "no/where"]),
        ({"model.cls_head.num_classes": 1}, ["label 1", "allows 0 to 0", "num_classes=2"]),
        ({"model.cls_head.num_classes": 3}, ["no video of 1 of the 3 classes", "num_classes=2"]),
        ({f"{BLENDING}.num_classes": 5, f"{BLENDING}.type": "MixupOrCutmix",
          f"{BLENDING}._delete_": True},
         ["model.cls_head.num_classes=2", f"{BLENDING}.num_classes=5", "must be the same"]),
        ({"model.cls_head.in_channels": 48}, ["in_channels=48", "24", "in_channels=24"]),
    ],
    ids=["list", "folder", "too few", "too many", "blending", "width"],
)  # fmt: skip
def test_numbers_and_places_that_do_not_fit_are_refused(
    changes, words, videos, tmp_path, monkeypatch
):
    name = re.sub(r"\W", "_", str(changes))[-50:]
    last = refusal(RECIPE, {**finetuning(videos, None), **changes}, tmp_path / name, monkeypatch)
    assert not [word for word in words if word not in last], last


def test_a_class_without_a_video_is_named_in_a_few_shot_list(videos, tmp_path, monkeypatch):
    file = videos.parent / "1-shot.txt"
    file.write_text("\n".join(lines_of(videos, "one class")))
    changes = finetuning(videos, None, **{"train_dataloader.batch_size": 1})
    changes[f"{TRAIN}.ann_file"] = file
    last = refusal(RECIPE, changes, tmp_path / "few-shot", monkeypatch)
    for words in (str(file), "no video of 1 of the 2 classes", ": 1.", "empty_classes=[1]"):
        assert words in last, last


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        ("pre/encoder.pth", {"model.backbone.embed_dims": 48, "model.cls_head.in_channels": 48},
         ["does not fit", "(24, 3, 2, 8, 8) in the file, (48, 3, 2, 8, 8) in the model"]),
        ("pre/encoder.pth", {"model.backbone.depth": 2}, ["blocks.1.norm1.weight is missing"]),
        ("pre/encoder.pth", {"model.backbone.patch_size": 16}, ["(24, 3, 2, 16, 16)"]),
        ("slowonly.pth", {}, ["no weight of this model", "backbone.conv1.conv.weight"]),
        ("hf.pth", {}, ["no weight of this model", "videomae.encoder", "export_encoder.py"]),
        ("swin.pth", {}, ["does not fill the recipe's model", "patch_embed.projection.bias is"]),
    ],
    ids=["width", "depth", "patch", "slowonly", "huggingface", "swin"],
)  # fmt: skip
def test_a_checkpoint_of_another_size_or_method_is_refused(
    file, changes, words, runs, videos, tmp_path, monkeypatch
):
    changes = {**finetuning(videos, runs / file), **changes}
    name = f"ckpt-{file.replace('/', '-')}-{len(str(changes))}"
    last = refusal(RECIPE, changes, tmp_path / name, monkeypatch)
    assert f"load_from={runs / file}" in last or f"{runs / file} does not fill" in last
    assert not [word for word in words if word not in last], last
    if file.startswith("pre"):  # the same file, where MMEngine itself would look for it
        del changes["load_from"]
        changes["model.backbone.init_cfg"] = [
            dict(type="Pretrained", checkpoint=str(runs / file), prefix="backbone.")
        ]
        with pytest.raises(
            ValueError, match=r"model\.backbone\.init_cfg with checkpoint="
        ) as error:
            train(
                options_of(RECIPE, tmp_path / "named", {**changes, "experiment_name": name + "n"})
            )
        assert not [word for word in words if word not in str(error.value)], error.value


def test_an_encoder_that_fits_is_welcome_as_init_cfg_too(runs, videos, tmp_path):
    changes = finetuning(videos, None, experiment_name="fits")
    changes["model.backbone.init_cfg"] = [
        dict(type="Pretrained", checkpoint=str(runs / "pre/encoder.pth"), prefix="backbone.")
    ]
    train(options_of(RECIPE, tmp_path, changes))
    assert (tmp_path / "epoch_2.pth").is_file()


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        ("fine/epoch_2.pth", {"model.backbone.embed_dims": 48, "model.cls_head.in_channels": 48},
         ["does not fit", "(24, 3, 2, 8, 8) in the file"]),
        ("pre/epoch_1.pth", {}, ["without a classifier", "load_from="]),
        ("weights.pth", {}, ["lacks the optimizer's state", "load_from="]),
    ],
    ids=["size", "method", "weights alone"],
)  # fmt: skip
def test_a_run_does_not_go_on_from_another_run_s_checkpoint(
    file, changes, words, runs, videos, tmp_path, monkeypatch
):
    state = torch.load(runs / "fine/epoch_2.pth", weights_only=False)["state_dict"]
    torch.save({"state_dict": state}, runs / "weights.pth")
    changes = {**finetuning(videos, None, **{"train_cfg.max_epochs": 4}), **changes}
    place = tmp_path / f"resumed-{file.replace('/', '-')}"
    last = refusal(RECIPE, changes, place, monkeypatch, "--resume", str(runs / file))
    assert f"--resume {runs / file}" in last
    assert not [word for word in words if word not in last], last


def test_a_recipe_changed_between_start_and_resumption_is_refused(runs, videos, monkeypatch):
    changes = finetuning(videos, None, experiment_name="changed")
    changes |= {"model.cls_head.num_classes": 2, "model.backbone.depth": 3}
    options = options_of(RECIPE, runs / "fine", changes)
    options.resume = "auto"
    with pytest.raises(ValueError, match=r"--resume .*epoch_2\.pth does not fill.*blocks\.1"):
        train(options)


def test_a_refusal_is_an_exit_status_for_a_shell(videos, tmp_path):
    changes = finetuning(videos, None, **{"model.cls_head.num_classes": 1})
    del changes["load_from"]
    run = fork_tool("train.py", RECIPE, "--work-dir", tmp_path, changes=changes)
    assert run.status == 1
    assert run.last_line.startswith("error: ") and "has label 1" in run.last_line
    assert "Traceback" not in run.output
    assert not run.iterations
