"""A frozen ViT-B under a linear layer: PMG, supplement, Sec. H.

The layer sees the mean of all tokens, normalised over the channels by fc_norm at its first values
(ones and zeros): the scale that a learning rate for SGD needs, without statistics that move. MAE
puts a batch norm there. No dropout, no label smoothing, no mixing.
"""

_base_ = "./recognizer_vit-b.py"
model = dict(
    data_preprocessor=dict(blending=None),
    backbone=dict(frozen=True, drop_path_rate=0.0),
    cls_head=dict(dropout_ratio=0.0, init_std=0.01, label_smooth_eps=0.0),
)
