"""Two branches on one encoder: gradients, a shared decoder, and what is refused when built."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from reference.motion_targets import masked_loss
from reference.tiny_pretrainer import tiny_pretrainer

from mmpmg.motion import Motion

NECK = dict(type="MAEDecoder", embed_dims=12, depth=2, num_heads=2)
DIFFERENCE, FLOW = dict(type="TemporalDifferenceTarget"), dict(type="FlowTarget")


def recipe(target=DIFFERENCE, neck=NECK, **head):
    """The tiny VideoMAE and a motion branch, with a data preprocessor that can tell flow."""
    config = tiny_pretrainer()
    config["decoder_masker"] = None
    config["data_preprocessor"].update(
        type="PMGDataPreprocessor", with_flow=target["type"] == "FlowTarget"
    )
    config["branches"]["motion"] = dict(
        neck=copy.deepcopy(neck),
        head=dict(type="MaskedRegressionHead", target=copy.deepcopy(target), **head),
    )
    return config


def build(config):
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(config))
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def batch(count=2):
    generator = torch.Generator().manual_seed(1)
    clips = torch.randint(0, 256, (count, 1, 3, 8, 32, 32), generator=generator).byte()
    samples = []
    for number in range(count):
        # Nearly all of the second sample's picture is soon out of sight.
        shift = np.array([[1, 0, -1 - 20 * number], [0, 1, 2], [0, 0, 1.0]])
        steps = np.stack([np.linalg.matrix_power(shift, k) for k in range(8)])
        samples.append(ActionDataSample())
        samples[-1].set_metainfo(
            dict(sample_seed=number, motion=Motion("by hand", (32, 32), steps))
        )
    return dict(inputs=list(clips), data_samples=samples)


def losses(model, data=None):
    return model(**model.data_preprocessor(data or batch(), training=True), mode="loss")


@pytest.mark.parametrize("target", [DIFFERENCE, FLOW], ids=["difference", "flow"])
@pytest.mark.parametrize("neck", [NECK, "pixel"], ids=["parallel", "shared"])
@pytest.mark.parametrize("loss", ["mse", "l1", "smooth_l1"])
def test_both_branches_receive_gradient(target, neck, loss):
    model = build(recipe(target, neck, loss=loss))
    out = losses(model)
    assert set(out) == {"loss_pixel", "loss_motion"}
    for name in ("pixel", "motion"):
        model.zero_grad()
        out[f"loss_{name}"].backward(retain_graph=True)
        for part, parameter in model.named_parameters():
            theirs = part.split(".")[1] not in (name, model.decoder_of[name])
            foreign = part.startswith("heads") and part.split(".")[1] != name
            if part.startswith(("necks", "heads")) and (theirs or foreign):
                assert parameter.grad is None, part
                continue
            assert parameter.grad is not None and parameter.grad.isfinite().all(), part
            assert parameter.grad.abs().max() > 0, part


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("target", [DIFFERENCE, FLOW], ids=["difference", "flow"])
def test_without_weight_on_motion_the_encoder_s_gradient_is_videomae_s(target, autocast):
    both = build(recipe(target, loss_weight=0.0))
    config = recipe(target)
    config["branches"]["motion"] = None
    alone = MODELS.build(config)
    missing, _ = alone.load_state_dict(both.state_dict(), strict=False)
    assert not missing
    for model in (both, alone):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            sum(losses(model).values()).backward()
    theirs = dict(both.named_parameters())
    assert {name.split(".")[0] for name, _ in alone.named_parameters()} == {
        "backbone", "necks", "heads",
    }  # fmt: skip
    for name, parameter in alone.named_parameters():
        assert torch.equal(parameter.grad, theirs[name].grad), name
    assert not theirs["heads.motion.projection.weight"].grad.any()


def test_weights_scale_the_losses_and_what_they_teach():
    data, once, twice = batch(), build(recipe()), build(recipe(loss_weight=2.0))
    first, second = losses(once, data), losses(twice, data)
    torch.testing.assert_close(second["loss_motion"], 2 * first["loss_motion"])
    assert torch.equal(second["loss_pixel"], first["loss_pixel"])


def test_a_shared_decoder_runs_once_and_says_what_two_equal_ones_say():
    shared, parallel = build(recipe(neck="pixel")), build(recipe())
    assert not [key for key in shared.state_dict() if key.startswith("necks.motion")]
    parallel.load_state_dict(shared.state_dict(), strict=False)
    parallel.necks["motion"].load_state_dict(parallel.necks["pixel"].state_dict())
    runs = []
    shared.necks["pixel"].register_forward_hook(lambda *_: runs.append(1))
    assert losses(shared) == losses(parallel)
    assert len(runs) == 1
    for model in (shared, parallel):
        model.samples = model.data_preprocessor(batch())
        _, model.predictions = model.reconstruct(
            model.samples["inputs"].flatten(0, 1), model.samples["data_samples"]
        )
    for name in ("pixel", "motion"):
        assert torch.equal(shared.predictions[name], parallel.predictions[name])


@pytest.mark.parametrize("loss", ["mse", "l1", "smooth_l1"])
def test_the_loss_of_a_partial_target_is_that_of_the_loops(loss):
    model = build(recipe(FLOW, loss=loss))
    data = model.data_preprocessor(batch(), training=True)
    clip = data["inputs"].flatten(0, 1)
    tokens, predictions = model.reconstruct(clip, data["data_samples"])
    target = model.heads["motion"].target(
        model.whole_clip(clip, data["data_samples"]), tokens.masked
    )
    assert 0 < target.isnan().sum() < target.numel()
    expected = masked_loss(predictions["motion"], target, loss)
    got = model(**data, mode="loss")["loss_motion"]
    assert float(got.detach()) == pytest.approx(expected, rel=1e-5)


def test_a_sample_has_the_same_loss_in_any_batch():
    model = build(recipe(FLOW))
    data = model.data_preprocessor(batch(), training=True)
    both = model(**data, mode="loss")["loss_motion"]
    alone = [
        model(data["inputs"][i : i + 1], data["data_samples"][i : i + 1], mode="loss")
        for i in range(2)
    ]
    torch.testing.assert_close(both, sum(each["loss_motion"] for each in alone) / 2)


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_what_is_left_out_reaches_neither_loss_nor_gradient(loss):
    model = build(recipe(FLOW, loss=loss))
    data = model.data_preprocessor(batch(), training=True)
    found = []
    for wrong in (0.0, torch.inf):
        for sample in data["data_samples"]:
            sample.flow[~sample.covisible] = wrong
        model.zero_grad()
        out = model(**data, mode="loss")["loss_motion"]
        out.backward()
        found.append([out.detach(), model.backbone.patch_embed.projection.weight.grad.clone()])
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])
    assert found[0][1].any()


def test_a_prediction_that_is_not_a_number_is_not_left_out():
    model = build(recipe(FLOW))
    with torch.no_grad():
        model.heads["motion"].projection.bias[0] = torch.nan
    assert losses(model)["loss_motion"].isnan()


def test_several_views_of_a_sample_have_the_difference_of_their_own_frames():
    model = build(recipe())
    clips = torch.randint(0, 256, (1, 2, 3, 8, 32, 32)).byte()
    clips[:, 1] = clips[:, 1, :, :1]  # a static view
    data = dict(inputs=list(clips), data_samples=batch(1)["data_samples"])
    data = model.data_preprocessor(data)
    whole = model.whole_clip(data["inputs"].flatten(0, 1), data["data_samples"])
    values = model.heads["motion"].target(whole, torch.arange(16).expand(2, -1))
    assert values[0].any() and not values[1].any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(neck="space"), "model.branches.motion.neck='space' names no branch.*pixel"),
        (dict(neck="motion"), "model.branches.motion.neck='motion' names no branch.*pixel"),
        (
            dict(target=dict(DIFFERENCE, granularity=5)),
            "granularity 5 .*needs clips of 10 frames or more, and these have 8",
        ),
        (dict(target=dict(DIFFERENCE, clip_end="none")), "clip_end='none' is unknown"),
    ],
)
def test_illegal_branches_raise_when_built(change, words):
    with pytest.raises(ValueError, match=words):
        MODELS.build(recipe(**change))


@pytest.mark.parametrize("word", ["none", "pixel", 0])
def test_a_word_is_no_branch(word):
    config = recipe()
    config["branches"]["motion"] = word
    with pytest.raises(ValueError, match=rf"branches\.motion={word!r} is no branch.*None to take"):
        MODELS.build(config)


@pytest.mark.parametrize("kind", ["PMGDataPreprocessor", "ActionDataPreprocessor"])
def test_flow_that_no_data_preprocessor_attaches_is_refused_when_built(kind):
    config = recipe(FLOW)
    config["data_preprocessor"] = dict(type=kind, format_shape="NCTHW")
    with pytest.raises(ValueError, match="model.data_preprocessor=.*with_flow=True.*DenseFlow"):
        MODELS.build(config)


def test_flow_of_mixed_clips_is_refused_when_built():
    config = recipe(FLOW)
    config["data_preprocessor"]["blending"] = dict(type="ClipMixup", alpha=0.8)
    with pytest.raises(ValueError, match="needs model.data_preprocessor.blending=None"):
        MODELS.build(config)


def test_real_clips_without_flow_stop_before_the_first_update():
    model = build(recipe(FLOW))
    data = batch()
    data["data_samples"][1] = ActionDataSample(metainfo=dict(sample_seed=1, filename="a.mp4"))
    with pytest.raises(ValueError, match=r"1 of 2 samples have no flow \(the first: a.mp4\)"):
        losses(model, data)


PARTIAL = [dict(DIFFERENCE, clip_end="leave_out"), FLOW]


def gradients(model, data, parts=((0, 2),)):
    """Gradients of one update, of which each part of the batch is a backward pass of its own."""
    model.zero_grad()
    for first, last in parts:
        inputs, samples = data["inputs"][first:last], data["data_samples"][first:last]
        (sum(model(inputs, samples, mode="loss").values()) / len(parts)).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("target", PARTIAL, ids=["difference", "flow"])
@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_accumulated_gradients_are_those_of_the_whole_batch(target, loss):
    model = build(recipe(target, loss=loss))
    data = model.data_preprocessor(batch(), training=True)
    whole, parts = gradients(model, data), gradients(model, data, ((0, 1), (1, 2)))
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("target", PARTIAL, ids=["difference", "flow"])
@pytest.mark.parametrize("neck", [NECK, "pixel"], ids=["parallel", "shared"])
def test_checkpointing_changes_no_gradient(target, neck):
    plain = recipe(target, neck)
    again = copy.deepcopy(plain)
    again["backbone"]["with_cp"] = True
    for own in (b["neck"] for b in again["branches"].values() if b["neck"] != "pixel"):
        own["with_cp"] = True
    found = []
    for config in (plain, again):
        model = build(config)
        found.append(gradients(model, model.data_preprocessor(batch(), training=True)))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


@pytest.mark.parametrize("target", PARTIAL, ids=["difference", "flow"])
def test_a_spared_decoder_is_asked_for_the_motion_of_the_same_tokens(target):
    config = recipe(target)
    config["decoder_masker"] = dict(type="RunningCellMasker", mask_ratio=0.5)
    model = build(config)
    data = model.data_preprocessor(batch(), training=True)
    clip, samples = data["inputs"].flatten(0, 1), data["data_samples"]
    tokens = model.draw(clip, samples)
    assert tokens.asked.shape[1] == tokens.masked.shape[1] / 2
    features = model.decode(model.backbone(clip, tokens.visible), tokens.visible, tokens.asked)
    head, got = model.heads["motion"], model(**data, mode="loss")["loss_motion"]
    wanted = head.target(model.whole_clip(clip, samples), tokens.asked)
    expected = masked_loss(head(features["motion"]), wanted, "mse")
    assert float(got.detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("target", PARTIAL, ids=["difference", "flow"])
def test_compiling_the_traced_step_changes_neither_branch(target):
    torch.compiler.reset()
    model = build(recipe(target))
    data = model.data_preprocessor(batch(), training=True)
    plain = gradients(model, data)
    traced = gradients(torch.compile(model, backend="aot_eager"), data)
    for name, gradient in traced.items():
        wanted = plain[name.removeprefix("_orig_mod.")]
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5, msg=name)
