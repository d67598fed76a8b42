"""VideoMAE on 10,000 clips of Video Perlin Noise: the paper's VPN baseline, UCF101 64.9, HMDB51 30.3.

Table 10 of the paper names neither its settings nor the generator's; these are Table 1's, and the
noise is our own (mmpmg.synthesis.perlin).

    tools/dist_train.sh configs/videomae/vit-b_perlin.py 8
"""

_base_ = [
    "../_base_/models/videomae_vit-b.py",
    "../_base_/datasets/perlin_clips.py",
    "../_base_/schedules/pmg_2000e.py",
    "../_base_/default_runtime.py",
]
