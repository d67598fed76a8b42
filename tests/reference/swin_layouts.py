"""Small Swins: ours, timm's for images, and its weights in the official release's layout."""

import torch

WINDOW = 4
ARCH = dict(embed_dims=12, depths=(2, 2, 2, 2), num_heads=(1, 2, 3, 4))


def image_swin(img_size=128, **options):
    """timm's, with random weights that are none of the initial zeros and ones."""
    import timm

    torch.manual_seed(0)
    options = {
        **dict(embed_dim=12, depths=(2, 2, 2, 2), num_heads=(1, 2, 3, 4), window_size=WINDOW),
        **options,
    }
    model = timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=img_size, num_classes=5, **options
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def official(state, stages=4):
    """The same weights as Microsoft's release names them, buffers and classifier included."""
    out = {}
    for key, value in state.items():
        for stage in range(1, stages):
            if key.startswith(f"layers.{stage}.downsample."):
                key = key.replace(f"layers.{stage}.", f"layers.{stage - 1}.")
                break
        out[key.replace("head.fc.", "head.")] = value
    out["layers.0.blocks.1.attn_mask"] = torch.zeros(4, 16, 16)
    out["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(16, 16)
    return out
