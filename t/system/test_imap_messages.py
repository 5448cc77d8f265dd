"""What t/messages says that Dovecot answers is what it answers.

The unit tests (t/unit/mail) compare our answers with the same lists, so the
two servers agree on every message but for DIFFERENT, which t/messages/README.md
explains.
"""
import imaplib
import os
import pathlib
import re

import pytest

from harness import Dovecot

MESSAGES = pathlib.Path(__file__).resolve().parents[1] / 'messages'

DIFFERENT = {
    ('bad-type', 'BODYSTRUCTURE'): 'no subtype',
    ('bad-type2', 'BODYSTRUCTURE'): 'no type',
    ('bad-type3', 'BODYSTRUCTURE'): 'a quoted value without end',
    ('bad-type4', 'BODYSTRUCTURE'): 'blanks in a type',
    ('cte-unknown', 'BODYSTRUCTURE'): 'no MIME-Version',
    ('qp', 'BODYSTRUCTURE'): 'no MIME-Version',
    ('empty-boundary', 'BODYSTRUCTURE'): 'boundary=""',
    ('prefix', 'BODYSTRUCTURE'): '--abc',
    ('nested', 'BODYSTRUCTURE'): 'line end before a boundary',
    ('empty-fields', 'ENVELOPE'): '"Cc: ,"',
    ('envelope', 'ENVELOPE'): 'blanks in Subject',
    ('folded-all', 'ENVELOPE'): 'blanks in Subject',
    ('nul', 'ENVELOPE'): 'NUL in an address',
    ('rfc2231-odd', 'BODYSTRUCTURE'): 'sections that are missing',
    ('empty', 'HEADER.FIELDS.NOT (Date Message-ID to)'): 'no empty line',
    ('only-header', 'HEADER.FIELDS.NOT (Date Message-ID to)'):
        'no empty line',
    ('nested', '2.2.1'): 'no such part',
    ('boundary-at-once', '2.MIME'): 'an empty line is all',
    ('same-boundary', '1'): 'line end before a boundary',
}


def fill(mail, files):
    """A Maildir with these files, in this order; mtimes are kept."""
    for name in 'cur', 'new', 'tmp':
        (mail / name).mkdir(parents=True)
    for i, (data, mtime) in enumerate(files):
        path = mail / 'cur' / f'{1700000000 + i}.M{i}P1.host:2,S'
        path.write_bytes(data)
        os.utime(path, (mtime, mtime))


def own(peer, top):
    if os.getuid() == 0:
        for path in [top, *top.rglob('*')]:
            os.chown(path, peer.user.pw_uid, peer.user.pw_gid)


def ask(imap, command):
    """The untagged answers to a command, literals and all, as bytes."""
    tag = imap._new_tag()
    imap.send(tag + b' ' + command.encode() + b'\r\n')
    answers = []
    while True:
        line = imap.readline()
        while match := re.search(rb'\{(\d+)\}\r\n$', line):
            line += imap.read(int(match[1])) + imap.readline()
        if line.startswith(tag):
            assert b' OK ' in line, (command, line)
            return answers
        answers.append(line)


def value(data):
    """An IMAP value: nested lists of strings, None for NIL."""
    stack, at = [[]], 0
    while at < len(data):
        literal = re.compile(rb'\{(\d+)\}\r\n').match(data, at)
        quoted = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(data, at)
        atom = re.compile(rb'[^ ()"{]+').match(data, at)
        if literal:
            at = literal.end() + int(literal[1])
            stack[-1].append(data[literal.end():at])
        elif quoted:
            stack[-1].append(re.sub(rb'\\(.)', rb'\1', quoted[1]))
            at = quoted.end()
        elif atom:
            stack[-1].append(None if atom[0] == b'NIL' else atom[0])
            at = atom.end()
        else:
            if data[at:at + 1] == b'(':
                stack.append([])
            elif data[at:at + 1] == b')':
                done = stack.pop()
                stack[-1].append(done)
            at += 1
    return stack[0]


def unescaped(text):
    return re.sub(rb'\\(r|n|x..)', lambda m: {b'r': b'\r', b'n': b'\n'}.get(
        m[1]) or bytes([int(m[1][1:], 16)]), text.encode())


def wanted(name):
    for line in (MESSAGES / name).read_text().splitlines():
        if line and not line.startswith('#'):
            yield line.split(' ', 2)


@pytest.fixture(scope='module')
def peer():
    with Dovecot(protocols='imap') as peer:
        yield peer


@pytest.fixture(scope='module')
def inbox(peer):
    """A connection, and the number of each message."""
    names = sorted(p.name for p in MESSAGES.iterdir() if '.' not in p.name)
    mail = peer.top / 'mail/anna'
    fill(mail, [((MESSAGES / n).read_bytes(), 1700000000) for n in names])
    own(peer, mail)
    imap = imaplib.IMAP4('127.0.0.1', peer.imap)
    imap.login('anna', 'secret')
    imap.select(readonly=True)
    yield imap, {n: i + 1 for i, n in enumerate(names)}
    imap.logout()


def fetched(imap, number, item):
    answer = b''.join(ask(imap, f'FETCH {number} ({item})'))
    return re.search(rb'FETCH \(\S+ ?(.*)\)\r\n', answer, re.S)[1]


def check(name, item, theirs, ours):
    if (name, item) in DIFFERENT:
        assert theirs != ours, f'{name} {item}: the same by now'
    else:
        assert theirs == ours, f'{name} {item}'


def test_structure(inbox):
    imap, number = inbox
    items = {'SIZE': 'RFC822.SIZE', 'ENVELOPE': 'ENVELOPE',
             'BODYSTRUCTURE': 'BODYSTRUCTURE', 'BODY': 'BODY'}
    for name, item, ours in wanted('structure.txt'):
        if item == 'REV2' or (item == 'BODY' and name == 'nested'):
            continue
        theirs = fetched(imap, number[name], items[item])
        check(name, item, value(theirs), value(unescaped(ours)))


def test_sections(inbox):
    imap, number = inbox
    for name, section, *ours in wanted('sections.txt'):
        section = '' if section == '-' else section.replace('_', ' ')
        theirs = b''.join(ask(
            imap, f'FETCH {number[name]} (BODY.PEEK[{section}])'))
        literal = re.search(rb'\{(\d+)\}\r\n', theirs)
        theirs = theirs[literal.end():literal.end() + int(literal[1])]
        check(name, section, theirs, unescaped(ours[0] if ours else ''))


def mailboxes():
    """Of threads.txt: messages, and questions with answers."""
    text = (MESSAGES / 'threads.txt').read_text()
    messages, answers, header = [], [], None
    for line in [*text.splitlines()[1:], '== 0']:
        if line.startswith('== ') and answers:
            yield messages, answers
            messages, answers = [], []
        if line.startswith('== '):
            header = [int(line[3:]), '']
            messages.append(header)
        elif line.startswith('= '):
            answers.append(line[2:].split(': ', 1))
        else:
            header[1] += line + '\n'


@pytest.mark.parametrize('which', range(2))
def test_threads_and_orders(peer, which):
    messages, answers = list(mailboxes())[which]
    folder = peer.top / f'mail/anna/.threads{which}'
    fill(folder, [(f'{text}\nx\n'.encode(), date) for date, text in messages])
    own(peer, peer.top / 'mail/anna')
    with imaplib.IMAP4('127.0.0.1', peer.imap) as imap:
        imap.login('anna', 'secret')
        imap.select(f'threads{which}', readonly=True)
        for question, ours in answers:
            command = f'THREAD {question}' if ours.startswith('(') \
                else f'SORT ({question})'
            theirs = ask(imap, f'{command} UTF-8 ALL')[0].decode()
            assert theirs.split(' ', 2)[2].strip() == ours, question
