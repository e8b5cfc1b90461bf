// A WebSocket client with the module ws, for the tests: node wsclient.js SCENARIO URL [CA].
// It prints one line of JSON with what it has seen.
'use strict';
const assert = require('assert');
const fs = require('fs');
const WebSocket = require('ws');

const [scenario, url, ca] = process.argv.slice(2);
const tls = ca ? { ca: fs.readFileSync(ca) } : {};

function open(options, protocols) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols || [], { ...tls, perMessageDeflate: false, ...options });
    ws.once('upgrade', (response) => { ws.agreed = response.headers['sec-websocket-extensions'] || ''; });
    ws.once('open', () => resolve(ws));
    ws.once('error', reject);
  });
}
function once(ws, event) { return new Promise((resolve) => ws.once(event, (...args) => resolve(args))); }
function closed(ws) { return once(ws, 'close').then(([code, reason]) => [code, reason.toString()]); }

// Sends each message and expects it back, of the same kind.
async function echo(ws, messages) {
  for (const m of messages) {
    const answer = once(ws, 'message');
    ws.send(m);
    const [data, binary] = await answer;
    assert.strictEqual(binary, typeof m !== 'string');
    assert.ok(Buffer.from(m).equals(data), `${m.length} bytes came back as ${data.length}`);
  }
}

const text = (n) => 'Grüße, 世界! '.repeat(n);
const noise = (n) => { const b = Buffer.alloc(n); let x = 1; for (let i = 0; i < n; i++) { x = (x * 1103515245 + 12345) >>> 0; b[i] = x >>> 24; } return b; };
const messages = ['', 'a', text(1), text(100), Buffer.alloc(0), noise(125), noise(126), noise(65535), noise(65536), noise(1 << 20), text(70000)];

const scenarios = {
  async echo() {
    const ws = await open();
    await echo(ws, messages);
    const close = closed(ws);
    ws.close(1000, 'done');
    return { agreed: ws.agreed, close: await close };
  },
  // As echo, for servers that answer everything by text.
  async texts() {
    const ws = await open();
    await echo(ws, messages.filter((m) => typeof m === 'string'));
    const close = closed(ws);
    ws.close(1000, 'done');
    return { agreed: ws.agreed, close: await close };
  },
  async fragments() {
    const ws = await open();
    const answer = once(ws, 'message');
    const pong = once(ws, 'pong');
    ws.send('first ', { fin: false });
    ws.send('second ', { fin: false });
    ws.ping('between');
    ws.send('', { fin: false });
    ws.send('third');
    const [first] = await pong;
    const [data, binary] = await answer;
    ws.terminate();
    return { pong: first.toString(), data: data.toString(), binary };
  },
  async deflate() {
    const seen = [];
    for (const offer of [
      true,
      { threshold: 0 },
      { threshold: 0, clientNoContextTakeover: true },
      { threshold: 0, serverNoContextTakeover: true },
      { threshold: 0, clientNoContextTakeover: true, serverNoContextTakeover: true },
      { threshold: 0, serverMaxWindowBits: 10 },
      { threshold: 0, clientMaxWindowBits: 10 },
    ]) {
      const ws = await open({ perMessageDeflate: offer });
      await echo(ws, messages.concat(messages));
      seen.push(ws.agreed);
      ws.terminate();
    }
    return seen;
  },
  async ping() {
    const ws = await open();
    const pings = [];
    ws.on('ping', (data) => pings.push(data.toString()));
    const pong = once(ws, 'pong');
    ws.ping('hello');
    const [data] = await pong;
    // The server pings at a message.
    ws.send('ping me');
    await once(ws, 'ping');
    const [ack] = await once(ws, 'message'); // the server has had our pong
    ws.terminate();
    return { pong: data.toString(), pings, ack: ack.toString() };
  },
  async closes() {
    const seen = [];
    for (const code of [1000, 1001, 1003, 1008, 1011, 3000, 4999]) {
      const ws = await open();
      const close = closed(ws);
      ws.close(code, 'reason ä');
      seen.push(await close);
    }
    const ws = await open();
    const close = closed(ws);
    ws.close();
    seen.push(await close);
    return seen;
  },
  async closed() {
    const seen = [];
    for (const code of [1000, 1008, 4001]) {
      const ws = await open();
      const close = closed(ws);
      ws.send(`close ${code}`);
      seen.push(await close);
    }
    const ws = await open();
    const close = closed(ws);
    ws.send('x'.repeat(200000)); // more than the server takes
    seen.push(await close);
    return seen;
  },
  async subprotocol() {
    const ws = await open({}, ['unknown', 'chat.v2', 'chat.v1']);
    const protocol = ws.protocol;
    ws.terminate();
    const refused = await open({}, ['unknown']).then(() => 'accepted', (err) => err.message);
    return { protocol, refused };
  },
  async refused() {
    const ws = new WebSocket(url, { headers: { Authorization: 'none' } });
    const [, response] = await once(ws, 'unexpected-response');
    ws.on('error', () => {});
    ws.terminate();
    return response.statusCode;
  },
  async crowd() {
    const size = 500;
    const all = await Promise.all(Array.from({ length: size }, (_, i) => open({ perMessageDeflate: i % 2 === 0 })));
    const messages = all.map((ws) => once(ws, 'message'));
    all[0].send('to everybody: ' + text(100));
    const got = await Promise.all(messages);
    all.forEach((ws) => ws.terminate());
    const [data] = got[0];
    return { size, same: got.filter(([d]) => d.equals(data)).length, bytes: data.length };
  },
};

scenarios[scenario]().then(
  (seen) => { console.log(JSON.stringify(seen)); process.exit(0); },
  (err) => { console.error(err); process.exit(1); },
);
