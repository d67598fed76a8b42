import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from reference.flow_guided_masking import density_ratios
from reference.motion_samples import box, random_maps, samples_of
from reference.tiny_pretrainer import tiny_pretrainer

from mmpmg.models.maskers import FlowGuidedMasker, RandomMasker, TubeMasker

GRID = (8, 14, 14)
SMALL = (2, 6, 5)


@pytest.mark.parametrize("units", ["token", "place"])
@pytest.mark.parametrize("dense", [0.5, 0.7, 0.9, 0.2])
@pytest.mark.parametrize("ratio", [0.05, 0.3, 0.75, 0.9])
def test_every_sample_has_exactly_k_masked_whatever_moves(ratio, dense, units):
    maps = random_maps(60, SMALL)
    masker = FlowGuidedMasker(ratio, dense, round(1 - dense, 6), units=units)
    mask = masker(torch.arange(60), SMALL, samples_of(maps))
    plain = (TubeMasker if units == "place" else RandomMasker)(ratio)
    assert masker.num_masked(SMALL) == plain.num_masked(SMALL)
    assert (mask.sum(1) == plain.num_masked(SMALL)).all()


@pytest.mark.parametrize("maps", [torch.zeros(64, *GRID), torch.full((64, *GRID), 3.0)])
@pytest.mark.parametrize(
    ("units", "plain"), [("token", RandomMasker(0.75)), ("place", TubeMasker(0.75))]
)
def test_without_a_region_it_is_the_uniform_masker_bit_for_bit(units, plain, maps):
    seeds = torch.arange(64)
    guided = FlowGuidedMasker(0.75, 0.7, 0.3, units=units)
    assert torch.equal(guided(seeds, GRID, samples_of(maps)), plain(seeds, GRID))
    half = maps.clone()
    half[:, :, :7] = 3.0 - half[:, :, :7]
    assert not torch.equal(guided(seeds, GRID, samples_of(half)), plain(seeds, GRID))
    equal = FlowGuidedMasker(0.75, 0.5, 0.5, units=units)
    assert torch.equal(equal(seeds, GRID), plain(seeds, GRID)), "no map is asked for"


@pytest.mark.parametrize(
    ("ratio", "dense", "rows", "expected"),
    [
        # Visible 90 of 360: v_act = .3 c, v_bg = .7 c with 120 * .3 c + 240 * .7 c = 90.
        (0.75, 0.7, 4, (0.3 * 90 / 204, 0.7 * 90 / 204)),
        (0.9, 0.7, 2, (0.3 * 36 / 228, 0.7 * 36 / 228)),
        (0.75, 0.3, 4, (0.7 * 90 / 156, 0.3 * 90 / 156)),
        # A background that is shown whole: .9 c would pass 1; 252 visible, 120 of them there.
        (0.3, 0.9, 8, ((252 - 120) / 240, 1.0)),
    ],
)
def test_densities_inside_and_outside_the_moving_region(ratio, dense, rows, expected):
    clips, grid = 2000, (3, 12, 10)
    masker = FlowGuidedMasker(ratio, dense, round(1 - dense, 6))
    motion = box(grid, rows, 10)
    moves = motion.flatten() > 0
    visible = ~masker(torch.arange(clips), grid, samples_of(motion.expand(clips, -1, -1, -1)))
    share = visible.float().mean(0)
    area = int(moves.sum())
    bounds = density_ratios(area, 360, round(1 - dense, 6), dense, 360 - int(ratio * 360))
    for region, want, restated in zip((moves, ~moves), expected, bounds, strict=True):
        assert want == pytest.approx(restated, abs=1e-9)
        deviation = (want * (1 - want) / clips) ** 0.5
        assert float((share[region] - want).abs().max()) <= 5 * deviation + 1e-6, "every token"
    # In each sample the number is exact, give or take the one that chance decides.
    counts = visible[:, moves].sum(1).float()
    assert (counts - expected[0] * area).abs().max() < 1
    assert abs(float(counts.mean()) - expected[0] * area) <= 5 * 0.5 / clips**0.5


def test_tubes_move_where_any_slot_does():
    motion = torch.zeros(4, 6, 6)
    motion[2, :2] = 5.0
    masker = FlowGuidedMasker(0.5, 0.9, 0.1, units="place")
    mask = masker(torch.arange(3000), (4, 6, 6), samples_of(motion.expand(3000, -1, -1, -1)))
    mask = mask.view(3000, 4, 36)
    assert (mask == mask[:, :1]).all()
    share = mask[:, 0].float().mean(0)
    # 18 of 36 visible: .1 c of 12 and .9 c of 24 places, c = 18 / 22.8.
    assert (share[:12] - (1 - 0.1 * 18 / 22.8)).abs().max() < 5 * 0.5 / 3000**0.5
    assert (share[12:] - (1 - 0.9 * 18 / 22.8)).abs().max() < 5 * 0.5 / 3000**0.5


def test_a_finer_map_is_pooled_over_each_token():
    generator = torch.Generator().manual_seed(0)
    fine = torch.rand(16, 16, 28, 28, generator=generator) ** 20 * 4
    coarse = torch.stack(
        [
            torch.stack([fine[:, dt::2, di::2, dj::2] for dt in (0, 1)]).amax(0)
            for di in (0, 1)
            for dj in (0, 1)
        ]
    ).amax(0)
    masker, seeds = FlowGuidedMasker(0.75), torch.arange(16)
    pooled = masker(seeds, (8, 14, 14), samples_of(fine))
    assert torch.equal(pooled, masker(seeds, (8, 14, 14), samples_of(coarse)))
    moving = (coarse.half() >= 0.5).float().mean()
    assert 0.2 < moving < 0.8


def test_a_mask_depends_on_its_clip_alone():
    maps, seeds = random_maps(32, SMALL), torch.arange(32)
    masker = FlowGuidedMasker(0.5)
    mask = masker(seeds, SMALL, samples_of(maps))
    assert torch.equal(mask[9:10], masker(seeds[9:10], SMALL, samples_of(maps[9:10])))
    assert len({tuple(row.tolist()) for row in mask}) == 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(dense=0.8), r"FlowGuidedMasker: dense=0\.8 and sparse=0\.3.*model\.masker\.dense"),
        (dict(mask_ratio=1.0), r"model\.masker\.mask_ratio"),
        (dict(threshold=-1), r"model\.masker\.threshold"),
        (dict(units="tube"), r"one of token, place"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        FlowGuidedMasker(**options)


def test_a_missing_map_names_the_transform():
    with pytest.raises(ValueError, match="MotionMap"):
        FlowGuidedMasker()(torch.arange(1), SMALL, [ActionDataSample()])


@pytest.mark.parametrize("units", ["token", "place"])
def test_videomae_takes_it_as_it_is(units):
    config = tiny_pretrainer()
    config["masker"] = dict(type="FlowGuidedMasker", mask_ratio=0.75, units=units)
    model = MODELS.build(config).train()
    grid = model.backbone.grid
    samples = samples_of(random_maps(6, grid))
    for seed, sample in enumerate(samples):
        sample.set_metainfo(dict(sample_seed=seed))
    clip = torch.randn(6, 1, 3, 8, 32, 32)
    model(clip, samples, mode="loss")["loss_pixel"].backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)
    tokens = model.draw(clip[:, 0], samples)
    assert torch.equal(tokens.mask, model.masker(torch.arange(6), grid, samples))
    with pytest.raises(ValueError, match="MotionMap"):
        model(clip, [ActionDataSample() for _ in range(6)], mode="loss")
