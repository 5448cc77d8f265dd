"""What /proc tells of processes that may end meanwhile: then it is nothing."""
import os
import pathlib
import re


def text(pid, name):
    """A file of it as text; '' of who is gone."""
    try:
        return pathlib.Path(f'/proc/{pid}/{name}').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def children(pid):
    """{process id: name} of those that have not ended."""
    found = {}
    for entry in os.listdir('/proc'):
        stat = re.match(r'\d+ \((.*)\) (.) (\d+) ', text(entry, 'stat')
                        if entry.isdigit() else '', re.S)
        if stat and int(stat[3]) == pid and stat[2] != 'Z':
            found[int(entry)] = stat[1]
    return found


def resident(pid):
    """Bytes of memory that it occupies."""
    found = re.search(r'VmRSS:\s+(\d+)', text(pid, 'status'))
    return int(found[1]) * 1024 if found else 0


def open_files(pid):
    """What its descriptors are."""
    found = set()
    try:
        for fd in os.listdir(f'/proc/{pid}/fd'):
            try:
                found.add(os.readlink(f'/proc/{pid}/fd/{fd}'))
            except FileNotFoundError:  # closed since then
                pass
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def memory(pid, rights='rw', most=1 << 28):
    """The parts of its memory with these rights; without those that are larger
    than `most`, which are a sanitizer's own."""
    try:
        with open(f'/proc/{pid}/maps') as maps, \
                open(f'/proc/{pid}/mem', 'rb', 0) as mem:
            for line in maps:
                where, has, *_ = line.split()
                start, end = (int(x, 16) for x in where.split('-'))
                if not has.startswith(rights) or '[vvar' in line or \
                        end - start > most:
                    continue
                mem.seek(start)
                try:
                    yield mem.read(end - start)
                except OSError:
                    pass
    except (FileNotFoundError, ProcessLookupError):
        pass
