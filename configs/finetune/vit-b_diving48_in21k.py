"""Fine-tune ViT-B on Diving48 from supervised training on ImageNet-21k: 34.2 in PMG, Table 10.

The row "SP". timm downloads the weights, and InflatedViT brings them to clips; the paper says
neither whose weights they were nor how they got there. Their pixels lie in [-1, 1]. Otherwise as
vit-b_diving48.py. Not run.

    tools/dist_train.sh configs/finetune/vit-b_diving48_in21k.py 8
"""

_base_ = "./vit-b_diving48.py"
model = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(
        init_cfg=dict(
            _delete_=True,
            type="InflatedViT",
            checkpoint="timm:vit_base_patch16_224.augreg_in21k",
        )
    ),
)
