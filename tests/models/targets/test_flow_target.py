"""The flow target: against loops, by hand from a motion, and what it makes of unseen pixels."""

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from reference.motion_targets import flow_field, token_values
from reference.videomae_reference import cut

from mmpmg.models.data_preprocessors import PMGDataPreprocessor
from mmpmg.models.targets import FlowTarget, WholeClip
from mmpmg.motion import Motion, build_op
from mmpmg.motion.flow_torch import flow_batch

TOKEN = (2, 4, 8)
ENDS = ["earlier", "zero", "leave_out"]


def samples(count=2, frames=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    out = []
    for _ in range(count):
        flow = 5 * torch.randn(1, frames - 1, 8, 16, 2, generator=generator)
        seen = torch.rand(1, frames - 1, 8, 16, generator=generator) < 0.7
        seen[:, :, 4:8, 8:12] = False  # cells of which nothing is known
        out.append(ActionDataSample())
        out[-1].set_field(flow, "flow")
        out[-1].set_field(seen, "covisible")
    return out


def whole(batch, frames=4):
    return WholeClip(torch.zeros(len(batch), 3, frames, 8, 16), batch)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("clip_end", ENDS)
@pytest.mark.parametrize("unseen", ["leave_out", "keep"])
@pytest.mark.parametrize(("unit", "cell"), [("token", 1), ("pixel", 1), ("token", 4), ("pixel", 2)])
def test_equals_the_loops(unit, cell, unseen, clip_end, normalize):
    batch = samples()
    target = FlowTarget(TOKEN, unit, cell, unseen, clip_end, normalize)
    masked = torch.tensor([[0, 7, 2], [6, 3, 4]])
    ours = target(whole(batch), masked)
    assert target.num_values == ours.shape[2] == 2 * (4 // cell) * (8 // cell) * 2
    sides = (8, 4) if unit == "token" else (1, 1)
    for b, sample in enumerate(batch):
        field = flow_field(sample.flow[0], sample.covisible[0], sides, cell, unseen, clip_end)
        blocks = cut(field, (2, 4 // cell, 8 // cell))
        wanted = torch.stack([token_values(blocks[token], normalize) for token in masked[b]])
        torch.testing.assert_close(ours[b], wanted, rtol=1e-4, atol=1e-4, equal_nan=True)
    assert target.leaves_out == bool(ours.isnan().any())


def moved(step, frames=4, size=(8, 16)):
    """A sample whose picture moves by ``step`` = (dx, dy) pixels a frame, as a worker packs it."""
    dx, dy = step
    shift = np.stack([np.array([[1, 0, -k * dx], [0, 1, -k * dy], [0, 0, 1.0]])
                      for k in range(frames)])  # fmt: skip
    sample = ActionDataSample()
    sample.set_metainfo(dict(motion=Motion("by hand", size, shift)))
    return sample


def prepared(*batch, frames=4, size=(8, 16)):
    clips = [torch.zeros(1, 3, frames, *size, dtype=torch.uint8)] * len(batch)
    data = dict(inputs=clips, data_samples=list(batch))
    data = PMGDataPreprocessor(with_flow=True)(data)
    return WholeClip(data["inputs"][:, 0] / 255, data["data_samples"])


def test_a_picture_that_moves_by_one_pixel_a_frame():
    clip = prepared(moved((1, 0)), moved((0, -1)))
    field = FlowTarget(TOKEN).field(clip)
    right, up = field[0], field[1]
    # A token is 8 wide and 4 high. The last column moves out of sight, and so does the first row.
    assert (right[0, :3, :, :15] == 1 / 8).all() and (right[1, :3, :, :15] == 0).all()
    assert right[:, :3, :, 15].isnan().all() and right[:, 3].isnan().all()
    assert (up[1, :3, 1:] == -1 / 4).all() and (up[0, :3, 1:] == 0).all()
    assert up[:, :3, 0].isnan().all() and up[:, 3].isnan().all()
    pixels = FlowTarget(TOKEN, unit="pixel", unseen="keep", clip_end="earlier").field(clip)
    assert (pixels[0, 0] == 1).all() and (pixels[1, 1] == -1).all(), "on all frames and pixels"
    token = FlowTarget(TOKEN)(clip, torch.tensor([[0], [2]]))[0, 0].view(2, 4, 8, 2)
    assert (token[..., 0] == 1 / 8).all() and (token[..., 1] == 0).all(), "dx before dy"


@pytest.mark.parametrize("clip_end", ENDS)
@pytest.mark.parametrize("unit", ["token", "pixel"])
@pytest.mark.parametrize("step", [1.37, 7.3, 21.7])
def test_a_normalised_translation_is_nothing_and_not_its_rounding(step, unit, clip_end):
    clip = prepared(moved((step, -step / 3), size=(64, 64)), size=(64, 64))
    for unseen in ("leave_out", "keep"):
        target = FlowTarget((2, 16, 16), unit, 1, unseen, clip_end, True)
        values = target(clip, torch.arange(32)[None])
        values = values.view(1, 32, 2, 256, 2)[:, :16]  # "zero" ends the others in a standstill
        assert values.isfinite().any()
        assert not values.nan_to_num(nan=0.0).any()


def test_a_still_picture_has_zero_flow():
    field = FlowTarget(TOKEN, clip_end="zero").field(prepared(moved((0, 0))))
    assert torch.equal(field, torch.zeros(1, 2, 4, 8, 16))
    normal = FlowTarget(TOKEN, clip_end="zero", normalize=True)
    values = normal(prepared(moved((0, 0))), torch.arange(8)[None])
    assert torch.equal(values, torch.zeros_like(values))


@pytest.mark.parametrize(("side", "token"), [(224, (2, 16, 16)), (64, (4, 8, 8))])
@pytest.mark.parametrize("family", ["ZoomInOut", "Affine"])
def test_in_sides_of_a_token_the_paper_s_motions_weigh_less_than_pixels_but_not_nothing(
    family, side, token
):
    squares = []
    for seed in range(12):
        motion = build_op(dict(type=family)).sample(np.random.default_rng(seed), 16, (side, side))
        sample = ActionDataSample()
        for key, values in zip(("flow", "covisible"), flow_batch([motion])):
            sample.set_field(values, key)
        field = FlowTarget(token).field(WholeClip(torch.zeros(1, 3, 16, side, side), [sample]))
        squares.append(float(field.square().nanmean()))
    assert 0.02 < sum(squares) / len(squares) < 1


def test_a_flow_without_bounds_is_left_out():
    batch = samples(1)
    hidden = ~batch[0].covisible
    batch[0].flow[hidden] = torch.inf
    for options in (dict(), dict(cell=2), dict(normalize=True)):
        values = FlowTarget(TOKEN, **options)(whole(batch), torch.arange(8)[None])
        assert not values.isinf().any()
        assert values.isnan().any() and not values.isnan().all()


def test_samples_without_flow_are_named_with_the_ways_to_have_one():
    sample = ActionDataSample()
    sample.set_metainfo(dict(filename="real.mp4"))
    for batch in ([sample], None):
        with pytest.raises(ValueError, match="no flow.*with_flow=True.*DenseFlow"):
            FlowTarget(TOKEN).field(WholeClip(torch.zeros(1, 3, 4, 8, 16), batch))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(unit="patch"), "unit='patch' is unknown; choose one of token, pixel"),
        (dict(unseen="zero"), "unseen='zero' is unknown; choose one of leave_out, keep"),
        (dict(clip_end="repeat"), "clip_end='repeat' is unknown"),
        (dict(cell=3), "cell 3 must divide the 4 rows and 8 columns"),
        (dict(cell=8), "cell 8 must divide the 4 rows"),
        (dict(cell=0), "cell 0"),
        (dict(eps=-1), "eps -1"),
    ],
)
def test_wrong_options_raise(options, words):
    with pytest.raises(ValueError, match=words):
        FlowTarget(TOKEN, **options)
