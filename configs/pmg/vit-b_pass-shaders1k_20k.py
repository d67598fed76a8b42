"""PMG on 10,000 images each of PASS and Shaders1k, the image half of the mixtures of Table 9.

The paper mixes them with real videos (67.9 with HMDB51 and its frames), not alone.

    tools/dist_train.sh configs/pmg/vit-b_pass-shaders1k_20k.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="MixedImages",
            sources=dict(
                people_free=dict(type="FolderImages", root="data/PASS_dataset"),
                shaders=dict(type="FolderImages", root="data/shaders1k"),
            ),
            weights=dict(people_free=1, shaders=1),
            num_images=20_000,
        ),
        num_images=None,
        subset="first",
    )
)
