// What a mail app written with ImapFlow does in a session; prints what it saw.
// Arguments: port, user, password.
const { ImapFlow } = require('imapflow');

const [port, user, pass] = process.argv.slice(2);

function open() {
    return new ImapFlow({
        host: '127.0.0.1', port: Number(port), secure: true,
        auth: { user, pass }, tls: { rejectUnauthorized: false },
        logger: false, qresync: true
    });
}

async function listen(client, seen) {
    client.on('exists', e => seen.push(['exists', e.path, e.count]));
    client.on('expunge', e => seen.push(['expunge', e.path, e.uid || e.seq]));
    client.on('flags', e => seen.push(['flags', e.path, [...e.flags]]));
    await client.connect();
    await client.mailboxOpen('INBOX');
    client.idle();
}

async function until(test) {
    for (let i = 0; i < 600 && !test(); i++)
        await new Promise(done => setTimeout(done, 100));
    if (!test())
        throw new Error('it was not told');
}

async function work(client, said) {
    await client.connect();
    await client.mailboxCreate(['Work', 'Bücher']);
    said.folders = (await client.list()).map(f => f.path).sort();
    const lock = await client.getMailboxLock('INBOX');
    const text = 'Subject: one\r\n\r\nThe first one.\r\n';
    said.appended = (await client.append('INBOX', text, ['\\Seen'])).uid;
    await client.append('INBOX', text.replace('one', 'two'), ['$Forwarded']);
    said.messages = [];
    for await (const m of client.fetch('1:*', {
        uid: true, flags: true, envelope: true, bodyStructure: true,
        size: true, internalDate: true, headers: ['subject']
    })) {
        m.flags.delete('\\Recent');
        said.messages.push([m.uid, m.envelope.subject, m.bodyStructure.type,
            [...m.flags], m.size]);
    }
    const { content } = await client.download('1', '1');
    said.text = '';
    for await (const chunk of content)
        said.text += chunk;
    said.found = await client.search({ subject: 'two' }, { uid: true });
    said.flagged = await client.messageFlagsAdd('1', ['\\Flagged']);
    said.moved = [...(await client.messageMove('2', 'Work/Bücher')).uidMap];
    said.deleted = await client.messageDelete('1');
    said.status = await client.status('Work/Bücher',
        { messages: true, unseen: true });
    said.quota = await client.getQuota('INBOX');
    lock.release();
}

async function main() {
    const said = {}, seen = [];
    const other = open(), client = open();
    await listen(other, seen);
    await work(client, said);
    await until(() => seen.filter(e => e[0] === 'expunge').length === 2);
    said.seen = seen;
    said.enabled = [...client.enabled];
    await client.logout();
    await other.logout();
    console.log(JSON.stringify(said));
}

main().catch(e => {
    console.error(e);
    process.exit(1);
});
