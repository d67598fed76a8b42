"""DEMVM for two CPU cores, on pseudo-motion clips of 120 photographs: 15,000 clips.

Not from the paper: 16 x 64 x 64, a small Swin from scratch at one rate. Masking runs the first tenth
of its schedule, as in the paper. These motions move nearly all of a frame, so what moves fast, 2 pixels
a frame, guides, and by densities: by the paper's counts at half a pixel most slots would be random
and the others denser where still. The clips are those of pmg/vit-toy_photographs_unmixed.py and
swin-toy_photographs_random.py; docs/demvm.md says where the tokenizer comes from.

    tools/train.py configs/demvm/swin-toy_photographs.py
"""

_base_ = [
    "../_base_/models/demvm_swin-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/demvm_runtime.py",
]
model = dict(masker=dict(ratios="densities", threshold=2.0))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap"),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
default_hooks = dict(masking_ratio=dict(period=1250))
train_cfg = dict(max_epochs=125)
