"""PMG on 100,000 images of Visual Atom: UCF101 82.6, HMDB51 48.2 (Table 7) in the paper.

tools/dist_train.sh configs/pmg/vit-b_visual-atom.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="FolderImages",
            root="data/visual-atom-1k",
            hint="Unpack VisualAtom-1k to data/visual-atom-1k/00000/*.png; configs/pmg/vit-b_generated.py needs no download.",
        ),
        subset="balanced",
    )
)
