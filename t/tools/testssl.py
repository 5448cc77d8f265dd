"""Runs testssl.sh against a new instance; findings above "low" are an error."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'system'))
from harness import Posta  # noqa: E402

FINE = ('OK', 'INFO', 'LOW', 'DEBUG')


def is_excused(finding):
    """What follows from a self-signed certificate and from loopback, and what
    this openssl(1) cannot look for."""
    return finding['id'].split()[0] in (
        'cert_trust', 'cert_chain_of_trust', 'cert_revocation',
        'cert_expirationStatus', 'cert_notAfter', 'cert_validityPeriod',
        'cert_extlifeSpan', 'cert_subjectAltName', 'DNS_CAArecord') or \
        finding['severity'] == 'WARN' and 'not supported by local OpenSSL' in \
        finding['finding'] or finding['id'] == 'overall_grade'


def main():
    with tempfile.TemporaryDirectory() as folder, Posta(settings={
            'smtpd_client_connection_count_limit': '0'}) as posta:
        report = pathlib.Path(folder) / 'report'
        subprocess.run(
            ['testssl', '--quiet', '--color', '0', '--warnings', 'batch',
             '--ip', '127.0.0.1', '--nodns', 'min', '--jsonfile', report, '-t',
             'smtp', f'{posta.domain}:{posta.port}'], check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        findings = json.loads(report.read_text())
        died = posta.died()
    bad = [f for f in findings
           if f['severity'] not in FINE and not is_excused(f)]
    for f in bad:
        print('{severity} {id}: {finding}'.format(**f))
    print(f'{len(findings)} findings, {len(bad)} above "low"')
    return 1 if bad or died or len(findings) < 50 else 0


if __name__ == '__main__':
    sys.exit(main())
