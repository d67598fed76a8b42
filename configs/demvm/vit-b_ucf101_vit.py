"""Flow-guided VideoMAE on the videos of UCF101: DEMVM's masks for an encoder that drops them. Not run.

videomae/vit-b_ucf101.py, but that a token of what moves is shown .3 / .7 times as often as another;
as many are masked, so that recipe is its other arm. Not in the papers.

    tools/dist_train.sh configs/demvm/vit-b_ucf101_vit.py 8
"""

_base_ = "../videomae/vit-b_ucf101.py"
model = dict(masker=dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.75))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(_delete_=True, type="MotionMap", cell=16),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
