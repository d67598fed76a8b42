import pytest
import torch

from mmpmg.models.necks import FusingSwinDecoder, SwinDecoder

WIDTHS = {1: 4, 3: 6}
ALL = {1: 4, 2: 5, 3: 6}


def maps(sides, widths, slots=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(2, width, slots, side, side, generator=generator)
        for side, width in zip(sides, widths.values())
    ]


def bilinear(frame, factor):
    """[C, h, w] -> [C, factor * h, factor * w], each place looked up on its own (half pixels)."""
    channels, h, w = frame.shape
    out = torch.zeros(channels, factor * h, factor * w)
    for i in range(factor * h):
        for j in range(factor * w):
            y = min(max((i + 0.5) / factor - 0.5, 0), h - 1)
            x = min(max((j + 0.5) / factor - 0.5, 0), w - 1)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            dy, dx = y - y0, x - x0
            top = (1 - dx) * frame[:, y0, x0] + dx * frame[:, y0, x1]
            bottom = (1 - dx) * frame[:, y1, x0] + dx * frame[:, y1, x1]
            out[:, i, j] = (1 - dy) * top + dy * bottom
    return out


def test_lightweight_decoder_is_equations_1_and_2():
    second, fourth = maps((8, 2), WIDTHS)
    decoder = SwinDecoder(WIDTHS)
    assert decoder.embed_dims == 10
    assert not list(decoder.parameters())
    features = decoder((second, fourth))
    for b in range(2):
        for t in range(3):
            large = bilinear(fourth[b, :, t], 4)
            for y in range(8):
                for x in range(8):
                    expected = torch.cat((large[:, y, x], second[b, :, t, y, x]))
                    token = features[b, t * 64 + y * 8 + x]
                    torch.testing.assert_close(token, expected, rtol=1e-5, atol=1e-5)


def test_what_grew_out_of_padding_is_cut_off():
    """28 -> 14 -> 7 -> 4 places: the fourth row of the last map begins at row 12 of 14."""
    second, fourth = maps((14, 4), WIDTHS)
    features = SwinDecoder(WIDTHS)((second, fourth))
    assert features.shape == (2, 3 * 14 * 14, 10)
    large = bilinear(fourth[1, :, 2], 4)
    torch.testing.assert_close(features[1, 2 * 196 + 13 * 14 + 12, :6], large[:, 13, 12])


def test_fusing_decoder_looks_at_all_maps_of_a_slot_and_of_no_other():
    torch.manual_seed(0)
    decoder = FusingSwinDecoder(ALL, embed_dims=7)
    decoder.init_weights()
    given = maps((8, 4, 2), ALL)
    before = decoder(given)
    assert before.shape == (2, 3 * 64, decoder.embed_dims)
    for number in range(3):
        moved = [m.clone() for m in given]
        moved[number][1, :, 2] += 1 + torch.rand_like(moved[number][1, :, 2])
        changed = (decoder(moved) - before).abs().amax(2)
        assert changed[0].max() == 0
        assert changed[1, :128].max() == 0, "slots 0 and 1"
        assert changed[1, 128:].min() > 0
    decoder(given).square().mean().backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().max() > 0, name


def test_fusing_decoder_s_tokens_are_in_t_h_w_order():
    """A kernel of 1 and maps that are flat but for one place: only tokens near it change."""
    torch.manual_seed(0)
    decoder = FusingSwinDecoder(ALL, embed_dims=7, kernel_size=1)
    decoder.init_weights()
    given = maps((8, 4, 2), ALL)
    moved = [m.clone() for m in given]
    moved[0][0, :, 1, 3, 5] += 2
    changed = (decoder(moved) - decoder(given)).abs().amax(2).nonzero().tolist()
    assert changed == [[0, 64 + 3 * 8 + 5]]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: SwinDecoder(ALL), r"stages \(1, 3\), .* returns \(1, 2, 3\).*out_indices="),
        (lambda: FusingSwinDecoder(WIDTHS), r"model.backbone.out_indices=\(1, 2, 3\)"),
        (lambda: FusingSwinDecoder(ALL, embed_dims=0), "neck.embed_dims"),
        (lambda: FusingSwinDecoder(ALL, kernel_size=2), "kernel_size 2 must be odd"),
    ],
)  # fmt: skip
def test_illegal_settings_name_the_key(build, words):
    with pytest.raises(ValueError, match=words):
        build()
