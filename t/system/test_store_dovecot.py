"""Maildirs of Dovecot's are taken over as they are, and given back."""
import imaplib
import os
import pathlib
import re
import subprocess
import threading

import pytest

from harness import Dovecot, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get('POSTA_BUILD', ROOT / 'build/release')) / \
    't/tools/store_tool'
FLAGS = {'\\Answered': 1, '\\Flagged': 2, '\\Deleted': 4, '\\Seen': 8,
         '\\Draft': 16}


class Mail:
    """anna's Maildir, seen by both programs."""

    def __init__(self, peer, layout):
        self.peer, self.layout = peer, layout
        self.path = peer.top / 'mail/anna'
        self.separator = '/' if layout else '.'

    def imap(self):
        connection = imaplib.IMAP4('127.0.0.1', self.peer.imap)
        connection.login('anna', 'secret')
        return connection

    def store(self, *commands):
        """The answers of lib/store; each must be ok."""
        ids = {} if os.getuid() else {'user': self.peer.user.pw_uid,
                                      'group': self.peer.user.pw_gid,
                                      'extra_groups': []}
        done = subprocess.run(
            [TOOL, self.path, *(['fs'] if self.layout else [])],
            input='\n'.join(commands), capture_output=True, text=True,
            cwd='/', timeout=60, **ids)
        assert done.returncode == 0, done
        answers = done.stdout.split('\n')[:-1]
        for command, answer in zip(commands, answers):
            assert answer.startswith('ok'), (command, answer)
        return [a.split()[1:] for a in answers]

    def by_store(self, folder):
        """UIDVALIDITY, next UID, and UID to flags, keywords, date, size."""
        status, dump = self.store(f'open {folder}', 'status', 'dump')[1:]
        found = {}
        for word in dump:
            uid, flags, keywords, date, size, _ = word.split(':', 5)
            found[int(uid)] = (int(flags),
                               frozenset(keywords.split(',')) - {''},
                               int(date), int(size))
        return int(status[0]), int(status[1]), found

    def by_dovecot(self, folder):
        with self.imap() as imap:
            imap.select(encoded(folder.replace('/', self.separator)),
                        readonly=True)
            numbers = [int(imap.response(n)[1][0])
                       for n in ('UIDVALIDITY', 'UIDNEXT')]
            kind, data = imap.uid('FETCH', '1:*',
                                  '(FLAGS INTERNALDATE RFC822.SIZE)')
        assert kind == 'OK'
        found = {}
        for line in data:
            if line is None:
                continue
            text = line.decode()
            words = re.search(r'FLAGS \(([^)]*)\)', text)[1].split()
            words = [w for w in words if w != '\\Recent']
            found[int(re.search(r'UID (\d+)', text)[1])] = (
                sum(FLAGS.get(w, 0) for w in words),
                frozenset(w for w in words if w not in FLAGS),
                int(imaplib_time(text)),
                int(re.search(r'RFC822.SIZE (\d+)', text)[1]))
        return (*numbers, found)

    def same(self, *folders):
        for folder in folders:
            assert self.by_store(folder) == self.by_dovecot(folder), folder


def encoded(name):
    """Names of this test in modified UTF-7."""
    return '"' + name.replace('ü', '&APw-') + '"'


def imaplib_time(text):
    import calendar
    date = re.search(r'INTERNALDATE "([^"]+)"', text)[1]
    stamp = imaplib.Internaldate2tuple(
        f'INTERNALDATE "{date}"'.encode())
    import time
    return time.mktime(stamp) if stamp else calendar.timegm(stamp)


@pytest.fixture(params=['', ':LAYOUT=fs'], ids=['maildir++', 'fs'])
def mail(request):
    layout = request.param
    with Dovecot(protocols='imap', more=f'''
mail_location = maildir:~/../../mail/%Ln{layout}
''') as peer:
        yield Mail(peer, layout)
        log = (peer.top / 'log/dovecot').read_text()
        # That it waits for its locks on a slow machine is no trouble.
        assert not [line for line in
                    re.findall(r'.*(?:Error|Warning|Panic|Fatal):.*', log)
                    if not re.search(r'Warning: .* seconds', line)], log


def text(n):
    return f'Subject: {n}\r\n\r\n{"line" * n}\r\n'.encode()


def fill(mail):
    with mail.imap() as imap:
        for n in range(1, 11):
            imap.append('INBOX', '(\\Seen $Work)' if n % 3 == 0 else None,
                        f'"{n:02d}-Mar-2020 10:00:00 +0000"', text(n))
        for name in 'Entwürfe', f'A{mail.separator}B':
            imap.create(encoded(name))
            imap.subscribe(encoded(name))
        imap.select()
        imap.uid('STORE', '2:4', '+FLAGS', '(\\Flagged later $MDNSent)')
        imap.uid('STORE', '5,10', '+FLAGS', '(\\Deleted)')
        imap.expunge()
        imap.uid('COPY', '1:4', encoded('Entwürfe'))
        imap.uid('MOVE', '6', f'A{mail.separator}B')


def test_taken_over(mail):
    fill(mail)
    mail.same('INBOX', 'Entwürfe', 'A/B')
    names = dict(f.split('=') for f in mail.store('folders')[0])
    assert names['Entwürfe'] == '5' and int(names['A/B']) & 4
    assert mail.by_store('INBOX')[2][3][:2] == (
        10, {'$Work', 'later', '$MDNSent'})


def test_given_back(mail):
    fill(mail)
    mail.same('INBOX')
    mail.store(
        'open INBOX', 'append 8 eleven twelve', 'store 1 3 remove 2',
        'store 7 7 add 1 newword', 'move 8 9 A/B', 'expunge 2 2', 'flush',
        'create New/Box', 'copy 1 12 New/Box', 'subscribe New/Box',
        'rename A/B C', 'open C', 'store 1 1 replace 16 other')
    mail.same('INBOX', 'New/Box', 'C', 'Entwürfe')
    with mail.imap() as imap:
        names = str(imap.list()[1])
        subscribed = str(imap.lsub()[1])
    assert f'New{mail.separator}Box' in names and '"C"' in names.replace(
        ' C\'', ' "C"\'')
    assert f'New{mail.separator}Box' in subscribed

    # And once more from the other side.
    with mail.imap() as imap:
        imap.append('C', '(newer)', None, text(3))
        imap.select('INBOX')
        imap.uid('STORE', '1:*', '+FLAGS', '(\\Answered)')
        imap.uid('STORE', '11', '-FLAGS', '(\\Seen)')
    mail.same('INBOX', 'C')


def test_both_at_once(mail):
    """While Dovecot appends and stores flags, so do we."""
    fill(mail)
    troubles = []

    def theirs():
        try:
            with mail.imap() as imap:
                imap.select()
                for n in range(30):
                    imap.append('INBOX', None, None, text(2))
                    imap.noop()
                    imap.uid('STORE', str(12 + n), '+FLAGS', '(\\Flagged)')
        except Exception as error:  # pylint: disable=broad-except
            troubles.append(error)
    thread = threading.Thread(target=theirs)
    thread.start()
    told = []
    for n in range(15):
        answers = mail.store('open INBOX', f'append 8 ours{n} two',
                             'store 1 20 add 1 ours', 'flush')
        told += [int(uid) for uid in answers[1]]
    thread.join()
    assert not troubles
    assert len(set(told)) == 30
    wait_until(lambda: mail.by_store('INBOX') == mail.by_dovecot('INBOX'),
               lambda: f'{mail.by_store("INBOX")}\n'
                       f'{mail.by_dovecot("INBOX")}')
    found = mail.by_store('INBOX')[2]
    assert set(told) <= set(found)
    assert len(found) == 7 + 30 + 30
