# SPDX-License-Identifier: Apache-2.0
"""What holds for the depth of every disparity."""

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from depth_runtime.geometry import depth_from_disparity, depth_millimetres
from hypothesis import given
from hypothesis import strategies as st

# A disparity may be so small that its depth is more than a float32 holds.
pytestmark = pytest.mark.filterwarnings("error")
# Without subnormal numbers: libraries that other tests load may have switched them off for the whole process.
FOCAL_PX, BASELINE_M = st.floats(50, 5000, allow_subnormal=False), st.floats(0.01, 5, allow_subnormal=False)
DISPARITIES = st.lists(
    st.floats(-10, 2000, width=32, allow_subnormal=False) | st.just(float("nan")), min_size=1, max_size=20
)
LIMITS_M = st.tuples(
    st.just(0.0) | st.floats(0.001, 2, allow_subnormal=False),
    st.floats(5, 500, allow_subnormal=False) | st.just(float("inf")),
)


@given(DISPARITIES, FOCAL_PX, BASELINE_M, LIMITS_M)
def test_depth_is_in_range_or_says_on_which_side_it_is_not(disparities, focal_px, baseline_m, limits_m):
    nearest_m, farthest_m = limits_m
    disparity = np.array([disparities], np.float32)
    depth = depth_from_disparity(disparity, focal_px, baseline_m, nearest_m, farthest_m)
    assert depth.dtype == np.float32
    for d, z in zip(disparity[0].astype(float), depth[0].astype(float), strict=True):
        exact_m = focal_px * baseline_m / d if d > 0 else np.inf
        if np.isnan(d):
            assert np.isnan(z)
        elif np.isfinite(z):
            assert z == pytest.approx(exact_m, rel=1e-6)
            assert nearest_m * (1 - 1e-6) <= z <= farthest_m * (1 + 1e-6)
        else:
            # Where rounding decides, either side of a limit is right.
            assert exact_m >= farthest_m * (1 - 1e-6) if z > 0 else exact_m <= nearest_m * (1 + 1e-6)


@given(DISPARITIES, FOCAL_PX, BASELINE_M)
def test_more_disparity_is_never_farther(disparities, focal_px, baseline_m):
    order = np.sort(np.array([disparities], np.float32))
    depth = depth_from_disparity(order, focal_px, baseline_m)[0]
    known = depth[~np.isnan(order[0])]
    assert (known[1:] <= known[:-1]).all()


@given(st.lists(st.floats(0.125, 65.5, width=32, allow_subnormal=False), min_size=1, max_size=20))
def test_millimetres_are_within_half_a_millimetre(depths_m):
    depth_m = np.array([depths_m], np.float32)
    assert np.abs(depth_millimetres(depth_m) / 1000.0 - depth_m).max() <= 0.0005 + 1e-5
