"""A whole instance whose disk fails, or whose processes die, again and again.

Every so many disk calls of all its processes together one fails. What was
answered with 250 arrives.
"""
import pathlib
import re
import smtplib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 't/system'))

from harness import Posta, wait_until  # noqa: E402

MESSAGES = 90


def settings():
    return {
        'import_environment': 'MAIL_CONFIG, POSTA_DISK_FAULT',
        'service_throttle_time': '1s',
        'minimal_backoff_time': '1s',
        'maximal_backoff_time': '2s',
        'transport_retry_time': '1s',
    }


def submit(posta, number):
    """True if it was acknowledged."""
    rcpts = ['alice@example.test']
    if number % 3 == 0:
        rcpts.append('bob@example.test')
    try:
        with posta.smtp() as s:
            s.sendmail('s@client.test', rcpts,
                       f'Subject: {number}.\n\n' + 'text\n' * 500)
        return True
    except (smtplib.SMTPException, OSError):
        return False


def arrived(posta, user):
    found = []
    for text in posta.maildir(user):
        match = re.search(rb'^Subject: (\d+)\.\r?$', text, re.M)
        assert match, text[:500]
        assert text.count(b'text\n') == 500, text[-200:]
        found.append(int(match.group(1)))
    return found


@pytest.mark.parametrize('what,each', [('enospc', 23), ('eio', 37),
                                       ('kill', 173)])
def test_nothing_is_lost(what, each, monkeypatch, tmp_path):
    counter = tmp_path / 'counter'
    counter.write_bytes(bytes(8))
    counter.chmod(0o666)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    monkeypatch.setenv('POSTA_DISK_FAULT', f'40/{each}:{what}::{counter}')
    with Posta(settings=settings(), build=ROOT / 'build/fault',
               may_die=what == 'kill') as posta:
        acknowledged = [n for n in range(MESSAGES) if submit(posta, n)]
        assert len(acknowledged) > MESSAGES // 4

        def all_there():
            alice, bob = (set(arrived(posta, u)) for u in ('alice', 'bob'))
            return alice >= set(acknowledged) and \
                bob >= {n for n in acknowledged if n % 3 == 0}

        wait_until(all_there, lambda: 'all of the mail; missing: '
                   f'{set(acknowledged) - set(arrived(posta, "alice"))}', 300)
        twice = len(arrived(posta, 'alice')) - len(set(arrived(posta,
                                                                'alice')))
        print(f'{what}: {len(acknowledged)} of {MESSAGES} acknowledged, '
              f'{twice} delivered twice')
