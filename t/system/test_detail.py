"""Mail to user+folder, as Dovecot's LMTP delivers it."""
import os

import pytest

from harness import Posta, wait_until
from harness.accounts import Accounts
from harness.maildir import files
from harness.raw_imap import RawImap


def folder(maildir, name):
    return files(maildir / name)


def send(posta, to, maildir, name=''):
    """Send, and wait until it is in that folder."""
    before = len(folder(maildir, name))
    posta.send('a@client.test', to)
    wait_until(lambda: len(folder(maildir, name)) == before + 1, to)


def subscribed(posta, user):
    with RawImap(posta.base + 993, user) as c:
        return [line.split(b' ')[-1].decode() for line in c.ok('LSUB "" *')]


@pytest.fixture
def posta():
    with Posta(users={'anna': 'secret'}, start=False) as p:
        p.set(recipient_delimiter='+', lmtp_save_to_detail_mailbox='yes')
        p.maildir_of = p.dir / 'mail' / p.domain / 'anna/Maildir'
        yield p


def test_folders_that_are_there(posta):
    posta.start()
    box = posta.maildir_of
    # No Maildir, no folder, no name of one: INBOX.
    for detail in 'Lists', 'Lists', 'a..b', '%2e%2e', 'INBOX', 'x' * 60:
        send(posta, f'anna+{detail}@example.test', box)
    with RawImap(posta.base + 993, 'anna@example.test') as c:
        c.ok('CREATE Lists')
        c.ok('CREATE Lists/Posta')
        send(posta, 'anna+Lists@example.test', box, '.Lists')
        send(posta, 'anna+Lists.Posta@example.test', box, '.Lists.Posta')
        send(posta, 'anna+lists@example.test', box)  # capitals count
        send(posta, 'anna@example.test', box)
        assert sorted(c.ok('STATUS Lists (MESSAGES)')) == [
            b'* STATUS Lists (MESSAGES 1)']
    # Who has the folder open hears of it.
    with RawImap(posta.base + 993, 'anna@example.test') as c:
        c.ok('SELECT Lists')
        send(posta, 'anna+Lists@example.test', box, '.Lists')
        wait_until(lambda: b'* 2 EXISTS' in c.ok('NOOP'), 'EXISTS')
    assert sorted(p.name for p in box.glob('.[!.]*')) == [
        '.Lists', '.Lists.Posta']


def test_a_row_of_its_own_goes_before(posta):
    posta.start()
    line, = [x for x in (posta.dir / 'mailboxes').read_text().splitlines()
             if x.startswith('anna@')]
    with open(posta.dir / 'mailboxes', 'a') as f:
        f.write(line.replace('anna@', 'anna+Lists@').replace(
            'anna/Maildir/', 'anna/Maildir/.Other/') + '\n')
    posta.command('postmap', posta.dir / 'mailboxes')
    posta.reload()
    with RawImap(posta.base + 993, 'anna@example.test') as c:
        c.ok('CREATE Lists')
    send(posta, 'anna+Lists@example.test', posta.maildir_of, '.Other')


def test_folders_are_made(posta):
    posta.set(lda_mailbox_autocreate='yes', lda_mailbox_autosubscribe='yes')
    posta.start()
    box = posta.maildir_of
    send(posta, 'anna@example.test', box)
    send(posta, 'anna+Lists.Posta@example.test', box, '.Lists.Posta')
    assert (box / '.Lists.Posta/maildirfolder').exists()
    send(posta, 'anna+Lists.Posta@example.test', box, '.Lists.Posta')
    assert subscribed(posta, 'anna@example.test') == ['Lists/Posta']
    send(posta, 'anna+a..b@example.test', box)


if os.getuid() == 0:
    def test_of_accounts():
        with Accounts(settings={
                'recipient_delimiter': '+', 'lda_mailbox_autocreate': 'yes',
                'lmtp_save_to_detail_mailbox': 'yes'}) as posta:
            home = posta.home / 'anna'
            send(posta, 'anna@example.test', home / 'Maildir')
            send(posta, 'anna+New@example.test', home / 'Maildir', '.New')
            st = (home / 'Maildir/.New').stat()
            assert st.st_uid == posta.uid('anna')
            assert not (home / 'Maildir/subscriptions').exists()
            (home / '.forward+own').write_text(f'{home}/Other/\n')
            os.chown(home / '.forward+own', posta.uid('anna'), -1)
            send(posta, 'anna+own@example.test', home / 'Other')


def test_not_without_being_told(posta):
    posta.set(lmtp_save_to_detail_mailbox='no', lda_mailbox_autocreate='yes')
    posta.start()
    send(posta, 'anna+Lists@example.test', posta.maildir_of)
    assert not (posta.maildir_of / '.Lists').exists()
