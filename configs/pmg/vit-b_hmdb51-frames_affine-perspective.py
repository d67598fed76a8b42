"""PMG on frames of HMDB51 with Affine and Perspective, unmixed: a pair, as in Table 3.

Table 3 has five of the six pairs of the four ops, and the ticks of four are illegible in the text
that we have: of the five pairs beside ZoomInOut and Affine, one is not in the paper.

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames_affine-perspective.py 8
"""

_base_ = "./vit-b_hmdb51-frames.py"
model = dict(data_preprocessor=dict(blending=None))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(
                ops=dict(
                    _delete_=True,
                    affine=dict(type="Affine"),
                    perspective=dict(type="Perspective"),
                )
            )
        )
    )
)
