"""Local delivery: mailboxes, aliases, .forward files, commands, transports."""
import fcntl
import getpass
import os
import re
import stat

from harness import Posta, wait_until
from harness.accounts import Accounts

ROOT = os.geteuid() == 0
MAIL = 'From: a@other.test\nSubject: test\n\nFrom here to there.\n'


def results(posta, pattern, count=1):
    """The (dsn, status, text) of log lines `to=<pattern>`."""
    found = posta.wait_log(r' to=<' + pattern + r'>, .*dsn=([\d.]+), '
                           r'status=(\w+) \((.*)\)$', count)
    return [m.groups() for m in found]


def result(posta, pattern):
    return results(posta, pattern)[0]


def send(posta, rcpts, message=MAIL, sender='a@client.test', **kw):
    posta.send(sender, rcpts, message.replace('\n', '\r\n'), **kw)


def fill(path):
    """A file as large as the file system lets it be."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while os.write(fd, b'x' * 4096):
            pass
    except OSError:
        pass
    os.close(fd)


# ---- as the user who runs the tests, whoever that is

def test_one_user_gets_mail():
    """Without rights there is one account that mail can be delivered to."""
    me = getpass.getuser()
    settings = {'mydestination': 'example.test', 'home_mailbox': '',
                'virtual_mailbox_domains': '', 'virtual_alias_maps': '',
                'local_recipient_maps': '', 'alias_maps': ''}
    with Posta(users={}, settings=settings, start=False) as posta:
        spool = posta.top / 'spool'
        forward = posta.top / 'forward'
        spool.mkdir(mode=0o777)
        spool.chmod(0o777)
        forward.mkdir()
        posta.set(mail_spool_directory=spool,
                  forward_path=f'{forward}/$user$recipient_delimiter$extension')
        posta.start()
        send(posta, f'{me}@example.test')
        assert result(posta, f'{me}@example.test') == (
            '2.0.0', 'sent', 'delivered to mailbox')
        text = (spool / me).read_text()
        assert text.startswith('From a@client.test  ')
        assert '\n>From here to there.\n\n' in text
        assert stat.S_IMODE((spool / me).stat().st_mode) == 0o600

        out = posta.top / 'out'
        out.mkdir(mode=0o777)
        out.chmod(0o777)
        (forward / f'{me}+cmd').write_text(
            f'"|cat > {out}/new && mv {out}/new {out}/mail"\n')
        send(posta, f'{me}+cmd@example.test')
        wait_until((out / 'mail').exists, 'the command')
        assert result(posta, rf'{me}\+cmd@example.test')[:2] == (
            '2.0.0', 'sent')
        text = (out / 'mail').read_text()
        assert 'Delivered-To: ' + me + '+cmd@example.test\n' in text
        posta.wait_empty()


if ROOT:
    # ---- mailboxes

    def test_maildir_belongs_to_its_user():
        with Accounts() as posta:
            send(posta, 'anna@example.test')
            mail = posta.wait_maildir('anna', 1)[0].decode()
            assert mail.startswith(
                'Return-Path: <a@client.test>\n'
                'X-Original-To: anna@example.test\n'
                'Delivered-To: anna@example.test\nReceived: from ')
            assert mail.endswith('\n\nFrom here to there.\n')
            posta.wait_empty()  # until then the queue has a name for it
            file = next((posta.home / 'anna/Maildir/new').iterdir())
            st = file.stat()
            assert (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode),
                    st.st_nlink) == (61000, 61000, 0o600, 1)
            lines = mail.count('\n')
            assert file.name.endswith(
                f',S={len(mail)},W={len(mail) + lines}')
            assert result(posta, 'anna@example.test') == (
                '2.0.0', 'sent', 'delivered to maildir')
            posta.wait_empty()

    def test_maildir_on_another_file_system():
        """The queue file cannot become the mailbox file there: a copy."""
        with Accounts(tmpfs={'home/anna/Maildir': '1m'}) as posta:
            inside = posta.inside(posta.home / 'anna/Maildir')
            os.chown(inside, posta.uid('anna'), posta.uid('anna'))
            for n in range(3):
                send(posta, 'anna@example.test')
            wait_until(lambda: (inside / 'new').is_dir() and
                       len(os.listdir(inside / 'new')) == 3, 'three messages')
            file = next((inside / 'new').iterdir())
            assert file.read_text().endswith('\n\nFrom here to there.\n')
            assert file.stat().st_uid == posta.uid('anna')
            posta.wait_empty()

    def test_several_recipients_get_copies():
        with Accounts() as posta:
            send(posta, ['anna@example.test', 'ben@example.test'])
            for name in ('anna', 'ben'):
                mail = posta.wait_maildir(name, 1)[0].decode()
                assert f'\nDelivered-To: {name}@example.test\n' in mail

    def test_mbox_in_the_spool():
        settings = {'home_mailbox': '', 'deliver_lock_attempts': 2,
                    'deliver_lock_delay': '1s'}
        with Accounts(settings=settings) as posta:
            box = posta.spool / 'anna'
            send(posta, 'anna@example.test')
            text = posta.wait_file(box, 'there.\n\n')
            assert re.match(r'From a@client\.test  \w{3} \w{3} [ \d]\d '
                            r'\d\d:\d\d:\d\d \d{4}\nReturn-Path: <a@client\.'
                            r'test>\nX-Original-To: anna@example\.test\n'
                            r'Delivered-To: anna@example\.test\n', text)
            assert '\n>From here to there.\n\n' in text
            st = box.stat()
            assert (st.st_uid, stat.S_IMODE(st.st_mode)) == (61000, 0o600)
            wait_until(lambda: not (posta.spool / 'anna.lock').exists(),
                       'the lock to go')
            posta.wait_empty()

            # Somebody reads his mail: this delivery has to wait.
            with open(box, 'a') as f:
                fcntl.lockf(f, fcntl.LOCK_EX)
                send(posta, 'anna@example.test')
                assert results(posta, 'anna@example.test', 2)[1] == (
                    '4.2.0', 'deferred',
                    f'cannot update mailbox {box} for user anna. '
                    'unable to lock for exclusive access: it is in use')
                assert box.read_text() == text
            posta.flush()
            posta.wait_empty()
            assert box.read_text().count('\nFrom a@client.test') == 1

            # Another program's lock file, and a box that was removed.
            box.unlink()
            (posta.spool / 'anna.lock').write_text('1\n')
            send(posta, 'anna@example.test')
            assert results(posta, 'anna@example.test', 4)[3][:2] == (
                '4.2.0', 'deferred')
            (posta.spool / 'anna.lock').unlink()
            posta.flush()
            posta.wait_empty()
            assert box.read_text().startswith('From a@client.test ')

    def test_mbox_in_a_folder_of_root():
        with Accounts(settings={'home_mailbox': ''}) as posta:
            posta.spool.chmod(0o755)
            for n in range(2):
                send(posta, 'anna@example.test')
                posta.wait_empty()
            box = posta.spool / 'anna'
            assert box.read_text().count('From a@client.test ') == 2
            assert box.stat().st_uid == posta.uid('anna')
            assert os.listdir(posta.spool) == ['anna']

    def test_mbox_of_somebody_else():
        with Accounts(settings={'home_mailbox': 'mbox'}) as posta:
            posta.put('anna', 'mbox', '', 0o666, posta.uid('ben'))
            os.symlink(posta.put('ben', 'mbox', ''), posta.home / 'carl/mbox')
            send(posta, 'anna@example.test')
            assert result(posta, 'anna@example.test')[:2] == (
                '4.2.0', 'deferred')
            send(posta, 'carl@example.test')
            assert result(posta, 'carl@example.test')[:2] == (
                '5.2.0', 'bounced')
            assert (posta.home / 'ben/mbox').read_text() == ''

    def test_mailbox_size_limit():
        settings = {'home_mailbox': 'mbox', 'message_size_limit': '10000',
                    'mailbox_size_limit': '12000'}
        with Accounts(settings=settings) as posta:
            big = MAIL + 'x' * 70 + '\n'
            big += ('y' * 70 + '\n') * 100
            send(posta, 'anna@example.test', big)
            assert result(posta, 'anna@example.test')[1] == 'sent'
            before = (posta.home / 'anna/mbox').read_bytes()
            send(posta, 'anna@example.test', big)
            assert results(posta, 'anna@example.test', 2)[1] == (
                '5.2.2', 'bounced',
                f'cannot update mailbox {posta.home}/anna/mbox for user anna. '
                'error writing message: File too large')
            assert (posta.home / 'anna/mbox').read_bytes() == before

    def full_disk(posta, home):
        """Deliver into a file system that is full, make room, try again."""
        filler = posta.inside(home / 'filler')
        os.chown(posta.inside(home), posta.uid('anna'), posta.uid('anna'))
        fill(filler)
        send(posta, 'anna@example.test', MAIL + ('y' * 70 + '\n') * 500)
        dsn, status, text = result(posta, 'anna@example.test')
        assert (dsn, status) == ('4.3.1', 'deferred')
        assert 'No space left on device' in text
        filler.unlink()
        posta.flush()
        posta.wait_empty()

    def test_full_disk_maildir():
        with Accounts(tmpfs={'home/anna': '128k'}) as posta:
            home = posta.home / 'anna'
            full_disk(posta, home)
            assert len(os.listdir(posta.inside(home / 'Maildir/new'))) == 1
            assert os.listdir(posta.inside(home / 'Maildir/tmp')) == []

    def test_full_disk_mbox():
        with Accounts(tmpfs={'home/anna': '128k'},
                      settings={'home_mailbox': 'mbox'}) as posta:
            home = posta.home / 'anna'
            full_disk(posta, home)
            text = posta.inside(home / 'mbox').read_text()
            assert text.count('From a@client.test') == 1
            assert text.endswith('y\n\n')

    def test_unknown_users():
        with Accounts() as posta:
            send(posta, ['nobody.here@example.test', 'postmaster@example.test'])
            assert result(posta, 'nobody.here@example.test') == (
                '5.1.1', 'bounced', 'unknown user: "nobody.here"')
            assert result(posta, 'postmaster@example.test') == (
                '2.0.0', 'sent', 'discarded')

    def test_extensions():
        with Accounts() as posta:
            posta.put('anna', '.forward+lists', 'ben+x@example.test\n')
            send(posta, ['anna+other@example.test', 'anna+lists@example.test'])
            mail = posta.wait_maildir('anna', 1)[0].decode()
            assert '\nDelivered-To: anna+other@example.test\n' in mail
            mail = posta.wait_maildir('ben', 1)[0].decode()
            assert '\nDelivered-To: anna+lists@example.test\n' in mail
            assert '\nDelivered-To: ben+x@example.test\n' in mail
            assert 'X-Original-To: anna+lists@example.test\n' in mail

    def test_loop():
        with Accounts() as posta:
            send(posta, 'anna@example.test',
                 'Delivered-To: Anna@example.test\n' + MAIL)
            assert result(posta, 'anna@example.test') == (
                '5.4.6', 'bounced',
                'mail forwarding loop for anna@example.test')

    def test_forwards_in_a_circle():
        with Accounts() as posta:
            posta.put('anna', '.forward', 'ben@example.test\n')
            posta.put('ben', '.forward', 'anna@example.test\n')
            send(posta, 'anna@example.test')
            posta.wait_log('mail forwarding loop for anna@example.test')

    # ---- aliases

    def test_alias_of_one():
        """It is delivered at once, without another message."""
        with Accounts(aliases='info anna\nsales info\n') as posta:
            send(posta, 'sales@example.test')
            mail = posta.wait_maildir('anna', 1)[0].decode()
            assert mail.startswith('Return-Path: <a@client.test>\n'
                                   'X-Original-To: sales@example.test\n'
                                   'Delivered-To: sales@example.test\n')
            assert posta.wait_log(r'to=<anna@example.test>, '
                                  r'orig_to=<sales@example.test>, relay=local')
            assert 'forwarded as' not in posta.log_text()

    def test_alias_of_many():
        with Accounts(aliases='all anna, ben@example.test, anna, carl\n'
                      'carl carl, "|exit 0"\n') as posta:
            send(posta, 'all@example.test')
            for name in posta.names:
                mail = posta.wait_maildir(name, 1)[0].decode()
                assert '\nDelivered-To: all@example.test\n' in mail
                assert 'X-Original-To: all@example.test\n' in mail
            assert result(posta, 'all@example.test')[2].startswith(
                'forwarded as ')
            posta.wait_empty()
            for name in posta.names:
                assert len(posta.maildir(name)) == 1

    def test_alias_with_an_owner():
        with Accounts(aliases='list anna, ben\nowner-list carl\n') as posta:
            send(posta, 'list@example.test')
            mail = posta.wait_maildir('ben', 1)[0].decode()
            assert mail.startswith('Return-Path: <owner-list@example.test>\n')
            posta.wait_empty()

    def test_alias_loops():
        with Accounts(aliases='one two\ntwo one\nanna anna, ben\n') as posta:
            send(posta, 'one@example.test')
            dsn, status, text = posta.wait_log(
                r'dsn=(5[\d.]+), status=(\w+) \((alias database loop.*)\)'
            )[0].groups()
            assert (dsn, status) == ('5.4.6', 'bounced')
            send(posta, 'anna@example.test')
            posta.wait_maildir('anna', 1)
            posta.wait_maildir('ben', 1)

    def test_files_and_commands_of_root():
        """What root's table names runs as default_privs."""
        with Accounts() as posta:
            out = posta.shared('out')
            posta.set_aliases(f'file {out}/file, {out}/box/\n'
                              f'cmd "|id -u > {out}/id; cat > {out}/mail"\n'
                              f'null /dev/null\n')
            send(posta, ['file@example.test', 'cmd@example.test',
                         'null@example.test'])
            posta.wait_file(out / 'mail', 'there.\n')
            assert (out / 'id').read_text() == '65534\n'
            assert 'Delivered-To: cmd@' in (out / 'mail').read_text()
            assert result(posta, 'cmd@example.test') == (
                '2.0.0', 'sent', f'delivered to command: id -u > {out}/id; '
                f'cat > {out}/mail')
            posta.wait_file(out / 'file', '>From here to there.\n\n')
            assert (out / 'file').stat().st_uid == 65534
            wait_until(lambda: len(list(out.glob('box/new/*'))) == 1,
                       'a message in box/')
            assert result(posta, 'null@example.test')[2] == (
                'delivered to file: /dev/null')
            posta.wait_empty()

    def test_alias_table_of_a_user():
        with Accounts() as posta:
            out = posta.shared('out')
            posta.set_aliases(f'cmd "|id -u > {out}/id"\n',
                              uid=posta.uid('carl'))
            send(posta, 'cmd@example.test')
            assert posta.wait_file(out / 'id') == f"{posta.uid('carl')}\n"

    def test_include():
        with Accounts() as posta:
            out = posta.shared('out')
            members = posta.write('members',
                                  '# members\nanna, ben\ncarl@example.test\n')
            os.chown(members, posta.uid('ben'), posta.uid('ben'))
            commands = posta.write('commands', f'"|id -u > {out}/id"\n')
            os.chown(commands, posta.uid('ben'), posta.uid('ben'))
            posta.set_aliases(f'list :include:{members}\n'
                              f'bad :include:{commands}\n'
                              f'gone :include:{out}/gone\n'
                              f'open :include:{out}/open\n'
                              'relative :include:x\n')
            (out / 'open').write_text('anna\n')
            (out / 'open').chmod(0o666)
            send(posta, ['list@example.test', 'bad@example.test',
                         'gone@example.test', 'open@example.test',
                         'relative@example.test'])
            for name in posta.names:
                posta.wait_maildir(name, 1)
            assert result(posta, 'bad@example.test') == (
                '5.7.1', 'bounced', 'mail to command is restricted')
            assert result(posta, 'gone@example.test')[:2] == (
                '4.3.5', 'deferred')
            assert result(posta, 'open@example.test')[2].endswith(
                'is world writable')
            assert result(posta, 'relative@example.test')[2] == (
                ':include:x uses a relative path')
            # Where it is allowed, it runs as the file's owner.
            posta.stop()
            posta.set(allow_mail_to_commands='alias, forward, include')
            posta.start()
            send(posta, 'bad@example.test')
            assert posta.wait_file(out / 'id') == f"{posta.uid('ben')}\n"

    def test_only_what_failed_is_tried_again():
        with Accounts() as posta:
            out = posta.shared('out')
            script = out / 'script'
            script.write_text(f'#!/bin/sh\ncat >> {out}/mails\n'
                              f'test -e {out}/open || exit 75\n'
                              f'echo done >> {out}/done\n')
            script.chmod(0o755)
            posta.set_aliases(f'many {out}/file, {script}, "|{script}", anna, '
                              f'"|echo x >> {out}/other"\n')
            script2 = out / 'never'
            script2.mkdir()
            posta.set_aliases(f'many {out}/file, "|{script}", anna, '
                              f'"|echo x >> {out}/other"\n')
            send(posta, 'many@example.test')
            assert posta.wait_log(r'status=deferred \(temporary failure\)')
            posta.wait_maildir('anna', 1)
            posta.wait_file(out / 'other')
            posta.flush()
            posta.wait_log(r'status=deferred \(temporary failure\)', 2)
            posta.posta('stop')
            (out / 'open').touch()
            posta.start()
            posta.flush()
            posta.wait_file(out / 'done')
            posta.wait_empty()
            assert (out / 'file').read_text().count('From a@client') == 1
            assert (out / 'other').read_text() == 'x\n'
            assert (out / 'done').read_text() == 'done\n'
            assert len(posta.maildir('anna')) == 1

    def test_of_a_long_list_one_is_tried_again():
        """And not the others."""
        others = ', '.join(f'u{n}@remote.test' for n in range(900))
        with Accounts(aliases=f'many "|exit 75", {others}\n',
                      settings={'default_transport': 'discard:'}) as posta:
            send(posta, 'many@example.test')
            posta.wait_log(r'status=deferred \(temporary failure\)')
            posta.flush()
            posta.wait_log(r'status=deferred \(temporary failure\)', 2)
            assert len(posta.wait_log('nrcpt=900 ')) == 1
            assert len(posta.wait_log(r'status=sent \(forwarded as')) == 1

    # ---- .forward

    def test_forward_to_many():
        with Accounts() as posta:
            out = posta.shared('out')
            posta.put('anna', '.forward',
                      '# mine\n\\anna, ben\n'
                      f'"|id -un > {out}/id; id -G >> {out}/id; cat > /dev/'
                      f'null"\n{out}/file\ncarl@example.test\n')
            send(posta, 'anna@example.test')
            for name in posta.names:
                posta.wait_maildir(name, 1)
            assert posta.wait_file(out / 'id', '61000') == 'anna\n61000\n'
            posta.wait_file(out / 'file', 'there.\n')
            assert (out / 'file').stat().st_uid == posta.uid('anna')
            posta.wait_empty()

    def test_forward_to_himself():
        """By his own name, by an alias of his, with an empty file."""
        with Accounts(aliases='first.last anna\n') as posta:
            posta.put('anna', '.forward', 'first.last\n')
            posta.put('ben', '.forward', 'ben@example.test, carl\n')
            posta.put('carl', '.forward', '\n# nothing\n')
            send(posta, ['first.last@example.test', 'ben@example.test'])
            for name in posta.names:
                posta.wait_maildir(name, 1)
            posta.wait_empty()
            assert [len(posta.maildir(n)) for n in posta.names] == [1, 1, 1]

    def test_forward_that_is_not_trusted():
        with Accounts() as posta:
            posta.put('anna', '.forward', 'carl\n', uid=posta.uid('carl'))
            posta.put('ben', '.forward', 'carl\n', 0o666)
            secret = posta.put('carl', 'secret', 'carl\n')
            os.symlink(secret, posta.home / 'carl/.forward')
            for name in posta.names:
                send(posta, f'{name}@example.test')
            for name in posta.names:
                posta.wait_maildir(name, 1)
            posta.wait_log('anna/.forward has bad owner uid 61002')
            posta.wait_log('ben/.forward is world writable')
            posta.wait_log('carl/.forward is not a regular file')

    def test_forward_of_root():
        with Accounts(tmpfs={'rootshome': '1m'}) as posta:
            passwd = (posta.dir / 'passwd')
            passwd.write_text(re.sub(r'(?m)^root:.*$', 'root:x:0:0::'
                                     f'{posta.top}/rootshome:/bin/sh',
                                     passwd.read_text()))
            out = posta.shared('out')
            home = posta.inside(posta.top / 'rootshome')
            (home / '.forward').write_text(
                f'\\root, "|id -u > {out}/id", {out}/file\n')
            send(posta, 'root@example.test')
            assert posta.wait_file(out / 'id') == '65534\n'
            posta.wait_file(out / 'file', 'there.\n')
            assert (out / 'file').stat().st_uid == 65534
            wait_until(lambda: (home / 'Maildir/new').is_dir() and
                       os.listdir(home / 'Maildir/new'), "root's mail")

    # ---- commands

    def test_environment_of_commands():
        with Accounts() as posta:
            out = posta.shared('out')
            posta.put('anna', '.forward',
                      f'"|env > {out}/new; pwd >> {out}/new; umask >> '
                      f'{out}/new; mv {out}/new {out}/env"\n')
            send(posta, '"anna+x;y`z`"@example.test', sender='"a$b"@client.test')
            env = posta.wait_file(out / 'env').splitlines()
            for line in ('HOME=' + str(posta.home / 'anna'), 'USER=anna',
                         'LOGNAME=anna', 'SHELL=/bin/sh',
                         'LOCAL=anna+x_y_z_', 'EXTENSION=x_y_z_',
                         'DOMAIN=example.test', 'SENDER=a_b@client.test',
                         'RECIPIENT=anna+x_y_z_@example.test',
                         'ORIGINAL_RECIPIENT=anna+x_y_z_@example.test',
                         'CLIENT_ADDRESS=127.0.0.1',
                         'CLIENT_HELO=client.test', 'CLIENT_PROTOCOL=ESMTP',
                         'PATH=/usr/bin:/bin', '0077'):
                assert line in env, (line, env)
            assert not [e for e in env if e.startswith(('MAILTO', 'PYTEST'))]

    def test_addresses_never_reach_a_shell():
        evil = ['"; touch {0}/a; "@example.test',
                '"$(touch {0}/b)"@example.test',
                '"`touch {0}/c`"@example.test',
                "\"'|touch {0}/d|'\"@example.test",
                '"anna+$(touch {0}/e)"@example.test',
                '"-oX{0}/f"@example.test']
        with Accounts(settings={'luser_relay': 'anna',
                                'allow_min_user': 'yes'},
                      start=False) as posta:
            trap = posta.shared('trap')
            out = posta.shared('out')
            posta.set(mailbox_command=f'/bin/sh -c "echo $USER $LOCAL '
                      f'$EXTENSION $RECIPIENT $SENDER >> {out}/log"')
            posta.start()
            count = 0
            for rcpt in evil:
                sender = rcpt.replace('example.test', 'client.test')
                rcpt = rcpt.format(trap).replace('/', r'\057')
                try:
                    send(posta, rcpt.replace(r'\057', '/'),
                         sender=sender.format(trap))
                    count += 1
                except AssertionError:  # refused at the door is fine too
                    pass
            assert count >= 3
            wait_until(lambda: (out / 'log').exists() and
                       len((out / 'log').read_text().splitlines()) == count,
                       f'{count} deliveries')
            assert os.listdir(trap) == []

    def test_exit_status():
        cases = [('exit 75', '4.3.0', 'deferred', 'temporary failure'),
                 ('exit 67', '5.1.1', 'bounced', 'user unknown'),
                 ('echo no room; exit 73', '5.2.0', 'bounced',
                  "can't create user output file. Command output: no room"),
                 ('echo 4.2.2 come back; exit 1', '4.2.2', 'deferred',
                  'come back'),
                 ('exit 3', '5.3.0', 'bounced',
                  'Command died with status 3: "exit 3"'),
                 ('kill -9 $$', '4.3.0', 'deferred',
                  'Command died with signal 9: "kill -9 $$"')]
        aliases = ''.join(f'c{n} "|{c[0]}"\n' for n, c in enumerate(cases))
        with Accounts(aliases=aliases) as posta:
            for n, case in enumerate(cases):
                send(posta, f'c{n}@example.test')
                assert result(posta, f'c{n}@example.test') == case[1:]

    def test_command_time_limit():
        with Accounts(aliases='slow "|sleep 1000; true"\n',
                      settings={'command_time_limit': '1s'}) as posta:
            send(posta, 'slow@example.test')
            assert result(posta, 'slow@example.test') == (
                '5.3.0', 'bounced',
                'Command time limit exceeded: "sleep 1000; true"')

    def test_commands_see_nothing_of_ours():
        """No descriptors but three, no rights but the user's."""
        with Accounts() as posta:
            out = posta.shared('out')
            posta.set_aliases(
                f'cmd "|ls /proc/self/fd > {out}/new; grep -e ^Cap -e ^Uid '
                f'-e ^Gid -e ^Groups /proc/self/status >> {out}/new; '
                f'mv {out}/new {out}/seen"\n')
            send(posta, 'cmd@example.test')
            seen = posta.wait_file(out / 'seen')
            assert seen.startswith('0\n1\n2\n3\nUid:\t65534\t65534\t65534\t'
                                   '65534\n'), seen
            assert re.search(r'(?m)^Groups:\s*(65534)?\s*$', seen)
            for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
                assert f'{name}:\t0000000000000000\n' in seen

    # ---- transports

    STORE = ('store unix - n n - - pipe flags=DRX user=61000 '
             'argv=/bin/sh -c {{ echo "$$0" >> {0}/args; cat >> {0}/mail }} '
             '${{recipient}}\n')

    def with_store(**settings):
        posta = Accounts(settings=dict(
            settings, store_destination_recipient_limit='1'), start=False)
        out = posta.shared('out')
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write(STORE.format(out))
        posta.autostart = True
        return posta, out

    def test_mailbox_transport():
        posta, out = with_store(mailbox_transport='store:')
        with posta:
            posta.set_aliases('info nobody.here\n')
            send(posta, 'anna@example.test')
            posta.wait_file(out / 'args', 'anna@example.test\n')
            send(posta, 'info@example.test')
            posta.wait_file(out / 'args', 'nobody.here@example.test\n')
            posta.wait_log(r'to=<anna@example.test>, relay=store, .*status=sent'
                           r' \(delivered via store service\)')
            posta.wait_empty()

    def test_fallback_transport():
        posta, out = with_store(fallback_transport='store')
        with posta:
            send(posta, ['nobody.here@example.test', 'anna@example.test'])
            assert posta.wait_file(out / 'args') == 'nobody.here@example.test\n'
            posta.wait_maildir('anna', 1)

    def test_luser_relay():
        with Accounts(settings={'luser_relay': 'anna+$local'}) as posta:
            send(posta, ['nobody.here@example.test', 'anna@example.test'])
            mails = [m.decode() for m in posta.wait_maildir('anna', 2)]
            assert any('\nDelivered-To: nobody.here@example.test\n' in m
                       for m in mails)

    # ---- role virtual

    def test_virtual_mailboxes():
        settings = {'virtual_mailbox_domains': 'v.test',
                    'virtual_minimum_uid': '100'}
        with Accounts(settings=settings, start=False) as posta:
            base = posta.top / 'vmail'
            base.mkdir()
            os.chown(base, 61500, 61500)
            tables = {
                'virtual_mailbox_maps': 'a@v.test a/Maildir/\nb@v.test b\n'
                                        'root@v.test r\nup@v.test ../up\n'
                                        '@v.test rest/\n',
                'virtual_uid_maps': 'root@v.test 0\n@v.test 61500\n',
                'virtual_gid_maps': '@v.test 61500\n',
            }
            posta.set(virtual_mailbox_base=base, **{
                name: f'texthash:{posta.write(name, text)}'
                for name, text in tables.items()})
            posta.start()
            for name in ('a+x', 'b', 'c', 'root', 'up'):
                send(posta, f'{name}@v.test')
            assert result(posta, r'a\+x@v.test')[2] == 'delivered to maildir'
            file = next((base / 'a/Maildir/new').iterdir())
            assert (file.stat().st_uid, file.stat().st_gid) == (61500, 61500)
            assert result(posta, 'b@v.test')[2] == 'delivered to mailbox'
            assert (base / 'b').read_text().startswith('From a@client.test  ')
            assert result(posta, 'c@v.test')[1] == 'sent'
            assert len(list((base / 'rest/new').iterdir())) == 1
            for name in ('root', 'up'):
                assert result(posta, f'{name}@v.test') == (
                    '4.3.5', 'deferred', 'mail system configuration error')
            posta.wait_log(r'recipient root@v.test: bad uid 0 in '
                           'virtual_uid_maps')
            assert not (posta.top / 'up').exists()

    # ---- role pipe

    def test_pipe_to_several_recipients():
        services = (
            'many unix - n n - - pipe flags=Fhqu. user=61000:61001 '
            'null_sender=nobody size=5000 argv={0}/script -f ${{sender}} -s '
            '${{size}} -- ${{recipient}} {{{{${{user}} at ${{nexthop}}}}}}\n')
        with Accounts(start=False) as posta:
            out = posta.shared('out')
            script = out / 'script'
            script.write_text(
                f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done > {out}/args\n'
                f'id -u >> {out}/args; id -g >> {out}/args\n'
                f'cat > {out}/new; mv {out}/new {out}/mail; echo "well done"\n')
            script.chmod(0o755)
            with open(posta.dir / 'master.cf', 'a') as f:
                f.write(services.format(out).replace('{{', '{')
                        .replace('}}', '}'))
            posta.set(transport_maps='inline:{p.test=many:Next.Hop}')
            posta.start()
            evil = '"$(id) x"@p.test'
            send(posta, ['Anna@P.test', evil], MAIL + '.dot\nFrom x\n')
            mail = posta.wait_file(out / 'mail')
            assert mail.startswith('From a@client.test  ')
            assert '\n..dot\nFrom x\n' in mail
            args = (out / 'args').read_text().splitlines()
            size = args[3]
            assert args == ['-f', 'a@client.test', '-s', size, '--',
                            'anna@p.test', '"$(id) x"@p.test',
                            'anna at next.hop', '$(id) x at next.hop',
                            '61000', '61001']
            for rcpt in ('Anna@P.test', r'"\$\(id\) x"@p.test'):
                assert result(posta, rcpt) == (
                    '2.0.0', 'sent',
                    'delivered via many service (well done)')
            send(posta, 'b@p.test', MAIL + ('y' * 70 + '\n') * 100)
            assert result(posta, 'b@p.test') == (
                '5.2.3', 'bounced', 'message too large')

    def test_pipe_in_another_root():
        """With our own root for it, as there is no other with programs."""
        with Accounts(start=False) as posta:
            out = posta.shared('out')
            with open(posta.dir / 'master.cf', 'a') as f:
                f.write('there unix - n n - - pipe user=61000 chroot=/ '
                        f'directory={out} argv=/bin/sh -c {{ pwd > new; '
                        'cat >> new; mv new mail }\n')
                f.write('nowhere unix - n n - - pipe user=61000 '
                        f'chroot={out}/nothing argv=/bin/true\n')
            posta.set(transport_maps='inline:{p.test=there:,q.test=nowhere:}')
            posta.start()
            send(posta, ['x@p.test', 'x@q.test'])
            assert posta.wait_file(out / 'mail').startswith(f'{out}\n')
            assert result(posta, 'x@p.test')[1] == 'sent'
            assert result(posta, 'x@q.test') == (
                '4.3.0', 'deferred', 'temporary failure. Command output: cannot'
                f' change root to {out}/nothing: No such file or directory')

    def test_pipe_never_as_root_or_mail_owner():
        for user in ('root', 'mail_owner', 'nosuchuser'):
            with Accounts(start=False, may_die=True) as posta:
                owner = re.search(r'(?m)^mail_owner = (\S+)',
                                  (posta.dir / 'main.cf').read_text())[1]
                name = owner if user == 'mail_owner' else user
                with open(posta.dir / 'master.cf', 'a') as f:
                    f.write(f'bad unix - n n - - pipe user={name} '
                            'argv=/bin/true\n')
                posta.set(transport_maps='inline:{p.test=bad:}')
                posta.start()
                send(posta, 'x@p.test')
                posta.wait_log(r'pipe\[\d+\]: fatal: (user= command-line '
                               r'attribute specifies|user=nosuchuser: unknown '
                               r'username)')
                assert len(posta.queue()) == 1

    # ---- delivery status notifications (RFC 3461 5.2.7)

    def reports(posta, user, count=1):
        """Fields of the reports that a user got: one list a recipient."""
        found = []
        for mail in posta.wait_maildir(user, count):
            text = mail.decode()
            block = text[text.index('message/delivery-status'):]
            found += [(dict(re.findall(r'(?m)^([\w-]+): (.*)$', part)))
                      for part in block.split('\n\n') if 'Action:' in part]
        return found

    def test_success_of_an_alias_of_many():
        with Accounts(aliases='all anna, ben\n') as posta:
            send(posta, 'all@example.test', sender='carl@example.test',
                 rcpt_options=['NOTIFY=SUCCESS,FAILURE'])
            report, = reports(posta, 'carl')
            assert report['Action'] == 'expanded'
            assert report['Final-Recipient'] == 'rfc822; all@example.test'
            posta.wait_empty()
            assert len(posta.maildir('carl')) == 1

    def test_success_of_a_forward_to_one():
        """Who delivers it in the end reports it, for the first address."""
        with Accounts() as posta:
            posta.put('anna', '.forward', 'ben\n')
            send(posta, 'anna@example.test', sender='carl@example.test',
                 rcpt_options=['NOTIFY=SUCCESS,FAILURE',
                               'ORCPT=rfc822;Anna@old.test'])
            report, = reports(posta, 'carl')
            assert report['Action'] == 'delivered'
            assert report['Final-Recipient'] == 'rfc822; ben@example.test'
            assert report['Original-Recipient'] == 'rfc822;Anna@old.test'
            posta.wait_empty()
            assert len(posta.maildir('carl')) == 1

    def test_success_of_a_list():
        with Accounts(aliases='list anna, ben\nowner-list anna\n') as posta:
            send(posta, 'list@example.test', sender='carl@example.test',
                 rcpt_options=['NOTIFY=SUCCESS'])
            report, = reports(posta, 'carl')
            assert report['Action'] == 'delivered'
            assert report['Final-Recipient'] == 'rfc822; list@example.test'
            posta.wait_empty()
            assert len(posta.maildir('carl')) == 1

    def test_failure_behind_an_alias():
        """The sender hears of it once, under the name that he used."""
        with Accounts(aliases='info nobody.here\n'
                      'two "|exit 67", anna\n') as posta:
            send(posta, 'info@example.test', sender='carl@example.test')
            report, = reports(posta, 'carl')
            assert (report['Action'], report['Status']) == ('failed', '5.1.1')
            send(posta, 'two@example.test', sender='carl@example.test')
            report = reports(posta, 'carl', 2)[1]
            assert report['Final-Recipient'] == 'rfc822; two@example.test'
            posta.wait_maildir('anna', 1)
            posta.wait_empty()
