"""A private instance of Posta."""
import json
import os
import pathlib
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
from contextlib import contextmanager

from . import process
from .maildir import messages
from .ports import free_port_base, give_back_base
from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get('POSTA_BUILD', ROOT / 'build/release'))
BIN = BUILD / 'bin'


def run(*args, check=True, **kw):
    """Run a command; its CompletedProcess with text output."""
    kw.setdefault('timeout', 120)
    done = subprocess.run([str(a) for a in args], text=True, errors='replace',
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    if check and done.returncode != 0:
        raise AssertionError(f'{args} ended with {done.returncode}\n'
                             f'{done.stdout}{done.stderr}')
    return done


class Posta:
    """An instance in a folder of its own, made by `posta init`.

    settings: main.cf, by name; services: more rows of master.cf. With may_die
    a process that crashes is no failure. command_dir: where the commands are,
    else those of the build.
    """

    def __init__(self, domain='example.test', users=None, settings=None,
                 services='', start=True, build=None, may_die=False,
                 command_dir=None):
        self.domain = domain
        self.users = users if users is not None else {'alice': 'secret',
                                                      'bob': 'secret'}
        self.settings = dict(settings or {})
        self.services = services
        self.bin = command_dir or pathlib.Path(build or BUILD) / 'bin'
        self.autostart = start
        self.may_die = may_die
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='posta-test-'))
        os.chmod(self.top, 0o755)
        self.dir = self.top / 'instance'
        self.log = self.dir / 'log'
        self.base = free_port_base()
        self.port = self.base + 25
        try:
            self._init()
        except BaseException:  # nothing is left of it
            self.close()
            raise

    def _init(self):
        users = [f'--user={n}:{p}' for n, p in self.users.items()]
        run(self.bin / 'posta', 'init', '-c', self.dir, '--domain',
            self.domain, '--port-base', self.base, *users)
        self.set(**self.settings)
        if self.services:
            with open(self.dir / 'master.cf', 'a') as f:
                f.write(self.services.rstrip() + '\n')

    def set(self, **settings):
        """Set parameters in main.cf, in place of what it says."""
        path = self.dir / 'main.cf'
        text = path.read_text()
        for name, value in settings.items():
            text = re.sub(rf'^{name}[ \t]*=.*\n([ \t].*\n)*', '', text,
                          flags=re.M) + f'{name} = {value}\n'
        path.write_text(text)

    def write(self, name, text):
        """A file beside main.cf, for tables; its path."""
        path = self.dir / name
        path.write_text(text)
        return path

    # ---- running it

    def __enter__(self):
        if self.autostart:
            try:
                self.start()
            except BaseException:
                self.close()
                raise
        return self

    def __exit__(self, kind, value, trace):
        if kind and self.log.exists():
            print(f'---- log of {self.dir}\n{self.log.read_text()[-20000:]}')
        died = self.died()
        self.close()
        if kind is None and died and not self.may_die:
            raise AssertionError('processes died:\n' + '\n'.join(died))

    def died(self):
        """What master says of processes that ended as none should (crashes,
        and what the sanitizers find)."""
        return [line for line in self.log_text().splitlines()
                if re.search(r'/master\[\d+\]: warning: process .* pid \d+ '
                             r'(killed by signal|exit status)', line)]

    def posta(self, *args, **kw):
        return run(self.bin / 'posta', '-c', self.dir, *args, **kw)

    def command(self, name, *args, **kw):
        """An administrator's command for this instance: mailq, postcat ..."""
        env = dict(os.environ, MAIL_CONFIG=str(self.dir))
        return run(self.bin / name, *args, env=kw.pop('env', env), **kw)

    def start(self):
        self.posta('start')
        wait_until(self.answers, 'the SMTP port to answer')

    def answers(self):
        try:
            with smtplib.SMTP('127.0.0.1', self.port, timeout=60):
                return True
        except OSError:
            return False

    def stop(self, **kw):
        return self.posta('stop', **kw)

    def reload(self):
        return self.posta('reload')

    def status(self):
        return json.loads(self.posta('status', '--json').stdout)

    def master_pid(self):
        try:
            return int((self.dir / 'queue/pid/master.pid').read_text())
        except (FileNotFoundError, ValueError):  # gone, or being written
            return 0

    def pids(self, name=None):
        """Process ids of this instance, of one program or all.

        Found by their executable and by their place below master.
        """
        found, parents = [], {}
        for entry in pathlib.Path('/proc').iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / 'stat').read_text()
            except OSError:
                continue
            pid, comm, rest = re.match(r'(\d+) \((.*)\) (.*)', stat,
                                       re.S).groups()
            state, parent = rest.split()[:2]
            if state != 'Z':
                parents[int(pid)] = (int(parent), comm)
        master = self.master_pid()
        for pid, (_, comm) in parents.items():
            up = pid
            while up in parents and up != master:
                up = parents[up][0]
            if up == master and master and name in (None, comm):
                found.append(pid)
        return sorted(found)

    def kill(self, pid, signo=signal.SIGKILL):
        try:
            os.kill(pid, signo)
        except ProcessLookupError:
            pass

    @contextmanager
    def stopped(self, name):
        """Meanwhile all processes of a program stand still."""
        pids = self.pids(name)
        for pid in pids:
            self.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: all(') T ' in process.text(pid, 'stat') or
                                   not process.text(pid, 'stat')
                                   for pid in pids), 'them to stand still')
            yield
        finally:
            for pid in pids:
                self.kill(pid, signal.SIGCONT)

    def close(self):
        if self.master_pid():
            run(self.bin / 'posta', '-c', self.dir, 'abort', check=False)
        for pid in self.pids():
            self.kill(pid)
        shutil.rmtree(self.top, ignore_errors=True)
        give_back_base(self.base)

    # ---- mail

    def smtp(self, **kw):
        return smtplib.SMTP('127.0.0.1', self.port, timeout=120, **kw)

    def send(self, sender, rcpts, message='Subject: test\n\nHello.\n', **kw):
        """Send one message over SMTP; the reply to the final dot."""
        if isinstance(message, str):
            message = message.encode()
        with self.smtp() as s:
            s.ehlo('client.test')
            code, text = s.mail(sender, kw.pop('options', ()))
            assert code == 250, (code, text)
            for rcpt in [rcpts] if isinstance(rcpts, str) else rcpts:
                code, text = s.rcpt(rcpt, kw.get('rcpt_options', ()))
                assert code == 250, (rcpt, code, text)
            code, text = s.data(message)
            assert code == 250, (code, text)
            return text.decode()

    def maildir(self, user):
        """The messages in a user's Maildir, as bytes, in order of arrival."""
        return messages(self.dir / 'mail' / self.domain / user / 'Maildir')

    def wait_maildir(self, user, count, seconds=120):
        """Wait until so many messages have arrived; the messages."""
        return wait_until(lambda: len(m := self.maildir(user)) >= count and m,
                          lambda: f'{count} messages for {user}, there are '
                                  f'{len(self.maildir(user))}', seconds)

    def queue(self):
        """The queue as postqueue -j lists it."""
        lines = self.command('postqueue', '-j').stdout.splitlines()
        return [json.loads(line) for line in lines]

    def wait_empty(self, seconds=120):
        wait_until(lambda: not self.queue(), lambda: f'an empty queue: '
                   f'{self.queue()}', seconds)

    def flush(self):
        """Have all that waits tried again, once none of it is under way: what
        the log says of an attempt comes before its end."""
        wait_until(lambda: all(m['queue_name'] in ('deferred', 'hold')
                               for m in self.queue()), 'all to wait')
        self.command('postqueue', '-f')

    def log_text(self):
        return self.log.read_text() if self.log.exists() else ''

    def wait_log(self, pattern, count=1, seconds=120):
        """Wait for lines that match; the match objects."""
        def lines():
            found = [m for line in self.log_text().splitlines()
                     if (m := re.search(pattern, line))]
            return found if len(found) >= count else None
        return wait_until(lines, f'{count} x {pattern!r} in the log', seconds)
