"""PMG on 10,000 images of FractalDB (paper: Table 7).

tools/dist_train.sh configs/pmg/vit-b_fractaldb_10k.py 8
"""

_base_ = "./vit-b_fractaldb.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
