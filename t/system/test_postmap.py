"""postmap, postalias and newaliases: what Postfix's do, on LMDB files."""
import os
import pathlib
import subprocess
import tempfile
import threading

import pytest

from harness import BIN

SOURCE = '''# comment
Key1 value one
key2 value
   continued
key1 dup
"quoted key" with blank
novalue
key3\ttab\tvalue
Ünï utf8

  leading blank
plain: v
'''
DUMP = '''"quoted key"\twith blank
key1\tvalue one
key2\tvalue   continued
key3\ttab\tvalue
plain:\tv
ünï\tutf8  leading blank
'''
ALIASES = '''# comment
Postmaster: root
root: joe, "|/bin/cmd args, x", /file/name
 , more@example.org
list: :include:/path, "quoted user"@example.org
"with space": foo
noval:
novalue
dup: 1
DUP: 2
user@example.org: x
'''
MESSAGE = '''Subject: folded
 line
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: text/plain; x=y

part body
--b
Content-Type: message/rfc822

Subject: inner

inner body
--b--
'''


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A folder with a source file `t`; commands run in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MAIL_CONFIG', str(tmp_path / 'none'))
    (tmp_path / 't').write_text(SOURCE)
    return tmp_path


def tool(name, *args, stdin='', status=0):
    done = subprocess.run([BIN / name, *map(str, args)], input=stdin.encode(),
                          capture_output=True, timeout=60)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def postmap(*args, **kwargs):
    return tool('postmap', *args, **kwargs)


def test_makes_a_table_and_dumps_it(table):
    out, err = postmap('hash:t')
    assert out == ''
    assert err.splitlines() == [
        'postmap: warning: t, line 5: duplicate entry: "key1"',
        'postmap: warning: t, line 7: expected format: key whitespace value'
        ' -- ignoring this line',
        'postmap: warning: "plain:" is in "key: value" format; is this an '
        'alias file?']
    assert sorted(os.listdir(table)) == ['t', 't.lmdb']
    assert postmap('-s', 'btree:t') == (DUMP, '')


def test_default_type_comes_from_main_cf(table, monkeypatch):
    postmap('t')
    assert postmap('-q', 'key1', 'lmdb:t')[0] == 'value one\n'
    (table / 'main.cf').write_text('default_database_type = texthash\n')
    (table / 'master.cf').write_text('')
    out, err = postmap('-c', table, 't', status=1)
    assert 'texthash:t: this type does not support bulk-mode creation' in err


@pytest.mark.parametrize('spec', ['hash:t', 'texthash:t', 'proxy:lmdb:t'])
def test_answers(table, spec):
    postmap('hash:t')
    assert postmap('-q', 'KEY1', spec)[0] == 'value one\n'
    assert postmap('-q', 'nokey', spec, status=1)[0] == ''
    out, _ = postmap('-q', '-', spec, stdin='key1\nnope\nKey2\n')
    assert out == 'key1\tvalue one\nKey2\tvalue   continued\n'
    assert postmap('-q', '-', spec, stdin='nope\n', status=1)[0] == ''


def test_first_table_that_has_it_answers(table):
    postmap('hash:t')
    assert postmap('-q', 'key1', 'inline:{a=b}', 'hash:t',
                   'static:x')[0] == 'value one\n'


def test_case_is_kept_with_f(table):
    postmap('-f', 'hash:t')
    assert postmap('-f', '-q', 'Key1', 'hash:t')[0] == 'value one\n'
    assert postmap('-f', '-q', 'key1', 'hash:t')[0] == 'dup\n'
    assert postmap('-f', '-q', 'KEY1', 'hash:t', status=1)[0] == ''


def test_removes_keys(table):
    postmap('hash:t')
    postmap('-d', 'KEY2', 'hash:t')
    postmap('-d', 'key2', 'hash:t', status=1)
    postmap('-d', '-', 'hash:t', stdin='nope\nkey3\n')
    assert 'key2' not in postmap('-s', 'hash:t')[0]
    assert 'key3' not in postmap('-s', 'hash:t')[0]
    assert 'open database' in postmap('-d', 'x', 'hash:none', status=1)[1]


def test_adds_entries(table):
    _, err = postmap('-i', 'hash:fresh', stdin='a 1\nB 2\na 3\n')
    assert 'standard input, line 3: duplicate entry: "a"' in err
    assert postmap('-s', 'hash:fresh')[0] == 'a\t1\nb\t2\n'
    assert postmap('-i', '-r', 'hash:fresh', stdin='a 4\nc 5\n') == ('', '')
    assert postmap('-i', '-w', 'hash:fresh', stdin='a 6\nd 7\n') == ('', '')
    assert postmap('-s', 'hash:fresh')[0] == 'a\t4\nb\t2\nc\t5\nd\t7\n'


def test_nobody_is_lost_when_many_add_at_once(table):
    postmap('-i', 'hash:many', stdin='first x\n')

    def add(name):
        for i in range(8):
            postmap('-i', 'hash:many', stdin=f'{name}-{i} x\n')

    threads = [threading.Thread(target=add, args=(f'n{n}',)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(postmap('-s', 'hash:many')[0].splitlines()) == 49
    assert not [name for name in os.listdir(table) if '.tmp' in name]


def test_values_from_files(table):
    (table / 'one').write_text('first\n')
    (table / 'two').write_text('second')
    (table / 'f').write_text('key one, two\nbad missing\n')
    _, err = postmap('-F', 'hash:f')
    assert 'line 2: open missing: No such file' in err
    assert postmap('-q', 'key', 'hash:f')[0] == 'Zmlyc3QKCnNlY29uZA==\n'
    assert postmap('-F', '-q', 'key', 'hash:f')[0] == 'first\n\nsecond\n'
    assert postmap('-F', '-s', 'hash:f')[0] == 'key\tfirst\n\nsecond\n'


def test_bytes_that_are_no_utf8(table):
    (table / 'b').write_bytes(b'\xff\xfe x\nok y\n')
    _, err = postmap('hash:b')
    assert 'b, line 1: non-UTF-8 input' in err
    assert postmap('-s', 'hash:b')[0] == 'ok\ty\n'
    assert postmap('-u', 'hash:b') == ('', '')


def test_null_byte_or_not(table):
    (table / 'z').write_text('somekey somevalue\n')
    postmap('-n', 'hash:z')
    assert b'somekeysomevalue' in (table / 'z.lmdb').read_bytes()
    assert postmap('-q', 'somekey', 'hash:z')[0] == 'somevalue\n'
    postmap('-N', 'hash:z')
    assert b'somekey\0somevalue\0' in (table / 'z.lmdb').read_bytes()


@pytest.mark.parametrize('options, want', [
    ('-h', ['Subject: folded\n line', 'MIME-Version: 1.0',
            'Content-Type: multipart/mixed; boundary=b']),
    ('-hm', ['Subject: folded\n line', 'MIME-Version: 1.0',
             'Content-Type: multipart/mixed; boundary=b',
             'Content-Type: text/plain; x=y', 'Content-Type: message/rfc822',
             'Subject: inner']),
    ('-b', ['', 'preamble', '--b', 'Content-Type: text/plain; x=y', '',
            'part body', '--b', 'Content-Type: message/rfc822', '',
            'Subject: inner', '', 'inner body', '--b--']),
    ('-bm', ['', 'preamble', '--b', '', 'part body', '--b', '', '',
             'inner body', '--b--']),
])
def test_messages_as_checks_see_them(table, options, want):
    (table / 'r').write_text('/.*/ x\n')
    out, _ = postmap(options, '-q', '-', 'pcre:r', stdin=MESSAGE)
    assert out == ''.join(f'{key}\tx\n' for key in want)


@pytest.mark.parametrize('args, text', [
    ([], 'fatal: usage: postmap [-bfFhimnNoprsuUvw] [-c config_dir]'),
    (['-q', 'x'], 'fatal: usage: postmap'),
    (['-Z', 'hash:t'], 'fatal: usage: postmap'),
    (['-q', 'x', '-s', 'hash:t'], 'specify only one of -s -q or -d'),
    (['-h', '-q', 'x', 'hash:t'], 'specify -b -h or -m only with "-q -"'),
    (['hash:none'], 'fatal: open none: No such file or directory'),
    (['nonsense:t'], 'does not support bulk-mode creation'),
    (['-q', 'x', 'nonsense:t'], 'unsupported dictionary type: nonsense'),
    (['-q', 'x', 'hash:none'], 'there is no none; write that and run: '
                               'postmap hash:none'),
    (['-q', 'x', 'hash:t'], 't.lmdb: No such file or directory; run: '
                            'postmap hash:t'),
    (['-s', 'hash:t'], 'open database t.lmdb: No such file or directory'),
    (['-s', 'static:x'], 'does not support sequential access'),
    (['-d', 'x', 'texthash:t'], 'does not support deletion'),
    (['-q', 'x', 'fail:why'], 'table fail:why: query error: why'),
    (['-c', 'none', 'hash:t'], 'none/main.cf: No such file or directory'),
])
def test_one_line_says_what_is_wrong(table, args, text):
    out, err = postmap(*args, status=1)
    assert out == ''
    assert text in err


def test_a_damaged_table_is_told(table):
    (table / 't.lmdb').write_bytes(b'junk' * 3000)
    _, err = postmap('-q', 'x', 'hash:t', status=1)
    assert err == ('postmap: warning: table hash:t: t.lmdb is no LMDB table; '
                   'run: postmap hash:t\n')
    postmap('hash:t')
    whole = (table / 't.lmdb').read_bytes()
    (table / 't.lmdb').write_bytes(whole[:len(whole) // 2])
    assert 'is cut short; run:' in postmap('-q', 'x', 'hash:t', status=1)[1]


def test_berkeley_db_of_postfix_is_explained(table):
    (table / 't.db').write_bytes(b'x')
    assert ('t.db is a Berkeley DB file, which Posta does not read; run: '
            'postmap hash:t') in postmap('-q', 'x', 'hash:t', status=1)[1]


def mode(path):
    return path.stat().st_mode & 0o777


def test_mode_is_the_sources_and_stays(table):
    (table / 't').chmod(0o640)
    postmap('hash:t')
    assert mode(table / 't.lmdb') == 0o640
    (table / 't.lmdb').chmod(0o600)
    postmap('hash:t')
    assert mode(table / 't.lmdb') == 0o600
    (table / 't.lmdb').unlink()
    postmap('-p', 'hash:t')
    assert mode(table / 't.lmdb') == 0o644


def test_owner_is_the_sources():
    root = os.geteuid() == 0
    owner = 65534 if root else os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / 't'
        made = source.with_suffix('.lmdb')
        source.write_text('a b\n')
        if root:
            os.chown(folder, owner, owner)
            os.chown(source, owner, owner)
        postmap(f'hash:{source}')
        assert made.stat().st_uid == owner
        made.unlink()
        postmap('-o', f'hash:{source}')
        assert made.stat().st_uid == os.geteuid()


def test_a_reader_sees_old_or_new_never_half(table):
    (table / 'big').write_text(''.join(f'k{i} old\n' for i in range(3000)))
    postmap('hash:big')
    (table / 'big').write_text(''.join(f'k{i} new\n' for i in range(3000)))
    keys = ''.join(f'k{i}\n' for i in range(3000))
    seen = set()

    def read():
        while 'new' not in seen:
            out, _ = postmap('-q', '-', 'hash:big', stdin=keys)
            values = {line.split('\t')[1] for line in out.splitlines()}
            assert len(values) == 1 and len(out.splitlines()) == 3000
            seen.update(values)

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(5):
        postmap('hash:big')
    thread.join()
    assert 'new' in seen


def test_aliases(table):
    (table / 'aliases').write_text(ALIASES)
    _, err = tool('postalias', 'hash:aliases')
    assert err.splitlines() == [
        f'postalias: warning: aliases, line {line}' for line in (
            '7: need name:value pair -- ignoring this line',
            '8: need name:value pair -- ignoring this line',
            '10: duplicate entry: "dup"',
            '11: name must be local -- ignoring this line')]
    out, _ = tool('postalias', '-s', 'hash:aliases')
    lines = dict(line.split(':\t', 1) for line in out.splitlines())
    assert lines.pop('YP_LAST_MODIFIED').isdigit()
    assert lines.pop('YP_MASTER_NAME')
    assert lines == {
        '@': '@', 'postmaster': 'root', 'dup': '1', 'with space': 'foo',
        'root': 'joe, "|/bin/cmd args, x", /file/name, more@example.org',
        'list': ':include:/path, "quoted user"@example.org'}
    assert tool('postalias', '-q', 'POSTmaster', 'hash:aliases')[0] == 'root\n'
    tool('postalias', '-d', 'dup', 'hash:aliases')
    tool('postalias', '-i', 'hash:aliases', stdin='new: x\n')
    assert tool('postalias', '-q', 'new', 'hash:aliases')[0] == 'x\n'
    tool('postalias', '-q', 'dup', 'hash:aliases', status=1)


def test_newaliases_makes_alias_database(table, monkeypatch):
    (table / 'a').write_text('root: joe\n')
    (table / 'b').write_text('ops: jane\n')
    (table / 'main.cf').write_text(
        f'alias_database = hash:{table}/a, btree:{table}/b\n')
    (table / 'master.cf').write_text('')
    monkeypatch.setenv('MAIL_CONFIG', str(table))
    assert tool('newaliases') == ('', '')
    assert tool('postalias', '-q', 'root', f'hash:{table}/a')[0] == 'joe\n'
    assert tool('postalias', '-q', 'ops', f'hash:{table}/b')[0] == 'jane\n'
    assert 'usage: newaliases' in tool('newaliases', 'x', status=75)[1]
