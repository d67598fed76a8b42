"""PMG on 10,000 images of 100 categories of ImageNet-1k: their number, Fig. 3, Sec. 4.3.

The paper draws the curve, which flattens behind 50, without naming its points.

tools/dist_train.sh configs/pmg/vit-b_imagenet_10k_100-categories.py 8
"""

_base_ = "./vit-b_imagenet.py"
train_dataloader = dict(dataset=dict(num_images=10_000, num_categories=100))
