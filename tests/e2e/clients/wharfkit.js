// wharfkit: create an account, deploy a contract, push actions, read rows. Usage: node wharfkit.js URL CONTRACT.wasm CONTRACT.abi [zlib]
const { ABI, APIClient, Action, Bytes, CompressionType, FetchProvider, PackedTransaction, PrivateKey, Serializer, SignedTransaction, Transaction } =
  require('@wharfkit/antelope');
const assert = require('assert');
const fs = require('fs');

const [url, wasm, abiFile, compression = 'none'] = process.argv.slice(2);
const client = new APIClient({ provider: new FetchProvider(url, { fetch }) });
const key = PrivateKey.from('5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3');
const account = 'wharftoken';
const abis = new Map();

async function abiOf(name) {
  if (!abis.has(name)) abis.set(name, (await client.v1.chain.get_abi(name)).abi);
  return ABI.from(abis.get(name));
}

async function send(...actions) {
  const info = await client.v1.chain.get_info();
  const packed = await Promise.all(actions.map(async ([contract, name, actor, data]) =>
    Action.from({ account: contract, name, authorization: [{ actor, permission: 'active' }], data }, await abiOf(contract))));
  const transaction = Transaction.from({ ...info.getTransactionHeader(), actions: packed });
  const signature = key.signDigest(transaction.signingDigest(info.chain_id));
  const signed = SignedTransaction.from({ ...transaction, signatures: [signature] });
  return client.v1.chain.send_transaction(PackedTransaction.fromSigned(signed, CompressionType[compression]));
}

async function main() {
  const authority = { threshold: 1, keys: [{ key: key.toPublic(), weight: 1 }], accounts: [], waits: [] };
  for (const name of [account, 'wharfalice']) {
    await send(['eosio', 'newaccount', 'eosio', { creator: 'eosio', name, owner: authority, active: authority }]);
  }
  const definition = ABI.from(fs.readFileSync(abiFile, 'utf8'));
  await send(
    ['eosio', 'setcode', account, { account, vmtype: 0, vmversion: 0, code: Bytes.from(fs.readFileSync(wasm)) }],
    ['eosio', 'setabi', account, { account, abi: Serializer.encode({ object: definition, type: ABI }) }],
  );
  await send(
    [account, 'create', account, { issuer: account, maximum_supply: '1000000.0000 WK' }],
    [account, 'issue', account, { to: account, quantity: '100.0000 WK', memo: '' }],
  );
  const sent = await send([account, 'transfer', account, { from: account, to: 'wharfalice', quantity: '2.2500 WK', memo: '' }]);
  assert.equal(String(sent.processed.receipt.status), 'executed');
  const table = await client.v1.chain.get_table_rows({ code: account, scope: 'wharfalice', table: 'accounts', json: true });
  assert.deepEqual(table.rows, [{ balance: '2.2500 WK' }]);
  const balances = await client.v1.chain.get_currency_balance(account, account, 'WK');
  assert.deepEqual(balances.map(String), ['97.7500 WK']);
  const refused = await send([account, 'transfer', 'wharfalice', { from: 'wharfalice', to: account, quantity: '9.0000 WK', memo: '' }]).catch((error) => error);
  assert.equal(refused.code, 3050003);
  const state = await client.v1.chain.get_account('wharfalice');
  assert.equal(String(state.account_name), 'wharfalice');
  await new Promise((done) => setTimeout(done, 1000)); // the block is still open when its transaction is answered
  const block = await client.v1.chain.get_block(sent.processed.block_num);
  assert.equal(Number(block.block_num), sent.processed.block_num);
  const { transactions } = await client.call({ path: '/v1/chain/get_block', params: { block_num_or_id: sent.processed.block_num } });
  const { trx } = transactions.find(({ trx }) => trx.id === sent.transaction_id);
  assert.equal(trx.compression, compression);
  console.log('wharfkit: ok');
}

main().catch((error) => { console.error(error, JSON.stringify(error.details)); process.exit(1); });
