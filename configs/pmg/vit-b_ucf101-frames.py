"""PMG on one frame of each UCF101 video ("FT data"): UCF101 87.3 in the paper (Table 4).

tools/dist_train.sh configs/pmg/vit-b_ucf101-frames.py 8
"""

_base_ = [
    "../_base_/models/videomae_vit-b.py",
    "../_base_/datasets/frames_ucf101.py",
    "../_base_/schedules/pmg_2000e.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
