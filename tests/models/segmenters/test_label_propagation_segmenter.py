import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from reference.label_propagation import LiveMemory
from reference.tiny_segmenter import (
    BACKBONE,
    CELL,
    GREEN,
    RED,
    film,
    sample_of,
    segment,
    tiny_segmenter,
)
from torch import nn

from mmpmg.models.checkpoint_fit import check_fit
from mmpmg.models.conversion import recognizer_state
from mmpmg.models.segmenters import label_propagation_segmenter
from mmpmg.models.segmenters.label_context import LabelContext


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def colour_encoder(**options):
    """A segmenter whose features are the mean colours of cells, and nothing else."""
    model = tiny_segmenter(standardise=False, **options)
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
    found = segment(tiny_segmenter(top_k=1, frame_context=frame_context), frames, masks)
    assert found[0].equal(masks[0])
    for later in found[2:]:
        assert later.equal(found[1])
    cells = torch.zeros(9, 48, 64, dtype=torch.uint8)  # of whole cells: but for rounded corners
    cells[:, 8:32, 16:40], cells[:, 32:40, 24:56] = 1, 2
    found = segment(tiny_segmenter(top_k=1, frame_context=frame_context), frames, cells)
    assert middles(found).equal(middles(cells))


@pytest.mark.parametrize("fill_context", [True, False])
def test_a_still_picture_keeps_its_labels_with_the_options_as_they_are(fill_context, monkeypatch):
    """Neighbours look nearly alike; a cell still finds itself in 21 frames, and takes 10."""
    down, across = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    frames = torch.stack([2 * down, 2 * across, down + across]).byte()[None, :, None]
    frames = frames.repeat(1, 1, 26, 1, 1)
    masks = torch.zeros(26, 48, 64, dtype=torch.uint8)
    masks[:, 8:16, 16:24], masks[:, 21:40, 30:57] = 1, 2  # one cell, and shares of many
    model = tiny_segmenter(fill_context=fill_context)
    remembered = []

    class Recorder(LabelContext):
        def add(self, features, labels):
            remembered.append(labels)
            super().add(features, labels)

    monkeypatch.setattr(label_propagation_segmenter, "LabelContext", Recorder)
    segment(model, frames, masks)
    assert len(remembered) == 26
    change = max((labels - remembered[0]).abs().max().item() for labels in remembered)
    assert change <= 1e-6 if fill_context else change > 0.1


def test_a_random_encoder_follows_a_textured_square():
    generator = torch.Generator().manual_seed(3)
    frames, masks = film([[(16, 4 * t)] for t in range(10)])
    texture = torch.randint(0, 256, (3, 16, 16), generator=generator).byte()
    for t in range(10):
        frames[0, :, t, 16:32, 4 * t : 4 * t + 16] = texture
    found = segment(tiny_segmenter(top_k=5), frames, masks)

    def overlap(a, b):
        return ((a & b).sum() / (a | b).sum()).item()

    still = overlap(masks[0] > 0, masks[9] > 0)
    assert still == 0
    assert overlap(found[9] > 0, masks[9] > 0) > 0.5


def test_only_the_first_mask_is_looked_at():
    frames, masks = film([[(8, 8 * t)] for t in range(5)])
    other = masks.clone()
    other[1:] = 0
    model = tiny_segmenter()
    assert segment(model, frames, masks).equal(segment(model, frames, other))


def test_only_a_window_looks_into_the_future():
    frames, masks = film([[(8, 8 * t)] for t in range(5)])
    other = frames.clone()
    other[:, :, 4] = 255 - other[:, :, 4]
    for frame_context, sees in (("tubelet", False), ("repeat", False), ("window", True)):
        model = tiny_segmenter(frame_context=frame_context)
        same = torch.isclose(model.extract_feat(frames[0]), model.extract_feat(other[0]), atol=1e-5)
        assert same[3].all().item() != sees
        assert not same[4].all()
    assert segment(tiny_segmenter(), frames, masks)[:4].equal(
        segment(tiny_segmenter(), other, masks)[:4]
    )


@pytest.mark.parametrize("frames_per_batch", [1, 3, 100])
def test_frames_may_be_encoded_together_or_not(frames_per_batch):
    frames, masks = film([[(8, 8 * t)] for t in range(7)], size=(45, 67))
    expected = segment(tiny_segmenter(), frames, masks)
    assert segment(tiny_segmenter(frames_per_batch=frames_per_batch), frames, masks).equal(expected)


def test_sequences_of_several_sizes_are_one_batch():
    films = [
        film([[(8, 8 * t)] for t in range(n)], size=s) for n, s in ((3, (48, 64)), (5, (32, 40)))
    ]
    model = tiny_segmenter()
    data = dict(inputs=[f for f, _ in films], data_samples=[sample_of(m) for _, m in films])
    together = [sample.pred_masks for sample in model.test_step(data)]
    for found, (frames, masks) in zip(together, films):
        assert found.dtype == torch.uint8
        assert found.equal(segment(model, frames, masks))


@pytest.mark.parametrize("rescale", [False, True])
def test_an_object_smaller_than_a_cell_lives_if_labels_are_stretched(rescale):
    frames, masks = film([[(18, 18)]] * 6, side=4)  # a quarter of the cell at (16, 16)
    found = segment(colour_encoder(rescale=rescale), frames, masks)[1:]
    assert found[:, 18:22, 18:22].eq(1).all().item() == rescale
    assert found.any().item() == rescale


def test_the_precision_of_a_test_loop_changes_nothing():
    frames, masks = film([[(8, 8 * t), (24, 48 - 8 * t)] for t in range(5)], (RED, GREEN))
    model = tiny_segmenter()
    step = model.propagation
    kinds = set()

    def recorded(query, keys, labels, grid):
        kinds.update(((query @ query.T).dtype, query.dtype, labels.dtype))
        return step(query, keys, labels, grid)

    expected = segment(model, frames, masks)

    model.propagation = type(
        "Step", (), dict(context_frames=20, fill_context=True, __call__=staticmethod(recorded))
    )()
    with torch.autocast("cpu", torch.bfloat16):
        assert segment(model, frames, masks).equal(expected)
    assert kinds == {torch.float32}


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_sequences(length):
    frames, masks = film([[(8, 8)]] * length)
    assert segment(tiny_segmenter(), frames, masks)[0].equal(masks[0])


def test_memory_does_not_grow_with_the_sequence():
    def peak(length):
        frames, masks = film([[(8, 8)]] * length)
        with LiveMemory() as memory:
            segment(tiny_segmenter(context_frames=4), frames, masks)
        return memory.peak

    short, long = peak(10), peak(40)
    assert long - short <= 30 * 48 * 64 + 64, "masks, a byte a pixel, and nothing else"


def test_nothing_is_in_training_mode_and_no_gradient_is_kept():
    model = tiny_segmenter(backbone=dict(drop_rate=0.5, drop_path_rate=0.5)).train()
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
        model = tiny_segmenter()
        check_fit(model, state, name, whole=True)
        model.load_state_dict(state, strict=False)
        found.append(model.extract_feat(frames[0]))
    assert found[0].equal(found[1])
    assert found[0].equal(found[2])
    assert not found[0].equal(tiny_segmenter().extract_feat(frames[0]))


@pytest.mark.parametrize(
    ("change", "told"), [(dict(embed_dims=24), "does not fit"), (dict(depth=1), "left over")]
)
def test_a_file_of_another_size_is_refused(change, told):
    state = states()["exported"]
    with pytest.raises(ValueError, match=rf"{told}.*model\.backbone"):
        check_fit(tiny_segmenter(backbone=change), state, "encoder.pth", whole=True)


@pytest.mark.gpu
def test_on_a_gpu_the_masks_are_nearly_the_same():
    frames, masks = film([[(8, 8 * t)] for t in range(7)])
    expected = segment(tiny_segmenter(), frames, masks)
    found = segment(tiny_segmenter().cuda(), frames, masks)
    assert found.device.type == "cpu"
    assert (found == expected).float().mean() > 0.98
