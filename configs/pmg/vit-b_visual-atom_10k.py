"""PMG on 10,000 images of Visual Atom: UCF101 83.5, HMDB51 48.9 (Table 7) in the paper.

tools/dist_train.sh configs/pmg/vit-b_visual-atom_10k.py 8
"""

_base_ = "./vit-b_visual-atom.py"
train_dataloader = dict(dataset=dict(num_images=10_000))
