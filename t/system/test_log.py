"""Programs that read Postfix's log read ours: pflogsumm counts right."""
import re
import subprocess

from harness import NameServer, Posta, free_port


def summary(log):
    done = subprocess.run(['pflogsumm', str(log)], text=True, timeout=120,
                          capture_output=True, check=True)
    totals = done.stdout.split('Grand Totals')[1].split('Per-Hour')[0]
    return {name: int(count) for count, name in re.findall(
        r'^\s*(\d+)\s+(received|delivered|forwarded|deferred|bounced|rejected|'
        r'senders|recipients)\b', totals, re.M)}, done.stdout


def test_pflogsumm_totals():
    with NameServer({'waits.test': '@ IN MX 10 mx\nmx IN A 127.0.0.1'}) as dns, \
            Posta(settings={'dns_servers': dns.address, 'transport_maps':
                            f'inline:{{ {{waits.test = smtp:[127.0.0.1]:'
                            f'{free_port()}}} }}'}) as posta:
        for i in range(5):
            posta.send(f's{i}@client.test', 'alice@example.test')
        posta.send('s0@client.test', ['alice@example.test', 'bob@example.test'])
        posta.send('alice@example.test', 'x@nowhere.invalid')
        posta.send('alice@example.test', 'x@waits.test')
        with posta.smtp() as s:
            s.ehlo('client.test')
            s.mail('s1@client.test')
            code, _ = s.rcpt('nobody@example.test')
            assert code == 550
            s.rset()
        posta.wait_maildir('alice', 7)
        posta.wait_maildir('bob', 1)
        posta.wait_log('status=bounced')
        posta.wait_log('status=deferred')
        posta.stop()
        totals, text = summary(posta.log)
    # The report about the bounced one has no client.
    assert totals['received'] == 8, text
    assert totals['delivered'] == 8, text
    assert totals['bounced'] == 1, text
    assert totals['deferred'] == 1, text
    assert totals['rejected'] == 1, text
