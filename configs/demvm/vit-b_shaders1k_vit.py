"""Flow-guided VideoMAE on pseudo-motion clips of 100,000 images of Shaders1k. Not run.

pmg/vit-b_shaders1k_unmixed.py, on the same clips, is its other arm: a mixture of two clips has no
motion map. Where a clip moves is known from its motion; at half a pixel nearly all of it would, so
what moves fast guides, 5 pixels a frame. Not in the papers.

    tools/dist_train.sh configs/demvm/vit-b_shaders1k_vit.py 8
"""

_base_ = "../pmg/vit-b_shaders1k_unmixed.py"
model = dict(masker=dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.75, threshold=5.0))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap", cell=16),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
