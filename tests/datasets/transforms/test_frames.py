import numpy as np
import pytest

from mmpmg.datasets.transforms.frames import fit_partner


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (7, 5), (20, 30), (1, 1)])
def test_a_partner_covers_the_frame_and_keeps_its_aspect(shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    picture = np.stack([x * 2, y * 2, np.full_like(x, 9)], axis=-1).astype(np.uint8)
    fitted = fit_partner(picture, (20, 30)).astype(float)
    assert fitted.shape == (20, 30, 3)
    assert (fitted[..., 2] == 9).all()
    if min(shape) > 5:
        scale = max(20 / shape[0], 30 / shape[1])
        # Brightness rises by 2 / scale per pixel, alike in both directions.
        slope_x = np.diff(fitted[10, 5:25, 0]).mean()
        slope_y = np.diff(fitted[5:15, 15, 1]).mean()
        assert slope_x == pytest.approx(2 / scale, rel=0.15)
        assert slope_y == pytest.approx(2 / scale, rel=0.15)
        # And the middle stays in the middle.
        assert fitted[10, 15, 0] == pytest.approx(shape[1] - 1, abs=2 / scale + 1)
        assert fitted[10, 15, 1] == pytest.approx(shape[0] - 1, abs=2 / scale + 1)


def test_a_partner_that_fits_is_left_alone():
    picture = np.zeros((20, 30, 3), dtype=np.uint8)
    assert fit_partner(picture, (20, 30)) is picture


@pytest.mark.parametrize("wrong", [None, np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8)])
def test_what_is_no_image_is_refused(wrong):
    with pytest.raises(ValueError, match="load_partner must return"):
        fit_partner(wrong, (20, 30))
