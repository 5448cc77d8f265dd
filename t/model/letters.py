"""Messages made at random, and what a search finds in them."""
import calendar
import email.header
import email.utils
import hashlib
import re

WORDS = ('apple', 'Banana', 'cherry', 'ELDER', 'fig', 'grape', 'hazel',
         'lemon', 'mango', 'olive', 'größe', 'naïve')
PEOPLE = ('ann', 'bert', 'cora', 'dirk', 'Elsa')
DAY = 86400
FIRST_DAY = calendar.timegm((2020, 1, 1, 0, 0, 0))


class Letter:
    """The bytes of a message, with CRLF, and what is in them."""

    def __init__(self, raw):
        self.raw = raw
        head, _, body = raw.partition(b'\r\n\r\n')
        lines = re.sub(rb'\r\n[ \t]', b' ', head).split(b'\r\n')
        self.fields = [tuple(x.split(b': ', 1)) for x in lines if b': ' in x]
        self.id = self.field('X-Model')
        self.subject = self.field('Subject')
        self.sender = self.field('From')
        self.body = body.decode('utf-8', 'replace')
        self.size = len(raw)
        self.at_rest = self.size - raw.count(b'\r\n')
        date = email.utils.parsedate_tz(self.field('Date'))
        self.sent_day = calendar.timegm(date[:6] + (0, 0, 0)) // DAY \
            if date else None
        self.sent = email.utils.mktime_tz(date) if date else None
        self.message_id = self.field('Message-ID')
        self.references = (self.field('References') or
                           self.field('In-Reply-To')).split()
        self.hash = hashlib.sha1(raw).hexdigest()

    def field(self, name):
        for key, value in self.fields:
            if key.decode().lower() == name.lower():
                text = value.decode('utf-8', 'replace')
                return ''.join(
                    p.decode(c or 'ascii') if isinstance(p, bytes) else p
                    for p, c in email.header.decode_header(text))
        return ''

    def has_field(self, name, text):
        found = [k for k, v in self.fields
                 if k.decode().lower() == name.lower()]
        return bool(found) and text.lower() in self.field(name).lower()

    def text(self):
        return '\n'.join(f'{k.decode()}: {self.field(k.decode())}'
                         for k, v in self.fields) + '\n\n' + self.body


def encoded(text):
    """For a header field."""
    return text if text.isascii() else \
        email.header.Header(text, 'utf-8').encode()


def make(rng, name, around=(), plain=False):
    """A message; around: letters that it may answer."""
    words = [rng.choice(WORDS) for _ in range(rng.randrange(1, 4))]
    subject = rng.choice(('', 'Re: ')) + ' '.join(words)
    sent = FIRST_DAY + rng.randrange(400 * DAY)
    size = rng.choice((1, 3, 10, 60, 400)) if rng.random() < .95 else 6000
    lines = [' '.join(rng.choices(WORDS, k=rng.randrange(1, 9)))
             for _ in range(size)]
    head = [f'From: {rng.choice(PEOPLE)} <{rng.choice(PEOPLE)}@model.test>',
            f'To: {rng.choice(PEOPLE)}@model.test',
            f'Subject: {encoded(subject)}',
            f'Date: {email.utils.formatdate(sent)}',
            f'Message-ID: <{name}@model.test>', f'X-Model: {name}']
    if around and rng.random() < .5:
        answered = rng.choice(around)
        head.append(f'In-Reply-To: {answered.message_id}')
        if rng.random() < .6:
            chain = answered.references + [answered.message_id]
            head.append('References: ' +
                        '\r\n '.join(chain[-rng.randrange(1, 6):]))
    if not plain and rng.random() < .3:
        head += ['MIME-Version: 1.0',
                 'Content-Type: multipart/mixed; boundary=mark']
        lines = ['--mark', 'Content-Type: text/plain; charset=utf-8', ''] + \
            lines + ['--mark', 'Content-Type: text/plain; charset=utf-8', '',
                     rng.choice(WORDS), '--mark--']
    else:
        head += ['MIME-Version: 1.0',
                 'Content-Type: text/plain; charset=utf-8',
                 'Content-Transfer-Encoding: 8bit']
    return '\r\n'.join(head + [''] + lines + ['']).encode()
