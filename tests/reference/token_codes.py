"""A target of codes without a tokenizer: how bright a token is, in 8 steps."""

import torch
from mmaction.registry import MODELS
from torch import nn


@MODELS.register_module(force=True)
class BrightnessCodes(nn.Module):
    """What `CodebookTarget` promises, in a few lines.

    Every call is kept, for tests that ask what the target was asked.
    """

    def __init__(self, token_shape, num_codes=8):
        super().__init__()
        self.token_shape = token_shape
        self.num_codes = num_codes
        self.checked = None
        self.masks = []

    def check(self, num_frames, data_preprocessor):
        self.checked = num_frames

    def forward(self, clip, mask):
        self.masks.append(mask)
        codes = []
        dt, dh, dw = self.token_shape
        for pixels, row in zip(clip.pixels, mask):
            _, frames, height, width = pixels.shape
            number = 0
            for t in range(0, frames, dt):
                for y in range(0, height, dh):
                    for x in range(0, width, dw):
                        if row[number]:
                            token = pixels[:, t : t + dt, y : y + dh, x : x + dw]
                            codes.append(int(token.mean().clamp(0, 0.999) * self.num_codes))
                        number += 1
        return torch.tensor(codes, dtype=torch.int64, device=mask.device)
