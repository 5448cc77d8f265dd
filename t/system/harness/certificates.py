"""Certificates of a test's own authority, made with openssl(1)."""
import pathlib
import subprocess


def _openssl(*args, cwd):
    done = subprocess.run(['openssl', *map(str, args)], cwd=cwd, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, f'openssl {args}: {done.stdout}'


KEYS = {'ec': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
        'rsa': ['rsa:2048']}


class Authority:
    """Signs certificates; `ca` is its own, in a file."""

    def __init__(self, folder, days=30):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / 'ca.pem'
        self.key = self.folder / 'ca.key'
        _openssl('req', '-x509', '-newkey', *KEYS['ec'], '-nodes', '-days', days,
                 '-subj', '/CN=Test authority', '-keyout', self.key,
                 '-out', self.ca, cwd=self.folder)

    def sign(self, name, *names, kind='ec', days=30):
        """(certificate, key) of a host, in files."""
        cert, key = (self.folder / f'{name}-{kind}{end}'
                     for end in ('.pem', '.key'))
        alt = ','.join(f'DNS:{n}' for n in (name, *names))
        _openssl('req', '-x509', '-newkey', *KEYS[kind], '-nodes',
                 '-days', days, '-subj', f'/CN={name}', '-CA', self.ca,
                 '-CAkey', self.key, '-addext', f'subjectAltName={alt}',
                 '-addext', 'basicConstraints=critical,CA:FALSE',
                 '-keyout', key, '-out', cert, cwd=self.folder)
        return cert, key

    def expired(self, name):
        """(certificate, key) whose time was over yesterday."""
        cert, key, request = (self.folder / f'{name}-old{end}'
                              for end in ('.pem', '.key', '.csr'))
        _openssl('req', '-newkey', *KEYS['ec'], '-nodes', '-subj',
                 f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}',
                 '-keyout', key, '-out', request, cwd=self.folder)
        _openssl('x509', '-req', '-in', request, '-CA', self.ca, '-CAkey',
                 self.key, '-days', -1, '-copy_extensions', 'copy',
                 '-out', cert, cwd=self.folder)
        return cert, key

    def self_signed(self, name):
        """(certificate, key) that nobody else vouches for."""
        cert, key = (self.folder / f'{name}-self{end}'
                     for end in ('.pem', '.key'))
        _openssl('req', '-x509', '-newkey', *KEYS['ec'], '-nodes', '-days', 30,
                 '-subj', f'/CN={name}', '-addext',
                 f'subjectAltName=DNS:{name}', '-keyout', key, '-out', cert,
                 cwd=self.folder)
        return cert, key


def fingerprint(cert, digest='sha256'):
    """"AB:CD:..." of a certificate."""
    out = subprocess.run(['openssl', 'x509', '-in', cert, '-noout',
                          '-fingerprint', f'-{digest}'], check=True,
                         capture_output=True, text=True).stdout
    return out.strip().split('=')[1]


def public_key(cert):
    """The certificate's public key, as DER."""
    pem = subprocess.run(['openssl', 'x509', '-in', cert, '-noout',
                          '-pubkey'], check=True, capture_output=True).stdout
    return subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'],
                          input=pem, check=True, capture_output=True).stdout
