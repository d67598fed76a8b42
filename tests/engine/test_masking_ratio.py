from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from integration.tiny_runs import options_of, pretraining, write_images
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from mmengine.runner import Runner
from reference.flow_guided_masking import progressive_ratio
from reference.motion_samples import samples_of
from reference.tiny_pretrainer import tiny_pretrainer
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch.utils.data import DataLoader

from mmpmg.engine.hooks import MaskingRatioHook
from mmpmg.engine.training import train
from mmpmg.models.maskers import FlowGuidedDenseMasker, RunningCellMasker, TubeMasker

DEMVM = dict(spatial_ratio=(0.3, 0.8), temporal_ratio=(0.3, 0.9))
PER_EPOCH = 3


class Masked(BaseModel):
    """One weight, and a masker whose ratios are noted at every step."""

    def __init__(self, masker: nn.Module) -> None:
        super().__init__()
        self.masker = masker
        self.backbone = nn.Identity()
        self.backbone.grid = (2, 4, 4)
        self.weight = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[float, ...]] = []

    def forward(self, inputs, mode="loss"):
        self.seen.append(tuple(getattr(self.masker, name) for name in self.masker.schedulable))
        return dict(loss=self.weight * inputs.float().mean())


class Bare(BaseModel):
    def forward(self, inputs, mode="loss"):
        raise AssertionError("not to be trained")


def batches(items: list) -> dict:
    return dict(inputs=torch.stack(items))


def runner_of(
    model: nn.Module, work_dir: Path, hook: dict | MaskingRatioHook, epochs: int, **loop
) -> Runner:
    data = [torch.tensor(float(k)) for k in range(PER_EPOCH)]
    return Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=DataLoader(data, batch_size=1, collate_fn=batches),
        optim_wrapper=dict(optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
        if any(True for _ in model.parameters())
        else dict(optimizer=torch.optim.SGD([nn.Parameter(torch.ones(()))], lr=0.1)),
        train_cfg=loop or dict(by_epoch=True, max_epochs=epochs),
        custom_hooks=[hook],
        default_hooks=dict(
            logger=dict(type="LoggerHook", interval=1),
            checkpoint=dict(type="CheckpointHook", interval=5),
        ),
        experiment_name=work_dir.name,
        default_scope="mmaction",
        launcher="none",
    )


def test_ratios_at_epochs_0_1_5_and_10_by_hand():
    hook = MaskingRatioHook(DEMVM, period=100)
    by_hand = {
        0: (0.3, 0.3),
        1: (0.35, 0.36),  # a tenth of the way: the root of 1 / 100
        5: (0.411803, 0.434164),  # .223607 of .5 and .6
        10: (0.458114, 0.489737),  # .316228
        25: (0.55, 0.6),
        100: (0.8, 0.9),
        250: (0.8, 0.9),
    }
    for epoch, (spatial, temporal) in by_hand.items():
        found = hook.ratios_at(epoch)
        assert found["spatial_ratio"] == pytest.approx(spatial, abs=1e-6)
        assert found["temporal_ratio"] == pytest.approx(temporal, abs=1e-6)
        if epoch <= 100:
            assert found["spatial_ratio"] == pytest.approx(progressive_ratio(0.3, 0.8, epoch, 100))
            assert found["temporal_ratio"] == pytest.approx(progressive_ratio(0.3, 0.9, epoch, 100))


def test_other_curves_and_schedules_that_fall():
    hook = MaskingRatioHook(dict(mask_ratio=(0.9, 0.5)), period=8, power=1)
    assert hook.ratios_at(2) == dict(mask_ratio=pytest.approx(0.8))


def test_a_run_and_its_resume_follow_the_schedule_and_log_it(tmp_path):
    hook = dict(type="MaskingRatioHook", ratios=DEMVM, period=100)
    whole = Masked(FlowGuidedDenseMasker())
    runner_of(whole, tmp_path / "whole", deepcopy(hook), 11).train()
    expected = [
        (progressive_ratio(0.3, 0.8, epoch, 100), progressive_ratio(0.3, 0.9, epoch, 100))
        for epoch in range(11)
        for _ in range(PER_EPOCH)
    ]
    assert whole.seen == [pytest.approx(pair) for pair in expected]

    runner_of(Masked(FlowGuidedDenseMasker()), tmp_path / "broken", deepcopy(hook), 5).train()
    resumed = Masked(FlowGuidedDenseMasker())
    runner = runner_of(resumed, tmp_path / "broken", deepcopy(hook), 11)
    runner._resume = True
    runner.train()
    assert resumed.seen == whole.seen[5 * PER_EPOCH :], "the very same numbers"

    (scalars,) = (tmp_path / "whole").glob("*/vis_data/scalars.json")
    records = [json.loads(line) for line in scalars.read_text().splitlines()]
    logged = [(r["spatial_ratio"], r["temporal_ratio"]) for r in records if "loss" in r]
    assert logged == [pytest.approx(pair) for pair in expected]
    (log,) = (tmp_path / "whole").glob("*/*.log")
    lines = re.findall(r"Epoch\(train\) +\[6\].*spatial_ratio: 0\.4118.*", log.read_text())
    assert len(lines) == PER_EPOCH
    assert "temporal_ratio: 0.4342" in lines[0]


def test_iterations_can_be_counted(tmp_path):
    model = Masked(TubeMasker(0.9))
    hook = dict(type="MaskingRatioHook", ratios=dict(mask_ratio=(0.5, 0.9)), period=4, by="iter")
    runner_of(model, tmp_path / "run", hook, 0, by_epoch=False, max_iters=6, val_interval=6).train()
    expected = [progressive_ratio(0.5, 0.9, min(step, 4), 4) for step in range(6)]
    assert [seen[0] for seen in model.seen] == pytest.approx(expected)
    assert model.masker.num_masked((8, 14, 14)) == 176 * 8, "K follows"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(ratios={}), "ratios is empty"),
        (dict(ratios=dict(mask_ratio=0.5)), r"ratios\.mask_ratio=0\.5 is no \(start, end\)"),
        (dict(ratios=dict(mask_ratio=(0.5, 0.7, 0.9))), "no .start, end."),
        (dict(ratios=dict(mask_ratio=("low", "high"))), "no .start, end."),
        (dict(ratios=DEMVM, period=0), "period=0 must be above 0"),
        (dict(ratios=DEMVM, power=-1), "power=-1 must be above 0"),
        (
            dict(ratios=DEMVM, by="step"),
            "'step' is not one of epoch, iter; set .*hooks.masking_ratio.by",
        ),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        MaskingRatioHook(**options)


def refused(model: nn.Module, work_dir: Path, message: str, ratios: dict, **loop) -> None:
    hook = MaskingRatioHook(ratios)
    with pytest.raises(ValueError, match=message):
        runner_of(model, work_dir, hook, 1, **loop).train()
    assert not getattr(model, "seen", None), "before the first step"


def test_schedules_that_the_masker_cannot_follow(tmp_path):
    dense, tube = FlowGuidedDenseMasker(), TubeMasker(0.5)
    iterations = dict(by_epoch=False, max_iters=2, val_interval=2)
    tubes = dict(mask_ratio=(0.5, 0.9))
    refused(Masked(dense), tmp_path / "a", "it has spatial_ratio, temporal_ratio$", tubes)
    refused(Masked(RunningCellMasker(0.5)), tmp_path / "b", "it has none", tubes)
    refused(Masked(tube), tmp_path / "c", "masks 16 of the 16 un", dict(mask_ratio=(0.5, 1.0)))
    refused(Masked(tube), tmp_path / "d", "masks 0 of the 16", dict(mask_ratio=(0.05, 0.9)))
    above = dict(spatial_ratio=(0.3, 1.2))
    key = r"mend default_hooks\.masking_ratio\.ratios\.spatial_ratio"
    refused(Masked(dense), tmp_path / "e", rf"spatial_ratio 1\.2 is outside.*{key}", above)
    refused(Masked(dense), tmp_path / "f", "by='iter'", DEMVM, **iterations)
    refused(Bare(), tmp_path / "g", "a Bare masks nothing", tubes)


def hub_runner(model: nn.Module, step: int = 0) -> SimpleNamespace:
    hub = SimpleNamespace(scalars={})
    hub.update_scalar = hub.scalars.__setitem__
    return SimpleNamespace(model=model, train_loop=None, epoch=0, iter=step, message_hub=hub)


def test_the_masker_of_a_wrapped_model_is_driven():
    model = Masked(FlowGuidedDenseMasker())
    runner = hub_runner(nn.DataParallel(model))
    hook = MaskingRatioHook(DEMVM)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert (model.masker.spatial_ratio, model.masker.temporal_ratio) == (0.3, 0.3)
    model.masker.shares = torch.tensor([0.5, 0.25, 0.25])
    hook.after_train_iter(runner, 0)
    assert runner.message_hub.scalars["train/slots_guided"] == 0.5


def test_what_was_guided_is_logged():
    """Of four slots one is guided, two are random and in one most moves."""
    motion = torch.zeros(1, 4, 10, 10)
    motion[0, 1, :4], motion[0, 2], motion[0, 3, :8] = 3.0, 3.0, 3.0
    model = Masked(FlowGuidedDenseMasker(spatial_ratio=0.3))
    hook, expected = MaskingRatioHook(DEMVM), dict(guided=0.25, random=0.5, reversed=0.25)
    for step, logged in ((0, True), (1, False), (10, True)):
        runner = hub_runner(model, step)
        hook.after_train_iter(runner, step)
        assert not runner.message_hub.scalars or step, "nothing was drawn"
        model.masker(torch.arange(1), (4, 10, 10), samples_of(motion))
        hook.after_train_iter(runner, step)
        told = {f"train/slots_{name}": share for name, share in expected.items()}
        assert runner.message_hub.scalars == (told if logged else {})


def test_a_pretraining_of_videomae_masks_more_as_it_goes_on(tmp_path):
    """The tool as a user starts it: K changes from one epoch to the next."""
    write_images(tmp_path / "pictures", 8)
    changes = pretraining(
        tmp_path / "pictures",
        experiment_name=tmp_path.name,
        **{
            "train_cfg.max_epochs": 2,
            "custom_hooks": [
                dict(type="MaskingRatioHook", ratios=dict(mask_ratio=(0.25, 0.75)), period=1)
            ],
        },
    )
    train(options_of("pmg/vit-toy_photographs.py", tmp_path / "run", changes))
    (scalars,) = (tmp_path / "run").glob("*/vis_data/scalars.json")
    records = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert {r["epoch"]: r["mask_ratio"] for r in records if "loss" in r} == {1: 0.25, 2: 0.75}


def test_a_compiled_step_is_compiled_once_more_for_any_k():
    torch.compiler.reset()
    model = MODELS.build(tiny_pretrainer() | dict(decoder_masker=None)).train()
    counter = CompileCounter()
    loss = torch.compile(model.loss, backend=counter)
    counts, clip = [], torch.randn(2, 3, 8, 32, 32)
    for ratio in (0.5, 0.5, 0.57, 0.63, 0.7, 0.75):
        model.masker.mask_ratio = ratio
        assert loss(clip)["loss_pixel"].isfinite()
        counts.append((model.masker.num_masked(model.backbone.grid), counter.frame_count))
    masked, compiled = zip(*counts, strict=True)
    assert len(set(masked)) == 5
    assert compiled == (1, 1, 2, 2, 2, 2)
