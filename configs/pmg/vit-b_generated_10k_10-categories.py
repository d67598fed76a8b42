"""PMG on 10,000 images of 10 shader programs of our own: their number, as Fig. 3, Sec. 4.3.

Stands for the paper's curve on Shaders1k, whose published folders are no programs.

tools/dist_train.sh configs/pmg/vit-b_generated_10k_10-categories.py 8
"""

_base_ = "./vit-b_generated.py"
train_dataloader = dict(dataset=dict(num_images=10_000, num_categories=10))
