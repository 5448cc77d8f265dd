"""What all peers have in common: a folder, a user, a process, its log.

As root they run as `nobody`, or drop to it. Names of users that this machine
lacks are lent by nss_wrapper.
"""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

from .certificates import Authority
from .instance import ROOT
from .ports import free_port, give_back
from .wait import wait_until

PEERS = ROOT / 'build/peers/root'


class Peer:
    """Used by `with`. A subclass has `prepare`, which writes its files and
    says what to run (arguments, environment, more of Popen's)."""

    ports = ()  # names of attributes that get a free port

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='peer-',
                                                 dir='/tmp'))
        self.top.chmod(0o755)
        self.user = pwd.getpwuid(os.getuid())
        if self.user.pw_uid == 0:
            self.user = pwd.getpwnam('nobody')
        self.ids = f'{self.user.pw_uid}:{self.user.pw_gid}'
        (self.top / 'log').mkdir()
        for name in self.ports:
            setattr(self, name, free_port())
        self.process = None

    def certificate(self, kind='ec'):
        """Files of a certificate for localhost, made at first use: its
        authority, itself, its key."""
        folder = self.top / 'tls'
        if not folder.exists():
            self.authority = Authority(folder)
        cert, key = self.authority.sign('localhost', kind=kind)
        return self.authority.ca, cert, key

    def folder(self, name, owned=True):
        path = self.top / name
        path.mkdir(parents=True, exist_ok=True)
        if owned:
            self.own(path)
        return path

    def own(self, path):
        if os.getuid() == 0:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def lend_users(self, passwd, group):
        """Lines of passwd and group; the environment that shows them."""
        (self.top / 'passwd').write_text(passwd)
        (self.top / 'group').write_text(group)
        return {'PATH': os.environ['PATH'],
                'LD_PRELOAD': 'libnss_wrapper.so',
                'NSS_WRAPPER_PASSWD': str(self.top / 'passwd'),
                'NSS_WRAPPER_GROUP': str(self.top / 'group')}

    def __enter__(self):
        try:
            args, env, more = self.prepare()
            with open(self.top / 'log/errors', 'wb') as errors:
                self.process = subprocess.Popen(
                    [str(a) for a in args], env=env, cwd=self.top,
                    stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                    start_new_session=True, **more)
            wait_until(self.answers, f'{type(self).__name__} to answer')
        except BaseException:
            self.__exit__(True)
            raise
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f'{type(self).__name__} ended: {self.log()}')
        return self.ready()

    def listens(self, port):
        """It takes connections there, and says something first."""
        try:
            with socket.create_connection(('127.0.0.1', port), 60) as s:
                return s.recv(1) != b''
        except OSError:
            return False

    def log(self):
        return ''.join(p.read_text(errors='replace')
                       for p in sorted((self.top / 'log').iterdir()))

    def __exit__(self, kind, *rest):
        if kind:
            print(f'---- log of {type(self).__name__}\n{self.log()[-20000:]}')
        if self.process:
            self.stop()
        shutil.rmtree(self.top, ignore_errors=True)
        give_back([getattr(self, name) for name in self.ports])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
