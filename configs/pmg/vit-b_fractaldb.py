"""PMG on 100,000 images of FractalDB: UCF101 78.1, HMDB51 41.1 (Table 7) in the paper.

tools/dist_train.sh configs/pmg/vit-b_fractaldb.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="FolderImages",
            root="data/fractaldb-1k",
            hint="Unpack FractalDB-1k to data/fractaldb-1k/00000/*.png; configs/pmg/vit-b_generated.py needs no download.",
        ),
        subset="balanced",
    )
)
