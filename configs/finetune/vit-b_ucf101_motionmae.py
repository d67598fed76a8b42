"""Fine-tune ViT-B on UCF101 split 1: MotionMAE, Table 6b; 94.0 in the paper (Table 3).

100 epochs, 8 x 32 videos a step, each drawn once, lr 1e-3 x 256 / 256 = 1e-3, drop path .1, 10 x 3
views (Sec. 4). The table names no dropout: none. Not run.

    tools/dist_train.sh configs/finetune/vit-b_ucf101_motionmae.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ucf101.py"
model = dict(
    backbone=dict(drop_path_rate=0.1),
    cls_head=dict(dropout_ratio=0.0),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_dataloader = dict(batch_size=32, dataset=dict(num_repeats=1))
test_dataloader = dict(dataset=dict(pipeline=dict(frames=dict(num_clips=10))))
auto_scale_lr = dict(base_batch_size=256)
