"""PMG on 10,000 FractalDB images that the data workers make.

The paper, on the published images: see vit-b_fractaldb_10k.py (Table 7).

tools/dist_train.sh configs/pmg/vit-b_fractaldb_generated_10k.py 8
"""

_base_ = "./vit-b_fractaldb_generated.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
