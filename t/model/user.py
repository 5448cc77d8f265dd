"""One user: his connections, and the thread that drives them from a seed."""
import random
import re
import threading
import time

from harness import wait_until

from . import audit
from .burst import Bursts
from .client import KINDS, Client, Kind
from .listen import Listener
from .outside import Outside
from .pending import Pending
from .quota import BYTES, LIMITS
from .rights import ALL, Person
from .steps import Steps
from .wire import Closed, Differs, Transcript
from .world import World

BOXES = ('INBOX', 'A', 'A/sub', 'Größe')


class User(Steps, Bursts, Outside):
    """With a guest, who sees what is shared with him and shares with the user
    one mailbox. shared: what all users have in common (run.py)."""

    def __init__(self, number, posta, seed, connections, guests, shared):
        self.number, self.posta, self.shared = number, posta, shared
        self.name = f'u{number}'
        owner = Person(posta, self.name)
        self.guest = Person(posta, f'g{number}', owner)
        self.people = (owner, self.guest)
        self.limit, self.bytes = LIMITS.get(self.name), BYTES.get(self.name)
        self.rng = random.Random(f'{seed} {number}')
        self.transcript = Transcript()
        self.world = World()
        port = posta.base + 993
        self.clients = [
            Client(f'{"abcdefgh"[i]}{number}',
                   KINDS[(i + number * connections) % len(KINDS)], port,
                   owner, self.transcript)
            for i in range(connections)] + [
            Client(f'{"nopq"[i]}{number}',
                   KINDS[(i + 1 + number * guests) * 5 % len(KINDS)], port,
                   self.guest, self.transcript)
            for i in range(guests)]
        self.auditor = Client(f'z{number}', Kind('auditor', 'CONDSTORE'), port,
                              owner, self.transcript)
        self.listener = Listener(f'l{number}', port, owner, self.transcript)
        self.connections = self.clients + [self.auditor, self.listener]
        self.runner = threading.Thread(target=self._work, daemon=True)
        self.failure = None
        self.did = {'rounds': 0, 'bursts': 0, 'outside': 0, 'kills': 0,
                    'looks': 0}

    # ---- the thread

    def _work(self):
        try:
            self.begin()
            while not self.shared.is_over():
                self.shared.meet(self)
                self.round()
                self.did['rounds'] += 1
            self.end()
        except threading.BrokenBarrierError:
            pass  # another one has failed, which is told
        except BaseException as e:  # reported by whoever waits for us
            self.failure = e
            self.shared.stop()

    def begin(self):
        theirs = [self.guest.prefix + name for name in ('INBOX', 'Own')]
        guest = self.clients[-1]
        guest.connect()
        guest.ok('CREATE Own')
        for name in theirs:
            guest.ok(f'SETACL {guest.box_name(name)} '
                     f'{self.people[0].address} {"".join(ALL)}')
        guest.drop()
        self.auditor.connect()
        for name in BOXES[1:]:
            self.auditor.ok(f'CREATE {self.auditor.box_name(name)}')
        for name in BOXES[:2]:
            self.use_letters(name)
        for name in (*BOXES, *theirs):
            self.learn(name)
        for name in theirs:
            self.world.boxes[name].acl[self.people[0]] = ALL
        self.world.boxes[self.SHARED].acl[self.guest] = ALL
        self.auditor.ok(f'SETACL {self.SHARED} {self.guest.address} '
                        f'{"".join(ALL)}')
        wait_until(lambda: self.is_let_in(guest), 'the guest to be let in')
        for c in [*self.clients, self.listener]:
            c.connect()

    def is_let_in(self, client):
        """A process that was there before what is shared is not."""
        client.connect()
        name = client.box_name(self.SHARED)
        return client.say(f'STATUS {name} (MESSAGES)').status == 'OK'

    def use_letters(self, name):
        """Of the 26 keywords that a file name can say most are taken: of ours
        some stand in posta-state."""
        name = self.auditor.box_name(name)
        words = ' '.join(f'other{i}' for i in range(24))
        self.auditor.ok(f'APPEND {name} (\\Deleted {words}) ', b'Subject: x\r\n')
        self.auditor.ok(f'SELECT {name}')
        self.auditor.ok('CLOSE')

    def round(self):
        dice = self.rng.random()
        if dice < .93:
            self.step()
        elif dice < .97:
            self.burst()
        elif dice < .995:
            self.something_outside()
        else:
            self.look()

    def end(self):
        self.look()
        for c in self.connections:
            c.drop()

    # ---- a look at everything

    def look(self):
        """Nothing is pending: a fresh look finds what the model has, and so do
        the files when flags have been written to their names."""
        self.adopt(Pending(self.world))
        end = time.monotonic() + 120
        for box in self.world.boxes.values():
            while wrong := audit.compare_files(box):
                if time.monotonic() > end:
                    raise Differs(wrong)
                time.sleep(.1)
        self.did['looks'] += 1

    def adopt(self, pending, seconds=0):
        """Compare all with what may have happened; what has not been seen by
        the server may come in some seconds. Then all clients know it."""
        end = time.monotonic() + seconds
        while True:
            told = self.transcript.mark()
            try:
                pending.settle({n: audit.look(self.auditor, self.world, n)
                                for n in sorted(self.world.boxes)})
                break
            except Differs:
                if time.monotonic() >= end:
                    raise
                self.transcript.forget(told)
                time.sleep(.05)
        for c in self.clients:
            if c.barred and not c.idling:
                self.see_barred(c)
            if c.view and not c.idling:
                reply = c.ok('NOOP')
                c.feed(reply.lines, False, not c.kind.notify)
                c.view.compare(False)
        self.tell_idling()
        self.listener.compare(self.world)

    def sessions(self, person):
        """The process of each of his sessions."""
        said = self.posta.posta('who', check=False).stdout
        return re.findall(rf'^{person.address} +imap .* (\d+)$', said, re.M)

    def pid(self, person):
        """Of the process that serves him, None where there is none."""
        found = self.sessions(person)
        return int(found[0]) if found else None

    def recover(self):
        """After a kill: connect again until the server has our sessions and no
        others, which may still be at work for a client that is gone; and who
        was killed with a lock has ended, so that new files can be seen."""
        def all_there():
            self.connect_again()
            return all(
                len(self.sessions(p)) == sum(
                    c.person is p for c in self.connections)
                for p in self.people) and not audit.is_locked(self.world)
        wait_until(all_there, lambda: f'{self.name} to have his own sessions: '
                   f"{self.posta.posta('who', check=False).stdout}")

    def connect_again(self):
        """Those whose connection has broken."""
        for c in self.connections:
            try:
                if c.wire:
                    c.feed(c.say('NOOP').lines, False, False)
            except Closed:
                c.drop()
            if c.wire is None:
                c.connect()


