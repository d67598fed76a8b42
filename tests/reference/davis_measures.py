"""J and F of DAVIS-2017 once more, from their definitions: sets of pixels and explicit distances.

Nothing is dilated and no arrays are shifted: a contour is found by comparing each pixel with its
neighbours one by one, and two contours meet where some pair of pixels is near enough.
"""

from __future__ import annotations

import math


def pixels(mask):
    return {(y, x) for y, row in enumerate(mask) for x, value in enumerate(row) if value}


def jaccard(predicted, truth):
    ours, theirs = pixels(predicted), pixels(truth)
    union = len(ours | theirs)
    return len(ours & theirs) / union if union else 1.0


def contour_pixels(mask):
    height, width = len(mask), len(mask[0])
    found = set()
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0), (1, 1)):
                inside = y + dy < height and x + dx < width
                if inside and bool(mask[y][x]) != bool(mask[y + dy][x + dx]):
                    found.add((y, x))
    return found


def boundary_f(predicted, truth):
    height, width = len(truth), len(truth[0])
    reach = math.ceil(0.008 * math.sqrt(height**2 + width**2))
    ours, theirs = contour_pixels(predicted), contour_pixels(truth)
    if not ours and not theirs:
        return 1.0
    if not ours or not theirs:
        return 0.0

    def near(point, others):
        return any((point[0] - y) ** 2 + (point[1] - x) ** 2 <= reach**2 for y, x in others)

    precision = sum(near(point, theirs) for point in ours) / len(ours)
    recall = sum(near(point, ours) for point in theirs) / len(theirs)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def statistics(values):
    """(mean, recall, decay) of one object's values over the frames that count."""
    count = len(values)
    mean = sum(values) / count
    recall = sum(value > 0.5 for value in values) / count
    # Five marks from the first frame (1) to the last (count); a quarter holds both of its marks.
    # Halves go up: the official rule adds a hair before it rounds.
    marks = [math.floor(1 + (count - 1) * k / 4 + 0.5) for k in range(5)]
    first = [values[number - 1] for number in range(marks[0], marks[1] + 1)]
    last = [values[number - 1] for number in range(marks[3], marks[4] + 1)]
    return mean, recall, sum(first) / len(first) - sum(last) / len(last)


def davis(sequences):
    """All measures of [(predicted, truth, number of objects), ...] with (T, H, W) ids."""
    rows = {"J": [], "F": []}
    for predicted, truth, count in sequences:
        for number in range(1, count + 1):
            values = {"J": [], "F": []}
            for ours, theirs in list(zip(predicted, truth))[1:-1]:
                masks = [[[v == number for v in row] for row in each] for each in (ours, theirs)]
                values["J"].append(jaccard(*masks))
                values["F"].append(boundary_f(*masks))
            for key in rows:
                rows[key].append(statistics(values[key]))
    found = {}
    for key in rows:
        for column, what in enumerate(("Mean", "Recall", "Decay")):
            found[f"{key}-{what}"] = sum(row[column] for row in rows[key]) / len(rows[key])
    found["J&F-Mean"] = (found["J-Mean"] + found["F-Mean"]) / 2
    return found
