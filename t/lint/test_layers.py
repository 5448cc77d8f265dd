"""The layers of lib/: a folder includes only folders below its own level."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def levels():
    """The table of ARCHITECTURE.md, "Layers of lib/"."""
    text = (ROOT / 'ARCHITECTURE.md').read_text()
    rows = re.findall(r'^\| (\d) \| ([a-z, ]+)', text.split('## Layers')[1],
                      re.M)
    return {name: int(level) for level, names in rows
            for name in re.split(r', ?', names.strip())}


def includes(path):
    return INCLUDE.findall(path.read_text())


def test_table_names_every_folder():
    assert set(levels()) >= {p.name for p in (ROOT / 'lib').iterdir()
                             if any(p.glob('*.[ch]'))}


def test_lib_includes_only_lower_levels():
    level = levels()
    wrong = []
    for path in sorted((ROOT / 'lib').rglob('*.[ch]')):
        own = path.relative_to(ROOT / 'lib').parts[0]
        for name in includes(path):
            other = name.split('/')[0]
            if '/' in name and other != own and \
                    level.get(other, 99) >= level[own]:
                wrong.append(f'{path.relative_to(ROOT)} includes {name}')
    assert not wrong, '\n'.join(wrong)


def test_mail_does_no_input_or_output():
    wrong = [f'{p.name}: {i}' for p in (ROOT / 'lib/mail').glob('*.[ch]')
             for i in re.findall(r'#include <(sys/socket|fcntl|unistd)\.h>',
                                 p.read_text())]
    assert not wrong, '\n'.join(wrong)


def test_programs_do_not_include_each_other():
    programs = {p.parent.name for p in ROOT.glob('*/main.c')}
    wrong = []
    for program in sorted(programs):
        for path in (ROOT / program).glob('*.[ch]'):
            for name in includes(path):
                if name.split('/')[0] in programs - {program} and '/' in name:
                    wrong.append(f'{path.relative_to(ROOT)} includes {name}')
    assert not wrong, '\n'.join(wrong)


def test_every_header_says_what_it_is_for():
    wrong = [str(p.relative_to(ROOT)) for p in ROOT.glob('lib/*/*.h')
             if not re.match(r'/\*\n \* ' + re.escape(p.name) + ' - ',
                             p.read_text())]
    assert not wrong, '\n'.join(wrong)
