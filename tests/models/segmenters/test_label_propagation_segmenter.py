import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope
from reference.label_propagation import LiveMemory
from torch import nn

from mmpmg.models.checkpoint_fit import check_fit
from mmpmg.models.conversion import recognizer_state

CELL = 8
BACKBONE = dict(
    type="MaskedVisionTransformer", img_size=64, num_frames=4, patch_size=CELL, tubelet_size=2,
    embed_dims=48, num_heads=2, depth=2,
)  # fmt: skip
RED, GREEN = (255, 0, 0), (0, 255, 0)


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def build(backbone=None, **options):
    torch.manual_seed(0)
    preprocessor = dict(type="SequencePreprocessor", mean=[127.5] * 3, std=[60.0] * 3)
    model = MODELS.build(
        dict(
            type="LabelPropagationSegmenter", data_preprocessor=preprocessor,
            backbone={**BACKBONE, **(backbone or {})}, **options,
        )
    )  # fmt: skip
    model.init_weights()
    return model


def colour_encoder(**options):
    """A segmenter whose features are the mean colours of cells, and nothing else."""
    model = build(standardise=False, **options)
    vit = model.backbone
    vit.pos_embed.zero_()
    vit.blocks = nn.ModuleList([nn.Identity()])
    model.encoder.layer = 0
    with torch.no_grad():
        projection = vit.patch_embed.projection
        projection.weight.zero_()
        projection.bias.zero_()
        for colour in range(3):
            projection.weight[colour, colour] = 1 / projection.weight[0, 0].numel()
    return model


def film(positions, objects=(RED,), size=(48, 64), side=16, seed=0):
    """Squares over a grey texture; ``positions``: of each frame, of each object, (y, x) or None."""
    generator = torch.Generator().manual_seed(seed)
    background = torch.randint(0, 60, (1, *size), generator=generator).expand(3, -1, -1)
    frames = background[:, None].repeat(1, len(positions), 1, 1).byte()
    masks = torch.zeros(len(positions), *size, dtype=torch.uint8)
    for t, corners in enumerate(positions):
        for number, (corner, colour) in enumerate(zip(corners, objects), start=1):
            if corner is None:
                continue
            y, x = slice(corner[0], corner[0] + side), slice(corner[1], corner[1] + side)
            frames[:, t, y, x] = torch.tensor(colour, dtype=torch.uint8).view(3, 1, 1)
            masks[t, y, x] = number
    return frames[None], masks


def sample_of(masks, ids=None, **fields):
    sample = ActionDataSample()
    sample.gt_masks = masks
    ids = sorted(set(masks[0].unique().tolist()) - {0}) if ids is None else ids
    sample.set_metainfo(dict(sequence="film", object_ids=tuple(ids), **fields))
    return sample


def segment(model, frames, masks, **more):
    data = dict(inputs=[frames], data_samples=[sample_of(masks, **more)])
    return model.test_step(data)[0].pred_masks


def middles(masks):
    """The labels of the four pixels amid each cell, where bilinear enlargement rounds nothing."""
    amid = CELL // 2
    return torch.stack(
        [masks[:, amid - d :: CELL, amid - e :: CELL] for d in (0, 1) for e in (0, 1)]
    )


def test_a_square_that_moves_by_cells_is_followed_exactly():
    frames, masks = film([[(8 * (t // 4), 8 * t)] for t in range(7)])
    found = segment(colour_encoder(), frames, masks)
    assert found[0].equal(masks[0])
    assert middles(found).equal(middles(masks))
    assert (found == masks).float().mean() > 0.98  # but for its four rounded corners


def test_two_objects_keep_their_ids_though_they_meet():
    frames, masks = film([[(8, 8 * t), (24, 48 - 8 * t)] for t in range(7)], (RED, GREEN))
    masks[masks == 2] = 9
    found = segment(colour_encoder(), frames, masks)
    assert middles(found).equal(middles(masks))
    assert found.unique().tolist() == [0, 1, 9]


def test_an_object_that_leaves_is_gone_and_found_when_it_returns_elsewhere():
    place = [[(16, 8)], [(16, 0)], [None], [None], [(16, 48)]]
    frames, masks = film(place)
    found = segment(colour_encoder(radius=2.0), frames, masks)
    assert middles(found).equal(middles(masks)), "the first frame is seen from everywhere"
    found = segment(colour_encoder(radius=2.0, restrict_first=True), frames, masks)
    assert middles(found)[:, :4].equal(middles(masks)[:, :4])
    assert not found[4].any(), "out of reach"


@pytest.mark.parametrize("frame_context", ["tubelet", "repeat", "window"])
def test_identical_frames_propagate_labels_unchanged(frame_context):
    """Each cell is most like itself: with one neighbour the labels stay what they were."""
    frames = torch.randint(0, 256, (1, 3, 1, 48, 64), generator=torch.Generator().manual_seed(1))
    frames = frames.byte().repeat(1, 1, 9, 1, 1)
    masks = torch.zeros(9, 48, 64, dtype=torch.uint8)
    masks[:, 5:30, 11:37], masks[:, 30:41, 20:60] = 1, 2
    found = segment(build(top_k=1, frame_context=frame_context), frames, masks)
    assert found[0].equal(masks[0])
    for later in found[2:]:
        assert later.equal(found[1])
    cells = torch.zeros(9, 48, 64, dtype=torch.uint8)  # of whole cells: but for rounded corners
    cells[:, 8:32, 16:40], cells[:, 32:40, 24:56] = 1, 2
    found = segment(build(top_k=1, frame_context=frame_context), frames, cells)
    assert middles(found).equal(middles(cells))


def test_a_random_encoder_follows_a_textured_square():
    generator = torch.Generator().manual_seed(3)
    frames, masks = film([[(16, 4 * t)] for t in range(10)])
    texture = torch.randint(0, 256, (3, 16, 16), generator=generator).byte()
    for t in range(10):
        frames[0, :, t, 16:32, 4 * t : 4 * t + 16] = texture
    found = segment(build(top_k=5), frames, masks)

    def overlap(a, b):
        return ((a & b).sum() / (a | b).sum()).item()

    still = overlap(masks[0] > 0, masks[9] > 0)
    assert still == 0
    assert overlap(found[9] > 0, masks[9] > 0) > 0.5


def test_only_the_first_mask_is_looked_at():
    frames, masks = film([[(8, 8 * t)] for t in range(5)])
    other = masks.clone()
    other[1:] = 0
    model = build()
    assert segment(model, frames, masks).equal(segment(model, frames, other))


def test_only_a_window_looks_into_the_future():
    frames, masks = film([[(8, 8 * t)] for t in range(5)])
    other = frames.clone()
    other[:, :, 4] = 255 - other[:, :, 4]
    for frame_context, sees in (("tubelet", False), ("repeat", False), ("window", True)):
        model = build(frame_context=frame_context)
        same = torch.isclose(model.extract_feat(frames[0]), model.extract_feat(other[0]), atol=1e-5)
        assert same[3].all().item() != sees
        assert not same[4].all()
    assert segment(build(), frames, masks)[:4].equal(segment(build(), other, masks)[:4])


@pytest.mark.parametrize("frames_per_batch", [1, 3, 100])
def test_frames_may_be_encoded_together_or_not(frames_per_batch):
    frames, masks = film([[(8, 8 * t)] for t in range(7)], size=(45, 67))
    expected = segment(build(), frames, masks)
    assert segment(build(frames_per_batch=frames_per_batch), frames, masks).equal(expected)


def test_sequences_of_several_sizes_are_one_batch():
    films = [
        film([[(8, 8 * t)] for t in range(n)], size=s) for n, s in ((3, (48, 64)), (5, (32, 40)))
    ]
    model = build()
    data = dict(inputs=[f for f, _ in films], data_samples=[sample_of(m) for _, m in films])
    together = [sample.pred_masks for sample in model.test_step(data)]
    for found, (frames, masks) in zip(together, films):
        assert found.dtype == torch.uint8
        assert found.equal(segment(model, frames, masks))


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_sequences(length):
    frames, masks = film([[(8, 8)]] * length)
    assert segment(build(), frames, masks)[0].equal(masks[0])


def test_memory_does_not_grow_with_the_sequence():
    def peak(length):
        frames, masks = film([[(8, 8)]] * length)
        with LiveMemory() as memory:
            segment(build(context_frames=4), frames, masks)
        return memory.peak

    short, long = peak(10), peak(40)
    assert long - short <= 30 * 48 * 64 + 64, "masks, a byte a pixel, and nothing else"


def test_nothing_is_in_training_mode_and_no_gradient_is_kept():
    model = build(backbone=dict(drop_rate=0.5, drop_path_rate=0.5)).train()
    assert not any(module.training for module in model.modules())
    frames, _ = film([[(8, 8)]] * 2)
    first, again = model.extract_feat(frames[0]), model([frames])[0]
    assert first.equal(again)
    assert not again.requires_grad


def states():
    """The three kinds of file that hold an encoder."""
    torch.manual_seed(5)
    encoder = MODELS.build(dict(BACKBONE, use_mean_pooling=False))
    pretrained = {f"backbone.{key}": value for key, value in encoder.state_dict().items()}
    exported = recognizer_state(pretrained)
    tuned = {**exported, "cls_head.fc_cls.weight": torch.zeros(10, 48)}
    return dict(pretrained=pretrained, exported=exported, tuned=tuned)


def test_any_file_with_the_encoder_fits_and_gives_the_same_masks():
    frames, _ = film([[(8, 8 * t)] for t in range(5)])
    found = []
    for name, state in states().items():
        model = build()
        check_fit(model, state, name, whole=True)
        model.load_state_dict(state, strict=False)
        found.append(model.extract_feat(frames[0]))
    assert found[0].equal(found[1])
    assert found[0].equal(found[2])
    assert not found[0].equal(build().extract_feat(frames[0]))


@pytest.mark.parametrize(
    ("change", "told"), [(dict(embed_dims=24), "does not fit"), (dict(depth=1), "left over")]
)
def test_a_file_of_another_size_is_refused(change, told):
    state = states()["exported"]
    with pytest.raises(ValueError, match=rf"{told}.*model\.backbone"):
        check_fit(build(backbone=change), state, "encoder.pth", whole=True)


def test_bad_samples_are_refused_by_name():
    frames, masks = film([[(8, 8)]] * 3)
    model = build()
    empty, foreign = masks.clone(), masks.clone()
    empty[0], foreign[0, 0, 0] = 0, 3
    for given, ids, told in (
        (empty, (1,), "no object"),
        (foreign, (1,), r"ids \[1, 3\].*\[1\]"),
        (masks, (1, 2), r"ids \[1\].*\[1, 2\]"),
        (masks[:2], (1,), "one mask of a frame's size"),
        (masks[:, :-1], (1,), "one mask of a frame's size"),
    ):
        with pytest.raises(ValueError, match=rf"film.*{told}"):
            segment(model, frames, given, ids=ids)
    bare = ActionDataSample()
    bare.set_metainfo(dict(filename="folder/film"))
    with pytest.raises(ValueError, match=r"folder/film has no gt_masks"):
        model.test_step(dict(inputs=[frames], data_samples=[bare]))


def test_ids_are_those_of_the_first_mask_where_nothing_names_them():
    frames, masks = film([[(8, 8 * t)] for t in range(3)])
    sample = sample_of(masks)
    sample.set_metainfo(dict(sequence="film"))
    nameless = ActionDataSample()
    nameless.gt_masks = masks
    model = build()
    found = model.test_step(dict(inputs=[frames], data_samples=[nameless]))[0].pred_masks
    assert found.equal(segment(model, frames, masks))


def test_other_modes_say_what_to_do():
    frames, masks = film([[(8, 8)]] * 2)
    model = build()
    with pytest.raises(ValueError, match=r"no loss.*tools/test\.py"):
        model([frames], [sample_of(masks)], mode="loss")
    with pytest.raises(ValueError, match="'predict', 'tensor'"):
        model([frames], mode="segment")
    with pytest.raises(ValueError, match="data sample"):
        model([frames], mode="predict")


@pytest.mark.parametrize(
    "sequence", [torch.zeros(1, 3, 2, 8, 8), torch.zeros(3, 2, 8, 8).byte(),
                 torch.zeros(2, 3, 2, 8, 8).byte(), torch.zeros(1, 3, 0, 8, 8).byte()]
)  # fmt: skip
def test_a_sequence_of_another_shape_is_refused(sequence):
    with pytest.raises(ValueError, match=r"not \(1, 3, T, H, W\)"):
        build().data_preprocessor(dict(inputs=[sequence], data_samples=[None]))


def test_frames_are_normalised_where_the_model_is():
    preprocessor = build().data_preprocessor
    frames = torch.tensor([0, 127, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = (torch.tensor([0.0, 127.0, 255.0]) - 127.5) / 60
    torch.testing.assert_close(preprocessor.normalise(frames).flatten(), expected)
    for mean, std in (([1.0], [1.0]), ([0.0] * 3, [1.0, 0.0, 1.0])):
        with pytest.raises(ValueError, match=r"data_preprocessor\.mean"):
            MODELS.build(dict(type="SequencePreprocessor", mean=mean, std=std))


@pytest.mark.parametrize(("key", "value"), [("frames_per_batch", 0), ("rescale", "yes")])
def test_what_is_out_of_range_names_its_key(key, value):
    with pytest.raises(ValueError, match=rf"model\.{key}"):
        build(**{key: value})


@pytest.mark.gpu
def test_on_a_gpu_the_masks_are_nearly_the_same():
    frames, masks = film([[(8, 8 * t)] for t in range(7)])
    expected = segment(build(), frames, masks)
    found = segment(build().cuda(), frames, masks)
    assert found.device.type == "cpu"
    assert (found == expected).float().mean() > 0.98
