"""Programs that read Postfix's log read ours: pflogsumm counts right."""
import re
import subprocess

from harness import Posta


def summary(log):
    done = subprocess.run(['pflogsumm', str(log)], text=True, timeout=120,
                          capture_output=True, check=True)
    totals = done.stdout.split('Grand Totals')[1].split('Per-Hour')[0]
    return {name: int(count) for count, name in re.findall(
        r'^\s*(\d+)\s+(received|delivered|forwarded|deferred|bounced|rejected|'
        r'senders|recipients)\b', totals, re.M)}, done.stdout


def test_pflogsumm_totals():
    with Posta(settings={
            'transport_maps': 'inline:{ {bounces.test = error:5.1.1 no} '
                              '{waits.test = retry:4.3.0 later} }'}) as posta:
        for i in range(5):
            posta.send(f's{i}@client.test', 'alice@example.test')
        posta.send('s0@client.test', ['alice@example.test', 'bob@example.test'])
        posta.send('alice@example.test', 'x@bounces.test')
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
    # Eight from clients, and the report about the bounced one.
    assert totals['received'] == 9, text
    assert totals['delivered'] == 8, text
    assert totals['bounced'] == 1, text
    assert totals['deferred'] == 1, text
    assert totals['rejected'] == 1, text
