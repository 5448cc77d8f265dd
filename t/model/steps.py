"""One command, one answer: everything must be as the model says."""
import re

from .folders import Folders
from .messages import Messages
from .more import More
from .quota import Quotas
from .search import Searches
from .sharing import Sharing
from .wire import Closed, Differs, as_set, numbers
from .world import FLAGS


class Steps(Messages, Searches, Folders, Sharing, More, Quotas):
    """The commands of a User (user.py), each a method that takes a client."""

    SELECTED = (('store', 20), ('fetch', 18), ('search', 14), ('copy', 7),
                ('expunge', 6), ('noop', 8), ('sort', 4), ('thread', 4),
                ('replace', 3), ('close', 3), ('idle', 5), ('catenate', 2))
    ANY = (('append', 10), ('select', 8), ('status', 4), ('list', 2),
           ('folder', 3), ('subscribe', 1), ('reconnect', 1), ('share', 3),
           ('myrights', 1), ('multisearch', 2), ('note', 2), ('quota', 1), ('listen', 4))

    def step(self):
        client = self.rng.choice(self.clients)
        if client.idling:
            if self.rng.random() < .5:
                self.done(client)
            return
        if client.barred:
            self.see_barred(client)
        if client.view is None and self.rng.random() < .7:
            self.select(client)
            return
        self.catch_up(client)
        kinds = self.ANY + (self.SELECTED if client.view else ())
        name, = self.rng.choices([k for k, _ in kinds], [w for _, w in kinds])
        getattr(self, name)(client)

    def catch_up(self, client):
        """So that what NOTIFY tells is not taken for the next command's."""
        if client.view and client.kind.notify:
            still = client.kind.notify != 'SELECTED'
            reply = client.ok('SEARCH ALL' if still else 'NOOP')
            client.feed(reply.lines, still, False)
            client.view.compare(still)

    # ---- how all of them go

    def run(self, client, *pieces, still=False, then=None, status='OK'):
        """Send it, see that it is answered so, let `then` change the model, and
        compare what the client and the idling ones are told. still: as in
        View; None where the server may tell of expunged messages or not."""
        reply = client.say(*pieces)
        if reply.status != status:
            raise Differs(f'{client.session}: {pieces}: {reply.status} '
                          f'{reply.text}, not {status}')
        if then and status == 'OK':
            then(reply)
        fetched, others = client.feed(reply.lines, still or False, True)
        if client.view:
            client.view.compare(still)
        self.tell_idling()
        return reply, fetched, others

    def tell_idling(self):
        """They hear of it at once."""
        for c in self.clients:
            while c.hears:
                try:
                    c.view.compare(not c.hears_expunges)
                    break
                except Differs:
                    if c.barred:
                        self.is_ended(c)
                        break
                    line = c.wire.response(10)
                    if line is None:
                        raise
                    if line.startswith(b'* BYE'):
                        raise Closed(line) from None
                    c.feed([line[2:]], False, False)

    def some(self, client, uid):
        """Some of what the client has: the text of a set, and the UIDs."""
        view = client.view
        if not view.uids:
            return None, []
        first = self.rng.randrange(len(view.uids))
        chosen = set(range(first, min(first + self.rng.choice(
            (1, 1, 2, 5, 50)), len(view.uids))))
        chosen |= {i for i in range(len(view.uids))
                   if self.rng.random() < .02}
        uids = [view.uids[i] for i in sorted(chosen)]
        text = as_set(uids) if uid else as_set(i + 1 for i in chosen)
        if uid and self.rng.random() < .2:
            text += f',{view.box.next + 5}'
        there = [u for u in uids if u in view.box.messages]
        return text, there

    def by_uid(self, client):
        return client.kind.uidonly or client.kind.notify == 'SELECTED' or \
            self.rng.random() < .5

    def some_flags(self, of=FLAGS):
        """\\Deleted is rarer, so that folders fill."""
        flags = [f for f in of if self.rng.random() < .3]
        if '\\Deleted' in flags and self.rng.random() < .4:
            flags.remove('\\Deleted')
        return flags

    # ---- SELECT and what ends it

    def select(self, client):
        box = self.any_box()
        verb = self.rng.choice(('SELECT', 'SELECT', 'SELECT', 'EXAMINE'))
        cache = client.caches.get(box.name)
        self.leave(client)
        if 'r' not in box.rights(client.person):
            client.view = None
        if not self.may(client, box, 'r', f'{verb} '
                        f'{client.box_name(box.name)}'):
            return
        if client.kind.qresync and cache and cache[0] == box.validity and \
                self.rng.random() < .7:
            self._resync(client, box, verb, cache)
        else:
            more = ' (CONDSTORE)' if client.kind.condstore and \
                self.rng.random() < .3 else ''
            client.select(box, verb, more)
        client.saved = []
        client.view.compare(True)
        self.tell_idling()
        if self.rng.random() < .8:
            self._fetch_all(client)

    def leave(self, client):
        """Before another mailbox: what a client would keep of this one."""
        view = client.view
        if view and client.kind.qresync and not view.behind():
            client.caches[view.box.name] = (
                view.box.validity,
                max([view.highest] + list(view.modseq.values())),
                {u: view.flags.get(u) for u in view.uids})

    def _fetch_all(self, client):
        if not client.view.uids:
            return
        items = 'FLAGS MODSEQ' if client.kind.condstore else 'FLAGS'
        _, fetched, _ = self.run(client, f'UID FETCH 1:* ({items})')
        if {u for u, _ in fetched} < set(client.view.uids):
            client.view.fail('UID FETCH 1:* did not tell of all')

    def _resync(self, client, box, verb, cache):
        """QRESYNC: what the client had, and what it is told, is all."""
        validity, modseq, had = cache
        known, match = '', ''
        if had and self.rng.random() < .4:
            known = ' ' + as_set(had)
            if not client.kind.uidonly and self.rng.random() < .5:
                uids = sorted(had)
                places = sorted(self.rng.sample(
                    range(len(uids)), min(len(uids), 4)))
                match = (f' ({as_set(p + 1 for p in places)} '
                         f'{as_set(uids[p] for p in places)})')
        reply, fetched, _ = client.select(
            box, verb, f' (QRESYNC ({validity} {modseq}{known}{match}))')
        now = dict(had)
        for line in reply.lines:
            gone = re.fullmatch(rb'VANISHED \(EARLIER\) (\S+)', line)
            for uid in numbers(gone[1]) if gone else ():
                now.pop(uid, None)
        for uid, items in fetched:
            now[uid] = frozenset(f.decode() for f in items[b'FLAGS']
                                 if f != b'\\Recent')
        want = {u: m.flags for u, m in box.messages.items()
                if u in had or not known}
        wrong = {u for u in set(now) | set(want)
                 if u not in now or u not in want or
                 now[u] not in (None, want[u])}
        if wrong:
            client.view.fail(
                f'after QRESYNC of {modseq}{known}{match} it has wrong: '
                f'{sorted((u, now.get(u, "-"), want.get(u, "-")) for u in wrong)}')

    def close(self, client):
        view = client.view
        verb = self.rng.choice(('CLOSE', 'UNSELECT'))
        self.leave(client)
        client.view = None

        def then(reply):
            if verb == 'CLOSE' and view.may('e'):
                for u in view.box.uids():
                    if '\\Deleted' in view.box.messages[u].flags:
                        view.box.remove(u)
        self.run(client, verb, then=then)

    def noop(self, client):
        self.run(client, self.rng.choice(('NOOP', 'CHECK', 'NOOP')))

    def listen(self, client):
        """Whoever did something, the listener hears of it."""
        self.listener.compare(self.world)

    def reconnect(self, client):
        self.leave(client)
        if self.rng.random() < .5:
            try:
                client.say('LOGOUT')
            except Closed:
                pass
        client.connect()

    def idle(self, client):
        client.idling = client.begin('IDLE')
        while not (line := client.wire.response()).startswith(b'+'):
            client.feed([line[2:]], False, True)
        client.view.compare(False)

    def done(self, client):
        tag, client.idling = client.idling, None
        client.wire.send(b'DONE\r\n')
        reply = client.collect(tag)
        if reply.status != 'OK':
            raise Differs(f'{client.session}: {reply.text} after DONE')
        client.feed(reply.lines, False, False)  # some may be older
        client.view.compare(False)
        self.tell_idling()
