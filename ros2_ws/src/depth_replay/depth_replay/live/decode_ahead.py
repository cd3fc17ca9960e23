# SPDX-License-Identifier: Apache-2.0
"""Reads a bag ahead of its playing, in a thread, and changes the transport of images on the way."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..bags.bag import BagMessage
from ..messages import topics
from ..messages.definitions import COMPRESSED, IMAGE, deserialize, serialize
from ..messages.image_codec import ImageError, compress, decompress, image_array, image_message, is_picture

TRANSPORTS = ("as-recorded", "raw", "compressed")
# About a second of stereo at 30 Hz: enough to cover a slow disk or a slow decode, small enough for a robot.
_MESSAGES_AHEAD = 128


def transported(topic: str, msgtype: str, transport: str) -> tuple[str, str]:
    """Topic and type under which a message is played."""
    if transport == "raw" and msgtype == COMPRESSED and topic != topics.base(topic):
        return topics.base(topic), IMAGE
    if transport == "compressed" and msgtype == IMAGE:
        return topics.compressed(topic), COMPRESSED
    return topic, msgtype


def convert(message: BagMessage, transport: str) -> BagMessage:
    """The message in the wanted transport: JPEG or PNG decoded, or 8-bit images to JPEG and deeper ones to PNG.

    Images that are no pictures (32FC1 ..) stay raw. Raises ImageError naming the topic when an image does not decode.
    """
    topic, msgtype = transported(message.topic, message.msgtype, transport)
    if msgtype == message.msgtype:
        return message
    try:
        made = _converted(deserialize(message.data, message.msgtype), msgtype)
    except ImageError as error:
        raise ImageError(f"{message.topic}: {error}") from error
    return message if made is None else BagMessage(topic, msgtype, message.time_ns, serialize(made))


def converts(message: BagMessage) -> bool:
    """Whether an image message can change its transport: raw numbers (32FC1 ..) cannot."""
    return message.msgtype != IMAGE or is_picture(deserialize(message.data, IMAGE).encoding)


def _converted(picture: Any, msgtype: str) -> Any:
    """A raw or compressed image as a message of the other type, None for one that only a raw message holds."""
    if msgtype == IMAGE:
        return image_message(*decompress(picture), picture.header)
    if not is_picture(picture.encoding):
        return None
    pixels = image_array(picture)
    return compress(pixels, picture.encoding, "jpeg" if pixels.dtype == np.uint8 else "png", picture.header)


class DecodeAhead:
    """Iterates over the messages of a bag, read and converted by a thread that runs ahead of the caller.

    Errors of the thread are raised where the message would have come. Use as a context manager: leaving it ends
    the thread.
    """

    def __init__(
        self, messages: Callable[[], Iterator[BagMessage]], convert_message: Callable[[BagMessage], BagMessage]
    ) -> None:
        self._messages, self._convert = messages, convert_message
        self._queue: queue.Queue[BagMessage | Exception | None] = queue.Queue(maxsize=_MESSAGES_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decode-ahead", daemon=True)

    def _run(self) -> None:
        try:
            for message in self._messages():
                if not self._put(self._convert(message)):
                    return
            self._put(None)
        except Exception as error:  # handed to the caller, which raises it
            self._put(error)

    def _put(self, item: BagMessage | Exception | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def __enter__(self) -> DecodeAhead:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_until_ready(self) -> None:
        """Wait until the first message is there, or it is known that none comes."""
        while self._queue.empty() and self._thread.is_alive():
            time.sleep(0.002)

    def __iter__(self) -> Iterator[BagMessage]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
