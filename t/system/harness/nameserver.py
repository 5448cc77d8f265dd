"""A real name server (nsd) with test zones on a free port of loopback."""
import pathlib
import shutil
import socket
import subprocess
import tempfile

from .ports import free_port
from .wait import wait_until

SOA = '@ 3600 IN SOA ns.{zone}. admin.{zone}. 1 3600 600 86400 {ttl}\n' \
      '@ IN NS ns.{zone}.\nns IN A 127.0.0.1\n'


class NameServer:
    """nsd, authoritative for `zones`: {'remote.test': '@ IN MX 10 mx ...'}.

    A zone's text has records relative to the zone; SOA and NS are added.
    A zone '.' may be given for everything else (names then do not exist
    instead of being refused).
    """

    def __init__(self, zones, ttl=1):
        self.zones = {'.': '', **zones}
        self.ttl = ttl
        self.port = free_port()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='posta-test-dns-'))
        self.process = None

    def __enter__(self):
        conf = [f'server:\n  ip-address: 127.0.0.1@{self.port}\n  username: ""\n'
                f'  chroot: ""\n  zonesdir: "{self.top}"\n  database: ""\n'
                f'  pidfile: "{self.top}/pid"\n  xfrdfile: "{self.top}/xfrd"\n'
                f'  xfrdir: "{self.top}"\n  zonelistfile: "{self.top}/list"\n'
                f'  logfile: "{self.top}/log"\n  server-count: 1\n'
                '  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\n'
                'remote-control:\n  control-enable: no\n']
        for zone, text in self.zones.items():
            origin = '' if zone == '.' else zone
            soa = SOA.format(zone=origin or 'root-ns.invalid', ttl=self.ttl)
            name = f'{origin or "root"}.zone'
            self.write_zone(
                zone, self.top / name,
                f'$ORIGIN {origin}.\n$TTL {self.ttl}\n{soa}{text}\n')
            conf.append(f'zone:\n  name: "{zone}"\n  zonefile: "{name}"\n')
        (self.top / 'conf').write_text(''.join(conf))
        nsd = shutil.which('nsd') or '/usr/sbin/nsd'
        self.process = subprocess.Popen(
            [nsd, '-d', '-c', str(self.top / 'conf')],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 'the name server to answer')
        return self

    def write_zone(self, zone, path, text):
        path.write_text(text)

    def answers(self):
        if self.process.poll() is not None:
            log = self.top / 'log'
            raise AssertionError('nsd ended: ' +
                                 (log.read_text() if log.exists() else ''))
        return self.ask(self.port)

    @staticmethod
    def ask(port):
        """Whether a server answers there, whatever it says."""
        query = (b'\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'
                 b'\x02ns\x04test\x00\x00\x01\x00\x01')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.sendto(query, ('127.0.0.1', port))
                return s.recv(512)[:2] == b'\x12\x34'
            except OSError:
                return False

    def __exit__(self, *exc):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)

    @property
    def address(self):
        """As the parameter dns_servers wants it."""
        return f'127.0.0.1:{self.port}'


__all__ = ['NameServer']
