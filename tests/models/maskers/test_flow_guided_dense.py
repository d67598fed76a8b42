import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from reference.flow_guided_masking import dense_mask, slot_ratios
from reference.motion_samples import box, random_maps, samples_of

from mmpmg.models.maskers import FlowGuidedDenseMasker, FlowGuidedMasker
from mmpmg.models.token_noise import token_noise

GRID = (8, 28, 28)
SMALL = (2, 6, 5)


@pytest.mark.parametrize("dense", [0.7, 0.9, 0.3, 0.5])
@pytest.mark.parametrize(("spatial", "temporal"), [(0.3, 0.3), (0.8, 0.9), (0.45, 0.48), (1, 1)])
def test_it_is_equations_8_to_14_token_by_token(dense, spatial, temporal):
    maps = random_maps(40, SMALL)
    masker = FlowGuidedDenseMasker(dense, round(1 - dense, 6), spatial, temporal)
    seeds = torch.arange(len(maps)) * 7919 + 3
    mask = masker(seeds, SMALL, samples_of(maps)).view(-1, *SMALL)
    noise = token_noise(seeds, maps[0].numel() + SMALL[0] + 1)
    guided = 0
    for clip, motion in enumerate(maps):
        moving = (motion >= masker.threshold).tolist()
        expected = dense_mask(
            noise[clip].tolist(), moving, dense, round(1 - dense, 6), spatial, temporal
        )
        assert expected.any(), "seeds of this test never meet an empty mask"
        np.testing.assert_array_equal(mask[clip].numpy(), expected)
        guided += sum(not slot_ratios(slot, dense, 1 - dense, spatial)[2] for slot in moving)
    assert dense == 0.5 or spatial == 1 or guided > 4, "or nothing but random masking was compared"


@pytest.mark.parametrize(
    ("ratios", "rows", "columns", "expected"),
    [
        # N_den = .7 * .45 * 784 = 246.96 of 336 moving places, N_spr = 105.84 of 448.
        ("counts", 12, 28, (246.96 / 336, 105.84 / 448)),
        # .7 c and .3 c with c = .45 * 784 / (.7 * 336 + .3 * 448)
        ("densities", 12, 28, (0.7 * 352.8 / 369.6, 0.3 * 352.8 / 369.6)),
        # A small region: .7 * .45 * 784 of 100 places are too many; ours masks .7 / .3 as often.
        ("counts", 10, 10, (0.45, 0.45)),
        ("densities", 10, 10, (0.7 * 352.8 / 275.2, 0.3 * 352.8 / 275.2)),
    ],
)
def test_densities_inside_and_outside_the_moving_region(ratios, rows, columns, expected):
    clips, temporal = 3000, 0.48
    masker = FlowGuidedDenseMasker(0.7, 0.3, 0.45, temporal, ratios=ratios)
    motion = box((1, 28, 28), rows, columns)
    counts = torch.zeros(1, 28, 28)
    total = torch.zeros(clips)
    for part in torch.arange(clips).split(500):
        mask = masker(part, (1, 28, 28), samples_of(motion.expand(len(part), -1, -1, -1)))
        counts += mask.view(-1, 1, 28, 28).sum(0)
        total[part] = mask.sum(1).float()
    share, moves = counts / clips, motion > 0  # one slot: it is masked whatever temporal_ratio
    for region, ratio in ((moves, expected[0]), (~moves, expected[1])):
        deviation = (ratio * (1 - ratio) / clips) ** 0.5
        assert abs(float(share[region].mean()) - ratio) < 5 * deviation / int(region.sum()) ** 0.5
        assert float((share[region] - ratio).abs().max()) < 5 * deviation, "every single token"
    # Draws are independent of one another, so their number has the variance of Bernoulli draws.
    variance = sum(
        int(region.sum()) * ratio * (1 - ratio)
        for region, ratio in ((moves, expected[0]), (~moves, expected[1]))
    )
    assert abs(float(total.mean()) - 352.8) < 5 * (variance / clips) ** 0.5, "P_spa of the slot"
    assert abs(float(total.var()) / variance - 1) < 5 * (2 / clips) ** 0.5


@pytest.mark.parametrize("ratios", ["counts", "densities"])
@pytest.mark.parametrize("moving", ["nothing", "everything"])
def test_without_a_region_it_is_random_masking_bit_for_bit(ratios, moving):
    maps = torch.full((64, *GRID), 0.0 if moving == "nothing" else 3.0)
    seeds = torch.arange(64)
    uniform = FlowGuidedDenseMasker(0.5, 0.5, 0.45, 0.48)(seeds, GRID)
    guided = FlowGuidedDenseMasker(0.7, 0.3, 0.45, 0.48, ratios=ratios)
    assert torch.equal(guided(seeds, GRID, samples_of(maps)), uniform)
    assert guided.guide(seeds, GRID, samples_of(maps))[1].random.all()
    half = torch.zeros(64, *GRID)
    half[:, :, :14] = 3.0
    assert not torch.equal(guided(seeds, GRID, samples_of(half)), uniform)


def test_equal_weights_are_random_masking_whatever_moves():
    clips, ratio = 4000, 0.45
    masker = FlowGuidedDenseMasker(0.5, 0.5, ratio, 1.0)
    maps = box((1, 6, 6), 2, 6).expand(clips, -1, -1, -1)
    mask = masker(torch.arange(clips), (1, 6, 6), samples_of(maps)).float()
    deviation = (ratio * (1 - ratio) / clips) ** 0.5
    assert (mask.mean(0) - ratio).abs().max() < 5 * deviation
    # Independent tokens: what two share, and how the number of masked ones varies.
    both = mask.T @ mask / clips - ratio**2
    assert (both - both.diag().diag()).abs().max() < 5 * (ratio**2 * (1 - ratio**2) / clips) ** 0.5
    assert abs(float(mask.sum(1).var()) / (36 * ratio * (1 - ratio)) - 1) < 5 * (2 / clips) ** 0.5
    assert torch.equal(mask.bool(), masker(torch.arange(clips), (1, 6, 6))), "no map is asked for"


@pytest.mark.parametrize("temporal", [0.3, 0.48, 0.5, 0.9, 1.0, 0.01])
def test_slots_are_masked_at_the_temporal_ratio(temporal):
    clips = 4000
    mask = FlowGuidedDenseMasker(0.5, 0.5, 1.0, temporal)(torch.arange(clips), (8, 2, 2))
    slots = mask.view(clips, 8, 4).float()
    assert (slots == slots[:, :, :1]).all(), "a spatial ratio of 1 masks whole slots"
    count = slots[:, :, 0].sum(1)
    wanted = max(8 * temporal, 1.0)
    assert set(count.tolist()) <= {np.floor(wanted), np.ceil(wanted)}
    share, exact = slots[:, :, 0].mean(0), wanted / 8
    assert (share - exact).abs().max() <= 5 * (exact * (1 - exact) / clips) ** 0.5
    assert abs(float(count.mean()) - wanted) <= 5 * 0.5 / clips**0.5


def test_every_clip_has_a_masked_token_in_a_masked_slot():
    seeds, grid = torch.arange(2000), (2, 2, 2)
    masker = FlowGuidedDenseMasker(0.7, 0.3, 0.05, 0.5)
    maps = torch.zeros(2000, *grid)
    mask = masker(seeds, grid, samples_of(maps))
    assert (mask.sum(1) >= 1).all()
    drawn = (mask.sum(1) > 1).float().mean()
    none = 0.95**4
    assert abs(float(drawn) - (1 - none - 4 * 0.05 * 0.95**3)) < 5 * 0.5 / 2000**0.5
    assert ((mask.view(2000, 2, 4).any(2)).sum(1) == 1).all(), "the other slot stays whole"


def test_a_mask_depends_on_its_clip_alone():
    maps, seeds = random_maps(32, SMALL), torch.arange(32)
    masker = FlowGuidedDenseMasker(spatial_ratio=0.4)
    mask = masker(seeds, SMALL, samples_of(maps))
    assert torch.equal(mask[9:10], masker(seeds[9:10], SMALL, samples_of(maps[9:10])))
    assert len({tuple(row.tolist()) for row in mask}) == 32


def test_the_threshold_says_what_moves():
    maps = torch.linspace(0, 3.5, 8).expand(1, 1, 8, 8).contiguous()
    for threshold, moving in ((0.5, 7), (1.0, 6), (1.25, 5), (4, 0)):
        masker = FlowGuidedDenseMasker(threshold=threshold)
        region, ratios = masker.guide(torch.arange(1), (1, 8, 8), samples_of(maps))
        assert int(region.sum()) == 8 * moving
        assert bool(ratios.random) == (8 * moving < 0.7 * 0.8 * 64 or 64 - 8 * moving < 0.24 * 64)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(dense=0.8), r"dense=0\.8 and sparse=0\.3.*set model\.masker\.sparse=0\.2$"),
        (dict(dense=1.0, sparse=0.0), r"dense=1\.0"),
        (dict(spatial_ratio=0), r"spatial_ratio 0 is outside \(0, 1\].*model\.masker\.spatial"),
        (dict(temporal_ratio=1.2), r"model\.masker\.temporal_ratio"),
        (dict(threshold=0), r"model\.masker\.threshold"),
        (dict(threshold=float("nan")), r"model\.masker\.threshold"),
        (dict(ratios="count"), r"one of counts, densities"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        FlowGuidedDenseMasker(**options)


def test_bad_maps():
    masker, seeds = FlowGuidedDenseMasker(), torch.arange(2)
    with pytest.raises(ValueError, match="MotionMap"):
        masker(seeds, SMALL, [ActionDataSample(), ActionDataSample()])
    with pytest.raises(ValueError, match="MotionMap"):
        masker(seeds, SMALL, None)
    with pytest.raises(ValueError, match=r"\(2, 7, 5\).*\(2, 6, 5\).*frames and cell"):
        masker(seeds, SMALL, samples_of(torch.zeros(2, 2, 7, 5)))
    with pytest.raises(ValueError, match="to 2 times MotionMap.frames and 1/2 times MotionMap.ce"):
        masker(seeds, (4, 8, 8), samples_of(torch.zeros(2, 8, 4, 4)))
    with pytest.raises(ValueError, match="frames and cell"):
        masker(seeds, SMALL, samples_of(torch.zeros(2, 1, 6, 5)))
    with pytest.raises(ValueError, match="1 motion maps for 2 clips"):
        masker(seeds, SMALL, samples_of(torch.zeros(1, *SMALL)))


@pytest.mark.gpu
@pytest.mark.parametrize(
    "masker", [FlowGuidedDenseMasker(spatial_ratio=0.4), FlowGuidedMasker(0.75)]
)
def test_a_gpu_draws_the_same_masks_without_being_waited_for(masker):
    maps, seeds = random_maps(64, SMALL), torch.arange(64)
    expected = masker(seeds, SMALL, samples_of(maps))
    samples, seeds = samples_of(maps.cuda()), seeds.cuda()
    masker(seeds, SMALL, samples)
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = masker(seeds, SMALL, samples)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(found.cpu(), expected)
