#!/usr/bin/env python3
"""Seeded generator of realistic mail, and an importer.

    corpus.py make DIR COUNT         write DIR/000000.eml ... (LF line ends)
    corpus.py maildir DIR DEST COUNT hard-link the corpus into DEST/cur
    corpus.py expect COUNT           what each SEARCH needle must find

Message i depends on (SEED, i) only, so a corpus of 1,000 is the start of one
of 100,000 and every server sees the same bytes.  Shape of the mix: 50 % plain,
30 % multipart/alternative, 20 % with an attachment; 2-60 KiB (median near
7 KiB); one subject in four and one name in six holds an encoded-word; 45 %
are replies with In-Reply-To and References; dates walk over three years.
"""
import base64, os, quopri, random, sys
from email.utils import formatdate

SEED = 20260
START = 1672531200                    # 2023-01-01 00:00 UTC
SPAN = 3 * 365 * 86400
LADDER = 100_000                      # dates are spread over this many messages

# Needle -> one message in this many holds it (see planted()).
NEEDLES = {"SUBJECT quartzite": 97, "FROM lovelace": 211,
           "BODY zephyrine": 499, "TEXT vinegaroon": 307}

_rng = random.Random(SEED)
_SYL = ("ba ce di fo gu la me ni po ru sa te vi zo ka ler min tor ven sal der"
        " con pre sti gra blo cha fre qui mun dal pos tri nel").split()
WORDS = ["".join(_rng.choice(_SYL) for _ in range(_rng.randint(1, 4)))
         for _ in range(4000)]


def _wall(words, size):
    """About `size` bytes of wrapped prose with paragraph breaks."""
    out, line, total = [], [], 0
    while total < size:
        line.append(_rng.choice(words))
        if sum(map(len, line)) + len(line) > 66:
            text = " ".join(line) + ("\n\n" if _rng.random() < .15 else "\n")
            out.append(text)
            total += len(text)
            line = []
    return "".join(out)


TEXT = _wall(WORDS, 1 << 20)
ACCENTED = [w.replace("e", "é").replace("o", "ö").replace("ni", "ñi") for w in WORDS]
SMALL_BODY = TEXT[:8192].replace("\n", "\r\n").encode()
TEXT8 = _wall(ACCENTED, 1 << 19)
BLOB = base64.encodebytes(_rng.randbytes(1 << 19)).decode()
FIRST = [w.capitalize() for w in WORDS[:120]]
LAST = [w.capitalize() for w in WORDS[200:500]]
LAST8 = [w.capitalize() for w in ACCENTED[200:500]]
TYPES = [("application/pdf", "pdf"), ("image/png", "png"), ("application/zip", "zip"),
         ("application/vnd.ms-excel", "xls"), ("text/calendar", "ics")]


def planted(i, needle):
    every = NEEDLES[needle]
    return i % every == every // 2


def date_of(i):
    return START + (i * 7919 % LADDER) * SPAN // LADDER + i % 60


def _slice(rng, text, size):
    at = text.index("\n", rng.randrange(max(1, len(text) - size - 100))) + 1
    return text[at:text.index("\n", min(at + size, len(text) - 90)) + 1]


def _word8(text):
    return "=?UTF-8?B?%s?=" % base64.b64encode(text.encode()).decode()


def _person(rng):
    first, last = rng.choice(FIRST), rng.randrange(len(LAST))
    box = "%s.%s@%s.example" % (first.lower(), LAST[last].lower(), WORDS[500 + last])
    if rng.random() < 1 / 6:
        return "%s <%s>" % (_word8(first + " " + LAST8[last]), box)
    return '"%s, %s" <%s>' % (LAST[last], first, box)


def _text_part(rng, i, size):
    """(content-type, encoding, body) of the human-readable part."""
    roll = rng.random()
    secret = "\nzephyrine\n" if planted(i, "BODY zephyrine") else ""
    if roll < .55:
        return "text/plain; charset=us-ascii", "7bit", _slice(rng, TEXT, size) + secret
    body = (_slice(rng, TEXT8, int(size * .7)) + secret).encode()
    if roll < .85:
        return ("text/plain; charset=utf-8", "quoted-printable",
                quopri.encodestring(body).decode())
    return "text/plain; charset=utf-8", "base64", base64.encodebytes(body).decode()


def _part(ctype, encoding, body, extra=""):
    return "Content-Type: %s\nContent-Transfer-Encoding: %s\n%s\n%s\n" % (
        ctype, encoding, extra, body)


def message(i):
    """Message number i as bytes with LF line ends."""
    rng = random.Random(SEED * 1_000_003 + i)
    size = min(60000, max(2000, int(rng.lognormvariate(8.85, .8))))
    subject = " ".join(rng.choices(WORDS, k=rng.randint(2, 8)))
    head, parent = [], None
    if i > 20 and rng.random() < .45:            # a reply within the last 400
        parent = max(0, i - 1 - int(rng.expovariate(1 / 60)) % 400)
        subject = "Re: " + " ".join(random.Random(parent).choices(WORDS, k=4))
    elif rng.random() < .25:
        subject = _word8(" ".join(rng.choices(ACCENTED, k=4)))
    if planted(i, "SUBJECT quartzite"):
        subject += " quartzite"
    sender = _person(rng)
    if planted(i, "FROM lovelace"):
        sender = "Ada Lovelace <ada.lovelace@analytical.example>"
    when = formatdate(date_of(i))
    for hop in range(rng.randint(2, 5)):
        head.append("Received: from mx%d.%s.example ([192.0.2.%d])\n\tby mx.lab.example "
                    "with ESMTPS id %x;\n\t%s" % (hop, rng.choice(WORDS),
                    rng.randrange(256), rng.getrandbits(48), when))
    head += ["From: " + sender,
             "To: " + ",\n ".join(_person(rng) for _ in range(rng.randint(1, 4)))]
    if rng.random() < .3:
        head.append("Cc: " + ",\n ".join(_person(rng) for _ in range(rng.randint(1, 6))))
    head += ["Subject: " + subject, "Date: " + when,
             "Message-ID: <m%06d.seed@lab.example>" % i]
    if parent is not None:
        chain = [parent] + [max(0, parent - k * 7) for k in range(1, rng.randint(1, 6))]
        head.append("In-Reply-To: <m%06d.seed@lab.example>" % parent)
        head.append("References: " + "\n ".join(
            "<m%06d.seed@lab.example>" % k for k in sorted(set(chain))))
    if planted(i, "TEXT vinegaroon"):
        head.append("X-Label: vinegaroon")
    head += ["X-Mailer: seedmail %d.%d" % (rng.randint(1, 9), rng.randint(0, 9)),
             "DKIM-Signature: v=1; a=rsa-sha256; d=lab.example; s=s1;\n\tb="
             + _slice(rng, BLOB, 280).replace("\n", "\n\t").rstrip("\t\n"),
             "MIME-Version: 1.0"]
    top = "\n".join(head) + "\n"
    shape = rng.random()
    if shape < .5:
        return (top + _part(*_text_part(rng, i, size - len(top)))).encode()
    mark = "=_%032x" % rng.getrandbits(128)
    cut = "\n--%s\n" % mark
    if shape < .8:
        text = _text_part(rng, i, (size - len(top)) // 3)
        html = "<html><body><p>%s</p></body></html>" % _slice(
            rng, TEXT, (size - len(top)) // 2).replace("\n\n", "</p>\n<p>")
        parts, kind = [_part(*text), _part("text/html; charset=utf-8", "quoted-printable",
                       quopri.encodestring(html.encode()).decode())], "alternative"
    else:
        text = _text_part(rng, i, min(2500, size // 4))
        ctype, ext = rng.choice(TYPES)
        name = "%s.%s" % (rng.choice(WORDS), ext)
        parts = [_part(*text), _part(
            '%s; name="%s"' % (ctype, name), "base64", _slice(rng, BLOB, int(size * .75)),
            'Content-Disposition: attachment; filename="%s"\n' % name)]
        kind = "mixed"
    return ("%sContent-Type: multipart/%s;\n\tboundary=\"%s\"\n\nThis is MIME.\n%s%s\n--%s--\n"
            % (top, kind, mark, cut, cut.join(parts), mark)).encode()


def small(i, size=4096):
    """A plain message of exactly `size` bytes on the wire (CRLF), unique per i."""
    head = ("From: bench@lab.example\r\nTo: user@lab.example\r\nSubject: load %s\r\n"
            "Date: %s\r\nMessage-ID: <load.%s@lab.example>\r\n\r\n"
            % (i, formatdate(START), i)).encode()
    room = size - len(head) - 2
    return head + SMALL_BODY[:room].rstrip(b"\r\n").ljust(room, b".") + b"\r\n"


def expect(count):
    found = {n: sum(planted(i, n) for i in range(count)) for n in NEEDLES}
    since = START + SPAN // 2
    found["SINCE"] = sum(date_of(i) >= since - since % 86400 for i in range(count))
    return found


def make(into, count):
    os.makedirs(into, exist_ok=True)
    for i in range(len(os.listdir(into)), count):
        path = "%s/%06d.eml" % (into, i)
        with open(path, "wb") as f:
            f.write(message(i))
        os.utime(path, (date_of(i), date_of(i)))
        os.chmod(path, 0o644)


def maildir(corpus, dest, count):
    """Maildir as a delivery agent leaves it: S= and W= sizes in the name."""
    for sub in ("cur", "new", "tmp"):
        os.makedirs(dest + "/" + sub, exist_ok=True)
    for i in range(count):
        src = "%s/%06d.eml" % (corpus, i)
        with open(src, "rb") as f:
            data = f.read()
        os.link(src, "%s/cur/%d.M%06dP1.bench,S=%d,W=%d:2," % (
            dest, date_of(i), i, len(data), len(data) + data.count(b"\n")))


if __name__ == "__main__":
    verb, args = sys.argv[1], sys.argv[2:]
    if verb == "make":
        make(args[0], int(args[1]))
    elif verb == "maildir":
        maildir(args[0], args[1], int(args[2]))
    elif verb == "expect":
        print(expect(int(args[0])))
    else:
        sys.exit(__doc__)
