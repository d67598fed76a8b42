"""Files of tokenizers: VideoGPT's layout, our own, and those that are refused."""

import argparse
import os
import pickle
import sys
import types

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from reference.videogpt_reference import random_state

from mmpmg.models.tokenizers import VQVAE2D, VQVAE3D, load_tokenizer

SIZES = dict(num_codes=16, code_dim=6, channels=8, layers=1)


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def settings(**changes):
    """What VideoGPT's scripts leave in a file: its own options among the trainer's."""
    own = dict(
        embedding_dim=6, n_codes=16, n_hiddens=8, n_res_layers=1, downsample=[2, 4, 4],
        sequence_length=16, resolution=128, batch_size=8, data_path="videos", gpus=8,
    )  # fmt: skip
    return argparse.Namespace(**dict(own, **changes))


@pytest.fixture
def lightning(monkeypatch):
    """Lightning's names, as they are where a file is written; none of them is there to read it."""
    with monkeypatch.context() as patch:
        root = "pytorch_lightning"
        modules = [f"{root}.callbacks.model_checkpoint", f"{root}.utilities.argparse"]
        for name in (root, f"{root}.callbacks", f"{root}.utilities", *modules):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        callback = type("ModelCheckpoint", (), {"__module__": modules[0]})
        sys.modules[modules[0]].ModelCheckpoint = callback

        def _gpus_arg_default(text):
            return text

        _gpus_arg_default.__module__ = modules[1]
        _gpus_arg_default.__qualname__ = "_gpus_arg_default"
        sys.modules[modules[1]]._gpus_arg_default = _gpus_arg_default
        yield types.SimpleNamespace(callback=callback, default=_gpus_arg_default)


def write(file, state, lightning, arguments=None):
    torch.save(
        {
            "epoch": 3,
            "global_step": 200000,
            "pytorch-lightning_version": "1.3.3",
            "state_dict": state,
            "callbacks": {
                lightning.callback: {
                    "monitor": "val/recon_loss",
                    "best_model_score": torch.tensor(0.02),
                    "best_model_path": "best.ckpt",
                }
            },
            "optimizer_states": [{"state": {}, "param_groups": [{"lr": 3e-4}]}],
            "lr_schedulers": [],
            "hparams_name": "args",
            "hyper_parameters": {"args": arguments or settings(tpu_cores=lightning.default)},
        },
        file,
    )
    for name in [name for name in sys.modules if name.startswith("pytorch_lightning")]:
        del sys.modules[name]
    return str(file)


def float_state(**changes):
    state = random_state(**dict(SIZES, **changes))
    return {key: value.float() if value.dtype.is_floating_point else value
            for key, value in state.items()}  # fmt: skip


def test_a_file_of_videogpt_s_layout_fills_the_tokenizer(tmp_path, lightning):
    state = float_state()
    file = write(tmp_path / "kinetics_stride2x4x4", state, lightning)
    tokenizer = VQVAE3D(**SIZES)
    load_tokenizer(tokenizer, file)
    own = tokenizer.state_dict()
    assert own.pop("codebook.num_updates") == 0
    assert own.pop("settings").tolist() == [2, 4, 4, 2], "which the file does not have"
    assert own.keys() == state.keys()
    for key, value in state.items():
        assert own[key].equal(value), key
    assert tokenizer.codebook.filled, "training goes on with these codes"
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file, weights_only=True)  # the stand-ins are gone again


def test_a_checkpoint_of_our_training_fills_the_tokenizer(tmp_path):
    trained = VQVAE2D(**SIZES)
    trained.codebook.num_updates += 17
    history = HistoryBuffer([1.0, 0.5], [1, 1])
    torch.save(
        dict(state_dict=trained.state_dict(), meta=dict(epoch=1), message_hub=dict(loss=history)),
        tmp_path / "epoch_1.pth",
    )
    tokenizer = VQVAE2D(**SIZES)
    load_tokenizer(tokenizer, str(tmp_path / "epoch_1.pth"))
    for key, value in trained.state_dict().items():
        assert tokenizer.state_dict()[key].equal(value), key


class Crafted:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("place", ["hyper_parameters", "callbacks", "state_dict"])
def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path, place):
    mark = tmp_path / "ran"
    file = tmp_path / "crafted.ckpt"
    content = {"state_dict": float_state(), "hyper_parameters": {"args": settings()}}
    content[place] = {"args": Crafted(f"touch {mark}")}
    torch.save(content, file)
    with pytest.raises(pickle.UnpicklingError, match=r"crafted\.ckpt"):
        load_tokenizer(VQVAE3D(**SIZES), str(file))
    assert not mark.exists()


def test_a_codebook_of_another_size_is_named(tmp_path):
    file = tmp_path / "large.pth"
    torch.save(float_state(num_codes=32), file)
    with pytest.raises(ValueError, match=r"32 codes of 6 numbers.*tokenizer\.num_codes=32"):
        load_tokenizer(VQVAE3D(**SIZES), str(file))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(n_codes=2048), r"head\.target\.tokenizer\.num_codes=2048"),
        (
            dict(n_hiddens=240),
            r"n_hiddens=240, .* channels=8; set .*target\.tokenizer\.channels=240",
        ),
        (dict(downsample=[4, 4, 4]), r"tokenizer\.downsample=\(4, 4, 4\)"),
    ],
)
def test_settings_of_videogpt_that_differ_are_named(tmp_path, lightning, changes, words):
    file = write(tmp_path / "other.ckpt", float_state(), lightning, settings(**changes))
    with pytest.raises(ValueError, match=words):
        load_tokenizer(VQVAE3D(**SIZES), file)


def test_weights_of_another_tokenizer_are_refused(tmp_path):
    file = str(tmp_path / "frames.pth")
    torch.save(VQVAE2D(**SIZES).state_dict(), file)
    with pytest.raises(ValueError, match=r"weights are missing, such as .*attn_t"):
        load_tokenizer(VQVAE3D(**SIZES), file)
    torch.save(float_state(), file)
    with pytest.raises(ValueError, match=r"are left over, such as .*attn_t"):
        load_tokenizer(VQVAE2D(**SIZES), file)
    with pytest.raises(ValueError, match=r"is \(8, 3, 4, 4, 4\) in the file"):
        load_tokenizer(VQVAE3D(**dict(SIZES, channels=12)), file)
    torch.save({"backbone.norm.weight": torch.zeros(3)}, file)
    with pytest.raises(ValueError, match="no checkpoint of a tokenizer"):
        load_tokenizer(VQVAE3D(**SIZES), file)


def test_a_missing_file_tells_how_to_train_one():
    with pytest.raises(
        FileNotFoundError, match=r"no\.pth.*target\.checkpoint names.*configs/tokenizer"
    ):
        load_tokenizer(VQVAE3D(**SIZES), "no.pth")


def of_our_training(file, kind=VQVAE3D, **options):
    torch.save(dict(state_dict=kind(**SIZES | options).state_dict(), meta=dict(epoch=1)), file)
    return str(file)


@pytest.mark.parametrize(
    ("kind", "trained", "recipe", "words"),
    [
        (VQVAE3D, dict(downsample=(4, 4, 4)), dict(), r"downsample=\(4, 4, 4\)"),
        (VQVAE3D, dict(num_heads=4), dict(num_heads=2), "num_heads=4"),
        (VQVAE2D, dict(downsample=(2, 4, 4)), dict(downsample=(1, 4, 4)), r"\(2, 4, 4\)"),
    ],
)
def test_settings_that_no_shape_tells_are_compared(tmp_path, kind, trained, recipe, words):
    file = of_our_training(tmp_path / "epoch_1.pth", kind, **trained)
    with pytest.raises(ValueError, match=rf"epoch_1\.pth was trained with .*{words}"):
        load_tokenizer(kind(**SIZES | recipe), file)
    with pytest.raises(ValueError, match=words):  # as a resumed run loads it
        load_checkpoint(kind(**SIZES | recipe), file)
    load_tokenizer(kind(**SIZES | trained), file)


def test_a_checkpoint_from_before_settings_were_kept_still_loads(tmp_path):
    state = VQVAE3D(**SIZES).state_dict()
    del state["settings"]
    torch.save(state, tmp_path / "old.pth")
    load_tokenizer(VQVAE3D(**SIZES), str(tmp_path / "old.pth"))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("codebook.embeddings", torch.full((16, 6), torch.nan), "no numbers"),
        ("codebook.embeddings", torch.zeros(5), "no table"),
        ("codebook.embeddings", [1, 2], "a list as codebook.embeddings"),
        ("encoder.conv_last.conv.bias", 7, "a int as encoder"),
        ("settings", torch.zeros(0, dtype=torch.int64), "trained with"),
    ],
)
def test_a_damaged_state_is_refused_by_name(tmp_path, key, value, words):
    torch.save({**VQVAE3D(**SIZES).state_dict(), key: value}, tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=rf"bad\.pth .*({words})"):
        load_tokenizer(VQVAE3D(**SIZES), str(tmp_path / "bad.pth"))


def test_settings_that_hold_themselves_are_left_at_that(tmp_path):
    looped: dict = {}
    looped["args"] = looped
    content = dict(state_dict=float_state(), hyper_parameters=looped)
    torch.save(content, tmp_path / "loop.ckpt")
    load_tokenizer(VQVAE3D(**SIZES), str(tmp_path / "loop.ckpt"))
    content["hyper_parameters"] = dict(downsample=4)
    torch.save(content, tmp_path / "loop.ckpt")
    with pytest.raises(ValueError, match=r"downsample=4, and .*tokenizer\.downsample=4"):
        load_tokenizer(VQVAE3D(**SIZES), str(tmp_path / "loop.ckpt"))
