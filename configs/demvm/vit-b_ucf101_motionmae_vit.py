"""Flow-guided MotionMAE on the videos of UCF101: where something moves, more is hidden. Not run.

motionmae/vit-b_ucf101.py is its other arm. Not in the papers.

    tools/dist_train.sh configs/demvm/vit-b_ucf101_motionmae_vit.py 8
"""

_base_ = "../motionmae/vit-b_ucf101.py"
model = dict(masker=dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.75))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(_delete_=True, type="MotionMap", cell=16),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
