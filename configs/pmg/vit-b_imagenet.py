"""PMG on 100,000 images of ImageNet-1k: UCF101 89.2, HMDB51 59.2 (Table 6) in the paper.

tools/dist_train.sh configs/pmg/vit-b_imagenet.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="FolderImages",
            root="data/imagenet/train",
            hint="Unpack ILSVRC2012_img_train.tar to data/imagenet/train/CLASS/*.JPEG; configs/pmg/vit-b_generated.py needs no download.",
        ),
        subset="balanced",
    )
)
