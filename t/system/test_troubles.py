"""Trouble of the machine or the administrator: one clear line, nothing lost."""
import os
import re
import shutil
import smtplib
import socket
import subprocess

from harness import Posta, run, wait_until


def failed_start(posta):
    done = posta.posta('start', check=False)
    assert done.returncode != 0
    assert not posta.pids()
    return done.stderr


def test_port_in_use():
    with Posta(start=False) as posta, socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', posta.port))
        s.listen()
        text = failed_start(posta)
        line = next(x for x in text.splitlines() if str(posta.port) in x)
        assert 'master.cf' in line and 'in use' in line


def test_wrong_value():
    with Posta(start=False, settings={'message_size_limit': '10k'}) as posta:
        line = next(x for x in failed_start(posta).splitlines()
                    if 'message_size_limit' in x)
        assert re.search(r'main\.cf, line \d+', line) and '10k' in line
        assert 'bytes' in line


def test_unknown_name_is_named_and_no_obstacle():
    with Posta(settings={'mesage_size_limit': '1'}) as posta:
        line = next(x for x in posta.posta('check').stderr.splitlines()
                    if 'mesage_size_limit' in x)
        assert 'message_size_limit' in line.replace('mesage', '', 1)


def test_check_finds_what_start_would():
    with Posta(start=False) as posta:
        assert posta.posta('check').stderr == ''
        posta.set(mail_owner='nosuchuser')
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write('other unix - - n - - nosuchcommand\n')
        done = posta.posta('check', check=False)
        assert done.returncode == 1
        assert 'nosuchcommand' in done.stderr
        if os.geteuid() == 0:
            assert 'nosuchuser' in done.stderr


def test_missing_table_defers():
    with Posta(settings={'virtual_alias_maps': 'hash:/nowhere/table'}) as posta:
        with posta.smtp() as s:
            s.ehlo('client.test')
            s.mail('x@client.test')
            code, text = s.rcpt('alice@example.test')
            if code == 250:
                code, text = s.data('Subject: x\n\nx\n')
            assert code == 451, (code, text)
            assert text.startswith(b'4.3.0')
        posta.wait_log(r'smtpd.*/nowhere/table.*postmap hash:/nowhere/table')


def test_missing_program():
    with Posta(start=False) as posta:
        (posta.dir / 'bin').mkdir()
        shutil.copy(posta.bin / 'master', posta.dir / 'bin/master')
        posta.set(daemon_directory=posta.dir / 'bin')
        assert 'cannot execute' in failed_start(posta)


def test_missing_queue_folder():
    with Posta(start=False) as posta:
        shutil.rmtree(posta.dir / 'queue')
        text = failed_start(posta)
        assert 'queue_directory' in text and 'mkdir' in text


def test_started_twice():
    with Posta() as posta:
        pid = posta.master_pid()
        done = posta.posta('start', check=False)
        assert done.returncode == 1
        assert str(pid) in done.stderr
        assert posta.answers()


def test_bad_reload_changes_nothing():
    with Posta() as posta:
        posta.set(message_size_limit='lots')
        done = posta.posta('reload', check=False)
        assert done.returncode == 1
        assert 'message_size_limit' in done.stderr
        assert posta.answers()
        posta.send('x@client.test', 'alice@example.test')
        posta.wait_maildir('alice', 1)


def test_queue_minimum_refuses_and_recovers():
    free = shutil.disk_usage('/tmp').total * 4
    with Posta(settings={'queue_minfree': free}) as posta:
        with posta.smtp() as s:
            s.ehlo('client.test')
            s.mail('x@client.test')
            s.rcpt('alice@example.test')
            code, text = s.docmd('DATA')
            assert code == 452 and text.startswith(b'4.3.1'), (code, text)
        posta.set(queue_minfree=0)
        posta.reload()
        posta.send('x@client.test', 'alice@example.test')
        posta.wait_maildir('alice', 1)


class SmallDisk:
    """A file system of a few MiB at a folder, where that is allowed: as root,
    in a mount namespace that all processes of the test share."""

    def __init__(self, path, size='8m'):
        self.path = path
        run('mount', '-t', 'tmpfs', '-o', f'size={size},mode=755', 'posta-test',
            path)

    def fill(self):
        fd = os.open(self.path / 'filler', os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(fd, b'x' * 65536):
                pass
        except OSError:
            os.close(fd)

    def empty(self):
        os.unlink(self.path / 'filler')

    def close(self):
        subprocess.run(['umount', '-l', str(self.path)], check=True)


def try_send(posta, tag):
    try:
        posta.send('x@client.test', 'alice@example.test',
                   f'Subject: {tag}\n\n' + 'x' * 20000 + '\n')
        return True
    except (AssertionError, smtplib.SMTPException) as e:
        assert re.search(r'\b4[25]\d\b', str(e)), e
        return False


def full_disk(posta):
    disk = SmallDisk(posta.dir / 'queue')
    try:
        posta.start()
        assert try_send(posta, 'before')
        posta.wait_maildir('alice', 1)
        posta.wait_empty()  # what is removed later makes room
        disk.fill()
        assert not try_send(posta, 'full')
        posta.wait_log(r'warning: not enough free space|No space left')
        disk.empty()
        wait_until(lambda: try_send(posta, 'after'), 'room again')
        mails = posta.wait_maildir('alice', 2)
        assert [re.search(rb'^Subject: (\w+)', m, re.M)[1] for m in mails] == \
            [b'before', b'after']
    finally:
        posta.posta('abort', check=False)
        disk.close()


def test_full_disk():
    """As root the queue is on a small file system; an ordinary user cannot
    mount one and sees the same answer by queue_minfree, above."""
    if os.geteuid() != 0:
        test_queue_minimum_refuses_and_recovers()
        return
    with Posta(start=False, settings={'message_size_limit': 500000}) as posta:
        full_disk(posta)
