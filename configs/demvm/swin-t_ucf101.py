"""DEMVM, Video Swin-T, on UCF101 split 1: 88.9 after fine-tuning (Tables 1, 6 and 7).

DEMVM, Sec. 4.1: 4 x 6 clips a step, 10 epochs of a masking schedule of 100. The
encoder starts from ImageNet's Swin-T, which timm downloads; docs/demvm.md says how the tokenizer is
made. The authors report 2 hours on four GPUs of 24 GB; not run here.

    tools/dist_train.sh configs/demvm/swin-t_ucf101.py 4
"""

_base_ = [
    "../_base_/models/demvm_swin-t.py",
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
