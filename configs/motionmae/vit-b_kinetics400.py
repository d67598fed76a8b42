"""MotionMAE, ViT-B, on Kinetics-400: 81.7 after fine-tuning (Table 2), UCF101 96.3 (Table 3).

MotionMAE, Table 6a: 1600 epochs, 4 x 8 GPUs x 32 clips a step, lr 1.5e-4 x 1024 / 256 = 6e-4. All
else is vit-b_kinetics400_400e.py's. Its frozen features segment DAVIS-2017 at a J&F of 56.8
(Table 4). Not run.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_kinetics400.py 8
"""

_base_ = "./vit-b_kinetics400_400e.py"
train_cfg = dict(max_epochs=1600)
