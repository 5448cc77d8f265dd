"""Quotas: a user may have so many messages (LIMITS) or bytes (BYTES). What he
has is what lies in his files."""
from harness.raw_smtp import RawSmtp

from .pending import Pending
from .wire import Differs

LIMITS = {'u1': 300}
BYTES = {'u2': 100_000_000}  # more than all that comes together
SERVICE = 'lmtp-in unix n - n - - lmtpd\n'


class Quotas:
    """noted: does maildirsize have all that was added and removed? Other
    programs do not write to it, nor does who is killed."""

    noted = False

    def is_limited(self, box):
        return self.limit and box.owner is self.people[0]

    def left(self):
        """How many more messages there may be."""
        return self.limit - sum(len(b.messages) for b in
                                self.boxes_of(self.people[0]))

    def has_room(self):
        """Whatever comes of a burst?"""
        return not self.limit or self.left() > 100

    def used(self):
        """Bytes as stored."""
        return sum(m.letter.at_rest for b in self.boxes_of(self.people[0])
                   for m in b.messages.values())

    def fits(self, client, box, count, *pieces):
        """Is there room? Else the command is sent and must be refused. For a
        guest limits hold that files say, so that is not tried."""
        if not self.is_limited(box) or count <= self.left():
            return True
        if client.person is self.people[0]:
            reply, _, _ = self.run(client, *pieces, status='NO')
            if reply.code('OVERQUOTA') is None:
                raise Differs(f'{client.session}: {reply.text} and not '
                              f'OVERQUOTA, {self.left()} are left')
        return False

    def quota(self, client):
        if client.person is not self.people[0]:
            return
        if self.limit:
            want = [b'MESSAGE', self.limit - self.left(), self.limit]
        elif self.bytes:
            want = [b'STORAGE', -(-self.used() // 1024), self.bytes // 1024]
        else:
            return
        _, _, others = self.run(client, 'GETQUOTA "User quota"')
        told = [[o[2][0], *map(int, o[2][1:])] for o in others
                if o[0] == b'QUOTA']
        if told != [want]:
            raise Differs(f'{client.session}: GETQUOTA {told}, not {want}')

    # ---- LMTP

    def by_lmtp(self):
        """What fits is taken to the last byte, and no more."""
        if not self.noted or self.rng.random() < .3:
            (self.people[0].root / 'maildirsize').unlink(missing_ok=True)
            self.noted = True
        path = self.posta.dir / 'queue/public/lmtp-in'
        with RawSmtp(0, path=path) as c:
            c.say('LHLO model.test')
            if self.bytes:
                left = self.bytes - self.used()
                self.may_come(c, left, True)
                self.may_come(c, left + 1, False)
            if self.may_come(c, 1000, not self.limit or self.left() > 0):
                self.deliver(c)

    def may_come(self, smtp, size, fits):
        smtp.say('RSET')
        smtp.say(f'MAIL FROM:<x@model.test> SIZE={size}')
        said = smtp.say(f'RCPT TO:<{self.people[0].address}>')
        self.transcript.note('lmtp', ' ', f'{size} {said}')
        if not said.startswith('250 ' if fits else '552 5.2.2 '):
            raise Differs(f'LMTP, {size} bytes: {said}; {self.used()} bytes '
                          'are used')
        return fits

    def deliver(self, smtp):
        pending, letter = Pending(self.world), self.letter()
        raw, letter.raw = letter.raw, None  # header fields are added
        pending.add('INBOX', letter, (), True)
        smtp.say('DATA')
        smtp.send(raw)
        said = smtp.say('.')
        if not said.startswith('250 '):
            raise Differs(f'LMTP: {said}')
        self.adopt(pending, 30)
