"""PMG on 100,000 images of Shaders1k, read out of its zip in place; otherwise as vit-b_shaders1k.py.

tools/dist_train.sh configs/pmg/vit-b_shaders1k_zip.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="ArchiveImages",
            archives="data/shaders1k.zip",
            hint="Shaders1k comes with https://github.com/mbaradad/shaders21k: put its zip to data/shaders1k.zip; configs/pmg/vit-b_generated.py needs no download.",
        ),
    )
)
