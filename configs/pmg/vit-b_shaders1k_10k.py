"""PMG on 10,000 images of Shaders1k: UCF101 88.4, HMDB51 57.6 in the paper (Table 7).

tools/dist_train.sh configs/pmg/vit-b_shaders1k_10k.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
