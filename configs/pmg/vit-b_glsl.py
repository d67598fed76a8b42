"""PMG on 100,000 images of GLSL fragment shaders of yours, drawn while training.

For those who own the sources of Shaders1k, which are not published with its images; the nearest
row of the paper is Shaders1k's (Table 7). Needs pip install "mmpmg[glsl]", and EGL.

    tools/dist_train.sh configs/pmg/vit-b_glsl.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="GLSLImages", root="data/shaders"),
        subset="first",
    )
)
