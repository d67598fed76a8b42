"""PMG on 10,000 images of FractalDB (paper: Table 7).

tools/dist_train.sh configs/pmg/vit-b_fractaldb_10k.py 8
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
        num_images=10_000,
    )
)
