"""ImapFlow, a client library in JavaScript: CONDSTORE, QRESYNC, IDLE, COMPRESS,
OBJECTID, SPECIAL-USE and more, as apps use them."""
import json
import pathlib

from harness import Posta
from harness.mail_program import node

SCRIPT = pathlib.Path(__file__).parent / 'node/imapflow.js'


def test_a_session_beside_one_that_listens(tmp_path):
    with Posta() as posta:
        said = json.loads(node(tmp_path, SCRIPT, posta.base + 993,
                               'alice@example.test', 'secret').stdout)
    assert said['folders'] == ['INBOX', 'Work', 'Work/Bücher']
    assert said['messages'] == [
        [1, 'one', 'text/plain', [r'\Seen'], 32],
        [2, 'two', 'text/plain', ['$Forwarded'], 32]]
    assert said['text'] == 'The first one.\r\n'
    assert said['found'] == [2]
    assert said['appended'] == 1 and said['flagged'] and said['deleted']
    assert said['moved'] == [[2, 1]]
    assert said['status'] == {'path': 'Work/Bücher', 'messages': 1,
                              'unseen': 1}
    assert {'CONDSTORE', 'QRESYNC'} <= set(said['enabled'])
    listened = [event for event in said['seen'] if event[0] != 'flags']
    assert listened == [['exists', 'INBOX', 1], ['exists', 'INBOX', 2],
                        ['expunge', 'INBOX', 2], ['expunge', 'INBOX', 1]]
