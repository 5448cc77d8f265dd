"""Every command says what it can do, and takes nothing it does not know."""
import os
import re
import subprocess
from pathlib import Path

import pytest

BIN = Path(os.environ['POSTA_BUILD']) / 'bin'
CMD = Path(__file__).resolve().parents[2] / 'cmd'


def rows(name, macro):
    text = (CMD / name).read_text()
    return re.findall(rf'^{macro}\("([^"]+)", \w+, ([^,)]+)', text, re.M)


COMMANDS = [name for name, _ in rows('commands.def', 'COMMAND')]
VERBS = rows('verbs.def', 'VERB')


def run(name, *args):
    return subprocess.run([name, *args], executable=BIN / 'posta', text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)


@pytest.mark.parametrize('name', COMMANDS)
def test_command(name):
    done = run(name, '--help')
    assert done.returncode == 0 and done.stderr == ''
    used = 'posta' if name == 'postfix' else name
    assert done.stdout.startswith(f'usage: {used} ')
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize('name', [name for name, _ in VERBS])
def test_verb(name):
    done = run('posta', name, '--help')
    assert done.returncode == 0 and done.stderr == ''
    assert name in done.stdout.splitlines()[0]
    assert name in run('posta', '--help').stdout


@pytest.mark.parametrize('name', [n for n, args in VERBS if '"' in args])
def test_superfluous_word(name):
    done = run('posta', name, '--nonsense', 'word')
    assert done.returncode == 64 and done.stdout == ''
    assert done.stderr.startswith('usage: posta ')


@pytest.mark.parametrize('name', COMMANDS)
def test_unknown_option(name):
    """An end, with something to read."""
    done = subprocess.run([name, '-Z'], executable=BIN / 'posta', text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60)
    assert done.returncode > 0 and done.stderr
