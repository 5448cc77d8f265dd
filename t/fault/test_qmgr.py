"""Every disk call of qmgr in turn fails, or the process dies there.

Each time a first run takes in mail until the fault has struck, and a second
one, without faults, empties the queue. Whatever was acknowledged must have
been delivered then. qmgr runs among stand-ins (t/queue/driver).
"""
import collections
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAULT = ROOT / 'build/fault'
DRIVER, QMGR = FAULT / 't/queue/driver', FAULT / 'bin/qmgr'
SETTINGS = 'minimal_backoff_time = 0\nmaximal_backoff_time = 0\n'
SIZE = 4096


def make_top():
    top = pathlib.Path(tempfile.mkdtemp(prefix='posta-fault-'))
    top.chmod(0o755)  # qmgr's user must come through
    return top


def drive(folder, *args, fault=None):
    env = dict(os.environ)
    env.pop('POSTA_DISK_FAULT', None)
    if fault:
        env['POSTA_DISK_FAULT'] = fault
    return subprocess.run(
        [DRIVER, '-c', SETTINGS, '-a', '2', *args, QMGR, folder], env=env,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=300)


def first(folder, answer, rcpts, fault, seconds=1):
    return drive(folder, '-m', '2', '-p', '1', '-r', str(rcpts), '-s', '2',
                 '-z', str(SIZE), '-o', answer, '-w', str(seconds), '-k', '30',
                 fault=fault)


def count_calls(answer, rcpts):
    """How many disk calls a run without faults makes."""
    top = make_top()
    counter = top / 'counter'
    counter.write_bytes(bytes(8))
    try:
        first(top / 'queue', answer, rcpts, f'1000000:eio:qmgr:{counter}',
              seconds=100)
        return struct.unpack('=Q', counter.read_bytes())[0]
    finally:
        shutil.rmtree(top)


def ids(folder):
    counts = {'committed': collections.Counter(),
              'delivered': collections.Counter()}
    if (folder / 'ids').exists():
        for line in (folder / 'ids').read_text().splitlines():
            what, queue_id = line.split()
            counts[what][queue_id] += 1
    return counts


def check_mailbox(folder):
    """Mailbox files that were queue files have nothing behind the content."""
    for path in (folder / 'mailbox').iterdir():
        text = path.read_bytes()
        assert text.startswith(b'Return-Path: <sender@example.com>\n')
        assert text.endswith(b'now.\n'), text[-80:]


@pytest.mark.parametrize('what', ['eio', 'enospc', 'kill'])
@pytest.mark.parametrize('answer,rcpts', [
    ('sent', 1), ('sent', 5), ('claim', 1), ('defer', 3), ('down', 1)])
def test_nothing_is_lost(answer, rcpts, what):
    calls = count_calls(answer, rcpts)
    assert calls > 5
    again = 0
    for n in range(1, calls + 2):
        top = make_top()
        folder = top / 'queue'
        try:
            one = first(folder, answer, rcpts, f'{n}:{what}:qmgr')
            two = drive(folder, '-p', '0', '-o', 'sent', '-e', '1', '-w', '100')
            log = (folder / 'log').read_text()
            story = f'call {n}: {what}\n{one.stdout}{two.stdout}{log}'
            assert two.returncode == 0, story
            assert 'panic' not in log, story
            seen = ids(folder)
            for queue_id in seen['committed']:
                assert seen['delivered'][queue_id], f'{queue_id} lost\n{story}'
                again += seen['delivered'][queue_id] > (2 if rcpts > 1 else 1)
            check_mailbox(folder)
        finally:
            shutil.rmtree(top)
    # A message may come twice, but only when its results could not be noted.
    assert again <= calls, again
