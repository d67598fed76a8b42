"""K batches accumulated take the steps that one batch of all their samples takes."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmpmg.engine import AutocastOptimWrapper, CosineAnnealingLRByUpdate, LinearLRByUpdate

MODEL = dict(
    type="MaskedVideoPretrainer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[120.0] * 3, std=[58.0] * 3, format_shape="NCTHW"
    ),
    masker=dict(type="TubeMasker", mask_ratio=0.75),
    decoder_masker=dict(type="RunningCellMasker", mask_ratio=0.5),
    backbone=dict(
        type="MaskedVisionTransformer", img_size=32, num_frames=8, patch_size=8,
        embed_dims=24, depth=2, num_heads=2, use_mean_pooling=False,
    ),
    branches=dict(
        pixel=dict(
            neck=dict(type="MAEDecoder", embed_dims=12, depth=1, num_heads=2),
            head=dict(type="MaskedRegressionHead", target=dict(type="PixelTarget")),
        )
    ),
)  # fmt: skip
SCHEDULE = [
    dict(type="LinearLRByUpdate", start_factor=0.1, by_epoch=True, begin=0, end=2,
         convert_to_iter_based=True),
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=True, begin=2,
         convert_to_iter_based=True),
]  # fmt: skip


class Clips(Dataset):
    """14 clips, each with a seed, so each has its own mask wherever it stands."""

    def __len__(self):
        return 14

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        sample = ActionDataSample()
        sample.set_metainfo(dict(sample_seed=index))
        clip = torch.from_numpy(rng.integers(0, 256, (1, 3, 8, 32, 32), dtype=np.uint8))
        return dict(inputs=clip, data_samples=sample)


class Recorder(AutocastOptimWrapper):
    """Notes the learning rate of each step."""

    def step(self, **settings):
        self.rates = [*getattr(self, "rates", []), self.optimizer.param_groups[0]["lr"]]
        super().step(**settings)


def run(folder, batch_size, counts, epochs=4, kind=Recorder, schedule=SCHEDULE, resume=False):
    """Train in float64 with MMEngine's runner; returns weights, and the rates of the steps."""
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(MODEL))
    model.init_weights()
    model.double()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    wrapper = kind(optimizer, accumulative_counts=counts, clip_grad=dict(max_norm=0.5))
    runner = Runner(
        model=model,
        work_dir=str(folder),
        train_dataloader=dict(
            batch_size=batch_size, num_workers=0, dataset=Clips(),
            sampler=dict(type="DefaultSampler", shuffle=False),
            collate_fn=dict(type="pseudo_collate"),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=wrapper,
        param_scheduler=copy.deepcopy(schedule),
        default_hooks=dict(
            accumulation=dict(type="AccumulationHook"),
            logger=None,
            checkpoint=dict(type="CheckpointHook", interval=1, save_last=False),
        ),
        default_scope="mmaction",
        experiment_name=f"{folder.name}-{resume}",
        resume=resume,
        log_level="ERROR",
    )  # fmt: skip
    runner.train()
    return runner.model.state_dict(), getattr(wrapper, "rates", [])


def distance(one, other):
    return max((one[key] - other[key]).abs().max().item() for key in one)


@pytest.mark.parametrize(("batch_size", "counts"), [(2, 3), (1, 6), (2, 7), (1, 4)])
def test_weights_and_rates_equal_those_of_the_large_batch(tmp_path, batch_size, counts):
    """14 clips: 6, 6 and the 2 that are left; 4 and the 2 that are left; or all 14."""
    large, rates = run(tmp_path / "large", batch_size * counts, 1)
    small, same_rates = run(tmp_path / "small", batch_size, counts)
    np.testing.assert_allclose(same_rates, rates, rtol=1e-12)
    assert len(rates) == 4 * -(-14 // (batch_size * counts))
    start, _ = run(tmp_path / "other", batch_size * counts, 1, epochs=3)
    assert distance(large, start) > 1e-4, "the last epoch moved the weights"
    assert distance(large, small) < 1e-11


def test_mmengine_s_own_accumulation_would_fail_here(tmp_path):
    """What is left of an epoch joins the next one there: the test above can tell."""
    large, _ = run(tmp_path / "large", 6, 1)
    small, _ = run(tmp_path / "small", 2, 3, kind=OptimWrapper)
    assert distance(large, small) > 1e-3


def test_a_resumed_run_with_accumulation_ends_at_the_same_weights(tmp_path):
    """Nothing accumulated is in a checkpoint, so an epoch must end with a step."""
    whole, _ = run(tmp_path / "whole", 2, 3)
    for file in ("epoch_3.pth", "epoch_4.pth"):
        (tmp_path / "whole" / file).unlink()
    (tmp_path / "whole" / "last_checkpoint").write_text(str(tmp_path / "whole" / "epoch_2.pth"))
    again, rates = run(tmp_path / "whole", 2, 3, resume=True)
    assert len(rates) == 2 * 3
    assert distance(whole, again) == 0


def test_without_accumulation_the_schedules_are_mmengine_s(tmp_path):
    plain = [dict(part, type=part["type"].removesuffix("ByUpdate")) for part in SCHEDULE]
    assert run(tmp_path / "a", 4, 1)[1] == run(tmp_path / "b", 4, 1, schedule=plain)[1]


def test_lengths_in_batches_become_lengths_in_updates():
    def wrapper(counts):
        weight = torch.nn.Parameter(torch.ones(()))
        return AutocastOptimWrapper(torch.optim.SGD([weight], lr=1.0), accumulative_counts=counts)

    settings = dict(by_epoch=False, begin=0)
    for counts in (1, 3):
        warm_up = LinearLRByUpdate(wrapper(counts), end=12 * counts, **settings)
        assert warm_up.total_iters == 11
        cosine = CosineAnnealingLRByUpdate(wrapper(counts), eta_min=0, end=30 * counts, **settings)
        assert cosine.T_max == 30
    endless = CosineAnnealingLRByUpdate(wrapper(3), T_max=30, eta_min=0, **settings)
    assert (endless.T_max, endless.end) == (10, int(1e9))


def test_ranks_exchange_gradients_exactly_where_a_step_follows():
    weight = torch.nn.Parameter(torch.ones(()))
    wrapper = AutocastOptimWrapper(torch.optim.SGD([weight], lr=0.1), accumulative_counts=3)
    wrapper.initialize_count_status(torch.nn.Linear(1, 1), 0, 14)
    wrapper.epoch_length = 7
    exchanged, stepped = [], []
    for _ in range(14):
        exchanged.append(wrapper.should_sync())
        before = weight.item()
        wrapper.update_params(weight * 1.0)
        stepped.append(weight.item() != before)
        if stepped[-1]:
            assert before - weight.item() == pytest.approx(0.1, rel=1e-5), "a mean over the step"
    assert exchanged == stepped
    assert [n for n, yes in enumerate(stepped) if yes] == [2, 5, 6, 9, 12, 13]
