"""Linear probing of Video Swin-T on two clips a class of Mimetics: 14.1, with random masks 8.3 (Table 4).

Pre-train with demvm/swin-t_ucf101.py and demvm/swin-t_ucf101_random.py. The settings are ours, see
the bases: the paper names none. 100 clips, so the batch is smaller than elsewhere. Not run.

    tools/train.py configs/linear_probe/swin-t_mimetics_2-shot.py --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/linear_probe_swin-t.py",
    "../_base_/datasets/demvm_recognition_mimetics.py",
    "../_base_/schedules/linear_probe_100e.py",
    "../_base_/default_runtime.py",
]
optim_wrapper = dict(optimizer=dict(lr=0.01))
train_dataloader = dict(batch_size=25)
auto_scale_lr = dict(base_batch_size=25)
