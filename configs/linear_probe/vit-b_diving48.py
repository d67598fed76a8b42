"""Linear probing of ViT-B on Diving48: PMG, supplement, Sec. H. 6.4 with Shaders1k in the paper.

The encoder is frozen, a linear layer learns from the mean of its tokens. The settings are ours,
see the bases; crops and flips, one draw of each video.

    tools/dist_train.sh configs/linear_probe/vit-b_diving48.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/linear_probe_vit-b.py",
    "../_base_/datasets/diving48.py",
    "../_base_/schedules/linear_probe_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=48))
train_dataloader = dict(dataset=dict(num_repeats=1, pipeline=dict(rand_augment=None, erase=None)))
custom_hooks = [
    dict(type="ClassCountHook", empty_classes=[30]),  # version 2 has no video of it
    dict(type="FeatureStatisticsHook"),
]
