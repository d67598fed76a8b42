"""Every kind of image file becomes 8-bit RGB, or an error that names file and cause."""

from __future__ import annotations

import contextlib
import io
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from mmpmg.datasets.image_decoding import ImageReadError, decode_image, read_image


def _smooth(height: int = 24, width: int = 40) -> np.ndarray:
    """A picture that JPEG hardly changes, different in every corner and colour."""
    y, x = np.mgrid[:height, :width]
    r, g = 255 * x / max(width - 1, 1), 255 * y / max(height - 1, 1)
    return np.stack([r, g, (r + g) / 2], -1).astype(np.uint8)


def _bytes(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _close(a: np.ndarray, b: np.ndarray, tolerance: float = 4) -> None:
    assert a.dtype == np.uint8
    assert a.flags.c_contiguous
    assert a.flags.writeable
    assert a.shape == b.shape
    assert np.abs(a.astype(int) - b.astype(int)).mean() < tolerance


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("PPM", {}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_colours_come_in_rgb_order(kind, options):
    picture = _smooth()
    _close(decode_image(_bytes(Image.fromarray(picture), kind, **options), "x"), picture)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_greyscale_has_three_equal_channels(kind):
    grey = _smooth()[..., 0]
    got = decode_image(_bytes(Image.fromarray(grey), kind), "x")
    _close(got, np.repeat(grey[..., None], 3, -1))
    assert (got[..., 0] == got[..., 2]).all()


def test_cmyk_jpeg():
    picture = _smooth()
    data = _bytes(Image.fromarray(picture).convert("CMYK"), "JPEG", quality=95, subsampling=0)
    _close(decode_image(data, "x"), picture)


def test_palette_and_transparent_palette():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = (200, 10, 50)
    palette = Image.fromarray(picture).quantize(2)
    _close(decode_image(_bytes(palette, "PNG"), "x"), picture, 1)
    index = np.asarray(palette)[0, 7]
    over_black = decode_image(_bytes(palette, "PNG", transparency=int(index)), "x")
    assert over_black.max() == 0


def test_transparency_lies_over_black():
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[..., :3] = (200, 100, 40)
    rgba[..., 3] = [0, 128, 255]
    got = decode_image(_bytes(Image.fromarray(rgba), "PNG"), "x")
    expected = np.round(rgba[..., :3] * (rgba[..., 3:] / 255)).astype(np.uint8)
    assert np.abs(got.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("colour", [False, True])
def test_sixteen_bits_keep_the_upper_eight(kind, colour):
    picture = _smooth() if colour else _smooth()[..., 0]
    wide = picture.astype(np.uint16) * 256 + 77
    ok, data = cv2.imencode("." + kind, wide[..., ::-1] if colour else wide)
    assert ok
    expected = picture if colour else np.repeat(picture[..., None], 3, -1)
    _close(decode_image(data.tobytes(), "x"), expected, 1.01)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_rotation_is_applied(kind, orientation):
    picture = _smooth()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    data = _bytes(Image.fromarray(picture), kind, exif=exif, **options)
    stored = {  # how the stored picture must be turned to stand upright (EXIF 2.3, 4.6.4)
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.swapaxes(0, 1),
        6: np.rot90(picture, -1),
        7: picture.swapaxes(0, 1)[::-1, ::-1],
        8: np.rot90(picture),
    }
    _close(decode_image(data, "x"), stored[orientation])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("#c80a32", "#00ff00", "#0000ff")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = _bytes(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    _close(decode_image(data, "x"), np.full((7, 9, 3), (0xC8, 0x0A, 0x32), np.uint8), 2)


def test_one_pixel():
    for kind in ("JPEG", "PNG", "GIF"):
        assert decode_image(_bytes(Image.new("RGB", (1, 1)), kind), "x").shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_long_sides_are_fine_when_the_pixels_are_few(kind):
    data = _bytes(Image.new("RGB", (20_000, 4), "#804020"), kind)
    assert decode_image(data, "x", max_pixels=80_000).shape == (4, 20_000, 3)


def test_large_jpeg_is_decoded_smaller():
    picture = _smooth(160, 320)
    data = _bytes(Image.fromarray(picture), "JPEG", quality=95)
    got = decode_image(data, "x", max_pixels=160 * 320 // 16)
    _close(got, cv2.resize(picture, (80, 40), interpolation=cv2.INTER_AREA))
    with pytest.raises(ImageReadError, match="max_pixels=10 "):
        decode_image(data, "x", max_pixels=10)


def test_large_other_file_is_refused_without_decoding():
    data = _bytes(Image.new("L", (2000, 2000)), "PNG")
    with pytest.raises(ImageReadError, match=r"2000 x 2000 .*max_pixels=3999999"):
        decode_image(data, "x", max_pixels=2000 * 2000 - 1)


def test_decompression_bomb_is_refused_and_pillow_keeps_its_limit():
    limit = Image.MAX_IMAGE_PIXELS
    head = _bytes(Image.new("1", (1, 1)), "PNG")
    big = (20_000).to_bytes(4, "big")
    import zlib

    ihdr = b"IHDR" + big + big + head[24:29]
    bomb = head[:12] + ihdr + zlib.crc32(ihdr).to_bytes(4, "big") + head[33:]
    with pytest.raises(ImageReadError, match="max_pixels=64000000"):
        decode_image(bomb, "bomb.png")
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_truncated_file_is_an_error(kind):
    rng = np.random.default_rng(0)
    data = _bytes(Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    for share in (0.02, 0.5, 0.95):
        with pytest.raises(ImageReadError, match="some name"):
            decode_image(data[: int(len(data) * share)], "some name")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b"hello, this is no image", "no image"),
        (b"\xff\xd8\xff\xd9", "cannot be decoded|no image"),
        (b"\xff\xd8\xff" + b"\xff" * 100, "cannot be decoded|no image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "cannot be decoded|no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image"),
    ],
)
def test_what_is_no_image(data, cause):
    with pytest.raises(ImageReadError, match=cause):
        decode_image(data, "x")


def test_junk_never_raises_anything_else():
    rng = np.random.default_rng(1)
    good = [_bytes(Image.fromarray(_smooth()), kind) for kind in ("JPEG", "PNG", "GIF", "TIFF")]
    for data in good * 25:
        broken = bytearray(data)
        for at in rng.integers(0, len(broken), 4):
            broken[at] = rng.integers(256)
        with contextlib.suppress(ImageReadError):
            assert decode_image(bytes(broken), "x", max_pixels=10**6).ndim == 3


def test_names_of_any_kind(tmp_path):
    data = _bytes(Image.fromarray(_smooth()), "PNG")
    for name in (b"with a space.png", "日本 é.png".encode(), b"not utf-8 \xff\xfe.png", b"%s.png"):
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as file:
            file.write(data)
        _close(read_image(path), _smooth())
        with open(path, "wb"):
            pass
        with pytest.raises(ImageReadError, match="empty") as caught:
            read_image(path)
        str(caught.value).encode("utf-8")  # can be logged


def test_missing_file_broken_link_folder_and_no_permission(tmp_path):
    with pytest.raises(ImageReadError, match="does not exist"):
        read_image(str(tmp_path / "none.png"))
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(ImageReadError, match=r"link\.png: broken link to .*gone\.png"):
        read_image(str(tmp_path / "link.png"))
    with pytest.raises(ImageReadError, match="directory"):
        read_image(str(tmp_path))
