"""The smallest segmenter, and films of squares over a texture with their masks."""

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

CELL = 8
BACKBONE = dict(
    type="MaskedVisionTransformer", img_size=64, num_frames=4, patch_size=CELL, tubelet_size=2,
    embed_dims=48, num_heads=2, depth=2,
)  # fmt: skip
RED, GREEN = (255, 0, 0), (0, 255, 0)


def tiny_segmenter(backbone=None, **options):
    """Build one of two random blocks on cells of 8 pixels, the same each time."""
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


def sample_of(masks, ids=None):
    """A sample with masks, the ids those of the first unless given."""
    sample = ActionDataSample()
    sample.gt_masks = masks
    ids = sorted(set(masks[0].unique().tolist()) - {0}) if ids is None else ids
    sample.set_metainfo(dict(sequence="film", object_ids=tuple(ids)))
    return sample


def segment(model, frames, masks, ids=None):
    """The masks that a model predicts for one sequence."""
    data = dict(inputs=[frames], data_samples=[sample_of(masks, ids)])
    return model.test_step(data)[0].pred_masks
