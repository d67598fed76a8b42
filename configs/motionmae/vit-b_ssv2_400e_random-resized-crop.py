"""MotionMAE on SSv2 cropped as Sec. 4 says and not as its settings do, 400 epochs.

"Random resized cropping at a scale range of [0.5, 1]" is taken to mean areas, with sides of 3:4 to
4:3; the table of settings has MultiScaleCrop, as VideoMAE. No number in the paper.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_random-resized-crop.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            crop=dict(_delete_=True, type="RandomResizedCrop", area_range=(0.5, 1.0)),
        )
    )
)
