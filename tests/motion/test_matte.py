import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import layer_reference

from mmpmg.motion import Matte
from mmpmg.motion.part_drawing import draw_matte

STAR = Matte("polygon", (20.3, 14.6), 12.0, (1.0, 0.5, 0.8, 0.4, 0.9, 0.5), 1.3, 0.7, 3.0)
BLOB = Matte("blob", (20.3, 14.6), 8.0, (0.1, -0.2, 0.05, 0.15), 0.8, -2.0, 4.0)
ELLIPSE = Matte("blob", (20.0, 15.0), 8.0, (), 1.5, 0.0, 2.0)


@pytest.mark.parametrize("matte", [STAR, BLOB, ELLIPSE], ids=["star", "blob", "ellipse"])
def test_alpha_is_what_following_each_ray_to_the_rim_gives(matte):
    x, y = np.meshgrid(np.arange(0.0, 42.0, 0.7), np.arange(0.0, 31.0, 0.7))
    expected = [[layer_reference.alpha(matte, (a, b)) for a, b in zip(*row)] for row in zip(x, y)]
    np.testing.assert_allclose(matte.alpha(x, y), expected, atol=1e-7)
    assert 0 < np.mean(np.array(expected) == 1.0) < np.mean(np.array(expected) == 0.0)


def test_an_ellipse_is_a_blob_without_bumps():
    # Half axes 8 * 1.5 and 8 / 1.5; on the rim the matte is one half.
    for x, y in [(32.0, 15.0), (8.0, 15.0), (20.0, 15.0 + 16 / 3)]:
        assert ELLIPSE.alpha(np.array(x), np.array(y)) == pytest.approx(0.5)


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["blob", "polygon"]),
    st.floats(3, 30),
    st.floats(0, 12),
)
def test_a_drawn_shape_lies_in_its_box_and_the_box_in_the_image(seed, outline, extent, softness):
    size = (32, 41)
    matte = draw_matte(np.random.default_rng(seed), size, outline, extent, softness)
    x0, y0, x1, y1 = matte.box()
    assert x0 >= 0 and y0 >= 0 and x1 <= 40 and y1 <= 31
    assert max(x1 - x0, y1 - y0) == pytest.approx(extent)
    x, y = np.meshgrid(np.arange(-3, 45, 0.21), np.arange(-3, 36, 0.21))
    alpha = matte.alpha(x, y)
    outside = (x <= x0) | (x >= x1) | (y <= y0) | (y >= y1)
    assert (alpha[outside] == 0).all()
    # ... and not in a box half as large: the box is no mere bound.
    assert np.ptp(x[alpha > 0]) > 0.5 * (x1 - x0) and np.ptp(y[alpha > 0]) > 0.5 * (y1 - y0)
    assert matte.alpha(*(np.array(c) for c in matte.centre)) == 1


@pytest.mark.parametrize("matte", [STAR, BLOB])
def test_the_raster_is_alpha_at_the_pixel_centres(matte):
    y, x = np.mgrid[:30, :41]
    np.testing.assert_array_equal(matte.raster((30, 41)), np.rint(255 * matte.alpha(x, y)))


@pytest.mark.parametrize("matte", [STAR, ELLIPSE])
def test_a_matte_survives_json(matte):
    assert Matte(**json.loads(json.dumps(matte.to_dict()))) == matte


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"outline": "disc"}, "blob, polygon"),
        ({"shape": (0.1,)}, "pairs"),
        ({"shape": (0.6, 0.0, 0.6, 0.0)}, "at most 0.9"),
        ({"outline": "polygon", "shape": (1.0, 1.0)}, "3 to 64 distances"),
        ({"outline": "polygon", "shape": (1.0, 1.0, 0.0)}, "3 to 64 distances"),
        ({"centre": (1.0,)}, r"\(x, y\)"),
        ({"radius": 0.0}, "radius=0.0"),
        ({"stretch": 9.0}, "stretch=9.0"),
        ({"softness": 0.0}, "softness=0.0"),
        ({"angle": float("nan")}, "angle=nan"),
    ],
)
def test_what_is_no_shape_is_refused(changes, told):
    values = {"outline": "blob", "centre": (5.0, 5.0), "radius": 3.0}
    with pytest.raises(ValueError, match=told):
        Matte(**{**values, **changes})
