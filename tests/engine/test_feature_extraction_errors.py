"""What a user can get wrong is said in one sentence that helps."""

from __future__ import annotations

import runpy
import sys

import pytest
import torch
from engine.feature_runs import RECIPE, TINY, options, random_encoder
from integration.tiny_runs import ROOT, write_videos

from mmpmg import compat
from mmpmg.engine.feature_extraction import ExtractionError, extract_features


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Return a folder with videos, an encoder and what is wrong in one way or another."""
    folder = tmp_path_factory.mktemp("wrong")
    write_videos(folder / "videos")
    state = random_encoder(3)
    torch.save(dict(state_dict=state), folder / "encoder.pth")
    wide = {k: torch.cat([v, v]) if v.ndim == 1 else v for k, v in state.items()}
    torch.save(dict(state_dict=wide), folder / "other.pth")
    said = dict(state_dict=state, meta=dict(conversion=dict(heads=4)))
    torch.save(said, folder / "heads.pth")
    positions = torch.randn(1, 8, 24)
    torch.save(dict(state_dict={**state, "backbone.pos_embed": positions}), folder / "learnt.pth")
    torch.save(dict(state_dict={"fc.weight": torch.ones(1)}), folder / "foreign.pth")
    (folder / "half.pth").write_bytes((folder / "encoder.pth").read_bytes()[:2000])
    (folder / "empty").mkdir()
    (folder / "empty.txt").write_text("\n")
    (folder / "absent.txt").write_text("videos/clip0.mp4 0\nnowhere.mp4 1\n")
    (folder / "file").write_text("")
    return folder


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (dict(checkpoint="nowhere.pth"), ["no checkpoint at", "nowhere.pth"]),
        (dict(checkpoint="other.pth"), ["other.pth does not fit", "in the file"]),
        (dict(checkpoint="heads.pth"), ["heads.pth says", "model.backbone.num_heads=4"]),
        (dict(checkpoint="learnt.pth"), ["positions of 8 tokens", "convert_checkpoint", "resizes"]),
        (dict(checkpoint="foreign.pth"), ["foreign.pth: no video ViT", "fc.weight"]),
        (dict(checkpoint="half.pth"), ["half.pth", "no complete checkpoint"]),
        (dict(videos="nowhere"), ["VIDEOS", "nowhere", "no such folder"]),
        (dict(videos="empty"), ["VIDEOS", "empty", ".mp4"]),
        (dict(videos="empty.txt"), ["empty.txt", "names no video"]),
        (dict(videos="absent.txt"), ["nowhere.mp4", "--root"]),
        (dict(out="f.csv"), ["f.csv", ".npz or .parquet"]),
        (dict(out="file/f.npz"), ["file"]),
        (dict(config="pmg/vit-toy_generated.py"), ["no test_dataloader", "configs/finetune"]),
        (dict(config="vos/vit-toy_davis-mini.py"), ["tests no videos", "LoadSequence"]),
        (dict(config="nowhere.py"), ["no recipe at"]),
        (dict(clips=0), ["--clips 0", "1 or more"]),
        (dict(crops=2), ["--crops 2", "1, 3, 10"]),
        (dict(pool="frame"), ["--pool frame", "video, clip"]),
        (dict(precision="fp64"), ["--precision fp64", "bf16"]),
        (dict(batch_size=0), ["--batch-size 0"]),
        (dict(workers=-1), ["--workers -1"]),
        (dict(device="tpu"), ["--device tpu", "cpu, cuda"]),
        (dict(shard="8/8"), ["--shard 8/8", "0/8 to 7/8"]),
        (dict(max_bad_share=2.0), ["--max-bad-share=2.0", "[0, 1]"]),
        (dict(cfg_options={"model.backbone.depht": 1}), ["depht"]),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_mistake_is_named(changed, words, given, tmp_path):
    values = dict(out="out/f.npz", checkpoint="encoder.pth", videos="videos") | changed
    for key in ("checkpoint", "videos"):
        values[key] = given / values[key]
    values["out"] = (given if "file/" in values["out"] else tmp_path) / values["out"]
    if "config" in changed:
        values["config"] = ROOT / "configs" / changed["config"]
        values["cfg_options"] = {}
        values["config"] = str(values["config"])
    with pytest.raises(ExtractionError) as error:
        extract_features(options(**values))
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value).strip()
    assert not list(tmp_path.rglob("*.npz"))


def test_a_missing_decoder_is_named_with_what_to_type(given, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)
    monkeypatch.setattr(compat, "find_spec", lambda name: None)
    with pytest.raises(ExtractionError, match="DecordInit.*pip install decord"):
        extract_features(options(tmp_path / "f.npz", given / "encoder.pth", given / "videos"))


def test_parquet_without_pyarrow_says_so_first(given, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtractionError, match=r"pip install pyarrow, or name an \.npz"):
        extract_features(options(tmp_path / "f.parquet", "nowhere", "nowhere"))


def test_a_gpu_that_is_not_there(given, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ExtractionError, match="--device cuda.*no GPU.*--device cpu"):
        extract_features(
            options(tmp_path / "f.npz", given / "encoder.pth", given / "videos", device="cuda")
        )


def run_here(monkeypatch, *words):
    """Run the tool in this process, on a command line."""
    tool = str(ROOT / "tools/extract_features.py")
    monkeypatch.setattr(sys, "argv", [tool, *map(str, words)])
    runpy.run_path(tool, run_name="__main__")


def test_the_tool_prints_the_sentence_and_no_traceback(given, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run_here(
            monkeypatch, RECIPE, given / "encoder.pth", given / "empty", "--out", tmp_path / "f.npz"
        )
    assert ended.value.code == 1
    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == 1 and printed[0].startswith("error: VIDEOS")


def test_stopping_says_that_the_same_command_goes_on(given, tmp_path, monkeypatch, capsys):
    from mmpmg.engine.feature_extraction import extraction

    def stop(self, items):
        raise KeyboardInterrupt

    monkeypatch.setattr(extraction.PooledEncoder, "__call__", stop)
    changes = [f"{key}={value}".replace(" ", "") for key, value in TINY.items()]
    with pytest.raises(SystemExit) as ended:
        run_here(
            monkeypatch, RECIPE, given / "encoder.pth", given / "videos", "--out",
            tmp_path / "f.npz", "--workers", 0, "--device", "cpu", "--cfg-options", *changes,
        )  # fmt: skip
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err
