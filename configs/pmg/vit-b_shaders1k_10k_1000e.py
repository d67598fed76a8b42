"""PMG on 10,000 images of Shaders1k for 1000 epochs: the length of pre-training, Fig. 3, Sec. 4.3.

The paper draws the curve without naming its points; these halve and quarter the 2000 of Table 1.

tools/dist_train.sh configs/pmg/vit-b_shaders1k_10k_1000e.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
train_cfg = dict(max_epochs=1000)
