"""Fine-tune ViT-B on Kinetics-400: MotionMAE, Table 6b; 81.7 in the paper (Table 2).

75 epochs, 4 x 8 GPUs x 12 videos a step, two draws of each, lr 5e-4 x 384 / 256 = 7.5e-4. Drop path
.1, no dropout, 5 x 3 views as in vit-b_kinetics400.py. Not run.

    NNODES=4 tools/dist_train.sh configs/finetune/vit-b_kinetics400_motionmae.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_kinetics400.py"
optim_wrapper = dict(optimizer=dict(lr=7.5e-4))
train_dataloader = dict(batch_size=12)
train_cfg = dict(max_epochs=75)
auto_scale_lr = dict(base_batch_size=384)
