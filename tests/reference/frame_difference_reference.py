"""Average frame difference, decoded by OpenCV, one pixel after the other."""

import itertools
from pathlib import Path

import cv2


def average_frame_difference(path: Path) -> float:
    """Return the mean of |frame k+1 - frame k| over frames, pixels and colours, full size."""
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = video.read()
        if not there:
            break
        frames.append(frame.tolist())
    total = count = 0
    for last, frame in itertools.pairwise(frames):
        for row, other_row in zip(last, frame):
            for pixel, other in zip(row, other_row):
                for one, two in zip(pixel, other):
                    total += abs(one - two)
                    count += 1
    return total / count
