"""Collects the C unit tests and the dialogues; see t/system/harness for the rest.

Every unit (build/MODE/t/unit/LIB/NAME, a cmocka program) is one test, and so
is every t/talk/*.talk.
"""
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get('POSTA_BUILD', ROOT / 'build/release'))
sys.path.insert(0, str(ROOT / 't' / 'system'))


def pytest_collect_file(parent, file_path):
    if file_path.suffix == '.c' and 'unit' in file_path.parts:
        return UnitFile.from_parent(parent, path=file_path)
    if file_path.suffix == '.talk':
        return TalkFile.from_parent(parent, path=file_path)


class UnitFile(pytest.File):
    def collect(self):
        yield Unit.from_parent(self, name=self.path.stem)


class Unit(pytest.Item):
    """One cmocka program."""

    def runtest(self):
        program = BUILD / self.path.relative_to(ROOT).with_suffix('')
        done = subprocess.run([program], text=True, errors='replace',
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=600)
        ran = re.search(r'\[  PASSED  \] (\d+) test', done.stdout)
        if done.returncode != 0 or not ran or int(ran[1]) == 0:
            raise UnitFailed(f'{done.stdout}\nexit status {done.returncode}')

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f'{self.path.parent.name}/{self.path.stem}'


class UnitFailed(Exception):
    pass


class TalkFile(pytest.File):
    def collect(self):
        yield Talk.from_parent(self, name=self.path.stem)


class Talk(pytest.Item):
    """A dialogue with a server of its own; harness/talk.py says the form."""

    def runtest(self):
        from harness import talk
        talk.run(self.path)

    def repr_failure(self, excinfo):
        return str(excinfo.value)


def pytest_unconfigure(config):
    """The plain closing line, behind everything pytest has to say."""
    reporter = config.pluginmanager.get_plugin('terminalreporter')
    if reporter is None or hasattr(config, 'workerinput'):
        return
    for report in reporter.stats.get('passed', []):
        for name, value in report.user_properties:
            if name == 'say':
                print(f'\n{value}')
    count = {k: len(reporter.stats.get(k, []))
             for k in ('passed', 'failed', 'error', 'skipped')}
    line = f"{count['passed']} passed, {count['failed'] + count['error']} failed"
    if count['skipped']:
        line += f", {count['skipped']} skipped"
    print(f'\n{line}')


@pytest.fixture
def home(tmp_path):
    """Where a mail program keeps its files; nothing of this machine's users."""
    path = tmp_path / 'home'
    path.mkdir(mode=0o700)
    return path
