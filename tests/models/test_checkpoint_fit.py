from pickle import UnpicklingError

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from torch import nn
from torch.optim.swa_utils import AveragedModel

from mmpmg.engine import ShardedStrategy
from mmpmg.models.checkpoint_fit import check_file, check_fit
from mmpmg.models.tokenizers import VQVAE2D, VQVAE3D
from mmpmg.models.weight_files import read_weights


class Model(nn.Module):
    def __init__(self, width=4, classes=2):
        super().__init__()
        self.backbone = nn.Linear(3, width)
        self.backbone.norm = nn.LayerNorm(width)
        self.backbone.register_buffer("positions", torch.zeros(width))
        self.cls_head = nn.Linear(width, classes)


def test_its_own_weights_another_classifier_and_an_encoder_alone_fit(tmp_path):
    check_fit(Model(), Model().state_dict(), "file")
    check_fit(Model(), Model(classes=7).state_dict(), "file")
    encoder = {k: v for k, v in Model().state_dict().items() if k.startswith("backbone.")}
    check_fit(Model(), {**encoder, "necks.x": torch.zeros(1)}, "file")
    file = tmp_path / "encoder.pth"
    for content in (encoder, dict(state_dict=encoder)):
        torch.save(content, file)
        check_file(Model(), str(file))


def test_positions_of_another_length_fit():
    state = {**Model().state_dict(), "backbone.positions": torch.zeros(9)}
    check_fit(Model(), state, "file")


def test_another_width_is_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"load_from=f.pth .*2 of 2.*\(5, 3\).*\(4, 3\).*embed_d"):
        check_fit(Model(), Model(width=5).state_dict(), "load_from=f.pth")


@pytest.mark.parametrize("state", [{}, {"encoder.weight": torch.zeros(4, 3)},
                                   {"cls_head.bias": torch.zeros(2)}])  # fmt: skip
def test_a_file_of_something_else_is_refused(state):
    told = r"no weight of this model.*backbone\.weight.*convert_checkpoint.* FILE OUT"
    with pytest.raises(ValueError, match=told):
        check_fit(Model(), state, "f.pth")


@pytest.mark.parametrize("how", ["half", "junk", "empty", "number"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, how):
    file = tmp_path / "epoch_1.pth"
    torch.save(Model().state_dict() if how != "number" else 3, file)
    if how == "half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif how != "number":
        file.write_bytes(b"" if how == "empty" else b"\x89PNG junk")
    told = dict(half="complete", junk="PNG picture", empty="empty", number="holds a int")[how]
    with pytest.raises(ValueError, match=rf"epoch_1\.pth.*{told}"):
        check_file(Model(), str(file))


@pytest.mark.parametrize("whole", [False, True])
def test_every_weight_of_the_encoder_must_be_there_and_no_other(whole):
    state = Model().state_dict()
    check_fit(Model(), {**state, "backbone.pos_embed": torch.zeros(9)}, "file", whole)
    check_fit(Model(), {**state, "backbone.fc_norm.weight": torch.zeros(4)}, "file", whole)
    lacking = {key: value for key, value in state.items() if key != "backbone.weight"}
    with pytest.raises(ValueError, match=r"1 weights are missing.*backbone\.weight is missing"):
        check_fit(Model(), lacking, "file", whole)
    with pytest.raises(ValueError, match=r"1 are left over.*backbone\.cls_token is left over"):
        check_fit(Model(), {**state, "backbone.cls_token": torch.zeros(4)}, "file", whole)


def test_only_the_closing_norms_and_the_classifier_may_be_missing():
    encoder = {k: v for k, v in Model().state_dict().items() if not k.startswith("cls_head.")}
    open_end = {k: v for k, v in encoder.items() if not k.startswith("backbone.norm.")}
    check_fit(Model(), open_end, "file")
    with pytest.raises(ValueError, match="a pre-trained encoder without a classifier"):
        check_fit(Model(), open_end, "file", whole=True)
    whole = Model().state_dict()
    lacking = {k: v for k, v in whole.items() if not k.startswith("backbone.norm.")}
    with pytest.raises(ValueError, match=r"2 weights are missing.*backbone\.norm\.weight"):
        check_fit(Model(), lacking, "file", whole=True)


SIZES = dict(num_codes=16, code_dim=6, channels=8, layers=1)


def test_a_tokenizer_goes_on_with_its_own_codebook_only():
    init_default_scope("mmaction")
    tokenizer = VQVAE3D(**SIZES)
    state = tokenizer.state_dict()
    check_fit(tokenizer, state, "--resume f.pth", whole=True)
    old = {key: value for key, value in state.items() if key != "settings"}
    check_fit(tokenizer, old, "--resume f.pth", whole=True)
    larger = VQVAE3D(**SIZES | dict(num_codes=32)).state_dict()
    with pytest.raises(ValueError, match=r"codebook.*\(32, 6\) in the file.*num_codes, code_dim"):
        check_fit(tokenizer, larger, "--resume f.pth", whole=True)
    for key in ("codebook.N", "encoder.res_stack.0.block.0.running_var"):
        lacking = {k: v for k, v in state.items() if k != key}
        with pytest.raises(ValueError, match=f"{key} is missing"):
            check_fit(tokenizer, lacking, "--resume f.pth", whole=True)
    with pytest.raises(ValueError, match=r"give the tokenizer \(model.type"):
        check_fit(VQVAE2D(**SIZES), state, "f.pth", whole=True)


@pytest.mark.parametrize("content", [dict(model=nn.Linear(2, 2)), "junk"])
def test_nobody_is_told_to_run_what_a_file_says(tmp_path, content):
    file = tmp_path / "swin.pth"
    if content == "junk":
        file.write_bytes(b"\x99 no pickle")
    else:
        torch.save(content, file)
    with pytest.raises(UnpicklingError, match=r"swin\.pth: .*save model\.state_dict") as error:
        check_file(Model(), str(file))
    assert "weights_only" not in str(error.value)
    assert ("whole model or code (torch.nn" in str(error.value)) == (content != "junk")


@pytest.mark.parametrize("name", ["", "state_dict"])
@pytest.mark.parametrize("wrap", [nn.DataParallel, AveragedModel])
def test_what_distributed_training_puts_before_names_is_no_fault(tmp_path, name, wrap):
    trained, model, file = Model(), Model(), str(tmp_path / "w.pth")
    state = wrap(trained).state_dict()
    assert sum(key.startswith("module.") for key in state) == len(trained.state_dict())
    torch.save({name: state} if name else state, file)
    check_file(model, file, whole=True)
    load_checkpoint(model, file)  # which load_from, --resume and tools/test.py go through
    assert all(torch.equal(model.state_dict()[key], v) for key, v in trained.state_dict().items())


@pytest.mark.parametrize("read", [lambda file: check_file(Model(), file), read_weights])
def test_names_of_which_some_are_of_distributed_training_are_refused(tmp_path, read):
    state = Model().state_dict()
    state["module.backbone.bias"] = state.pop("backbone.bias")
    torch.save(state, tmp_path / "w.pth")
    told = (
        r"w\.pth has 1 names that begin with 'module\.', such as module\.backbone\.bias, and 6 "
        r"that do not, such as backbone\.weight"
    )
    with pytest.raises(ValueError, match=told):
        read(str(tmp_path / "w.pth"))


def test_sharded_training_takes_them_too():
    trained, strategy = Model(), ShardedStrategy.__new__(ShardedStrategy)
    strategy.model = Model()
    strategy.load_model_state_dict({f"module.{k}": v for k, v in trained.state_dict().items()})
    assert torch.equal(strategy.model.backbone.weight, trained.backbone.weight)
