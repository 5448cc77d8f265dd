"""Reports to senders and postmasters: RFC 3461, 3464, 6522, 6533."""
import email
import email.policy
import email.utils
import re

import pytest
from harness.fake_smtp import EHLO, FakeSmtp
from harness.instance import Posta
from harness.wait import wait_until

PLAIN_EHLO = EHLO.replace('\n250 DSN', '\n250 HELP')


def answer(line):
    """What the remote server says to RCPT."""
    if 'bad' in line or 'b\xe4d' in line:
        return '550-5.1.1 There is\n550 5.1.1 no such user'
    if 'rude' in line:
        return b'554 5.7.1 go \xe4way\x01\r\n'
    if 'late' in line:
        return '450 4.2.0 not today'
    return '250 2.1.5 Ok'


class Site:
    """An instance that sends mail for remote.test to a server of ours."""

    def __init__(self, ehlo=PLAIN_EHLO, **settings):
        self.remote = FakeSmtp(EHLO=ehlo, RCPT=answer)
        self.posta = Posta(settings={
            'transport_maps': 'inline:{ {remote.test = smtp:'
                              f'{self.remote.nexthop}}} }}',
            'recipient_delimiter': '+', **settings})

    def __enter__(self):
        self.remote.__enter__()
        try:
            self.posta.__enter__()
        except BaseException:
            self.remote.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self.posta.__exit__(*exc)
        self.remote.__exit__()

    def send(self, rcpt, message=b'Subject: hello\n\nText.\n',
             sender='bob@example.test', options=(), rcpt_options=()):
        with self.posta.smtp() as s:
            s.ehlo('client.test')
            if any('SMTPUTF8' in o for o in options):
                s.command_encoding = 'utf-8'
            assert s.mail(sender, options)[0] == 250
            for r in [rcpt] if isinstance(rcpt, str) else rcpt:
                assert s.rcpt(r, rcpt_options)[0] == 250, r
            code, text = s.data(message.replace(b'\n', b'\r\n'))
            assert code == 250
            return text.decode().split()[-1]

    def reports(self, count=1, user='bob'):
        return [Report(m) for m in self.posta.wait_maildir(user, count)]

    def settled(self):
        """Everything has been sent, reported and forgotten."""
        def left():
            log = self.posta.log_text()
            return set(re.findall(r': (\w+): from=<.*queue active', log)) - \
                set(re.findall(r': (\w+): removed', log))
        wait_until(lambda: not left(), lambda: f'the end of {left()}')


class Report:
    """A report, taken apart by Python's parser, which finds no defect."""

    def __init__(self, raw):
        self.raw = raw
        self.mail = email.message_from_bytes(raw, policy=email.policy.default)
        for part in self.mail.walk():
            assert not part.defects, part.defects
        assert self.mail.get_content_type() == 'multipart/report'
        assert self.mail.get_param('report-type') == 'delivery-status'
        assert self.mail['Auto-Submitted'] == 'auto-replied'
        assert self.mail['MIME-Version'] == '1.0'
        assert email.utils.parsedate_to_datetime(self.mail['Date'])
        assert 'MAILER-DAEMON@' in self.mail['From']
        self.words, self.status, self.returned = self.mail.get_payload()
        eight = any(b > 127 for b in raw)
        assert (self.mail['Content-Transfer-Encoding'] == '8bit') == eight
        for part in self.mail.get_payload():
            if part['Content-Transfer-Encoding'] != '8bit':
                text = raw.split(b'\n--' + self.mail.get_boundary().encode())
                index = self.mail.get_payload().index(part) + 1
                assert max(text[index], default=0) < 128

    @property
    def text(self):
        return self.words.get_content()

    def _groups(self):
        boundary = b'\n--' + self.mail.get_boundary().encode()
        part = self.raw.split(boundary)[2]
        status = part.split(b'\n\n', 1)[1].decode()
        return [email.message_from_string(g, policy=email.policy.compat32)
                for g in status.strip().split('\n\n')]

    @property
    def message_fields(self):
        return self._groups()[0]

    @property
    def recipients(self):
        return self._groups()[1:]

    def fields(self, n=0):
        return {k: ' '.join(v.split()) for k, v in self.recipients[n].items()}


@pytest.fixture(scope='module')
def site():
    with Site() as s:
        yield s


@pytest.fixture
def fresh(site):
    """The site with empty mailboxes."""
    site.settled()
    for user in site.posta.users:
        base = site.posta.dir / 'mail/example.test' / user / 'Maildir'
        for folder in ('new', 'cur'):
            for f in base.glob(f'{folder}/*'):
                f.unlink()
    return site


def test_failure(fresh):
    qid = fresh.send(['bad@remote.test', 'good@remote.test'],
                     b'Subject: hello\nX-Mine: yes\n\nText.\n..dots\n')
    report = fresh.reports()[0]
    assert report.raw.startswith(b'Return-Path: <>\n')
    assert report.mail['To'] == 'bob@example.test'
    assert report.mail['Subject'] == 'Undelivered Mail Returned to Sender'
    assert report.text.startswith('This is the mail system at host ')
    assert '<bad@remote.test>: ' in report.text
    assert 'no such user' in ' '.join(report.text.split())
    assert 'good@remote.test' not in report.text
    head = report.message_fields
    assert head['Reporting-MTA'].startswith('dns; ')
    assert head['X-Posta-Queue-Id'] == qid
    assert head['X-Posta-Sender'] == 'rfc822; bob@example.test'
    assert email.utils.parsedate_to_datetime(head['Arrival-Date'])
    assert len(report.recipients) == 1
    fields = report.fields()
    assert fields['Final-Recipient'] == 'rfc822; bad@remote.test'
    assert fields['Action'] == 'failed'
    assert fields['Status'] == '5.1.1'
    assert fields['Remote-MTA'].startswith('dns; ')
    assert fields['Diagnostic-Code'] == ('smtp; 550-5.1.1 There is 550 5.1.1 '
                                         'no such user')
    assert report.returned.get_content_type() == 'message/rfc822'
    inner = report.returned.get_payload(0)
    assert inner['X-Mine'] == 'yes' and inner['Received']
    assert inner.get_payload() == 'Text.\n..dots\n'
    new = fresh.posta.wait_log(
        rf'bounce\[\d+\]: {qid}: sender non-delivery notification: (\w+)')
    fresh.posta.wait_log(rf'qmgr\[\d+\]: {new[0][1]}: from=<>, size=\d+')
    fresh.posta.wait_log(rf'bounce\[\d+\]: {new[0][1]}: message-id=<')
    fresh.posta.wait_log(rf'{qid}: removed')


def test_several_recipients_in_one_report(fresh):
    fresh.send(['bad@remote.test', 'bad2@remote.test'])
    report = fresh.reports()[0]
    assert len(report.recipients) == 2
    fresh.settled()
    assert len(fresh.posta.maildir('bob')) == 1


def test_headers_only(fresh):
    fresh.send('bad@remote.test', b'Subject: hello\n\nsecret\n',
               options=['RET=HDRS'])
    report = fresh.reports()[0]
    assert report.returned.get_content_type() == 'text/rfc822-headers'
    assert b'Subject: hello\n' in report.raw
    assert b'secret' not in report.raw


def test_large_messages_lose_their_text(fresh):
    fresh.send('bad@remote.test', b'Subject: large\n\n' + b'word\n' * 20000,
               options=['RET=FULL'])
    report = fresh.reports()[0]
    assert report.returned.get_content_type() == 'text/rfc822-headers'
    assert b'\nword\n' not in report.raw


def test_parameters_come_back(fresh):
    fresh.send('bad@remote.test', options=['ENVID=QQ+2B3141+3D'],
               rcpt_options=['ORCPT=rfc822;First+2BLast@other.test'])
    report = fresh.reports()[0]
    assert report.message_fields['Original-Envelope-Id'] == 'QQ+3141='
    assert report.fields()['Original-Recipient'] == \
        'rfc822;First+Last@other.test'


@pytest.mark.parametrize('notify', ['NEVER', 'SUCCESS', 'DELAY',
                                    'SUCCESS,DELAY'])
def test_nobody_wants_to_know(fresh, notify):
    fresh.send('bad@remote.test', rcpt_options=[f'NOTIFY={notify}'])
    fresh.send('bad@remote.test', b'Subject: the other\n\n',
               rcpt_options=['NOTIFY=FAILURE'])
    assert b'Subject: the other' in fresh.reports()[0].raw
    fresh.settled()
    assert len(fresh.posta.maildir('bob')) == 1


def test_success(fresh):
    fresh.send(['alice@example.test', 'good@remote.test'],
               rcpt_options=['NOTIFY=SUCCESS'])
    # Each comes when its recipient is done, or both in one.
    def recipients():
        reports = [Report(m) for m in fresh.posta.maildir('bob')]
        found = {r.fields(i)['Final-Recipient']: (r, r.fields(i))
                 for r in reports for i in range(len(r.recipients))}
        return found if len(found) == 2 else None
    found = wait_until(recipients, 'both recipients to be told of')
    report, fields = found['rfc822; alice@example.test']
    assert fields['Action'] == 'delivered' and fields['Status'][0] == '2'
    assert report.mail['Subject'] == 'Successful Mail Delivery Report'
    assert report.returned.get_content_type() == 'text/rfc822-headers'
    assert found['rfc822; good@remote.test'][1]['Action'] == 'relayed'
    fresh.posta.wait_log(r': sender delivery status notification: \w+')


def test_success_is_the_next_hops_to_report():
    with Site(ehlo=EHLO) as s:
        s.send('good@remote.test', rcpt_options=['NOTIFY=SUCCESS'])
        rcpt = wait_until(lambda: [c for c in s.remote.commands
                                   if c.startswith('RCPT')], 'the recipient')
        s.settled()
        assert s.posta.maildir('bob') == []
        assert 'NOTIFY=SUCCESS' in rcpt[0]


def test_reports_ask_for_no_reports():
    with Site(ehlo=EHLO) as s:
        s.send('bad@remote.test', sender='author@remote.test',
               options=['RET=HDRS', 'ENVID=x'])
        mail = wait_until(lambda: [c for c in s.remote.commands
                                   if c.startswith('MAIL FROM:<>')],
                          'the report')[0]
        rcpt = wait_until(lambda: [c for c in s.remote.commands
                                   if c.startswith('RCPT TO:<author@')],
                          'its recipient')[0]
        assert 'RET=' not in mail
        assert 'NOTIFY=' not in rcpt or 'NOTIFY=NEVER' in rcpt


def test_delay():
    with Site(delay_warning_time='1s', minimal_backoff_time='1s',
              maximal_backoff_time='1s') as s:
        qid = s.send('late@remote.test')
        report = s.reports()[0]
        assert report.mail['Subject'].startswith('Delayed Mail')
        assert 'ONLY A WARNING' in report.text
        fields = report.fields()
        assert fields['Action'] == 'delayed' and fields['Status'] == '4.2.0'
        assert email.utils.parsedate_to_datetime(fields['Will-Retry-Until'])
        assert report.returned.get_content_type() == 'text/rfc822-headers'
        s.posta.wait_log(rf'{qid}: sender delay notification: \w+')
        # Once is enough.
        tries = len(s.posta.wait_log('status=deferred', 3))
        s.posta.wait_log('status=deferred', tries + 2)
        assert len(s.posta.maildir('bob')) == 1


def test_expired():
    with Site(maximal_queue_lifetime='1s', minimal_backoff_time='1s',
              maximal_backoff_time='1s') as s:
        s.send('late@remote.test')
        report = s.reports()[0]
        assert report.fields()['Action'] == 'failed'
        assert 'not today' in ' '.join(report.text.split())
        s.posta.wait_log(r'from=<bob@example.test>, status=expired, '
                         'returned to sender')


def test_a_lost_report_is_the_end(fresh):
    qid = fresh.send('bad@remote.test', sender='')
    fresh.posta.wait_log(f'{qid}: removed')
    fresh.settled()
    assert fresh.posta.maildir('bob') == fresh.posta.maildir('alice') == []
    assert f'{qid}: postmaster' not in fresh.posta.log_text()


def test_double_bounce():
    with Site(**{'notify_classes': '2bounce',
                 '2bounce_notice_recipient': 'alice'}) as s:
        qid = s.send('bad@remote.test', sender='')
        report = s.reports(user='alice')[0]
        assert report.raw.startswith(b'Return-Path: <double-bounce@')
        assert report.mail['To'] == 'alice@example.test'
        assert report.mail['Subject'] == 'Postmaster Copy: Undelivered Mail'
        assert report.returned.get_content_type() == 'message/rfc822'
        s.posta.wait_log(rf'{qid}: postmaster non-delivery notification')


def test_double_bounce_that_fails_is_dropped():
    with Site(**{'notify_classes': '2bounce',
                 '2bounce_notice_recipient': 'bad@remote.test'}) as s:
        s.send('bad@remote.test', sender='')
        s.posta.wait_log('undeliverable postmaster notification discarded')
        s.settled()
        assert len(s.posta.wait_log('status=bounced', 2)) == 2


def test_postmaster_copies_hide_the_text():
    with Site(notify_classes='bounce', bounce_notice_recipient='alice') as s:
        s.send('bad@remote.test', b'Subject: hello\n\nsecret\n')
        copy = s.reports(user='alice')[0]
        assert copy.mail['Subject'] == 'Postmaster Copy: Undelivered Mail'
        assert b'Subject: hello' in copy.raw and b'secret' not in copy.raw
        assert b'secret' in s.reports(user='bob')[0].raw


def test_variable_return_path(fresh):
    fresh.send(['bad@remote.test', 'bad2@remote.test'], options=['XVERP'])
    reports = fresh.reports(2)
    assert sorted(r.mail['To'] for r in reports) == [
        'bob+bad2=remote.test@example.test',
        'bob+bad=remote.test@example.test']
    assert all(len(r.recipients) == 1 for r in reports)


def test_variable_return_path_may_be_off():
    with Site(disable_verp_bounces='yes') as s:
        s.send(['bad@remote.test', 'bad2@remote.test'], options=['XVERP=-='])
        report = s.reports()[0]
        assert report.mail['To'] == 'bob@example.test'
        assert len(report.recipients) == 2


def test_eight_bit_text(fresh):
    text = 'Subject: hello\nMIME-Version: 1.0\nContent-Type: text/plain; ' \
           'charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ngr\xfc\xdfe\n'
    fresh.send('bad@remote.test', text.encode(), options=['BODY=8BITMIME'])
    report = fresh.reports()[0]
    assert 'gr\xfc\xdfe'.encode() in report.raw
    assert report.returned['Content-Transfer-Encoding'] == '8bit'
    assert report.words['Content-Transfer-Encoding'] is None


def test_strange_replies(fresh):
    fresh.send('rude@remote.test')
    report = fresh.reports()[0]
    assert report.fields()['Diagnostic-Code'] == 'smtp; 554 5.7.1 go ?way?'
    assert 'go ?way?' in ' '.join(report.text.split())


def test_utf8_addresses(fresh):
    rcpt = 'b\xe4d@remote.test'
    fresh.send(rcpt, 'Subject: gr\xfc\xdfe\n\ntext\n'.encode(),
               options=['SMTPUTF8', 'BODY=8BITMIME'])
    report = fresh.reports()[0]
    assert report.status.get_content_type() == 'message/global-delivery-status'
    assert report.returned.get_content_type() == 'message/global'
    assert f'Final-Recipient: utf-8; {rcpt}\n'.encode() in report.raw
    assert f'<{rcpt}>: '.encode() in report.raw
    assert 'Subject: gr\xfc\xdfe\n'.encode() in report.raw


def test_threads():
    with Site(enable_threaded_bounces='yes') as s:
        s.send('bad@remote.test', b'Message-Id: <3@x>\nReferences: <1@x>\n'
               b' <2@x>\n\ntext\n')
        report = s.reports()[0]
        assert report.mail['In-Reply-To'] == '<3@x>'
        assert report.mail['References'].split() == ['<1@x>', '<2@x>', '<3@x>']
        s.send('bad@remote.test', b'Message-Id: <5@x>\nIn-Reply-To: <4@x>\n\n')
        report = s.reports(2)[1]
        assert report.mail['References'].split() == ['<4@x>', '<5@x>']


TEMPLATES = '''# Our words.
failure_template = <<EOF
Charset: utf-8
From: MAILER-DAEMON (Poststelle)
Subject: Unzustellbar
Postmaster-Subject: Kopie

Host $myhostname konnte $$5 in ${maximal_queue_lifetime_days} Tagen nicht
zustellen. Gr\xfc\xdfe
EOF
'''


def test_own_words():
    with Site() as s:
        path = s.posta.write('bounce.cf', TEMPLATES)
        s.posta.set(bounce_template_file=path)
        s.posta.reload()
        s.send('bad@remote.test')
        report = s.reports()[0]
        assert report.mail['Subject'] == 'Unzustellbar'
        assert b'From: MAILER-DAEMON@example.test (Poststelle)\n' in report.raw
        assert ' konnte $5 in 5 Tagen nicht\nzustellen. Gr\xfc\xdfe\n' \
            in report.text
        assert 'mail system' not in report.text


def test_broken_words_are_told():
    with Site() as s:
        path = s.posta.write('bounce.cf', 'failure_template = <<EOF\nx\n')
        s.posta.set(bounce_template_file=path)
        s.posta.reload()
        s.send('bad@remote.test')
        assert 'mail system' in s.reports()[0].text
        s.posta.wait_log('warning: bounce_template_file: .*line 2')


def test_verify(fresh):
    """sendmail -bv delivers nothing, and tells what would be."""
    fresh.posta.command('sendmail', '-bv', '-f', 'bob@example.test',
                        'alice@example.test', 'bad@remote.test', input='')
    report = fresh.reports()[0]
    assert report.mail['Subject'] == 'Mail Delivery Status Report'
    actions = {r.fields(i)['Final-Recipient']: r.fields(i)['Action']
               for r in [report] for i in range(len(r.recipients))}
    assert actions == {'rfc822; alice@example.test': 'deliverable',
                       'rfc822; bad@remote.test': 'undeliverable'}
    fresh.settled()
    assert fresh.posta.maildir('alice') == []


def test_postconf_shows_the_words(fresh):
    shown = fresh.posta.command('postconf', '-t').stdout
    path = fresh.posta.write('shown.cf', shown)
    assert fresh.posta.command('postconf', '-t', path).stdout == shown
    text = fresh.posta.command('postconf', '-b', path).stdout
    assert text.startswith('expanded_failure_text = <<EOF\nThis is the mail '
                           'system at host mail.example.test.\n')
    assert '5 days' in text and '$' not in text
    bad = fresh.posta.command('postconf', '-b', __file__, check=False)
    assert bad.returncode == 1 and 'line 1' in bad.stderr
