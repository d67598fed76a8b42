"""PMG on 10,000 procedural shader images that the data workers make.

tools/dist_train.sh configs/pmg/vit-b_generated_10k.py 8
"""

_base_ = "./vit-b_generated.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
