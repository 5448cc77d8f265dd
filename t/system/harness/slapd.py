"""OpenLDAP's server."""
import os
import socket
import subprocess

from .certificates import Authority
from .peer import PEERS, Peer
from .wait import wait_until

CONF = '''
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/nis.schema
modulepath {modules}
moduleload back_mdb
pidfile {top}/pid
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
access to attrs=userPassword by * auth
access to * by * read
database mdb
suffix "dc=x,dc=test"
directory {top}/data
rootdn "cn=admin,dc=x,dc=test"
rootpw secret
'''

TOP = '''
dn: dc=x,dc=test
objectClass: dcObject
objectClass: organization
dc: x
o: x
'''


class Slapd(Peer):
    """A directory with the entries of an LDIF text, below dc=x,dc=test; its
    `admin` has the password secret."""

    ports = 'port', 'tls_port'
    admin = 'cn=admin,dc=x,dc=test'

    def __init__(self, entries):
        super().__init__()
        self.entries = entries
        self.uri = f'ldap://localhost:{self.port}'
        self.uris = f'ldaps://localhost:{self.tls_port}'

    def prepare(self):
        # libldap takes "localhost" for the name of this machine.
        authority = Authority(self.top / 'tls')
        self.ca = authority.ca
        cert, key = authority.sign('localhost', socket.gethostname())
        self.own(self.top)
        self.own(key)
        self.folder('data')
        self.conf = self.top / 'slapd.conf'
        self.conf.write_text(CONF.format(
            schema=PEERS / 'etc/ldap/schema', modules=PEERS / 'usr/lib/ldap',
            top=self.top, cert=cert, key=key))
        self.more = {}
        if os.getuid() == 0:
            self.more = {'user': self.user.pw_uid, 'group': self.user.pw_gid,
                         'extra_groups': []}
        lib = PEERS / 'usr/lib/x86_64-linux-gnu'
        self.env = {'PATH': os.environ['PATH'],
                    'LD_LIBRARY_PATH': f'{lib}:{PEERS / "usr/lib"}'}
        self.slapd = PEERS / 'usr/sbin/slapd'
        self.load(TOP + self.entries)
        return self.arguments(), self.env, self.more

    def load(self, text):
        done = subprocess.run([self.slapd, '-Tadd', '-f', self.conf],
                              input=text, env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **self.more)
        assert done.returncode == 0, done.stdout

    def arguments(self):
        return [self.slapd, '-f', self.conf, '-d', '0', '-h',
                f'{self.uri} {self.uris}']

    def ready(self):
        try:
            socket.create_connection(('127.0.0.1', self.port), 60).close()
            return True
        except OSError:
            return False

    def start(self):
        """Again, after stop."""
        self.process = subprocess.Popen(
            [str(a) for a in self.arguments()], env=self.env, cwd=self.top,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, **self.more)
        wait_until(self.answers, 'slapd to answer')
