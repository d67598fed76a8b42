"""PMG on 10,000 FractalDB images that the data workers make.

Table 7 of the paper has this row for the published images.

tools/dist_train.sh configs/pmg/vit-b_fractaldb_generated_10k.py 8
"""

_base_ = "./vit-b_fractaldb_generated.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
