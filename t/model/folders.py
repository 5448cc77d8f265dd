"""Commands about folders: what is there must be what the model has."""
from .wire import Differs
from .world import Box

EXTRA = ('T1', 'T2', 'T1/x', 'Tö', 'T2/y/z')


class Folders:
    """Each a method that takes a client; what they use is in Steps."""

    def status(self, client):
        box = self.any_box()
        items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED',
                 'SIZE']
        if client.kind.condstore:
            items.append('HIGHESTMODSEQ')
        command = (f'STATUS {client.box_name(box.name)} '
                   f"({' '.join(items)})")
        if self.may(client, box, 'r', command):
            _, _, others = self.run(client, command)
            told, = (o for o in others if o[0] == b'STATUS')
            self.check_status(client, box, told[2])

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
        with_status = self.rng.random() < .3
        if with_status:
            _, _, others = self.run(
                client, 'LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES '
                'UNSEEN))')
        else:
            _, _, others = self.run(client, 'LIST "" *')
        want, got = self.world.folders(client.person, with_status), {}
        names = {client.shown(n): n for n in want}
        for o in others:
            if o[0] == b'LIST':
                name = names.get(o[3].decode(), o[3].decode())
                got[name] = not {b'\\NonExistent', b'\\Noselect'} & set(o[1])
                subscribed = b'\\Subscribed' in o[1]
                if subscribed and name not in client.person.subscribed:
                    raise Differs(f'{client.session}: {name} is subscribed')
            elif o[0] == b'STATUS':
                name = client.person.knows(names[o[1].decode()])
                self.check_status(client, self.world.boxes[name], o[2])
        if got != want:
            raise Differs(f'{client.session}: LIST has {got}, not {want}')

    def subscribe(self, client):
        box, yes = self.some_box(client, 'l'), self.rng.random() < .6

        def then(reply):
            (client.person.subscribed.add if yes else
             client.person.subscribed.discard)(client.person.sees(box.name))
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

    def may_make(self, client, name):
        """It takes the right in the nearest folder above (RFC 4314 4)."""
        above = self.world.parent(name)
        return 'k' in above.rights(client.person) if above else \
            self.person_of(name) is client.person

    def create(self, client, name):
        may = self.may_make(client, name)
        self.run(client, f'CREATE {client.box_name(name)}',
                 status='OK' if may else 'NO')
        if may:
            self.learn(name)
            if above := self.world.parent(name):
                self.world.boxes[name].acl = dict(above.acl)

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
        self.world.boxes[name] = Box(name, self.person_of(name), int(got[b'UIDVALIDITY']),
                                     int(got[b'UIDNEXT']), guid)

    def person_of(self, name):
        """Whose home has a mailbox of that name?"""
        return next(p for p in self.people if p.owns(name))

    def users_of(self, name):
        return [c for c in self.clients
                if c.view and c.view.box.name == name]

    def delete(self, client, name):
        """Others that have it selected are told BYE."""
        command = f'DELETE {client.box_name(name)}'
        if not self.may(client, self.world.boxes[name], 'x', command):
            return
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
        self.run(client, command, then=then)
        for c in users:
            if c is not client:
                self.is_ended(c)

    def rename(self, client, name):
        """With those below it; who has one selected goes on with it where his
        own process did it, and it is not by its name that he is let in."""
        to = self.rng.choice(EXTRA)
        if to in self.world.folders(self.people[0]) or \
                to.startswith(name + '/'):
            return
        command = f'RENAME {client.box_name(name)} {client.box_name(to)}'
        if not self.may(client, self.world.boxes[name], 'x', command):
            return
        if not self.may_make(client, to):
            self.run(client, command, status='NO')
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
        lost = [c for n in moved for c in self.users_of(n)
                if c.person is not client.person or c.person is self.guest]
        for c in lost:
            if c.idling:
                self.done(c)
        self.run(client, command, then=then)
        for c in lost:
            self.is_ended(c, 'NOOP')
