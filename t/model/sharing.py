"""Mailboxes that others are let into: the rights change, and who lacks one is
refused and is shown nothing (RFC 4314)."""
from .rights import ALL
from .wire import Closed, Differs

SOME = ('', 'l', 'lr', 'lrs', 'lrw', 'lrt', 'lri', 'lrsi', 'lrswit', 'lrswite',
        'lrte', 'i', 'r', 'lrswitekx', 'lrswipkxte')


class Sharing:
    """Each a method that takes a client; what they use is in Steps."""

    SHARED = 'A/sub'  # always is, or it would take a new login to see it

    def may(self, client, box, rights, *pieces):
        """Has it these rights in a mailbox? Else the command is sent, and must
        be refused: as if there were no such mailbox where it may not know of
        it (RFC 4314 6)."""
        has = box.rights(client.person)
        if has >= set(rights):
            return True
        reply, _, _ = self.run(client, *pieces, status='NO')
        code = 'NOPERM' if 'l' in has else '(NONEXISTENT|TRYCREATE)'
        if reply.code(code) is None:
            raise Differs(f'{client.session}: {pieces} with rights '
                          f'{sorted(has)} in {box.name}: {reply.text}')
        return False

    def share(self, client):
        """Other rights for the guest, by whoever may give them."""
        owner, guest = self.people
        box = self.rng.choice([b for b in self.world.boxes.values()
                               if b.owner is owner])
        rights = self.rng.choice((
            *SOME, ALL, ALL - {'a'},
            [r for r in sorted(ALL) if self.rng.random() < .5]))
        if box.name == self.SHARED:
            rights = {*rights, 'l'}
        text = ''.join(sorted(rights))
        command = f'SETACL {client.box_name(box.name)} {guest.address} ' + \
            (text or '""')
        if not text and self.rng.random() < .5:
            command = f'DELETEACL {client.box_name(box.name)} {guest.address}'
        if not self.may(client, box, 'a', command):
            return

        for c in self.clients:
            if c.hears:  # what it was told before
                while (line := c.wire.response(0)) is not None:
                    c.feed([line[2:]], False, False)

        def then(reply):
            box.acl[guest] = frozenset(rights)
        self.run(client, command, then=then)
        for c in self.clients:
            if c.view and c.view.box is box and c.person is guest:
                c.barred = 'r' not in rights

    def see_barred(self, client):
        """Its next command ends it."""
        self.is_ended(client, 'NOOP')

    def is_ended(self, client, command=None):
        """It is told BYE: what it has selected is gone, or is not for it."""
        try:
            if command:
                client.begin(command)
            while (line := client.wire.response(10)) is not None:
                if client.barred and not line.startswith(b'* BYE'):
                    raise Differs(f'{client.session} may not read '
                                  f'{client.view.box.name} and hears {line}')
        except Closed:
            client.connect()
            return
        raise Differs(f'{client.session} goes on in {client.view.box.name}')

    def myrights(self, client):
        """RFC 4314 3.5: not for who has none of some."""
        box = self.any_box()
        has = box.rights(client.person)
        command = f'MYRIGHTS {client.box_name(box.name)}'
        if not has & set('lrikxa'):
            self.run(client, command, status='NO')
            return
        _, _, others = self.run(client, command)
        told, = (o[2].decode() for o in others if o[0] == b'MYRIGHTS')
        if set(told) - set('cd') != has:
            raise Differs(f'{client.session}: {told} in {box.name}, not '
                          f'{sorted(has)}')
