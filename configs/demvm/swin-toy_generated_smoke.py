"""Does DEMVM run at all? Two epochs of 64 clips of shaders; no data, and a tokenizer that knows nothing.

It gives all tokens much the same code, so the loss falls to nothing and says nothing.

tools/train.py configs/demvm/swin-toy_generated_smoke.py
"""

_base_ = [
    "../_base_/models/demvm_swin-toy.py",
    "../_base_/datasets/pmg_generated_64.py",
    "../_base_/schedules/smoke.py",
    "../_base_/default_runtime.py",
]
model = dict(branches=dict(token=dict(head=dict(target=dict(checkpoint=None, random=True)))))
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        num_images=64,
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap"),
            pack=dict(algorithm_keys=("motion_map",)),
        ),
    ),
)
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=1))
log_processor = dict(window_size=8)
