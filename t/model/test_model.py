"""The randomised test of mailboxes for half a minute; `make soak` runs it for
an hour. POSTA_MODEL_SECONDS and POSTA_MODEL_SEED change both."""
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from model.run import run  # noqa: E402 (found by the line above)

SECONDS = float(os.environ.get('POSTA_MODEL_SECONDS', '25'))
SEED = int(os.environ.get('POSTA_MODEL_SEED', random.randrange(1 << 30)))


def test_random_clients(record_property):
    record_property('say', run(SECONDS, SEED))
