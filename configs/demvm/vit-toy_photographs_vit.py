"""Flow-guided VideoMAE for two CPU cores, on pseudo-motion clips of 120 photographs: 15,000 clips.

The same clips as pmg/vit-toy_photographs_unmixed.py, which masks tubes whatever moves. Here what moves
fast, 2 pixels a frame, is shown less.

    tools/train.py configs/demvm/vit-toy_photographs_vit.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
model = dict(masker=dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.75, threshold=2.0))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap", frames=4),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
train_cfg = dict(max_epochs=125)
