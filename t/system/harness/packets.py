"""Packets of lib/ipc, packed and unpacked by the rows of messages.def."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]


def _rows():
    text = (ROOT / 'lib/ipc/messages.def').read_text()
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'^#.*$', '', text, flags=re.M)
    messages, records = [], {}
    for kind, body in re.findall(
            r'\b(MSG|RECORD)\(((?:[^()]|\([^()]*\))*)\)', text):
        words = [w.strip() for w in body.split(',')]
        fields = re.findall(r'(Num|Text|Files?)\((\w+)\)', words[-1])
        if kind == 'MSG':
            messages.append((words[2], fields))
        else:
            records[words[0]] = fields
    return messages, records


MESSAGES, RECORDS = _rows()
NUMBERS = {name: i for i, (name, _) in enumerate(MESSAGES)}


def num(value):
    v = (value << 1) ^ (value >> 63)
    out = bytearray()
    while v >= 0x80:
        out.append(v & 0x7f | 0x80)
        v >>= 7
    out.append(v)
    return bytes(out)


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return num(len(value)) + value


def pack_fields(fields, values):
    out, files = b'', []
    for kind, name in fields:
        if kind == 'Num':
            out += num(values.get(name, 0))
        elif kind == 'Text':
            out += text(values.get(name, ''))
        else:
            fd = values.get(name, -1)
            out += num(int(fd >= 0))
            files += [fd] if fd >= 0 else []
    return out, files


def pack(name, **values):
    """(bytes, descriptors) of a message."""
    number = NUMBERS[name]
    out, files = pack_fields(MESSAGES[number][1], values)
    return bytes([number]) + out, files


def record(name, **values):
    return pack_fields(RECORDS[name], values)[0]


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def num(self):
        v = shift = 0
        while True:
            c = self.data[self.at]
            self.at += 1
            v |= (c & 0x7f) << shift
            shift += 7
            if c < 0x80:
                return (v >> 1) ^ -(v & 1)

    def text(self):
        n = self.num()
        self.at += n
        return self.data[self.at - n:self.at]

    def fields(self, fields):
        return {name: self.num() if kind != 'Text' else self.text()
                for kind, name in fields}


def unpack(data):
    """(name, fields) of a message; texts are bytes."""
    name, fields = MESSAGES[data[0]]
    return name, Reader(data[1:]).fields(fields)


def records(name, data):
    reader = Reader(data)
    found = []
    while reader.at < len(data):
        found.append(reader.fields(RECORDS[name]))
    return found
