#!/bin/bash
# walkthrough.sh FOLDER : deploys the escrow with cleos (or boreas) and plays one deal of each kind.
#
# FOLDER holds escrow.wasm and escrow.abi (contracts/build makes them). CLEOS is how to call either, url and wallet
# included; the wallet must be able to sign for ESCROW (no contract yet, needs some 250 KB of RAM), BUYER and SELLER, and
# BUYER must have 10 of SYMBOL. Every line that must fail is checked for its message.
set -euo pipefail

folder=${1:?folder with escrow.wasm and escrow.abi}
cleos=${CLEOS:-cleos} escrow=${ESCROW:-carol} buyer=${BUYER:-alice} seller=${SELLER:-bob} symbol=${SYMBOL:-SYS}

# -f: the same payment twice within a second would be the same transaction.
push() { $cleos push action -f "$escrow" "$1" "$2" -p "$3@active" "${@:4}" >/dev/null && echo "ok      $1 $2"; }
pay() { $cleos transfer -f "$buyer" "$escrow" "$1 $symbol" "$2" -p "$buyer@active" >/dev/null && echo "ok      pay $1 for deal $2"; }
refused() {
  local message=$1 output
  shift
  if output=$("$@" 2>&1); then echo "must fail: $*" >&2; exit 1; fi
  grep -qF "$message" <<<"$output" || { echo "another fault than '$message': $output" >&2; exit 1; }
  echo "refused $message"
}
rows() { $cleos get table "$escrow" "$escrow" "$1" | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["rows"]))'; }

$cleos set account permission "$escrow" active --add-code -p "$escrow@active" >/dev/null 2>&1 || true # it may have it already
$cleos set contract "$escrow" "$folder" escrow.wasm escrow.abi -p "$escrow@active" >/dev/null
past=2020-01-01T00:00:00 future=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S) soon=$(date -u -d '+4 seconds' +%Y-%m-%dT%H:%M:%S)

refused "the deadline has passed already" push open "[\"$buyer\",\"$seller\",\"2.0000 $symbol\",\"$past\",\"a book\"]" "$buyer"
refused "buyer and seller are the same account" push open "[\"$buyer\",\"$buyer\",\"2.0000 $symbol\",\"$future\",\"a book\"]" "$buyer"
push open "[\"$buyer\",\"$seller\",\"2.0000 $symbol\",\"$future\",\"a book\"]" "$buyer"
push open "[\"$buyer\",\"$seller\",\"3.0000 $symbol\",\"$soon\",\"a lamp\"]" "$buyer"
refused "the memo must be the number of a deal" pay 2.0000 "for the book"
refused "there is no such deal" pay 2.0000 7
refused "the price is 2.0000 $symbol, not 1.0000 $symbol" pay 1.0000 0
refused "the deal is not paid" push release '[0]' "$buyer"
pay 2.0000 0
pay 3.0000 1
refused "the deal is paid already" pay 2.0000 0
refused "missing authority of $buyer" push release '[0]' "$seller"
refused "before the deadline the seller must agree" push refund '[0]' "$buyer"
push pending "[\"$seller\"]" "$seller"
[ "$($cleos get table "$escrow" "$escrow" deals --index 2 --key-type name -L "$seller" -U "$seller" | grep -c '"subject"')" = 2 ]
push release '[0]' "$buyer"
sleep 5
push refund '[1]' "$buyer"
[ "$(rows deals)" = "[]" ]
[ "$(rows sellers)" = "[{\"account\": \"$seller\", \"released\": 1, \"expired\": 1}]" ]
echo "all deals are done; $escrow has $($cleos get currency balance eosio.token "$escrow" "$symbol")"
