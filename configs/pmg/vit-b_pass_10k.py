"""PMG on 10,000 images of PASS (no people, free licences): UCF101 87.6, HMDB51 58.3 (Table 6) in the paper.

tools/dist_train.sh configs/pmg/vit-b_pass_10k.py 8
"""

_base_ = "./vit-b_pass.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
