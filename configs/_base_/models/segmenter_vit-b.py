"""ViT-B, frozen, and label propagation with the protocol of Jabri et al. 2020.

Its settings are the defaults of LabelPropagationSegmenter; docs/vos.md says which paper each comes
from, and what none of them says.
"""

model = dict(
    type="LabelPropagationSegmenter",
    data_preprocessor=dict(
        type="SequencePreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
    ),
    backbone=dict(type="MaskedVisionTransformer", arch="base", img_size=224, num_frames=16),
)
