"""UCF101 split 1 for recognition with DEMVM: clips as in its pre-training, 4 x 3 views.

Sec. 4.1: "other configurations are consistent with pre-training", so crops and nothing else are
drawn, and each video once. Table 3 counts 12 views of a video (88 x 12 GFLOPs): 4 clips of 3 crops,
as Video Swin's authors take them.
"""

_base_ = "./ucf101.py"
train_dataloader = dict(
    batch_size=6,
    dataset=dict(
        num_repeats=1,
        pipeline=dict(
            short_side=None,
            rand_augment=None,
            crop=dict(_delete_=True, type="MultiScaleCropInside", input_size=224),
            flip=None,
            erase=None,
        ),
    ),
)
test_dataloader = dict(dataset=dict(pipeline=dict(frames=dict(num_clips=4))))
