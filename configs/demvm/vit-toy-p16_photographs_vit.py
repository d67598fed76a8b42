"""Flow-guided VideoMAE on the clips of configs/pmg/vit-toy-p16_photographs_unmixed.py.

tools/train.py configs/demvm/vit-toy-p16_photographs_vit.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy-p16.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy_batch-8.py",
    "../_base_/default_runtime.py",
]
model = dict(masker=dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.75, threshold=2.0))
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap", frames=2, cell=16),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    ),
)
train_cfg = dict(max_epochs=375)
