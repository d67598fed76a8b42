import numpy as np
import pytest

from mmpmg.datasets.transforms import MultiScaleCropInside

SETTINGS = dict(  # of MMAction2, equal to our defaults
    input_size=224, scales=(1, 0.875, 0.75, 0.66), num_fixed_crops=13, max_wh_scale_gap=1
)


def crop(height, width, **settings):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    results = dict(imgs=[image], img_shape=(height, width), modality="RGB")
    return MultiScaleCropInside(**{**SETTINGS, **settings})(results)


@pytest.mark.parametrize("size", [(222, 222), (223, 223), (222, 282), (300, 222), (1, 1), (50, 20)])
def test_an_image_smaller_than_the_crop_never_gives_a_strip(size):
    np.random.seed(0)  # noqa: NPY002
    for _ in range(60):
        results = crop(*size)
        height, width = results["imgs"][0].shape[:2]
        # The smallest crop is .66 of the side, and crops are at most one scale apart.
        assert min(height, width) >= int(0.66 * 224)
        assert results["img_shape"] == (height, width)


def test_a_larger_image_is_cropped_as_mmaction2_does():
    from mmaction.datasets.transforms import MultiScaleCrop

    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    for seed in range(10):
        out = []
        for kind in (MultiScaleCrop, MultiScaleCropInside):
            np.random.seed(seed)  # noqa: NPY002
            import random

            random.seed(seed)
            results = dict(imgs=[image.copy()], img_shape=(240, 320), modality="RGB")
            out.append(kind(**SETTINGS)(results)["imgs"][0])
        assert np.array_equal(*out)
