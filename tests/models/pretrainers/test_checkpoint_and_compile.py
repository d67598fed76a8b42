"""Activation checkpointing and torch.compile change neither loss nor gradients."""

import copy
import shutil

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from reference.tiny_pretrainer import tiny_pretrainer

CONFIG = tiny_pretrainer()


def build(with_cp=False, drop_path=0.0, device="cpu", depth=2):
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIG)
    config["backbone"].update(with_cp=with_cp, drop_path_rate=drop_path, depth=depth)
    config["branches"]["pixel"]["neck"]["with_cp"] = with_cp
    model = MODELS.build(config)
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.to(device).train()


def outcome(model, step=None, device="cpu", autocast=False, seed=0):
    """Loss and gradients of one batch; drop path draws the same each time."""
    generator = torch.Generator().manual_seed(1)
    clip = torch.randn(2, 1, 3, 8, 32, 32, generator=generator).to(device)
    samples = [ActionDataSample() for _ in range(2)]
    for number, sample in enumerate(samples):
        sample.set_metainfo(dict(sample_seed=seed + number))
    torch.manual_seed(2)
    model.zero_grad()
    with torch.autocast(device, torch.bfloat16, enabled=autocast):
        forward = model if step is None else step
        loss = forward(clip, samples, mode="loss")["loss_pixel"]
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters()}


def assert_same(one, other, rtol=1e-5, atol=1e-7):
    assert one[0] == pytest.approx(other[0], rel=rtol)
    for name, grad in one[1].items():
        torch.testing.assert_close(other[1][name], grad, rtol=rtol, atol=atol, msg=name)


@pytest.mark.parametrize("drop_path", [0.0, 0.5])
def test_checkpointing_is_exact_drop_path_included(drop_path):
    plain = outcome(build(False, drop_path))
    assert_same(outcome(build(True, drop_path)), plain, rtol=0, atol=0)
    if drop_path:
        assert plain[0] != outcome(build(False, 0.0))[0], "drop path drew nothing"


def kept(model):
    storages = {}

    def pack(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    samples = [ActionDataSample() for _ in range(2)]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = model(torch.zeros(2, 1, 3, 8, 32, 32), samples, mode="loss")
        total = sum(storages.values())
    del loss
    return total


def test_checkpointing_keeps_less():
    assert kept(build(True)) < 0.7 * kept(build(False))


@pytest.mark.parametrize("with_cp", [False, True])
def test_every_block_is_computed_again_or_none(with_cp):
    model, runs = build(with_cp), []
    blocks = [*model.backbone.blocks, *model.necks["pixel"].blocks]
    for number, block in enumerate(blocks):
        block.register_forward_pre_hook(lambda *_, number=number: runs.append(number))
    outcome(model)
    assert sorted(runs) == sorted((1 + with_cp) * list(range(len(blocks))))


@pytest.mark.slow
@pytest.mark.parametrize("with_cp", [False, True])
def test_compiling_the_traced_step_is_exact(with_cp):
    """Everything but code generation: tracing, and splitting forward from backward."""
    torch.compiler.reset()
    model = build(with_cp)
    plain = outcome(model)
    assert_same(outcome(model, torch.compile(model, backend="aot_eager")), plain, 1e-4, 1e-5)


@pytest.mark.slow
def test_other_seeds_are_no_reason_to_compile_again():
    torch.compiler.reset()
    model, graphs = build(depth=1), []

    def count(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    step = torch.compile(model, backend=count)
    losses = [outcome(model, step, seed=seed)[0] for seed in (0, 10, 20)]
    first = len(graphs)
    losses += [outcome(model, step, seed=seed)[0] for seed in (30, 40, 50)]
    assert len(graphs) == first
    assert len(set(losses)) == 6


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_compiled_step_agrees():
    torch.compiler.reset()
    model = build(depth=1)
    plain = outcome(model)
    assert_same(outcome(model, torch.compile(model)), plain, 1e-4, 1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("autocast", [False, True])
def test_compiled_step_agrees_on_a_gpu(autocast):
    torch.compiler.reset()
    model = build(device="cuda")
    plain = outcome(model, device="cuda", autocast=autocast)
    compiled = outcome(model, torch.compile(model), "cuda", autocast)
    tolerance = (2e-2, 2e-2) if autocast else (1e-3, 1e-4)
    assert_same(compiled, plain, *tolerance)


@pytest.mark.gpu
def test_checkpointing_agrees_on_a_gpu_in_bf16():
    plain = outcome(build(device="cuda"), device="cuda", autocast=True)
    again = outcome(build(True, device="cuda"), device="cuda", autocast=True)
    assert_same(again, plain, 1e-2, 1e-3)
