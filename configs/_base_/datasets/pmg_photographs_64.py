"""Pseudo-motion clips of 16 x 64 x 64 from 120 photographs of BSDS500."""

_base_ = "./pmg_generated_64.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="FolderImages",
            root="data/images_bsds500/images",
            hint="These are 120 photographs of BSDS500 (Arbelaez et al., "
            "https://github.com/BIDS/BSDS500), the short side reduced to 240 pixels. Any folder of "
            "photographs will do: --cfg-options train_dataloader.dataset.images.root=FOLDER",
        )
    )
)
