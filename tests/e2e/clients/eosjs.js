// eosjs: create an account, deploy a contract, push actions, read rows. Usage: node eosjs.js URL CONTRACT.wasm CONTRACT.abi [zlib]
const { Api, JsonRpc } = require('eosjs');
const { JsSignatureProvider } = require('eosjs/dist/eosjs-jssig');
const assert = require('assert');
const fs = require('fs');
const { packedAbi } = require('./abi.js');

const [url, wasm, abi, compression] = process.argv.slice(2);
const key = '5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3';
const publicKey = 'EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV';
const account = 'eosjstoken';

const rpc = new JsonRpc(url, { fetch });
const api = new Api({ rpc, signatureProvider: new JsSignatureProvider([key]) });
const authority = { threshold: 1, keys: [{ key: publicKey, weight: 1 }], accounts: [], waits: [] };
const settings = { blocksBehind: 3, expireSeconds: 30, compression: compression === 'zlib' };
const by = (actor) => [{ actor, permission: 'active' }];
const send = (actions, other = {}) => api.transact({ actions }, { ...settings, ...other });

async function main() {
  for (const name of [account, 'eosjsalice']) {
    const data = { creator: 'eosio', name, owner: authority, active: authority };
    await send([{ account: 'eosio', name: 'newaccount', authorization: by('eosio'), data }]);
  }
  const code = fs.readFileSync(wasm).toString('hex');
  await send([
    { account: 'eosio', name: 'setcode', authorization: by(account), data: { account, vmtype: 0, vmversion: 0, code } },
    { account: 'eosio', name: 'setabi', authorization: by(account), data: { account, abi: packedAbi(api, abi) } },
  ]);
  const token = (name, actor, data) => ({ account, name, authorization: by(actor), data });
  await send([
    token('create', account, { issuer: account, maximum_supply: '1000000.0000 JS' }),
    token('issue', account, { to: account, quantity: '100.0000 JS', memo: '' }),
  ]);
  const sent = await send([token('transfer', account, { from: account, to: 'eosjsalice', quantity: '1.5000 JS', memo: 'hi' })]);
  assert.equal(sent.processed.receipt.status, 'executed');
  assert.deepEqual(sent.processed.action_traces.map((trace) => trace.receiver), [account, account, 'eosjsalice'].slice(0, sent.processed.action_traces.length));
  const { rows } = await rpc.get_table_rows({ json: true, code: account, scope: 'eosjsalice', table: 'accounts' });
  assert.deepEqual(rows, [{ balance: '1.5000 JS' }]);
  assert.deepEqual(await rpc.get_currency_balance(account, account, 'JS'), ['98.5000 JS']);

  await send([{ account: 'eosio', name: 'setabi', authorization: by('eosjsalice'), data: { account: 'eosjsalice', abi: packedAbi(api, abi) } }]);
  const free = { account: 'eosjsalice', name: 'retire', authorization: [], data: { quantity: '1.0000 JS', memo: '' } };
  const read = await api.transact(
    { actions: [token('transfer', account, { from: account, to: 'eosjsalice', quantity: '0.5000 JS', memo: '' })], context_free_actions: [free], context_free_data: ['abcd', ''] },
    settings);
  assert.equal(read.processed.receipt.status, 'executed');
  const signed = await send([token('transfer', account, { from: account, to: 'eosjsalice', quantity: '0.1000 JS', memo: '' })], { broadcast: false });
  const pack = (bytes) => (compression === 'zlib' ? api.deflateSerializedArray(bytes) : bytes);
  const packed = {
    signatures: signed.signatures, compression: compression === 'zlib' ? 1 : 0,
    serializedTransaction: pack(signed.serializedTransaction), serializedContextFreeData: pack(new Uint8Array(0)),
  };
  assert.equal((await rpc.send_transaction(packed)).processed.receipt.status, 'executed');

  const refused = await send([token('transfer', 'eosjsalice', { from: 'eosjsalice', to: account, quantity: '9.0000 JS', memo: '' })]).catch((error) => error);
  assert.equal(refused.json.code, 500);
  assert.equal(refused.json.error.code, 3050003);
  assert.match(refused.message, /overdrawn balance/);
  const chain = await rpc.get_account('eosjsalice');
  assert.equal(chain.permissions.length, 2);
  await new Promise((done) => setTimeout(done, 1000)); // the block is still open when its transaction is answered
  const { transactions } = await rpc.get_block(sent.processed.block_num);
  const { trx } = transactions.find(({ trx }) => trx.id === sent.transaction_id);
  assert.deepEqual([trx.compression, trx.transaction.actions[0].name], [compression ?? 'none', 'transfer']);
  console.log('eosjs: ok');
}

main().catch((error) => { console.error(error, JSON.stringify(error.json)); process.exit(1); });
