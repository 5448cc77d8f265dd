"""The harness's own name server answers what its zones say."""
import socket

from harness.nameserver import NameServer


def ask(server, name, kind):
    labels = b''.join(bytes([len(p)]) + p.encode() for p in name.split('.'))
    query = (b'\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00' + labels +
             b'\x00' + kind.to_bytes(2, 'big') + b'\x00\x01')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(60)
        s.sendto(query, ('127.0.0.1', server.port))
        answer = s.recv(4096)
    return answer[3] & 15, int.from_bytes(answer[6:8], 'big'), answer


def test_zone_is_served():
    with NameServer({'remote.test': '@ IN MX 10 mx\nmx IN A 127.0.0.9'}) as dns:
        code, count, answer = ask(dns, 'remote.test', 15)
        assert (code, count) == (0, 1)
        assert b'\x02mx' in answer
        code, count, answer = ask(dns, 'mx.remote.test', 1)
        assert (code, count) == (0, 1)
        assert answer.endswith(socket.inet_aton('127.0.0.9')) or \
            socket.inet_aton('127.0.0.9') in answer


def test_unknown_names_do_not_exist():
    with NameServer({'remote.test': ''}) as dns:
        assert ask(dns, 'nowhere.invalid', 1)[:2] == (3, 0)
