"""MotionMAE on UCF101, optical flow in the place of the temporal difference: 93.5 (Table 7).

The flow is estimated in the data workers, from each frame of the clip to its next one, and not
stored before. The paper replaces the difference "whilst keeping the others the same" (Appendix B),
so patch norm stays, as Table 6a has it on UCF101; of the flow's method it is silent: DenseFlow's
and FlowTarget's defaults. Set it against vit-b_ucf101.py and vit-b_ucf101_frame-only.py. Not run.

    tools/dist_train.sh configs/motionmae/vit-b_ucf101_optical-flow.py 8
"""

_base_ = "./vit-b_ucf101.py"
model = dict(
    data_preprocessor=dict(with_flow=True),
    branches=dict(
        motion=dict(head=dict(target=dict(_delete_=True, type="FlowTarget", normalize=True)))
    ),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(_delete_=True, type="DenseFlow"),
            pack=dict(algorithm_keys=("flow", "covisible")),
        )
    )
)
