"""Debian's Exim."""
import email
import os
import shutil

from .peer import PEERS, Peer
from .wait import wait_until

CONF = '''
primary_hostname = exim.test
exim_path = {exim}
spool_directory = {top}/spool
log_file_path = {top}/log/%slog
pid_file_path = {top}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = {tls}
tls_certificate = {cert}
tls_privatekey = {key}
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
{login}
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
begin authenticators
{authenticators}
'''

# Logins are offered in the clear, too: what a client makes of that is its own.
DOVECOT = '''
{name}:
  driver = dovecot
  public_name = {mechanism}
  server_socket = {socket}
  server_set_id = $auth1
'''

OWN = '''
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{%s}}{eq{$auth3}{%s}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{%s}}{eq{$auth2}{%s}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{%s}{%s}fail}
  server_set_id = $auth1
'''


class Exim(Peer):
    """Takes mail for every domain into one Maildir; refuses nobody@ and puts
    off later@.

    tls: STARTTLS on `port`, TLS from the start on `smtps`. login: (user,
    password), who alone may send, by PLAIN, LOGIN or CRAM-MD5. auth: instead,
    a Dovecot auth socket to ask, with `mechanisms`. more: of its main part.
    """

    ports = 'port', 'smtps'

    def __init__(self, more='', tls=False, login=None, auth=None,
                 mechanisms=('PLAIN', 'LOGIN', 'CRAM-MD5'), kind='ec'):
        super().__init__()
        self.more, self.tls, self.kind = more, tls, kind
        self.need_login = bool(login or auth)
        self.authenticators = OWN % (tuple(login) * 3) if login else ''
        if auth:
            self.authenticators = ''.join(
                DOVECOT.format(name=f'a{n}', mechanism=m, socket=auth)
                for n, m in enumerate(mechanisms))

    def prepare(self):
        # Copied, as it runs itself as its user, who may not see our folders.
        exim = shutil.copy(PEERS / 'usr/sbin/exim4', self.top / 'exim4')
        cert = key = ''
        if self.tls:
            self.ca, cert, key = self.certificate(self.kind)
            key.chmod(0o644)
        login = '  deny  !authenticated = *\n        message = log in first\n'
        (self.top / 'conf').write_text(CONF.format(
            exim=exim, top=self.top, port=self.port, smtps=self.smtps,
            tls='*' if self.tls else '', cert=cert, key=key, more=self.more,
            login=login if self.need_login else '',
            authenticators=self.authenticators))
        env = self.lend_users(
            ''.join(f'{n}:x:{self.ids}::/tmp:/bin/false\n'
                    for n in (self.user.pw_name, 'Debian-exim')),
            f'{self.user.pw_name}:x:{self.user.pw_gid}:\n'
            f'Debian-exim:x:{self.user.pw_gid}:\nmail:x:8:\n')
        for name in 'spool', 'log', 'mail':
            self.folder(name)
        for path in [self.top, *self.top.rglob('*')]:
            self.own(path)
        drop = {}
        if os.getuid() == 0:
            drop = {'user': self.user.pw_uid, 'group': self.user.pw_gid,
                    'extra_groups': []}
        return [exim, '-C', self.top / 'conf', '-bdf'], env, drop

    def ready(self):
        return self.listens(self.port)

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
