"""Debian's Postfix.

It wants to be root. Where it is not, uid_wrapper lets it believe so, which is
enough for a master and its services, as all of them then have one user.
"""
import email
import os
import pathlib
import signal

from .peer import PEERS, Peer
from .wait import wait_until

PROGRAMS = PEERS / 'usr/lib/postfix/sbin'
OWNER = 65500  # of the queue; any but nobody's

MAIN = '''
compatibility_level = 3.7
queue_directory = {top}/queue
data_directory = {top}/data
command_directory = {peers}/usr/sbin
daemon_directory = {programs}
meta_directory = {top}/conf
shlib_directory = {peers}/usr/lib/postfix
mail_owner = mailer
setgid_group = drop
default_privs = nobody
import_environment = MAIL_CONFIG {passed}
maillog_file = {top}/log/postfix
maillog_file_prefixes = {top}
myhostname = postfix.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
smtputf8_enable = no
smtp_dns_support_level = disabled
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:new/
virtual_mailbox_base = {top}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{mail_uid}
virtual_gid_maps = static:{mail_gid}
smtpd_recipient_restrictions = check_recipient_access inline:{{nobody@=REJECT, later@=DEFER}}, $login
smtpd_relay_restrictions =
smtpd_peername_lookup = no
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sasl_authenticated_header = yes
smtpd_client_connection_count_limit = 0
anvil_status_update_time = 3600s
smtpd_error_sleep_time = 0
'''

MASTER = '''
127.0.0.1:{port} inet n - n - - smtpd
    -o {{ login = permit_mynetworks, reject }}
127.0.0.1:{submission} inet n - n - - smtpd
    -o syslog_name=submission
    -o smtpd_tls_security_level=encrypt
    -o smtpd_sasl_auth_enable=yes
    -o {{ login = permit_sasl_authenticated, reject }}
127.0.0.1:{smtps} inet n - n - - smtpd
    -o syslog_name=smtps
    -o smtpd_tls_wrappermode=yes
    -o smtpd_sasl_auth_enable=yes
    -o {{ login = permit_sasl_authenticated, reject }}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
'''

FOLDERS = ('active bounce corrupt defer deferred flush hold incoming maildrop '
           'pid private public saved trace')


class Postfix(Peer):
    """Takes mail for every domain into one Maildir; refuses nobody@ and puts
    off later@.

    port: without TLS and login, unless `settings` (of main.cf) say else:
    smtpd_tls_security_level=encrypt makes it a relay that demands TLS.
    submission: STARTTLS and login demanded. smtps: TLS from the start, login
    demanded. auth: the Dovecot auth socket to ask (a path, or "inet:...").
    """

    ports = 'port', 'submission', 'smtps'

    def __init__(self, auth='inet:127.0.0.1:1', settings=None, master='', kind='ec'):
        super().__init__()
        self.auth, self.kind = auth, kind
        self.settings, self.master = dict(settings or {}), master

    def prepare(self):
        self.ca, cert, key = self.certificate(self.kind)
        self.conf = self.folder('conf', owned=False)
        root = os.getuid() == 0
        owner = OWNER if root else os.getuid()
        env = self.environment(owner)
        env['MAIL_CONFIG'] = str(self.conf)
        main = MAIN.format(
            top=self.top, peers=PEERS, programs=PROGRAMS, cert=cert, key=key,
            mail_uid=self.user.pw_uid, mail_gid=self.user.pw_gid,
            auth=self.auth, passed=' '.join(n for n in env if n != 'PATH'))
        settings = dict(line.split(' =', 1) for line in main.split('\n')
                        if line) | self.settings
        (self.conf / 'main.cf').write_text(
            ''.join(f'{k} = {v}\n' for k, v in settings.items()))
        # A file that changes as it is read would be waited for.
        os.utime(self.conf / 'main.cf', (0, 0))
        (self.conf / 'master.cf').write_text(MASTER.format(
            port=self.port, submission=self.submission, smtps=self.smtps)
            + self.master)
        self.folder('mail')
        queue = self.folder('queue', owned=False)
        for name in FOLDERS.split():
            self.folder(f'queue/{name}', owned=False)
            if root and name != 'pid':
                os.chown(queue / name, owner, -1)
        data = self.folder('data', owned=False)
        if root:
            os.chown(data, owner, -1)
        (self.top / 'log/postfix').touch()
        return [PROGRAMS / 'master', '-c', self.conf, '-d'], env, {}

    def environment(self, owner):
        root = owner == OWNER
        mailer = f'{OWNER}:{OWNER}' if root else self.ids
        nobody = self.ids if root else f'{OWNER}:{OWNER}'
        env = self.lend_users(
            f'root:x:0:0::/:/bin/false\nmailer:x:{mailer}::/:/bin/false\n'
            f'nobody:x:{nobody}::/:/bin/false\n',
            f'root:x:0:\nmailer:x:{mailer.split(":")[1]}:\n'
            f'drop:x:{OWNER + 1}:\nnogroup:x:{nobody.split(":")[1]}:\n')
        env['LD_LIBRARY_PATH'] = str(PEERS / 'usr/lib/postfix')
        if not root:
            env['LD_PRELOAD'] += ' libuid_wrapper.so'
            env |= {'UID_WRAPPER': '1', 'UID_WRAPPER_ROOT': '1'}
        return env

    def ready(self):
        return self.listens(self.port)

    def stop(self):
        """Its processes are of several groups, all below its master."""
        try:
            os.kill(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        super().stop()

    def mail(self, user):
        """The messages of a user (in any domain), in no order."""
        found = [email.message_from_bytes(p.read_bytes())
                 for p in pathlib.Path(self.top / 'mail').glob('new/new/*')]
        return [m for m in found
                if m['x-original-to'].split('@')[0] == user]

    def wait_mail(self, user, count=1):
        wait_until(lambda: len(self.mail(user)) >= count,
                   f'{count} messages of {user} at Postfix')
        return self.mail(user)
