"""DEMVM, Video Swin-B, on UCF101 split 1: UCF101 92.2, HMDB51 62.3 (Tables 1, 2 and 5).

Otherwise as swin-t_ucf101.py. Not run.

    tools/dist_train.sh configs/demvm/swin-b_ucf101.py 4
"""

_base_ = [
    "../_base_/models/demvm_swin-b.py",
    "../_base_/datasets/demvm_ucf101.py",
    "../_base_/schedules/demvm_10e.py",
    "../_base_/demvm_runtime.py",
]
model = dict(
    branches=dict(
        token=dict(
            head=dict(target=dict(checkpoint="work_dirs/tokenizer/vqvae3d_ucf101/epoch_671.pth"))
        )
    )
)
