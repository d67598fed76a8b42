"""Flow-guided VideoMAE for one GPU: ViT-S on pseudo-motion clips of 16 x 112 x 112. Not run yet.

The same clips as pmg/vit-s_generated_112px_unmixed.py, which masks tubes whatever moves. Here what
moves fast, 2.5 pixels a frame, is shown less: half of the 5 at 224 pixels.

    tools/train.py configs/demvm/vit-s_generated_112px_vit.py
"""

_base_ = [
    "../_base_/models/videomae_vit-s_112.py",
    "../_base_/datasets/pmg_generated_112.py",
    "../_base_/schedules/small.py",
    "../_base_/default_runtime.py",
]
model = dict(masker=dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.75, threshold=2.5))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap", cell=16),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
