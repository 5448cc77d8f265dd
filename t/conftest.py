"""Collects the C unit tests and the dialogues; see t/system/harness for the rest.

Every built unit (build/MODE/t/unit/LIB/NAME) is one test for each cmocka
test in it; every t/talk/*.talk is one test.
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
    """One cmocka program; its tests are found by name in the source."""

    output = None

    def collect(self):
        text = re.sub(r'^#.*', '', self.path.read_text(), flags=re.M)
        for name in re.findall(r'(?:cmocka_unit_test\w*|\bTEST)\(\s*(\w+)', text):
            unit = Unit.from_parent(self, name=name)
            unit.add_marker(pytest.mark.xdist_group(str(self.path)))
            yield unit

    def run(self):
        """What the program prints; it runs once for all its tests."""
        if self.output is None:
            program = BUILD / self.path.relative_to(ROOT).with_suffix('')
            done = subprocess.run([program], text=True, errors='replace',
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=600)
            self.output = f'{done.stdout}\nexit status {done.returncode}'
        return self.output


class Unit(pytest.Item):
    def runtest(self):
        output = self.parent.run()
        if f'[       OK ] {self.name}\n' not in output:
            raise UnitFailed(output)

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        where = f'{self.path.parent.name}/{self.path.stem}'
        return self.path, 0, f'{where}: {self.name}'


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


def pytest_sessionfinish():
    from harness import ports
    ports.release()


def pytest_unconfigure(config):
    """The plain closing line, behind everything pytest has to say."""
    reporter = config.pluginmanager.get_plugin('terminalreporter')
    if reporter is None or hasattr(config, 'workerinput'):
        return
    count = {k: len(reporter.stats.get(k, []))
             for k in ('passed', 'failed', 'error', 'skipped')}
    line = f"{count['passed']} passed, {count['failed'] + count['error']} failed"
    if count['skipped']:
        line += f", {count['skipped']} skipped"
    print(f'\n{line}')
