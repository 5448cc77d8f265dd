"""posta init: a complete configuration, and clear words where it cannot."""
import os
import stat

from harness import BIN, Posta, run


def test_writes_everything():
    with Posta(start=False) as posta:
        for name in ('main.cf', 'master.cf', 'aliases', 'mailboxes', 'virtual',
                     'users', 'tls/cert.pem', 'tls/key.pem'):
            assert (posta.dir / name).exists(), name
        assert f'\n{posta.port} ' in (posta.dir / 'master.cf').read_text()
        assert '@' not in ''.join(
            line for line in (posta.dir / 'main.cf').read_text().splitlines()
            if line.startswith('@'))


def test_secrets_are_readable_by_the_owner_only():
    with Posta(start=False) as posta:
        # auth_owner is in the group of users.
        for name, mode in ('users', 0o640), ('tls/key.pem', 0o600):
            assert stat.S_IMODE(os.stat(posta.dir / name).st_mode) == mode
        assert 'secret' not in (posta.dir / 'users').read_text()


def test_writes_nothing_over():
    with Posta(start=False) as posta:
        before = (posta.dir / 'main.cf').read_text()
        done = run(BIN / 'posta', 'init', '-c', posta.dir, '--domain',
                   'other.test', check=False)
        assert done.returncode == 1
        assert 'main.cf' in done.stderr and 'move it away' in done.stderr
        assert (posta.dir / 'main.cf').read_text() == before


def test_says_what_is_missing(tmp_path):
    done = run(BIN / 'posta', 'init', '-c', tmp_path / 'x', check=False)
    assert done.returncode == 64
    assert '--domain' in done.stderr
    done = run(BIN / 'posta', 'init', '-c', tmp_path / 'x', '--domain',
               'example.test', '--user', 'nopassword', check=False)
    assert done.returncode == 64
    assert 'NAME:PASSWORD' in done.stderr
