"""Runs users side by side against an instance of its own.

    python3 -m model.run SECONDS [SEED]

Kills what serves all users (the login stage, the broker, master ...) while all
of them are in a burst: MODEL_KILL names what, MODEL_EVERY how often in seconds.
MODEL_LINES is how much of the way to a failure is told.
"""
import os
import random
import re
import sys
import threading
import time
import traceback

from harness import Posta

from .kill import Killer
from .quota import BYTES, LIMITS, SERVICE
from .rights import NAMESPACE
from .user import User

USERS, CONNECTIONS, GUESTS = 3, 4, 2
EVERY = float(os.environ.get('MODEL_EVERY', '4'))
LINES = int(os.environ.get('MODEL_LINES', '250'))


class Shared:
    """The end, and the moments at which something is killed that all use."""

    def __init__(self, posta, seed, seconds, kills):
        self.posta = posta
        self.until = time.monotonic() + seconds
        self.over = threading.Event()
        self.killer = Killer(posta, random.Random(f'{seed} kills'))
        self.kills = kills
        self.next = time.monotonic() + EVERY
        self.barrier = threading.Barrier(USERS)

    def is_over(self):
        return self.over.is_set()

    def stop(self):
        self.over.set()
        self.barrier.abort()

    def meet(self, user):
        """Between rounds: when it is time, all do a burst in which the first of
        them kills something. The end comes to all at once, too. The barrier
        is broken when one has failed."""
        if user.did['rounds'] % 50:
            return
        if self.barrier.wait() == 0:
            self.due = self.kills and time.monotonic() > self.next
            if time.monotonic() > self.until:
                self.over.set()
        self.barrier.wait()
        if self.over.is_set() or not self.due:
            return
        user.burst(self.killer.kill if user.number == 0 else None,
                   self.barrier)
        self.next = time.monotonic() + EVERY


def report(seed, users, shared, began):
    commands = sum(u.transcript.commands for u in users)
    did = {k: sum(u.did[k] for u in users) for k in users[0].did}
    kills = dict(shared.killer.killed)
    if did['kills']:
        kills['a user\'s process'] = did['kills']
    return (f'model test: {time.monotonic() - began:.0f} s, seed {seed}, '
            f'{commands} commands, {did["bursts"]} bursts, '
            f'{did["outside"]} changes from outside, {did["looks"]} looks at '
            f'all files; killed {kills}')


def story(user):
    """How a user came to his failure."""
    lines = list(user.transcript.lines)[-LINES:]
    trace = ''.join(traceback.format_exception(user.failure)[-8:])
    return '\n'.join([f'---- {user.name}'] + lines + [trace])


def begin(posta):
    """Users see what others let them have, some have limits; then the server
    runs."""
    owner = (posta.dir / 'mail' / posta.domain).stat()
    folder = posta.dir / 'shares'
    folder.mkdir(mode=0o755)
    os.chown(folder, owner.st_uid, owner.st_gid)
    posta.set(imap_shared_namespace=f'{NAMESPACE}/ maildir:'
                                    '$virtual_mailbox_base/%d/%n/Maildir',
              imap_shared_list=folder, quota_rule='*:storage=0',
              message_size_limit=0, virtual_mailbox_limit=0)
    users = posta.dir / 'users'
    text = users.read_text()
    rules = {n: f'messages={x}' for n, x in LIMITS.items()} | {
        n: f'bytes={x}' for n, x in BYTES.items()}
    for name, rule in rules.items():
        text = re.sub(f'(?m)^({name}@.*)$',
                      rf'\1 userdb_quota_rule=*:{rule}', text)
    users.write_text(text)
    posta.start()


def run(seconds, seed, kills=True):
    """Text that says what was done; an AssertionError tells what differs."""
    began = time.monotonic()
    names = {f'{x}{i}': 'secret' for i in range(USERS) for x in 'ug'}
    with Posta(users=names, may_die=kills, start=False,
               services=SERVICE) as posta:
        begin(posta)
        shared = Shared(posta, seed, seconds, kills)
        users = [User(i, posta, seed, CONNECTIONS, GUESTS, shared)
                 for i in range(USERS)]
        for u in users:
            u.runner.start()
        for u in users:
            u.runner.join()
        failed = [u for u in users if u.failure]
        if failed:
            raise AssertionError(
                '\n'.join(story(u) for u in failed) +
                f'\n{report(seed, users, shared, began)}')
        crashed = shared.killer.crashes()
        if crashed:
            raise AssertionError(f'seed {seed}: crashed:\n' +
                                 '\n'.join(crashed))
    return report(seed, users, shared, began)


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else \
        random.randrange(1 << 30)
    print(f'seed {seed}', flush=True)
    print(run(seconds, seed))


if __name__ == '__main__':
    main()
