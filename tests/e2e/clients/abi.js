// A contract's ABI from its file, packed as setabi wants it; shared by the scripts that use eosjs.
const { Serialize } = require('eosjs');
const fs = require('fs');

exports.packedAbi = (api, file) => {
  const definition = JSON.parse(fs.readFileSync(file, 'utf8'));
  const types = api.abiTypes.get('abi_def');
  for (const { name } of types.fields) definition[name] ??= name === 'version' ? '' : [];
  const buffer = new Serialize.SerialBuffer();
  types.serialize(buffer, definition);
  return Buffer.from(buffer.asUint8Array()).toString('hex');
};
