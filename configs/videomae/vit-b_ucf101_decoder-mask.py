"""VideoMAE on UCF101 with half of the decoder's masked tokens left out, as in VideoMAE V2.

Running cell masking, ratio .5 (arXiv 2303.16727, Sec. 3); the rest is vit-b_ucf101.py's. There it
shortens pre-training at the same accuracy; here not run yet.

    tools/dist_train.sh configs/videomae/vit-b_ucf101_decoder-mask.py 8
"""

_base_ = "./vit-b_ucf101.py"
model = dict(decoder_masker=dict(type="RunningCellMasker", mask_ratio=0.5))
