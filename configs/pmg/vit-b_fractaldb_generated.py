"""PMG on 100,000 FractalDB images that the data workers make: nothing to download.

The paper, on the published images: UCF101 78.1, HMDB51 41.1 (Table 7).

tools/dist_train.sh configs/pmg/vit-b_fractaldb_generated.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="FractalImages"),
        subset="first",  # the first images of a generator are balanced over its categories
    )
)
