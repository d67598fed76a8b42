"""The temporal difference: against loops, by hand, at the clip's end, and where nothing moves."""

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from reference.motion_targets import temporal_difference, token_values
from reference.videomae_reference import cut

from mmpmg.models.data_preprocessors import PMGDataPreprocessor
from mmpmg.models.targets import TemporalDifferenceTarget, WholeClip
from mmpmg.models.tokens import patchify
from mmpmg.motion import Motion, render

TOKEN = (2, 4, 4)
ENDS = ["earlier", "zero", "leave_out"]


def grey_levels(*shape, seed=0):
    """Clips as they come: multiples of a grey level."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=generator) / 255


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("clip_end", ENDS)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("granularity", [1, 2, 3])
def test_equals_the_loops(granularity, signed, clip_end, normalize):
    pixels = grey_levels(2, 3, 6, 8, 8)
    target = TemporalDifferenceTarget(TOKEN, granularity, signed, clip_end, normalize)
    masked = torch.tensor([[0, 3, 11, 8], [9, 2, 5, 10]])
    ours = target(WholeClip(pixels), masked)
    assert ours.shape == (2, 4, target.num_values) and target.num_values == 2 * 4 * 4 * 3
    for b in range(2):
        blocks = cut(temporal_difference(pixels[b], granularity, signed, clip_end), TOKEN)
        wanted = torch.stack([token_values(blocks[token], normalize) for token in masked[b]])
        torch.testing.assert_close(ours[b], wanted, rtol=1e-4, atol=1e-5, equal_nan=True)
    assert target.leaves_out == (clip_end == "leave_out") == bool(ours.isnan().any())


def moving_ramp(frames=4, side=8, step=4):
    """A ramp of 4 grey levels a pixel that moves right by a pixel a frame, rendered."""
    shift = np.stack([np.array([[1, 0, -k], [0, 1, 0], [0, 0, 1.0]]) for k in range(frames)])
    motion = Motion("by hand", (side, side), shift, border="replicate")
    image = np.broadcast_to((step * np.arange(side))[None, :, None], (side, side, 3))
    clip = render(np.ascontiguousarray(image, dtype=np.uint8), motion)
    return torch.from_numpy(np.stack(list(clip))).permute(3, 0, 1, 2)[None]


@pytest.mark.parametrize("granularity", [1, 2])
def test_a_ramp_that_moves_by_one_pixel_a_frame(granularity):
    clip = WholeClip(moving_ramp() / 255)
    field = TemporalDifferenceTarget(
        TOKEN, granularity, signed=True, clip_end="leave_out", normalize=False
    ).field(clip)
    # Behind the ramp's foot, at x <= k, the edge is repeated: frame k shows 0 there.
    for k in range(4 - granularity):
        for x in range(8):
            now, later = 4 * max(0, x - k), 4 * max(0, x - k - granularity)
            expected = torch.full((3, 8), (later - now) / 255)
            torch.testing.assert_close(field[0, :, k, :, x], expected, rtol=0, atol=1e-6)
    assert float(field[0, 0, 0, 0, 7]) == pytest.approx(-4 * granularity / 255, abs=1e-6)
    assert field[:, :, 4 - granularity :].isnan().all()
    absolute = TemporalDifferenceTarget(TOKEN, granularity, normalize=False).field(clip)
    assert torch.equal(absolute[:, :, : 4 - granularity], field[:, :, : 4 - granularity].abs())


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("granularity", [1, 2, 3])
def test_a_static_clip_has_zero_target_whatever_the_device_rounds(granularity, signed, normalize):
    frame = torch.randint(0, 256, (1, 3, 1, 16, 16), dtype=torch.uint8)
    batch = dict(inputs=[frame.expand(1, 3, 6, 16, 16)], data_samples=[ActionDataSample()])
    preprocessor = PMGDataPreprocessor(mean=[123.675, 116.28, 103.53], std=[58.4, 57.1, 57.4])
    clip = preprocessor(batch)["inputs"][0]
    mean, std = preprocessor.mean / 255, preprocessor.std / 255
    pixels = torch.addcmul(mean, clip, std)
    # What another order of operations, or another device, may make of some of the frames.
    rounded = torch.nextafter(pixels, torch.rand_like(pixels).round())
    pixels[:, :, ::2] = rounded[:, :, ::2]
    assert not torch.equal(pixels[:, :, 0], pixels[:, :, 1])
    target = TemporalDifferenceTarget(TOKEN, granularity, signed, normalize=normalize)
    values = target(WholeClip(pixels), torch.arange(48)[None])
    assert torch.equal(values, torch.zeros_like(values))


def test_the_smallest_change_of_8_bits_is_kept():
    pixels = torch.full((1, 3, 4, 4, 4), 100 / 255)
    pixels[0, 1, 2:, 3, 2] += 1 / 255
    field = TemporalDifferenceTarget(TOKEN, signed=True, normalize=False).field(WholeClip(pixels))
    assert field.nonzero().tolist() == [[0, 1, 1, 3, 2]]
    assert float(field.sum()) == pytest.approx(1 / 255, rel=1e-4)


def test_only_a_signed_target_tells_which_way():
    pixels = grey_levels(1, 3, 4, 4, 4)
    for signed in (False, True):
        target = TemporalDifferenceTarget(TOKEN, signed=signed, clip_end="zero", normalize=False)
        forth = target.field(WholeClip(pixels))[:, :, :3]
        back = target.field(WholeClip(pixels.flip(2)))[:, :, :3].flip(2)
        torch.testing.assert_close(back, -forth if signed else forth)


def test_ends_of_the_clip():
    pixels = grey_levels(1, 3, 6, 4, 4)
    earlier, zero, out = (
        TemporalDifferenceTarget(TOKEN, 2, True, clip_end, False).field(WholeClip(pixels))
        for clip_end in ENDS
    )
    assert torch.equal(earlier[:, :, :4], zero[:, :, :4])
    assert torch.equal(earlier[:, :, :4], out[:, :, :4])
    torch.testing.assert_close(earlier[:, :, 4:], pixels[:, :, 4:] - pixels[:, :, 2:4])
    assert not zero[:, :, 4:].any() and out[:, :, 4:].isnan().all()


def test_a_normalised_token_has_unit_spread_over_what_it_knows():
    pixels = grey_levels(1, 3, 4, 4, 4)
    target = TemporalDifferenceTarget(TOKEN, clip_end="leave_out")
    values = target(WholeClip(pixels), torch.tensor([[1]])).view(2, 16, 3)
    assert values[1].isnan().all()
    torch.testing.assert_close(values[0].mean(0), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(values[0].std(0), torch.ones(3), rtol=1e-4, atol=0)


def test_layout_is_that_of_pixels():
    pixels = grey_levels(1, 3, 4, 8, 8)
    target = TemporalDifferenceTarget(TOKEN, signed=True, normalize=False)
    tokens = patchify(target.field(WholeClip(pixels)), TOKEN).flatten(2)
    masked = torch.tensor([[0, 5, 7]])
    assert torch.equal(target(WholeClip(pixels), masked)[0], tokens[0, masked[0]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(granularity=0), "granularity 0 must be a number of frames, 1 or more"),
        (dict(granularity=1.5), "granularity 1.5"),
        (dict(granularity=True), "granularity True"),
        (dict(clip_end="drop"), r"clip_end='drop' is unknown; choose one of earlier, zero, leave"),
        (dict(eps=0.0), "eps 0.0 must be > 0"),
    ],
)
def test_wrong_options_raise(options, words):
    with pytest.raises(ValueError, match=words):
        TemporalDifferenceTarget(TOKEN, **options)


@pytest.mark.parametrize(
    ("granularity", "clip_end", "least"), [(1, "earlier", 2), (3, "earlier", 6), (3, "zero", 4)]
)
def test_a_clip_shorter_than_the_granularity_raises(granularity, clip_end, least):
    target = TemporalDifferenceTarget((1, 4, 4), granularity, clip_end=clip_end)
    target.check(least, torch.nn.Identity())
    target.field(WholeClip(torch.zeros(1, 3, least, 4, 4)))
    words = rf"granularity {granularity}.*needs clips of {least} frames.*model.backbone.num_frames"
    for call in (
        lambda: target.check(least - 1, torch.nn.Identity()),
        lambda: target.field(WholeClip(torch.zeros(1, 3, least - 1, 4, 4))),
    ):
        with pytest.raises(ValueError, match=words):
            call()
