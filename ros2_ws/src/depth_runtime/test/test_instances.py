# SPDX-License-Identifier: Apache-2.0
import numpy as np
from depth_runtime.instances import find_centers, group_instances


def test_centers_are_local_maxima_above_the_threshold_strongest_first():
    heat = np.zeros((20, 30), np.float32)
    heat[5, 7], heat[5, 9], heat[15, 25], heat[2, 20] = 0.8, 0.7, 0.9, 0.2
    np.testing.assert_array_equal(find_centers(heat, window=7), [[25, 15], [7, 5]])
    np.testing.assert_array_equal(find_centers(heat, window=7, most=1), [[25, 15]])


def test_pixels_join_the_centre_that_they_vote_for_not_the_nearest_one():
    heat = np.zeros((12, 40), np.float32)
    heat[6, 5], heat[6, 30] = 0.9, 0.8
    things = np.zeros((12, 40), bool)
    things[4:9, 2:18] = things[4:9, 24:36] = True
    y, x = np.mgrid[0:12, 0:40].astype(np.float32)
    target_x = np.where(x < 20, 5, 30)
    target_x[4:9, 16:18] = 30  # nearer to the first centre, but they point to the second
    offset = np.stack((target_x - x, 6 - y)).astype(np.float32)
    instances = group_instances(heat, offset, things)
    assert instances.dtype == np.uint16
    assert (instances[~things] == 0).all()
    assert (instances[4:9, 2:16] == 1).all()
    assert (instances[4:9, 16:18] == 2).all()
    assert (instances[4:9, 24:36] == 2).all()


def test_two_objects_above_one_another_are_told_apart_by_the_downward_offset():
    """dy > 0 where the centre lies below. Turned round, cells near the border would vote for the other object."""
    heat = np.zeros((32, 8), np.float32)
    heat[7, 4], heat[23, 4] = 0.9, 0.8
    y, x = np.mgrid[0:32, 0:8].astype(np.float32)
    upper = y < 16
    offset = np.stack((4 - x, np.where(upper, 7, 23) - y)).astype(np.float32)
    np.testing.assert_array_equal(group_instances(heat, offset, np.ones((32, 8), bool)), np.where(upper, 1, 2))


def test_no_centre_means_no_instance():
    things = np.ones((6, 8), bool)
    assert not group_instances(np.zeros((6, 8), np.float32), np.zeros((2, 6, 8), np.float32), things).any()


def test_a_centre_on_stuff_does_not_count():
    heat = np.zeros((6, 8), np.float32)
    heat[1, 1] = 0.9
    things = np.zeros((6, 8), bool)
    things[4, 4] = True
    assert not group_instances(heat, np.zeros((2, 6, 8), np.float32), things).any()


def test_a_peak_that_votes_for_another_place_is_no_centre():
    heat = np.zeros((12, 40), np.float32)
    heat[6, 5], heat[6, 25] = 0.9, 0.8
    things = np.zeros((12, 40), bool)
    things[4:9, 2:30] = True
    offset = np.zeros((2, 12, 40), np.float32)
    offset[0] = 5 - np.arange(40)  # every cell, the second peak too, belongs to the first centre
    assert (group_instances(heat, offset, things)[things] == 1).all()
