"""PMG on 5,000 images of PASS: a point of Fig. 3b in the paper, which draws but does not print it.

tools/dist_train.sh configs/pmg/vit-b_pass_5k.py 8
"""

_base_ = "./vit-b_pass.py"
train_dataloader = dict(dataset=dict(num_images=5_000))
