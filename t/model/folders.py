"""Commands about folders: what is there must be what the model has."""
from .wire import Closed, Differs
from .world import Box

EXTRA = ('T1', 'T2', 'T1/x', 'Tö', 'T2/y/z')


class Folders:
    """Each a method that takes a client; what they use is in Steps."""

    def status(self, client):
        box = self.some_box()
        items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED',
                 'SIZE']
        if client.kind.condstore:
            items.append('HIGHESTMODSEQ')
        _, _, others = self.run(client, f'STATUS {client.box_name(box.name)} '
                                f"({' '.join(items)})")
        self.check_status(client, box, others[0][2])

    def check_status(self, client, box, pairs):
        got = {k.decode(): v for k, v in zip(pairs[::2], pairs[1::2])}
        all_flags = [m.flags for m in box.messages.values()]
        want = {'MESSAGES': len(all_flags), 'UIDNEXT': box.next,
                'UIDVALIDITY': box.validity,
                'UNSEEN': sum('\\Seen' not in f for f in all_flags),
                'DELETED': sum('\\Deleted' in f for f in all_flags),
                'SIZE': sum(m.letter.size for m in box.messages.values())}
        for key, value in got.items():
            if key == 'HIGHESTMODSEQ':
                box.highest_is(int(value))
            elif int(value) != want[key]:
                raise Differs(f'{client.session}: STATUS {box.name}: {key} is '
                              f'{value!r}, not {want[key]}')

    def list(self, client):
        if self.rng.random() < .3:
            _, _, others = self.run(
                client, 'LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES '
                'UNSEEN))')
        else:
            _, _, others = self.run(client, 'LIST "" *')
        names = {client.box_name(n): n for n in self.world.folders()}
        got = {}
        for o in others:
            if o[0] == b'LIST':
                name = o[3].decode()
                name = names.get(f'"{name}"', name)
                got[name] = not {b'\\NonExistent', b'\\Noselect'} & set(o[1])
                subscribed = b'\\Subscribed' in o[1]
                if subscribed and name not in self.world.subscribed:
                    raise Differs(f'{client.session}: {name} is subscribed')
            elif o[0] == b'STATUS':
                name = names[f'"{o[1].decode()}"']
                self.check_status(client, self.world.boxes[name], o[2])
        if got != self.world.folders():
            raise Differs(f'{client.session}: LIST has {got}, not '
                          f'{self.world.folders()}')

    def subscribe(self, client):
        box, yes = self.some_box(), self.rng.random() < .6

        def then(reply):
            (self.world.subscribed.add if yes else
             self.world.subscribed.discard)(box.name)
        self.run(client, f"{'' if yes else 'UN'}SUBSCRIBE "
                 f'{client.box_name(box.name)}', then=then)

    def folder(self, client):
        name = self.rng.choice(EXTRA)
        if name not in self.world.boxes:
            self.create(client, name)
        elif self.rng.random() < .5:
            self.delete(client, name)
        else:
            self.rename(client, name)

    def create(self, client, name):
        self.run(client, f'CREATE {client.box_name(name)}')
        self.learn(name)

    def learn(self, name):
        """What a new mailbox is, by the auditor."""
        reply = self.auditor.ok(
            f'STATUS {self.auditor.box_name(name)} (UIDVALIDITY UIDNEXT '
            'MAILBOXID MESSAGES)')
        _, others = self.auditor.feed(reply.lines, False, False)
        got = dict(zip(others[0][2][::2], others[0][2][1::2]))
        guid = got[b'MAILBOXID'][0]
        if any(b.guid == guid for b in self.world.boxes.values()):
            raise Differs(f'{name} has the MAILBOXID of another')
        if got[b'MESSAGES'] != b'0':
            raise Differs(f'{name} is new and not empty')
        self.world.boxes[name] = Box(name, int(got[b'UIDVALIDITY']),
                                     int(got[b'UIDNEXT']), guid)

    def users_of(self, name):
        return [c for c in self.clients
                if c.view and c.view.box.name == name]

    def delete(self, client, name):
        """Others that have it selected are told BYE."""
        users = self.users_of(name)
        if client in users:
            client.view = None

        def then(reply):
            del self.world.boxes[name]
            for c in self.clients:
                c.caches.pop(name, None)
        for c in users:
            if c.idling and c is not client:
                self.done(c)
        self.run(client, f'DELETE {client.box_name(name)}', then=then)
        for c in users:
            if c is not client:
                self._gone(c, name)

    def _gone(self, client, name):
        try:
            while client.wire.response(10) is not None:
                pass
            raise Differs(f'{client.session} is in {name}, which was deleted')
        except Closed:
            client.connect()

    def rename(self, client, name):
        """With those below it; who has one selected goes on with it."""
        to = self.rng.choice(EXTRA)
        if to in self.world.folders() or to.startswith(name + '/'):
            return
        moved = {n: to + n[len(name):] for n in self.world.boxes
                 if n == name or n.startswith(name + '/')}

        def then(reply):
            boxes = {n: self.world.boxes.pop(n) for n in moved}
            for n, box in boxes.items():
                box.name = moved[n]
                self.world.boxes[box.name] = box
            for c in self.clients:
                for n in {*moved, *moved.values()}:
                    c.caches.pop(n, None)
        self.run(client, f'RENAME {client.box_name(name)} '
                 f'{client.box_name(to)}', then=then)
