"""Real mail servers to talk with: Debian's Exim, unpacked, not installed."""
import email
import os
import pathlib
import pwd
import shutil
import smtplib
import subprocess
import tempfile

from .instance import ROOT
from .ports import free_port
from .wait import wait_until

PEERS = ROOT / 'build/peers'

EXIM = '''
primary_hostname = exim.test
exim_path = {exim}
spool_directory = {top}/spool
log_file_path = {top}/log/%slog
pid_file_path = {top}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
chunking_advertise_hosts = *
dsn_advertise_hosts = *
message_size_limit = 50M
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = check
{more}
begin acl
check:
  deny  local_parts = nobody
        message = no such user
  defer local_parts = later
        message = come back later
  accept
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {top}/mail
  maildir_format
  create_directory
  message_prefix =
  message_suffix =
  envelope_to_add
  return_path_add
'''


class Exim:
    """Takes mail for every domain into one Maildir; refuses nobody@ and puts
    off later@."""

    def __init__(self, more=''):
        self.port = free_port()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='posta-test-exim-'))
        self.more = more
        self.process = None

    def __enter__(self):
        user = pwd.getpwuid(os.getuid())
        if user.pw_uid == 0:
            user = pwd.getpwnam('nobody')
        ids = f'{user.pw_uid}:{user.pw_gid}'
        exim = shutil.copy(PEERS / 'exim4', self.top / 'exim4')
        (self.top / 'conf').write_text(EXIM.format(
            exim=exim, top=self.top, port=self.port, more=self.more))
        (self.top / 'passwd').write_text(
            ''.join(f'{n}:x:{ids}::/tmp:/bin/false\n'
                    for n in (user.pw_name, 'Debian-exim')))
        (self.top / 'group').write_text(
            f'{user.pw_name}:x:{user.pw_gid}:\n'
            f'Debian-exim:x:{user.pw_gid}:\nmail:x:8:\n')
        for name in 'spool', 'log', 'mail':
            (self.top / name).mkdir()
        drop = {}
        if os.getuid() == 0:
            for path in [self.top, *self.top.rglob('*')]:
                os.chown(path, user.pw_uid, user.pw_gid)
            drop = {'user': user.pw_uid, 'group': user.pw_gid,
                    'extra_groups': []}
        env = {'PATH': os.environ['PATH'], 'LD_PRELOAD': 'libnss_wrapper.so',
               'NSS_WRAPPER_PASSWD': str(self.top / 'passwd'),
               'NSS_WRAPPER_GROUP': str(self.top / 'group')}
        self.process = subprocess.Popen(
            [exim, '-C', self.top / 'conf', '-bdf'], env=env, **drop,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.top / 'log/errors', 'wb'))
        wait_until(self.answers, 'Exim to answer')
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError('Exim ended: ' + self.log())
        try:
            with smtplib.SMTP('127.0.0.1', self.port, timeout=10):
                return True
        except OSError:
            return False

    def log(self):
        return ''.join(p.read_text(errors='replace')
                       for p in (self.top / 'log').iterdir())

    def mail(self, user):
        """The messages of a user (in any domain), in no order."""
        found = [email.message_from_bytes(p.read_bytes())
                 for p in (self.top / 'mail').glob('new/*')]
        return [m for m in found
                if m['envelope-to'].split('@')[0] == user]

    def wait_mail(self, user, count=1):
        wait_until(lambda: len(self.mail(user)) >= count,
                   f'{count} messages of {user} at Exim')
        return self.mail(user)

    def __exit__(self, kind, *rest):
        if kind:
            print(self.log())
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)
