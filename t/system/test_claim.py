"""The queue file becomes the mailbox file: what if that goes wrong half way."""
import pathlib
import shutil

from harness import Posta

SOON = {'minimal_backoff_time': '1s', 'maximal_backoff_time': '1s',
        'queue_run_delay': '1s'}
TEXT = 'Subject: once\r\n\r\nThe one and only line.\r\n'


def new_folder(posta):
    return pathlib.Path(posta.dir, 'mail', posta.domain, 'alice/Maildir/new')


def test_mailbox_that_takes_no_link_and_no_copy():
    """The file has lost its envelope when the delivery fails."""
    with Posta(settings=SOON) as posta:
        posta.send('x@client.test', 'alice@example.test', TEXT)
        posta.wait_maildir('alice', 1)
        shutil.rmtree(new_folder(posta))
        new_folder(posta).write_text('in the way')
        posta.send('x@client.test', 'alice@example.test', TEXT)
        posta.wait_log(r'to=<alice@example.test>.*status=deferred', 2)
        new_folder(posta).unlink()
        first, = posta.wait_maildir('alice', 1)
        assert first.endswith(b'The one and only line.\n')
        assert b'<x@client.test>' in first
        posta.wait_empty()
        assert not any((posta.dir / 'queue/corrupt').iterdir())
