"""PMG on 100,000 Visual Atom images that the data workers make: nothing to download.

The paper, on the published images: UCF101 82.6, HMDB51 48.2 (Table 7).

tools/dist_train.sh configs/pmg/vit-b_visual-atom_generated.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="VisualAtomImages"),
        subset="first",  # the first images of a generator are balanced over its categories
    )
)
