"""Debian's Dovecot: an auth server, and IMAP, POP3, submission and LMTP."""
import grp
import os

from .peer import PEERS, Peer

LIB = PEERS / 'usr/lib/dovecot'
COMPILED_IN = b'/usr/lib/dovecot/modules\0'

CONF = '''
base_dir = {top}/run
state_dir = {top}/state
instance_name = {name}
libexec_dir = {lib}
mail_plugin_dir = {lib}/modules
login_plugin_dir = {lib}/modules/login
import_environment = LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
log_path = {top}/log/dovecot
auth_verbose = yes
auth_failure_delay = 0
protocols = {protocols}
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
auth_mechanisms = {mechanisms}
mail_location = maildir:{top}/mail/%Ln
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {top}/users
}}
userdb {{
  driver = static
  args = allow_all_users=yes uid={uid} gid={gid} home={top}/home/%Ln
}}
service auth {{
  unix_listener auth-client {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {submission}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
{more}
'''

MECHANISMS = ('plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 '
              'external anonymous')


class Dovecot(Peer):
    """users: name and password, which passwd-file holds as they are (so
    "{SHA512-CRYPT}..." is possible, too); Maildirs are below `mail`.

    socket: the auth-client socket, which everybody may use. Ports: imap,
    imaps, pop3, pop3s, submission, lmtp. relay: the port that submission
    sends to. more: of dovecot.conf, e.g. another passdb.
    """

    ports = 'imap', 'imaps', 'pop3', 'pop3s', 'submission', 'lmtp'

    def __init__(self, users=None, mechanisms=MECHANISMS, relay=1, more='',
                 protocols='imap pop3 submission lmtp', kind='ec'):
        super().__init__()
        self.users = users or {'anna': 'secret'}
        self.mechanisms, self.relay, self.more = mechanisms, relay, more
        self.protocols, self.kind = protocols, kind
        self.socket = self.top / 'run/auth-client'

    def prepare(self):
        self.ca, cert, key = self.certificate(self.kind)
        for name in 'mail', 'home':
            self.folder(name)
        for name in 'run', 'state':
            self.folder(name, owned=False)
        (self.top / 'users').write_text(
            ''.join(f'{n}:{p}\n' for n, p in self.users.items()))
        (self.top / 'conf').write_text(CONF.format(
            top=self.top, name=self.top.name, lib=LIB, cert=cert, key=key,
            user=self.user.pw_name,
            group=grp.getgrgid(self.user.pw_gid).gr_name,
            login_user=self.user.pw_name, uid=self.user.pw_uid,
            gid=self.user.pw_gid, mechanisms=self.mechanisms,
            protocols=self.protocols, relay=self.relay, more=self.more,
            **{name: getattr(self, name) for name in self.ports}))
        self.move_modules()
        env = {'PATH': os.environ['PATH'],
               'LD_LIBRARY_PATH': f'{self.top}:{LIB}:{LIB}/modules/old-stats'}
        # doveconf starts it: by itself it would look for that in /usr/bin.
        return ([PEERS / 'usr/bin/doveconf', '-f', 'service=master', '-m',
                 'master', '-c', self.top / 'conf', '-p', '-e',
                 PEERS / 'usr/sbin/dovecot', '-F', '-c', self.top / 'conf'],
                env, {})

    def move_modules(self):
        """Where its TLS module is looked for cannot be set, so it gets a copy
        of its library in which that path leads here."""
        (self.top / 'm').symlink_to(LIB / 'modules')
        here = str(self.top / 'm').encode()
        assert len(here) < len(COMPILED_IN), here
        library = (LIB / 'libdovecot.so.0').read_bytes()
        assert library.count(COMPILED_IN) == 1
        (self.top / 'libdovecot.so.0').write_bytes(
            library.replace(COMPILED_IN, here.ljust(len(COMPILED_IN), b'\0')))

    def ready(self):
        return self.socket.exists() and all(
            self.listens(getattr(self, name)) for name in
            ('imap', 'pop3', 'submission', 'lmtp')
            if name in self.protocols.split())
