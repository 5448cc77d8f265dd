"""make install: what a package would hold, and that it can be run from there."""
import os
import re
import subprocess

import pytest

from harness import BUILD, ROOT, Posta, run

pytestmark = pytest.mark.xdist_group('install')

COMMANDS = re.findall(r'^COMMAND\("(\w+)"',
                      (ROOT / 'cmd/commands.def').read_text(), re.M)
PROGRAMS = [p.parent.name for p in ROOT.glob('*/main.c')
            if p.parent.name != 'cmd']
# Other names of programs in master.cf, and the files they read.
TOPICS = COMMANDS + PROGRAMS + ['posta-user', 'posta-import', 'posta-index',
                                'main.cf', 'master.cf', 'aliases', 'virtual',
                                'pipe', 'posta-dovecot']


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """A copy of the built tree, installed."""
    dest = tmp_path_factory.mktemp('install')
    env = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS',
                                                            'MAKELEVEL')}
    run('make', '-s', '-C', ROOT, 'install', f'DESTDIR={dest}', 'PREFIX=/usr',
        f'MODE={BUILD.name}', env=env, timeout=600)
    return dest


def test_programs_and_commands(root):
    for name in PROGRAMS:
        assert os.access(root / 'usr/lib/postfix/sbin' / name, os.X_OK)
    for name in COMMANDS:
        assert os.access(root / 'usr/sbin' / name, os.X_OK)
    for name in 'usr/bin/mailq', 'usr/bin/newaliases', 'usr/lib/sendmail':
        target = (root / name).resolve()
        assert target == root / 'usr/sbin/posta', name


def test_enough_inotify_instances(root):
    text = (root / 'usr/lib/sysctl.d/60-posta.conf').read_text()
    assert int(re.search(r'max_user_instances = (\d+)', text)[1]) > 10000


def test_systemd_starts_it(root):
    unit = (root / 'usr/lib/systemd/system/posta.service').read_text()
    for line in re.findall(r'^Exec\w+=(\S+)', unit, re.M):
        assert os.access(root / line[1:], os.X_OK)


def test_set_gid_commands_are_files(root):
    """A group on a link to the common binary would be all commands'."""
    for name in 'postdrop', 'postqueue':
        assert not (root / 'usr/sbin' / name).is_symlink()


@pytest.mark.parametrize('topic', TOPICS)
def test_manual_pages(root, topic):
    man = root / 'usr/share/man'
    pages = list(man.glob(f'man[1578]/{topic}.[1578]'))
    assert pages, f'no manual page of {topic}'
    text = pages[0].read_text()
    while text.startswith('.so '):
        text = (man / text.split()[1]).read_text()
    assert re.search(r'^\.Nd .', text, re.M)
    done = subprocess.run(['groff', '-mandoc', '-Tutf8', '-ww', '-Wbreak', '-z'],
                          input=text, text=True, capture_output=True,
                          timeout=120)
    assert (done.returncode, done.stderr) == (0, '')


def test_references_lead_somewhere(root):
    """Each .Xr of our pages names one of ours, or of the system's."""
    others = {'mailx', 'crypt', 'syslog', 'systemd', 'cron', 'useradd', 'nft',
              'sysexits.h', 'services'}
    ours = {p.name.rsplit('.', 1)[0]
            for p in (root / 'usr/share/man').glob('man?/*')}
    for page in (root / 'usr/share/man').glob('man?/*'):
        for name in re.findall(r'^\.Xr (\S+)', page.read_text(), re.M):
            assert name in ours | others, f'{page.name}: {name}'


def test_instance_of_what_is_installed(root):
    """Below any prefix the programs are found, started, and used."""
    with Posta(command_dir=root / 'usr/sbin') as posta:
        assert posta.status()['state'] == 'running'
        posta.send('a@client.test', 'alice@example.test')
        posta.wait_maildir('alice', 1)
        exe = os.readlink(f'/proc/{posta.master_pid()}/exe')
        assert exe == str(root / 'usr/lib/postfix/sbin/master')
