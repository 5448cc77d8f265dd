"""Signed zones (nsd, ldnsutils) behind a resolver that validates (unbound)."""
import shutil
import subprocess

from .nameserver import NameServer
from .ports import free_port
from .wait import wait_until

UNBOUND = '''
server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{top}"
  pidfile: "{top}/unbound.pid"
  logfile: "{top}/unbound.log"
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "{top}/anchors"
  local-zone: "test." nodefault
  val-log-level: 2
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  infra-host-ttl: 1
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
'''


class SignedNames(NameServer):
    """Zones as NameServer has them, the ones of `signed` with signatures.

    tamper: changes the text of a signed zone, so that what it touches is
    bogus. A site asks `address`, which says with AD what is signed.
    """

    def __init__(self, zones, signed, tamper=lambda zone, text: text):
        super().__init__(zones)
        self.signed, self.tamper = signed, tamper
        self.resolver_port = free_port()
        self.resolver = None

    def write_zone(self, zone, path, text):
        super().write_zone(zone, path, text)
        if zone not in self.signed:
            return
        key = self._ldns('ldns-keygen', '-a', 'ECDSAP256SHA256', '-k',
                         '-r', '/dev/urandom', zone).strip()
        self._ldns('ldns-signzone', '-o', zone, path, key)
        signed = path.with_name(path.name + '.signed')
        path.write_text(self.tamper(zone, signed.read_text()))
        with open(self.top / 'anchors', 'a') as anchors:
            anchors.write((self.top / f'{key}.key').read_text())

    def _ldns(self, *args):
        return subprocess.run(list(map(str, args)), cwd=self.top, check=True,
                              capture_output=True, text=True).stdout

    def __enter__(self):
        (self.top / 'anchors').touch()
        super().__enter__()
        conf = self.top / 'unbound.conf'
        conf.write_text(UNBOUND.format(port=self.resolver_port, top=self.top,
                                       upstream=self.port))
        unbound = shutil.which('unbound') or '/usr/sbin/unbound'
        self.resolver = subprocess.Popen(
            [unbound, '-d', '-c', str(conf)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.resolves, 'the resolver to answer')
        return self

    def resolves(self):
        if self.resolver.poll() is not None:
            raise AssertionError('unbound ended: ' + self.resolver_log())
        return self.ask(self.resolver_port)

    def resolver_log(self):
        log = self.top / 'unbound.log'
        return log.read_text() if log.exists() else ''

    def __exit__(self, *exc):
        if exc[0]:
            print(self.resolver_log())
        self.resolver.kill()
        self.resolver.wait()
        super().__exit__(*exc)

    @property
    def address(self):
        return f'127.0.0.1:{self.resolver_port}'
