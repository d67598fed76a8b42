"""PMG on one frame of each HMDB51 video for 1000 epochs: the length of pre-training, Fig. 3, Sec. 4.3.

The paper draws the curve without naming its points; these halve and quarter the 2000 of Table 1.

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames_1000e.py 8
"""

_base_ = "./vit-b_hmdb51-frames.py"
train_cfg = dict(max_epochs=1000)
