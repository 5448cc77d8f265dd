"""Every disk call of local in turn fails, or the process dies there.

One instance takes message after message; before each the shared counter is
set so that the next one's Nth call is the one that goes wrong. Every message
must arrive in the end, whole.
"""
import os
import pathlib
import re
import struct

import pytest

from harness import wait_until
from harness.accounts import Accounts

FAULT = pathlib.Path(__file__).resolve().parents[2] / 'build/fault'
STRIKE = 1000000
BODY = ''.join(f'line {n} of the message\n' for n in range(400)) + 'now.\n'


class Broken(Accounts):
    """Call number `STRIKE` goes wrong, once."""

    def __init__(self, what):
        super().__init__(build=FAULT, start=False, may_die=what == 'kill',
                         settings={
            'stale_lock_time': '1s', 'deliver_lock_delay': '1s',
            'minimal_backoff_time': '1s', 'service_throttle_time': '1s'})
        self.counter = self.write('counter', '')
        self.set_count(0)
        self.counter.chmod(0o666)
        self.set(import_environment='TZ, POSTA_DISK_FAULT='
                 f'{STRIKE}:{what}:local:{self.counter}')
        out = self.shared('out')
        self.box = out / 'box'
        self.set_aliases(f'file {self.box}\n')
        self.put('carl', '.forward', 'anna, ben\n')

    def count(self):
        return struct.unpack('=Q', self.counter.read_bytes())[0]

    def set_count(self, n):
        with open(self.counter, 'r+b') as f:
            f.write(struct.pack('=Q', n))

    def mails(self, where, tag):
        """What arrived of one message."""
        if where == 'box':
            texts = re.split(r'(?m)^(?=From a@client\.test  )',
                             self.box.read_text() if self.box.exists() else '')
        else:
            texts = [m.decode() for m in self.maildir(where)]
        return [t for t in texts if f'\nSubject: {tag}\n' in t]

    def bring(self, rcpt, tag):
        self.send('a@client.test', rcpt, f'Subject: {tag}\r\n\r\n' +
                  BODY.replace('\n', '\r\n'))

    def one(self, rcpt, places, tag):
        """Send one message and see it arrive."""
        self.bring(rcpt, tag)

        def there():
            got = [self.mails(p, tag) for p in places]
            whole = [[m for m in g if m.rstrip('\n').endswith('\nnow.')]
                     for g in got]
            if all(whole) and not self.queue():
                return got
            self.command('postqueue', '-f')
            return None
        return wait_until(there, lambda: f'{tag} in {places}: {self.queue()}',
                          300)


if os.geteuid() == 0:
    ONE, TWO, FILE, FORWARD = (
        (['anna'], ['anna']),                # the queue file itself
        (['anna', 'ben'], ['anna', 'ben']),  # copies
        (['file'], ['box']),
        (['carl'], ['anna', 'ben']))         # a new message

    @pytest.mark.parametrize('what,way', [
        ('eio', ONE), ('eio', TWO), ('eio', FILE), ('eio', FORWARD),
        ('enospc', ONE), ('enospc', TWO), ('enospc', FILE),
        ('kill', ONE), ('kill', FILE), ('kill', FORWARD),
    ], ids=lambda v: v if isinstance(v, str) else '-'.join(v[0]))
    def test_nothing_is_lost(what, way):
        rcpt, places = way
        rcpt = [f'{name}@example.test' for name in rcpt]

        with Broken(what) as posta:
            posta.start()
            posta.one(rcpt, places, 'first')
            before = posta.count()
            posta.one(rcpt, places, 'second')
            calls = posta.count() - before
            assert calls >= 2
            for n in range(1, calls + 1):
                posta.set_count(STRIKE - n)
                for copies in posta.one(rcpt, places, f'{what}-{n}'):
                    if places == ['box'] and what == 'kill':
                        continue  # half a message may stand there
                    for mail in copies:
                        assert mail.rstrip('\n').endswith('\nnow.'), mail
                    assert len(copies) <= 2
                assert posta.count() >= STRIKE - 1

    @pytest.mark.parametrize('rcpt,place', [('ben', 'ben'), ('file', 'box')])
    def test_over_quota(rcpt, place):
        """That mail goes back, and leaves nothing behind."""
        with Broken('edquot') as posta:
            posta.start()
            posta.one([f'{rcpt}@example.test'], [place], 'first')
            before = posta.count()
            posta.one([f'{rcpt}@example.test'], [place], 'second')
            calls = posta.count() - before
            for n in range(1, calls + 1):
                posta.set_count(STRIKE - n)
                posta.bring([f'{rcpt}@example.test'], f'quota-{n}')
                posta.wait_empty()
                for mail in posta.mails(place, f'quota-{n}'):
                    assert mail.rstrip('\n').endswith('\nnow.')
            assert posta.wait_log(r'dsn=5.2.2, status=bounced \(.*'
                                  r'Disk quota exceeded\)')
