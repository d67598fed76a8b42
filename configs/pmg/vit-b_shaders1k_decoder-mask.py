"""The paper's main recipe with half of the decoder's masked tokens left out, as in VideoMAE V2.

Running cell masking, ratio .5 (arXiv 2303.16727, Sec. 3); not in the paper, not run yet.

    tools/dist_train.sh configs/pmg/vit-b_shaders1k_decoder-mask.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(decoder_masker=dict(type="RunningCellMasker", mask_ratio=0.5))
