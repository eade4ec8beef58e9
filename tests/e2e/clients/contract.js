// A contract tested from JavaScript on `boreasd dev`: anybody acts without keys, time moves, the chain goes back.
// Usage: node contract.js URL CONTRACT.wasm CONTRACT.abi, with the contract of contracts/examples/cookbook.
const { Api, JsonRpc } = require('eosjs');
const assert = require('node:assert');
const fs = require('node:fs');
const { before, beforeEach, test } = require('node:test');
const { packedAbi } = require('./abi.js');

const [url, wasm, abi] = process.argv.slice(2);
const CONTRACT = 'alice';

// --- the chain: eosjs packs and reads, /v1/dev does what no other chain would

const rpc = new JsonRpc(url, { fetch });
const api = new Api({ rpc, signatureProvider: { getAvailableKeys: async () => [] } });

async function dev(call, body = {}) {
  const answer = await fetch(`${url}/v1/dev/${call}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  return answer.json();
}

const action = (account, name, actor, data) => ({ account, name, authorization: [{ actor, permission: 'active' }], data });

/** Pushes actions that nobody has to sign; the trace, or the contract's message as an error. */
async function push(...actions) {
  // blocksBehind 0: the third block before the head can lie hours back, where the transaction would have expired.
  const packed = await api.transact({ actions }, { blocksBehind: 0, expireSeconds: 60, broadcast: false, sign: false });
  const hex = Buffer.from(packed.serializedTransaction).toString('hex');
  const told = await dev('send_transaction', { transaction: { signatures: [], compression: 0, packed_context_free_data: '', packed_trx: hex } });
  const fault = told.error ?? told.processed.except;
  if (fault) throw new Error((fault.details?.[0] ?? fault.stack[0]).message ?? JSON.stringify(fault));
  return told.processed;
}

const call = async (name, actor, data) => (await push(action(CONTRACT, name, actor, data))).action_traces[0].return_value_data;
const rows = async (table) => (await rpc.get_table_rows({ json: true, code: CONTRACT, scope: CONTRACT, table })).rows;

// --- the tests

before(async () => {
  const code = fs.readFileSync(wasm).toString('hex');
  await push(
    action('eosio', 'buyrambytes', CONTRACT, { payer: CONTRACT, receiver: CONTRACT, bytes: 400_000 }),
    action('eosio', 'setcode', CONTRACT, { account: CONTRACT, vmtype: 0, vmversion: 0, code }),
    action('eosio', 'setabi', CONTRACT, { account: CONTRACT, abi: packedAbi(api, abi) }),
  );
  assert.equal((await dev('save', { name: 'deployed' })).name, 'deployed');
});

beforeEach(() => dev('restore', { name: 'deployed' }));

const leave = (seconds, text) => dev('get_time').then(({ time }) => {
  const expires = new Date(Date.parse(`${time}Z`) + seconds * 1000).toISOString().slice(0, 19);
  return call('leave', 'bob', { author: 'bob', expires, text });
});

test('results and rows are read by the ABI', async () => {
  assert.equal(await leave(3600, 'one'), 0);
  assert.equal(await leave(3600, 'two'), 1);
  assert.deepEqual((await rows('notes')).map(({ id, author, text }) => [id, author, text]), [[0, 'bob', 'one'], [1, 'bob', 'two']]);
  assert.deepEqual(await call('list', 'carol', { from: 0, limit: 1 }), { notes: [0], next: 1 });
});

test('each test begins with the state that was saved', async () => {
  assert.deepEqual(await rows('notes'), []);
});

test('time moves by hours', async () => {
  await leave(3600, 'short');
  await leave(100 * 3600, 'long');
  assert.equal(await call('sweep', 'carol', { limit: 9 }), 0);
  assert.ok((await dev('move_time', { seconds: 2 * 3600 })).blocks > 0);
  assert.equal(await call('sweep', 'carol', { limit: 9 }), 1);
  assert.deepEqual((await rows('notes')).map(({ text }) => text), ['long']);
});

test('faults say what the contract said', async () => {
  await assert.rejects(call('withdraw', 'bob', { owner: 'bob', quantity: '1.0000 SYS' }), /nothing is deposited/);
  await assert.rejects(call('withdraw', 'carol', { owner: 'bob', quantity: '1.0000 SYS' }), /missing authority of bob/);
});

test('money comes in, with its notification', async () => {
  const paid = await push(action('eosio.token', 'transfer', 'bob', { from: 'bob', to: CONTRACT, quantity: '2.5000 SYS', memo: 'deposit' }));
  assert.deepEqual(paid.action_traces.map(({ receiver }) => receiver), ['eosio.token', 'bob', CONTRACT]);
  assert.deepEqual(await rows('deposits'), [{ owner: 'bob', balance: '2.5000 SYS' }]);
});
