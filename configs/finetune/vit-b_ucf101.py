"""Fine-tune ViT-B on UCF101 split 1: PMG, supplement, Table 2.

Name any pre-training on the command line; without load_from it trains from scratch. The paper's
numbers: scratch 51.4, Shaders1k 89.6, PASS 89.3. 8 x 16 videos a step, two draws of each; the
learning rate is the table's 1e-3 as it stands (VideoMAE's script would scale it to 5e-4).

    tools/dist_train.sh configs/finetune/vit-b_ucf101.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/ucf101.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    cls_head=dict(num_classes=101),
    data_preprocessor=dict(
        blending=dict(
            type="RandomBatchAugment",
            augments=[
                dict(type="MixupBlending", alpha=0.8, num_classes=101),
                dict(type="CutmixBlending", alpha=1.0, num_classes=101),
            ],
        )
    ),
)
