"""What others than IMAP clients do: deliveries, POP3, and programs that work at
the files, as mutt and procmail do."""
import os
import shutil
import signal
import smtplib
import time

from harness.mail_client import MailClient

from . import audit, letters
from .pending import Pending
from .wire import Differs


class Outside:
    def something_outside(self):
        self.did['outside'] += 1
        self.rng.choice((self.by_smtp, self.by_lmtp, self.by_lmtp,
                         self.by_file, self.by_file, self.by_mutt,
                         self.by_mutt, self.by_pop3, self.lose_index,
                         self.remove_index))()

    # ---- new messages

    def by_smtp(self):
        if not self.has_room():
            return
        letter = self.letter()
        raw = letter.raw
        letter.raw = None  # header fields are added
        pending = Pending(self.world)
        pending.add('INBOX', letter, (), True)
        with smtplib.SMTP('127.0.0.1', self.posta.port, timeout=120) as s:
            s.sendmail('x@model.test', [self.people[0].address], raw)
        self.adopt(pending, 60)

    def by_file(self):
        """Several files at once, in new/ or, with flags, in cur/."""
        pending = Pending(self.world)
        for _ in range(self.rng.choice((1, 1, 3, 10))):
            self.drop_file(pending)
        self.adopt(pending, 60)

    def drop_file(self, pending):
        self.noted = False
        box, letter = self.any_box(), self.letter()
        path, flags = audit.folder(box), []
        name = f'{int(time.time())}.M{self.world.made}.model'
        where = f'new/{name}'
        if self.rng.random() < .3:
            flags = [f for f in ('\\Draft', '\\Flagged', '\\Seen')
                     if self.rng.random() < .5]
            where = f'cur/{name}:2,' + ''.join(
                sorted(k for k, v in audit.LETTERS.items() if v in flags))
        date = letters.FIRST_DAY + self.rng.randrange(400 * letters.DAY)
        temporary = path / 'tmp' / name
        temporary.write_bytes(letter.raw.replace(b'\r\n', b'\n'))
        os.utime(temporary, (date, date))
        owner = path.stat()
        os.chown(temporary, owner.st_uid, owner.st_gid)
        pending.add(box.name, letter, flags, True, date=date)
        os.rename(temporary, path / where)

    # ---- changes of files

    def by_mutt(self):
        pending = Pending(self.world)
        for _ in range(self.rng.choice((1, 2, 5))):
            self.change_file(pending)
        self.adopt(pending, 60)

    def change_file(self, pending):
        """One loses a flag, or gets one, or goes."""
        self.noted = False
        box = self.any_box()
        path = audit.folder(box)
        uids = audit.uids_of_files(path)
        found = [f for f in audit.files(path)
                 if uids.get(audit.base(f.name)) in box.messages]
        if not found:
            return
        file = self.rng.choice(sorted(found))
        uid = uids[audit.base(file.name)]
        try:
            if self.rng.random() < .2:
                file.unlink()
                pending.must_go.add((box.name, uid))
                pending.for_good.add((box.name, uid))
                self.transcript.note('rm', ' ', f'{box.name} {uid} {file.name}')
                return
            letter = self.rng.choice('DFRST')
            now = set(file.name.partition(':2,')[2])
            new = ''.join(sorted(now ^ {letter}))
            to = path / 'cur' / f'{audit.base(file.name)}:2,{new}'
            file.rename(to)
        except FileNotFoundError:
            return  # the server was faster
        self.transcript.note('mutt', ' ',
                             f'{box.name} {uid} {file.name} {to.name}')
        pending.write('mutt', box.name, uid,
                      {audit.LETTERS[letter]: letter not in now}, True)

    # ---- POP3

    def by_pop3(self):
        box, pending = self.world.boxes['INBOX'], Pending(self.world)
        uids = box.uids()
        with MailClient(self.posta, 'pop3s') as c:
            if not c.log_in(self.people[0].address).startswith('+OK'):
                raise Differs('POP3 login failed')
            want = [f'{n} {u:08x}{box.validity:08x}'
                    for n, u in enumerate(uids, 1)]
            got = [x.lower() for x in c.ask('UIDL')]
            if got != want:
                raise Differs(f'UIDL {got}, not {want}')
            for n, uid in enumerate(uids, 1):
                dice = self.rng.random()
                if dice < .1:
                    self._retrieve(c, n, box.messages[uid])
                    pending.write('pop3', 'INBOX', uid, {'\\Seen': True}, True)
                if dice < .05:
                    assert c.say(f'DELE {n}').startswith('+OK')
                    pending.may_go.add(('INBOX', uid))
            if self.rng.random() < .8:
                assert c.say('QUIT').startswith('+OK')
                pending.must_go = pending.may_go
            else:  # nothing is deleted
                pending.may_go = set()
        self.transcript.note('pop3', ' ', f'{dict(pending.writes)} '
                             f'{pending.must_go}')
        self.adopt(pending, 60)

    def _retrieve(self, c, number, message):
        lines = c.ask(f'RETR {number}')
        raw = '\r\n'.join(lines + ['']).encode('latin-1')
        if raw != message.letter.raw:
            raise Differs(f'RETR of UID {message.uid} is another message')

    # ---- the index

    def remove_index(self):
        """While it is used: who finds that first brings into the files what
        only the index knew, and all go on with a new one."""
        person, pending = self.rng.choice(self.people), Pending(self.world)
        self.take_index_away(person, self.rng)
        self.see_index_gone(person, pending)
        self.adopt(pending, 60)

    def take_index_away(self, person, rng):
        path = person.root / 'posta-index'
        how = rng.choice(('moved', 'removed', 'data', 'rubbish'))
        self.transcript.note('rm', ' ', f'{path}: {how}')
        for box in self.boxes_of(person):
            box.recent_from = 1 << 32
        if how == 'moved':
            away = person.root / 'model-away'
            os.rename(path, away)
            shutil.rmtree(away)
        elif how == 'removed':
            shutil.rmtree(path, ignore_errors=True)
        elif how == 'data':
            (path / 'data.mdb').unlink()
        else:
            rubbish = person.root / 'model-rubbish'
            rubbish.write_bytes(rng.randbytes(100000))
            owner = path.stat()
            os.chown(rubbish, owner.st_uid, owner.st_gid)
            os.rename(rubbish, path / 'data.mdb')

    def see_index_gone(self, person, pending):
        """It is looked for by who wants to change something."""
        pending.lost.add(person)
        name = self.auditor.box_name(
            f'{person.prefix}Own/probe' if person.prefix else 'probe')
        self.auditor.ok(f'CREATE {name}')
        self.auditor.ok(f'DELETE {name}')

    def boxes_of(self, person):
        return [b for b in self.world.boxes.values() if b.owner is person]

    def lose_index(self):
        """When files say all. Who has it open goes on with it until he changes
        something, so his end is now."""
        if not self.shared.kills:
            return
        self.look()
        self.transcript.note('rm', ' ', 'the index')
        self.noted = False
        for person in self.people:
            self.posta.kill(self.pid(person), signal.SIGKILL)
        for c in self.connections:
            c.drop()
        for person in self.people:
            shutil.rmtree(person.root / 'posta-index')
        self.recover()
        for box in self.world.boxes.values():
            box.recent_of.clear()
        pending = Pending(self.world)
        pending.lost |= set(self.people)
        self.adopt(pending, 60)
