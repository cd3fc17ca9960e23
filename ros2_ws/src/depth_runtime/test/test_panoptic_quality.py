# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from depth_runtime.panoptic_quality import PanopticQuality

ROAD, CAR, SKY = 0, 1, 2


def frame():
    """Road with two cars of 4 x 10 pixels on it and a column without label: 20 x 40."""
    semantic = np.zeros((20, 40), np.uint8)
    instance = np.zeros((20, 40), np.uint16)
    semantic[2:6, 5:15] = semantic[10:14, 20:30] = CAR
    instance[2:6, 5:15], instance[10:14, 20:30] = 7, 9
    semantic[:, 39] = 255
    return semantic, instance


def test_a_perfect_prediction_has_quality_100_whatever_its_instance_numbers():
    semantic, instance = frame()
    quality = PanopticQuality({CAR})
    quality.add(semantic, instance * 3, semantic, instance)
    assert all(value == pytest.approx(100) for value in quality.figures().values())


def test_a_hand_computed_frame():
    true_semantic, true_instance = frame()
    semantic, instance = true_semantic.copy(), true_instance.copy()
    semantic[2:6, 5:8], instance[2:6, 5:8] = ROAD, 0  # first car: 28 of 40 px
    instance[10:14, 25:30] = 8  # second car in two halves: IoU 0.5 each is no match
    semantic[:, 39], instance[:, 39] = CAR, 4  # on unlabelled truth: neither right nor wrong
    quality = PanopticQuality({CAR})
    quality.add(semantic, instance, true_semantic, true_instance)
    figures = quality.figures()
    car = 0.7 / (1 + 2 / 2 + 1 / 2)
    road_area = 20 * 39 - 80
    road = road_area / (road_area + 12)
    assert figures["pq_things"] == pytest.approx(100 * car)
    assert figures["pq_stuff"] == pytest.approx(100 * road)
    assert figures["pq"] == pytest.approx(100 * (car + road) / 2)
    assert figures["sq"] == pytest.approx(100 * (0.7 + road) / 2)
    assert figures["rq"] == pytest.approx(100 * (1 / 2.5 + 1) / 2)
    assert (figures["sq_things"], figures["rq_things"]) == (pytest.approx(70), pytest.approx(40))
    assert (figures["sq_stuff"], figures["rq_stuff"]) == (pytest.approx(100 * road), pytest.approx(100))
    assert quality.by_class() == {
        ROAD: pytest.approx({"pq": 100 * road, "sq": 100 * road, "rq": 100}),
        CAR: pytest.approx({"pq": 28, "sq": 70, "rq": 40}),
    }


def test_the_right_shape_with_the_wrong_class_is_one_miss_and_one_false_prediction():
    true_semantic, true_instance = frame()
    semantic = np.where(true_instance == 9, SKY, true_semantic).astype(np.uint8)
    quality = PanopticQuality({CAR})
    quality.add(semantic, np.where(true_instance == 9, 0, true_instance), true_semantic, true_instance)
    figures = quality.figures()
    assert figures["pq_things"] == pytest.approx(100 / 1.5)
    assert figures["pq_stuff"] == pytest.approx(50)  # road 100, sky 0


def test_a_prediction_on_mostly_unlabelled_truth_is_not_false():
    true_semantic, true_instance = frame()
    true_semantic[:, 35:] = 255
    semantic, instance = true_semantic.copy(), true_instance.copy()
    semantic[:, 35:] = SKY  # all of it on unlabelled truth
    for width, false_segments in ((9, 0), (10, 1), (11, 1)):  # the car's columns, of which 5 are unlabelled
        prediction, numbers = semantic.copy(), instance.copy()
        prediction[15:19, 40 - width :], numbers[15:19, 40 - width :] = CAR, 5
        quality = PanopticQuality({CAR})
        quality.add(prediction, numbers, true_semantic, true_instance)
        assert quality.by_class()[CAR]["rq"] == pytest.approx(100 * 2 / (2 + false_segments / 2))


def test_unlabelled_pixels_do_not_count_in_the_overlap():
    true_semantic, true_instance = frame()
    true_semantic[14:18, 20:30] = 255  # the lower half of a prediction that holds the second car
    semantic, instance = frame()
    semantic[14:18, 20:30], instance[14:18, 20:30] = CAR, 9
    instance[semantic == ROAD] = 3  # numbers on stuff mean nothing
    instance[:, :18][semantic[:, :18] == ROAD] = 4
    quality = PanopticQuality({CAR})
    quality.add(semantic, instance, true_semantic, true_instance)
    assert quality.by_class()[CAR]["pq"] == pytest.approx(100)
    assert quality.by_class()[ROAD]["pq"] == pytest.approx(100)


def test_things_without_a_number_count_for_neither_side():
    semantic, instance = frame()
    grouped = np.where(instance == 9, 0, instance)
    road = np.where(instance == 9, ROAD, semantic).astype(np.uint8)
    # A group of cars in the truth, called cars, another car, or road: nothing is wrong with the one single car.
    for prediction, numbers in ((semantic, grouped), (semantic, instance), (road, grouped)):
        quality = PanopticQuality({CAR})
        quality.add(prediction, numbers, semantic, grouped)
        assert quality.by_class()[CAR] == pytest.approx({"pq": 100, "sq": 100, "rq": 100})
    quality = PanopticQuality({CAR})
    quality.add(semantic, grouped, semantic, instance)  # a car that has no number in the prediction is a miss
    assert quality.by_class()[CAR]["rq"] == pytest.approx(100 * 2 / 3)


def test_small_segments_can_be_left_out():
    true_semantic, true_instance = frame()
    semantic, instance = true_semantic.copy(), true_instance.copy()
    semantic[2:6, 5:15], instance[2:6, 5:15] = ROAD, 0
    quality = PanopticQuality({CAR}, smallest_px=41)
    quality.add(semantic, instance, true_semantic, true_instance)
    assert np.isnan(quality.figures()["pq_things"])


def test_nothing_seen_is_nan():
    assert np.isnan(PanopticQuality({CAR}).figures()["pq"])
