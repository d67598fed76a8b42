"""PMG + VideoMAE, ViT-B, on 100,000 images of Shaders1k: the paper's main result.

Data Collection-free Masked Video Modeling (ECCV 2024), supplement, Table 1; ops Zoom-in/out and
Affine (Table 3), mixup of clips (Table 4). The paper's numbers after fine-tuning: UCF101 89.6,
HMDB51 59.7 (Table 7). 8 x 32 clips a step, 781 k steps = 200 M clips;
some nine days on 8 GPUs at the 31 clips a second and GPU that VideoMAE's authors report (not run).

    tools/dist_train.sh configs/pmg/vit-b_shaders1k.py 8
"""

_base_ = [
    "../_base_/models/videomae_vit-b.py",
    "../_base_/datasets/pmg_shaders1k.py",
    "../_base_/schedules/pmg_2000e.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
