"""Fine-tune ViT-L on 32 frames of Something-Something V2: 75.5 in MotionMAE's Table 1.

The paper does not say how it was trained; here from the encoder of 16 frames, whose positions are
a fixed formula and so are made for 32. (It prints 598 GFLOPs a view, those of 16 frames; VideoMAE's
row has 1436.) Otherwise as vit-l_ssv2_motionmae.py. Of a video of up to 48 frames both clips of a
test are the same, so that its six views are three: UniformSample shifts the second one by two
thirds of a segment, the first by one, and rounds both down. Not run.

    NNODES=4 tools/dist_train.sh configs/finetune/vit-l_ssv2_motionmae_32-frames.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ssv2_motionmae.py"
model = dict(
    backbone=dict(arch="large", num_frames=32, drop_path_rate=0.2),
    cls_head=dict(in_channels=1024),
)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=dict(frames=dict(clip_len=32))))
val_dataloader = dict(dataset=dict(pipeline=dict(frames=dict(clip_len=32))))
test_dataloader = dict(dataset=dict(pipeline=dict(frames=dict(clip_len=32))))
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=256)
