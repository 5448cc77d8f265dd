"""postconf does what Postfix's does, command by command.

postconf/transcript holds what Postfix 3.7.11 printed and changed, run in a
copy of postconf/main.cf and master.cf. POSTCONF=/usr/sbin/postconf runs the
same table against another one.
"""
import difflib
import os
import pathlib
import shlex
import stat
import tempfile

import pytest

from harness import BIN, run

HERE = pathlib.Path(__file__).parent / 'postconf'
POSTCONF = os.environ.get('POSTCONF', BIN / 'postconf')
FILES = ('main.cf', 'master.cf')


def perform(folder, command):
    """The transcript of one command: what it printed, said and changed."""
    for name in FILES:
        (folder / name).write_text((HERE / name).read_text())
        os.utime(folder / name, (1e9, 1e9))
    done = run(POSTCONF, '-c', folder, *shlex.split(command), check=False)
    lines = [f'$ postconf {command}']
    lines += [f'  {line}' for line in done.stdout.splitlines()]
    lines += [f'! {line}' for line in done.stderr.splitlines()]
    lines += [f'= {done.returncode}'] if done.returncode else []
    for name in FILES:
        old, new = ((where / name).read_text().splitlines()
                    for where in (HERE, folder))
        lines += [f'{name} {line}' for line in difflib.ndiff(old, new)
                  if line[0] in '+-']
    return '\n'.join(lines).replace(str(folder), 'DIR')


def transcript():
    text = (HERE / 'transcript').read_text().rstrip('\n')
    return ['$ ' + block.rstrip('\n') for block in text[2:].split('\n$ ')]


@pytest.mark.parametrize('want', transcript(),
                         ids=lambda want: want.split('\n')[0][11:])
def test_does_what_postfix_does(want):
    command = want.split('\n')[0].removeprefix('$ postconf ')
    # A short name: -f folds lines by their length.
    with tempfile.TemporaryDirectory(prefix='pc-') as folder:
        assert perform(pathlib.Path(folder), command) == want


def test_keeps_owner_and_mode(tmp_path):
    file = tmp_path / 'main.cf'
    file.write_text('a = b\n')
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
    before = file.stat()
    run(POSTCONF, '-c', tmp_path, 'relayhost=x')
    after = file.stat()
    assert file.read_text() == 'a = b\nrelayhost = x\n'
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert [f.name for f in tmp_path.iterdir()] == ['main.cf']


def test_edits_the_file_behind_a_link(tmp_path):
    (tmp_path / 'real').write_text('a = b\n')
    (tmp_path / 'main.cf').symlink_to('real')
    run(POSTCONF, '-c', tmp_path, 'a=c')
    assert (tmp_path / 'main.cf').is_symlink()
    assert (tmp_path / 'real').read_text() == 'a = c\n'


def test_leaves_everything_where_it_fails(tmp_path):
    master = tmp_path / 'master.cf'
    master.write_text('smtp inet n - n - - smtpd\nbroken row\n')
    done = run(POSTCONF, '-c', tmp_path, '-Fe', 'broken/row/chroot=y',
               check=False)
    assert done.returncode == 1
    assert 'master.cf, line 2' in done.stderr
    assert master.read_text().endswith('broken row\n')
    assert [f.name for f in tmp_path.iterdir()] == ['master.cf']


def test_missing_files(tmp_path):
    done = run(POSTCONF, '-c', tmp_path, 'relayhost', check=False)
    assert done.returncode == 1
    assert done.stderr == (f'postconf: fatal: open {tmp_path}/main.cf: '
                           'No such file or directory\n')
    (tmp_path / 'main.cf').write_text('relayhost = x\n')
    done = run(POSTCONF, '-c', tmp_path, 'relayhost')
    assert done.stdout == 'relayhost = x\n'
    assert 'warning: open' in done.stderr and 'master.cf' in done.stderr
    done = run(POSTCONF, '-c', tmp_path, '-M', check=False)
    assert done.returncode == 1 and 'fatal: open' in done.stderr


def test_editors_wait_for_each_other(tmp_path):
    """Twenty at once: no change is lost."""
    import subprocess
    (tmp_path / 'main.cf').write_text('first = 1\n')
    editors = [subprocess.Popen([POSTCONF, '-c', tmp_path, f'name{i}={i}'])
               for i in range(20)]
    assert [e.wait(60) for e in editors] == [0] * 20
    lines = (tmp_path / 'main.cf').read_text().splitlines()
    assert sorted(lines) == sorted(['first = 1'] +
                                   [f'name{i} = {i}' for i in range(20)])


def test_knows_what_it_has(tmp_path):
    types = run(POSTCONF, '-m').stdout.split()
    assert types == sorted(types)
    assert {'hash', 'lmdb', 'pcre', 'regexp', 'static'} <= set(types)
    assert run(POSTCONF, '-l').stdout.split() == ['flock', 'fcntl', 'dotlock']
    assert run(POSTCONF, '-T', 'run-version').stdout.startswith('OpenSSL ')


def test_quiet_about_unused(tmp_path):
    (tmp_path / 'main.cf').write_text('nonsense = x\n')
    (tmp_path / 'master.cf').write_text('')
    assert 'unused' in run(POSTCONF, '-c', tmp_path, 'relayhost').stderr
    assert run(POSTCONF, '-q', '-c', tmp_path, 'relayhost').stderr == ''
