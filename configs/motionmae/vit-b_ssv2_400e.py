"""MotionMAE, ViT-B, on Something-Something V2 for 400 epochs: the arm that its ablations change.

MotionMAE, Table 5; the other settings are Table 6a's: random masking of 90 %, no patch norm, no
flip. 68.4 after finetune/vit-b_ssv2_motionmae.py. 4 x 8 GPUs x 32 clips a step; lr by the linear
rule 1.5e-4 x 1024 / 256 = 6e-4. On one machine of eight GPUs: --cfg-options
optim_wrapper.accumulative_counts=4. Not run.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e.py 8
"""

_base_ = [
    "../_base_/models/motionmae_vit-b.py",
    "../_base_/datasets/motionmae_ssv2.py",
    "../_base_/schedules/motionmae_400e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    masker=dict(type="SlotRandomMasker", mask_ratio=0.9),
    branches=dict(
        pixel=dict(head=dict(target=dict(normalize=False))),
        motion=dict(head=dict(target=dict(normalize=False))),
    ),
)
