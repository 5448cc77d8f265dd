"""Any process may be killed at any time: what was answered 250 arrives.

Twenty clients send for a minute while processes of the instance, master
among them, are killed at random: to one mailbox, whose file is the queue file,
to two, which get copies, to another server, and to both. POSTA_KILL_SECONDS
changes the time.
"""
import collections
import os
import random
import re
import smtplib
import threading
import time

from harness import Posta, wait_until
from harness.fake_smtp import FakeSmtp

SECONDS = float(os.environ.get('POSTA_KILL_SECONDS', '60'))
CLIENTS = 20
ALICE, BOB, FAR = 'alice@example.test', 'bob@example.test', 'far@remote.test'
RCPTS = ([ALICE], [BOB], [ALICE, BOB], [FAR], [ALICE, FAR])


class Client(threading.Thread):
    """Sends numbered messages; remembers what was answered 250, as pairs of
    recipient and number."""

    def __init__(self, posta, number, over):
        super().__init__(daemon=True)
        self.posta, self.number, self.over = posta, number, over
        self.acknowledged, self.failed = [], 0

    def run(self):
        serial = 0
        while not self.over.is_set():
            serial += 1
            tag = f'kill-{self.number}-{serial}'
            try:
                rcpts = RCPTS[(self.number + serial) % len(RCPTS)]
                self.send(tag, rcpts)
                self.acknowledged += [(rcpt, tag) for rcpt in rcpts]
            except (smtplib.SMTPException, OSError):
                self.failed += 1
                time.sleep(0.05)

    def send(self, tag, rcpts):
        body = ''.join(random.choices('abcdefgh \n', k=2000))
        with smtplib.SMTP('127.0.0.1', self.posta.port, timeout=60) as s:
            s.sendmail(f'c{self.number}@client.test', rcpts,
                       f'Subject: {tag}\nX-Tag: {tag}\n\n{body}\n')


def ensure_running(posta):
    """Start it again once a killed master's children are gone. It may run: a
    child is called master too until it becomes its program."""
    def runs():
        return posta.master_pid() in posta.pids('master') or \
            posta.posta('start', check=False).returncode == 0
    wait_until(runs, 'a new start')


def name_of(pid):
    try:
        with open(f'/proc/{pid}/comm') as f:
            return f.read().strip()
    except OSError:
        return None


def killer(posta, goes_on, rng, killed):
    while goes_on():
        time.sleep(rng.uniform(0.1, 0.6))
        pids = posta.pids()
        if not pids:
            ensure_running(posta)
            continue
        name = rng.choice(sorted({name_of(p) for p in pids} - {None}))
        mates = [p for p in pids if name_of(p) == name]
        if not mates:
            continue
        posta.kill(rng.choice(mates))
        killed[name] += 1
        if name == 'master':
            ensure_running(posta)


def arrived(posta, sink):
    """Pairs of recipient and number, counted."""
    mail = {ALICE: posta.maildir('alice'), BOB: posta.maildir('bob'),
            FAR: sink.messages}
    return collections.Counter(
        (rcpt, re.search(rb'^X-Tag: (\S+)', text, re.M)[1].decode())
        for rcpt, texts in mail.items() for text in texts)


def whole(posta, sink):
    """No message is cut short or has bytes of the queue behind it."""
    boxes = posta.maildir('alice') + posta.maildir('bob')
    for mail in boxes:
        assert mail.startswith(b'Return-Path: <c'), mail[:200]
    for mail in boxes + sink.messages:
        header, body = mail.replace(b'\r', b'').split(b'\n\n', 1)
        assert len(body.rstrip(b'\n')) <= 2001
        assert re.fullmatch(rb'[a-h \n]*', body), body[-300:]


def test_acknowledged_mail_survives_kills(record_property):
    seed = random.randrange(1 << 30)
    killed = collections.Counter()
    with FakeSmtp() as sink, \
            Posta(may_die=True,
                  settings={'minimal_backoff_time': '1s',
                            'maximal_backoff_time': '2s',
                            'relayhost': sink.nexthop}) as posta:
        end = time.monotonic() + SECONDS
        over = threading.Event()
        clients = [Client(posta, i, over) for i in range(CLIENTS)]

        def goes_on():
            """A slow machine takes longer for enough of it."""
            return time.monotonic() < end or sum(killed.values()) <= 10 or \
                sum(len(c.acknowledged) for c in clients) <= 200

        for c in clients:
            c.start()
        killer(posta, goes_on, random.Random(seed), killed)
        over.set()
        for c in clients:
            c.join()
        if not posta.pids('master'):
            ensure_running(posta)
        sent = {one for c in clients for one in c.acknowledged}
        wait_until(lambda: not sent - set(arrived(posta, sink)),
                   lambda: f'lost mail (seed {seed}, killed {dict(killed)}): '
                   f'{sorted(sent - set(arrived(posta, sink)))[:20]}', 300)
        found = arrived(posta, sink)
        whole(posta, sink)
    twice = sum(n - 1 for n in found.values())
    refused = sum(c.failed for c in clients)
    record_property('say', f'kill test: sent {len(sent)}, delivered '
                    f'{len(found)}, duplicated {twice}, lost 0, refused or '
                    f'cut off {refused}; killed {dict(killed)}')
    assert len(sent) > 100
    assert sum(killed.values()) > 10
