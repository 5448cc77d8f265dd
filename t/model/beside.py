"""What goes on beside a burst: mail arrives, and a POP3 session deletes some."""
import smtplib
import threading

from harness.mail_client import MailClient


class Beside:
    """Each in a thread of its own; what may have come of it is told to
    `pending` when it is over."""

    def begin_beside(self):
        """Some of them: threads with a method tell(pending) each."""
        out = []
        if self.has_room() and self.rng.random() < .3:
            letter = self.letter()
            raw, letter.raw = letter.raw, None  # header fields are added
            out.append(Arrival(self.posta, self.rng.choice(self.people), raw,
                               letter))
        if self.rng.random() < .2:
            person = self.rng.choice(self.people)
            box = self.world.boxes[person.prefix + 'INBOX']
            chosen = {u: self.rng.choice(('RETR', 'DELE')) for u in box.uids()
                      if self.rng.random() < .1}
            out.append(Pop3(self.posta, person, box, chosen))
        for thread in out:
            thread.start()
        return out

    def end_beside(self, threads, pending):
        for thread in threads:
            thread.join()
            thread.tell(pending)
            self.transcript.note(thread.kind, ' ', thread.said)


class Arrival(threading.Thread):
    kind = 'smtp'

    def __init__(self, posta, person, raw, letter):
        super().__init__(daemon=True)
        self.posta, self.person = posta, person
        self.raw, self.letter = raw, letter
        self.said = ''

    def run(self):
        with smtplib.SMTP('127.0.0.1', self.posta.port, timeout=120) as s:
            s.sendmail('x@model.test', [self.person.address], self.raw)
        self.said = self.letter.id

    def tell(self, pending):
        assert self.said, 'SMTP failed'
        pending.add(self.person.prefix + 'INBOX', self.letter, (), True)


class Pop3(threading.Thread):
    """chosen: {UID: command}. It says QUIT in the end; if that is not
    answered, or not with +OK, some may be gone."""
    kind = 'pop3'

    def __init__(self, posta, person, box, chosen):
        super().__init__(daemon=True)
        self.posta, self.person, self.box = posta, person, box
        self.chosen, self.done, self.sure = chosen, [], False
        self.said = ''

    def run(self):
        try:
            with MailClient(self.posta, 'pop3s') as c:
                if c.log_in(self.person.address).startswith('+OK'):
                    self._work(c)
        except (OSError, AssertionError) as e:  # killed
            self.said = repr(e)

    def _work(self, client):
        for line in client.ask('UIDL'):
            number, name = line.split()
            uid = int(name[:8], 16)
            command = self.chosen.get(uid)
            if command and client.say(f'{command} {number}').startswith('+OK'):
                self.done.append((command, uid))
                if command == 'RETR':
                    client.many()
        self.said = client.say('QUIT')
        self.sure = self.said.startswith('+OK')

    def tell(self, pending):
        for command, uid in self.done:
            if command == 'RETR':
                pending.write('pop3', self.box.name, uid, {'\\Seen': True},
                              self.sure)
                continue
            pending.for_good.add((self.box.name, uid))
            (pending.must_go if self.sure else pending.may_go).add(
                (self.box.name, uid))
