"""Waiting for something to become true."""
import time


def wait_until(condition, what, seconds=120):
    """The first true value of condition(); fails when none comes.

    The limit only ends a test that hangs; it is no measure of speed.
    """
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            what = what() if callable(what) else what
            raise AssertionError(f'waited {seconds} s for {what}')
        time.sleep(0.02)
