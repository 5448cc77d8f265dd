"""Every example of the RFCs that can be run, run (t/rfc)."""
import contextlib
import re

import pytest

from harness import Posta, examples
from harness.imap_match import matches, matches_pop3
from harness.mail_client import MailClient
from harness.raw_imap import RawImap

PATHS = sorted(examples.FOLDER.glob('*.example'))
ALL = [(path.stem, e) for path in PATHS for e in examples.read(path)]
RUN = [(stem, e) for stem, e in ALL if e.reason is None]


@contextlib.contextmanager
def server(settings):
    """A user for each example."""
    with Posta(users={'u': 'secret'}, start=False,
               settings={'imap_append_size_limit': '257890', **settings}) as p:
        file = p.dir / 'users'
        line = next(x for x in file.read_text().splitlines()
                    if x.startswith('u@'))
        line = re.sub('^(u@[^:]*):[^:]*', r'\1:{PLAIN}secret', line)
        file.write_text(''.join(re.sub(r'\bu(?=[@/])|(?<=/)u\b', f'u{n}', line)
                                + '\n' for n in range(len(RUN))))
        p.start()
        yield p


@pytest.fixture(scope='module')
def servers():
    """With which settings one is wanted: started when it is."""
    started = {}
    with contextlib.ExitStack() as stack:
        def find(settings):
            key = tuple(sorted(settings.items()))
            if key not in started:
                started[key] = stack.enter_context(server(settings))
            return started[key]
        yield find


class Dialogue:
    """One example of IMAP, step by step."""

    def __init__(self, posta, number, example):
        self.posta, self.name = posta, f'u{number}'
        self.seen, self.others, self.known = [], None, {}
        path, owner = examples.home(posta, self.name)
        self.steps = examples.prepare(path, owner, example.steps)
        self.connect([word for word, _ in self.steps])

    def connect(self, first):
        clear = 'clear' in first
        self.client = RawImap(self.posta.base + (143 if clear else 993),
                              None if clear or 'greeted' in first
                              else self.address(), clear=clear)

    def address(self):
        return f'{self.name}@example.test'

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.client.close()
        if self.others:
            self.others.close()

    def fail(self, what):
        pytest.fail(what + '\n' + '\n'.join(self.seen), pytrace=False)

    def fill(self, text):
        """What is only known by now."""
        for name, value in self.known.items():
            text = text.replace(f'<{name}>', value)
        return text.replace('<user>', self.address())

    def learn(self, name, pattern):
        """From the last answer that has it."""
        for line in reversed(self.seen):
            if line.startswith('S: ') and (hit := re.search(pattern, line)):
                self.known[name] = hit[1]
                return
        self.fail(f'nowhere said: {pattern}')

    def other(self):
        if self.others is None:
            self.others = RawImap(self.posta.base + 993, self.address())
        return self.others

    def send(self, text, end='\r\n'):
        text = self.fill(text)
        self.seen.append('C: ' + text)
        self.client.send(text + end)

    def say(self, lines, at):
        """C: and the C| behind it; how many steps."""
        text = lines[at][1]
        literal = []
        while at + 1 + len(literal) < len(lines) and \
                lines[at + 1 + len(literal)][0] == 'C|':
            literal.append(lines[at + 1 + len(literal)][1])
        body = '\r\n'.join(literal)
        size = len(body.encode())
        self.send(text.replace('{#}', f'{{{size}}}').replace('{#+}',
                                                         f'{{{size}+}}'))
        if literal:
            if text.endswith('{#}'):
                self.expect(['+ go on'])
            rest = lines[at + 1 + len(literal)][0] == 'C)'
            self.send(body, '' if rest else '\r\n')
        return 1 + len(literal)

    def hear(self):
        got = self.client.response().decode('utf-8', 'surrogateescape')
        self.seen.append('S: ' + got)
        return got

    def expect(self, wanted):
        """As many responses as these, in any order; with tags, up to the last
        of them."""
        rest = '<rest>' in wanted
        wanted = [w for w in wanted if w != '<rest>']
        last = [w for w in wanted if w[:2] not in ('* ', '+ ')]
        got = []
        while len(last) and not any(g.split(' ')[0] == last[-1].split(' ')[0]
                                    for g in got) or \
                not last and len(got) < len(wanted):
            got.append(self.hear())
        for w in wanted:
            w = self.fill(w)
            hit = next((g for g in got if matches(w, g)), None)
            if hit is None:
                self.fail(f'not said: {w}')
            got.remove(hit)
        if got and not rest:
            self.fail(f'not wanted: {got}')

    def run(self):
        steps, at, wanted = self.steps, 0, []
        while at < len(steps):
            word, text = steps[at]
            if word == 'S:':
                wanted.append(text)
            elif word == 'S|':
                wanted[-1] += '\r\n' + text
            else:
                if wanted and not (word == 'C:' and at and
                                   steps[at - 1][0] == 'C:'):
                    self.expect(wanted)
                    wanted = []
                at += self.act(steps, at)
                continue
            at += 1
        if wanted:
            self.expect(wanted)

    def act(self, steps, at):
        word, text = steps[at]
        if word == 'C:':
            return self.say(steps, at)
        if word == 'C)':
            self.send(text)
        elif word == '-':
            self.seen.append('- ' + text)
            self.seen += ['S: ' + x.decode()
                          for x in self.client.ok(self.fill(text).encode())]
        elif word == '+' and text.startswith('APPEND '):
            assert self.other().literals(text + ' ', b'Subject: x\r\n\r\n')
        elif word == '+':
            self.other().ok(text.encode())
        elif word == 'let':
            self.learn(*text.split(' ', 1))
        elif word == 'tls':
            self.client.encrypt()
        elif word not in ('greeted', 'clear', 'pop3'):
            raise ValueError(f'{word} {text}')
        return 1


class Pop3(Dialogue):
    """The same of POP3, whose answers come one after the other."""

    def connect(self, first):
        clear = 'clear' in first
        self.client = MailClient(self.posta, 'pop3' if clear else 'pop3s')
        if not clear and 'greeted' not in first:
            assert self.client.log_in(self.address()).startswith('+OK')

    def expect(self, wanted):
        for w in wanted:
            got = self.client.line()
            self.seen.append('S: ' + got)
            if not matches_pop3(self.fill(w), got):
                self.fail(f'not said: {w}')


@pytest.mark.parametrize('number', range(len(RUN)), ids=[
    f'{stem}-{e.title.split(" ")[0]}' for stem, e in RUN])
def test_example(servers, number):
    example = RUN[number][1]
    kind = Pop3 if ('pop3', '') in example.steps else Dialogue
    with kind(servers(example.settings), number, example) as dialogue:
        dialogue.run()


def test_count(record_property):
    """How many there are, for whoever reads the output."""
    differ = sum(bool(e.differs) for _, e in RUN)
    record_property('say', f'examples of {len(PATHS)} RFCs: {len(RUN)} run, '
                           f'{differ} of them answered otherwise with a '
                           f'reason, {len(ALL) - len(RUN)} cannot be run')
