"""MotionMAE, ViT-B, on Something-Something V2: 71.8 after fine-tuning (Table 1).

MotionMAE, Table 6a: 2400 epochs, 4 x 8 GPUs x 32 clips a step, lr 1.5e-4 x 1024 / 256 = 6e-4. All
else is vit-b_ssv2_400e.py's. Fine-tune with finetune/vit-b_ssv2_motionmae.py. Not run.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
train_cfg = dict(max_epochs=2400)
