"""PMG on 10,000 images of ImageNet-1k: UCF101 87.4, HMDB51 58.0 (Table 6) in the paper.

tools/dist_train.sh configs/pmg/vit-b_imagenet_10k.py 8
"""

_base_ = "./vit-b_imagenet.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
