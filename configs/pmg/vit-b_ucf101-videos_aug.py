"""VideoMAE on real UCF101 clips, a third of them replaced by pseudo-motion (PMG Aug): 92.2 (Table 8).

The paper does not say how often a clip is replaced.

    tools/dist_train.sh configs/pmg/vit-b_ucf101-videos_aug.py 8
"""

_base_ = "../videomae/vit-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="SeedSample"),
            dict(type="DecordInit"),
            dict(
                type="SampleFrames", clip_len=16, frame_interval=4, out_of_bound_opt="repeat_last"
            ),
            dict(type="DecordDecode"),
            dict(type="MultiScaleCropInside", input_size=224),
            dict(type="Resize", scale=(224, 224), keep_ratio=False),
            dict(type="PMGAug", prob=1 / 3),
            dict(type="FormatShape", input_format="NCTHW"),
            dict(type="PackActionInputs", meta_keys=("sample_seed", "filename")),
        ]
    )
)
