#!/usr/bin/env python3
"""Asks two nodes the same questions and shows where their answers differ.

compare.py URL_A URL_B [--accounts a,b,...] [--verbose]

Both nodes should have been driven through the same steps (for example the oracle's boot.py). Values that cannot be the
same on two chains (ids, times, hashes, versions, measured times) are compared by their kind only. Exits with the number
of differing answers.
"""
import argparse, json, re, sys, urllib.error, urllib.request

VOLATILE = re.compile(r"^[0-9a-f]{64}$|^[0-9a-f]{128,}$|^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|^SIG_|^v\d|\.bin$")
# Numbers that depend on the moment of asking or on the machine.
MOVING = {"head_block_num", "last_irreversible_block_num", "fork_db_head_block_num", "block_num", "ref_block_prefix",
          "virtual_block_cpu_limit", "virtual_block_net_limit", "block_cpu_limit", "block_net_limit", "server_version",
          "used", "available", "max", "current_used", "cpu_usage_us", "elapsed", "dpos_proposed_irreversible_blocknum",
          "dpos_irreversible_blocknum", "_node_count", "schedule_lib_num", "ref_block_num", "free_bytes", "used_bytes",
          "size", "activation_block_num", "line_number", "file", "method", "number", "head_number", "irreversible_number",
          "producer_to_last_produced", "producer_to_last_implied_irb", "_active_nodes", "snapshot_name", "thread_name",
          "global_sequence", "recv_sequence", "auth_sequence", "perblock_bucket", "pervote_bucket", "total_unpaid_blocks",
          "indices", "earliest_tracked_block_number", "line", "apis", "confirm_count", "server_version_string",
          "server_full_version_string"}


def ask(url, path, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, method="POST")
    try:
        answer = urllib.request.urlopen(request, timeout=30)
        return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def shape(value, key=""):
    """The value with what cannot be equal replaced; field order is kept."""
    if key in MOVING:
        return "*"
    if isinstance(value, dict):
        return [(name, shape(inner, name)) for name, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str) and VOLATILE.search(value):
        return "*"
    if isinstance(value, str):
        return re.sub(r"[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+", "*", value)
    return value


def requests(accounts):
    """(path, body) of every question."""
    chain = "/v1/chain/"
    yield from ((chain + path, {}) for path in ("get_info", "get_consensus_parameters", "get_producer_schedule"))
    yield chain + "get_info", b""
    yield chain + "get_info", b"{}"
    yield chain + "get_info", {"x": 1}
    yield chain + "get_info", b"{"
    yield "/v1/node/get_supported_apis", {}
    yield chain + "nosuch", {}
    for limit in (1, 3, 100):
        yield chain + "get_activated_protocol_features", {"limit": limit}
        yield chain + "get_activated_protocol_features", {"limit": limit, "reverse": True}
    yield chain + "get_activated_protocol_features", {"lower_bound": 2, "upper_bound": 4}
    yield chain + "get_activated_protocol_features", {"lower_bound": 1, "upper_bound": 9, "search_by_block_num": True}
    for body in ({"block_num_or_id": 1}, {"block_num_or_id": "1"}, {"block_num_or_id": 2}, {"block_num_or_id": "99999999"},
                 {"block_num_or_id": ""}, {"block_num_or_id": "xyz"}, {"block_num_or_id": "00" * 32}, {},
                 {"block_num_or_id": "0" * 65}, b"", b"[]", {"block_num_or_id": -1}):
        for name in ("get_block", "get_raw_block", "get_block_header", "get_block_header_state"):
            yield chain + name, body
    yield chain + "get_block_header", {"block_num_or_id": 1, "include_extensions": True}
    for number in (1, 2, "2", 99999999, 0):
        yield chain + "get_block_info", {"block_num": number}
    for account in [*accounts, "nosuchacct", "", "BADNAME", "toolongaccountname"]:
        yield chain + "get_account", {"account_name": account}
        for name in ("get_abi", "get_code_hash", "get_raw_abi"):
            yield chain + name, {"account_name": account}
        yield chain + "get_currency_balance", {"code": "eosio.token", "account": account}
        yield chain + "get_currency_balance", {"code": "eosio.token", "account": account, "symbol": "sys"}
        yield chain + "get_currency_balance", {"code": account, "account": "alice"}
    yield chain + "get_raw_code_and_abi", {"account_name": "eosio.token"}
    yield chain + "get_code", {"account_name": "alice", "code_as_wasm": 1}
    yield chain + "get_code", {"account_name": "alice", "code_as_wasm": False}
    yield chain + "get_account", {"account_name": "alice", "expected_core_symbol": "4,SYS"}
    yield chain + "get_account", {"account_name": "alice", "expected_core_symbol": "4,EOS"}
    for symbol in ("SYS", "sys", "NOPE", "", "4,SYS"):
        yield chain + "get_currency_stats", {"code": "eosio.token", "symbol": symbol}
    for code, scope, table in (("eosio", "eosio", "global"), ("eosio", "eosio", "producers"), ("eosio", "eosio", "voters"),
                               ("eosio.token", "alice", "accounts"), ("eosio.token", "SYS", "stat"), ("eosio", "eosio", "rammarket"),
                               ("eosio", "alice", "userres"), ("eosio", "eosio", "namebids"), ("eosio", "eosio", "nosuch"),
                ("nosuchacct", "x", "y"), ("eosio", "eosio", "Producers")):
        base = {"json": True, "code": code, "scope": scope, "table": table}
        yield chain + "get_table_rows", base
        for extra in ({"limit": 1}, {"limit": 2, "reverse": True}, {"json": False}, {"show_payer": True}, {"limit": 0},
                      {"lower_bound": "prodb"}, {"upper_bound": "prodc"}, {"lower_bound": "prodb", "upper_bound": "prodd"},
                      {"lower_bound": 1}, {"lower_bound": "prodb", "key_type": "name"}, {"lower_bound": "!", "key_type": "name"},
                      {"index_position": 2}, {"index_position": 2, "key_type": "float64"}, {"index_position": "secondary", "key_type": "i64"},
                      {"index_position": 2, "key_type": "float64", "limit": 2, "reverse": True},
                      {"index_position": 2, "key_type": "float64", "lower_bound": "-1e30", "upper_bound": "1e30"},
                      {"index_position": 2, "key_type": "float64", "lower_bound": "x"}, {"index_position": "x"},
                      {"index_position": 3, "key_type": "sha256"}, {"index_position": 3, "key_type": "nosuch"},
                      {"index_position": 2, "key_type": "i64", "limit": 1}, {"index_position": 2, "key_type": "i128", "limit": 1},
                      {"index_position": 2, "key_type": "i64", "lower_bound": "x"}, {"lower_bound": "9", "upper_bound": "1"},
                      {"encode_type": "hex"}, {"limit": "2"}, {"limit": "x"}, {"json": "true"}, {"json": 1}):
            yield chain + "get_table_rows", {**base, **extra}
    for body in ({"code": "eosio"}, {"code": "eosio", "limit": 2}, {"code": "eosio", "limit": 3, "reverse": True}, {"code": "eosio", "table": "userres"},
                 {"code": "eosio", "table": "userres", "limit": 2}, {"code": "eosio.token", "lower_bound": "alice", "upper_bound": "bob"},
                 {"code": "nosuchacct"}, {"code": "eosio", "lower_bound": "bob", "limit": 1}, {}):
        yield chain + "get_table_by_scope", body
    for body in ({"json": True}, {"json": True, "limit": 2}, {"json": False, "limit": 1}, {"json": True, "lower_bound": "prodc"}, {}):
        yield chain + "get_producers", body
    yield chain + "get_scheduled_transactions", {"json": True}
    yield chain + "get_scheduled_transactions", {"json": True, "lower_bound": "x"}
    key = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
    action = {"account": "eosio.token", "name": "transfer", "authorization": [{"actor": "alice", "permission": "active"}],
              "data": {"from": "alice", "to": "bob", "quantity": "1.0000 SYS", "memo": "m"}}
    head = {"expiration": "2030-01-01T00:00:00", "ref_block_num": 1, "ref_block_prefix": 2, "max_net_usage_words": 0,
            "max_cpu_usage_ms": 0, "delay_sec": 0, "context_free_actions": [], "transaction_extensions": []}
    for actions in ([action], [{**action, "data": "00"}], [{**action, "authorization": [{"actor": "nosuchacct", "permission": "active"}]}],
                    [{**action, "data": {"from": "alice"}}], [{**action, "account": "nosuchacct"}], []):
        for keys in ([key], []):
            yield chain + "get_required_keys", {"transaction": {**head, "actions": actions}, "available_keys": keys}
        yield chain + "get_transaction_id", {**head, "actions": actions}
    yield chain + "get_transaction_id", b"{}"
    yield chain + "get_transaction_id", b"x"
    yield chain + "get_required_keys", {"transaction": {}, "available_keys": ["x"]}
    for name in ("push_transaction", "send_transaction"):
        for body in ({}, b"{", {"signatures": []}, {"signatures": [], "compression": "none"},
                     {"signatures": [], "compression": "none", "packed_trx": "zz"},
                     {"signatures": [], "compression": "none", "packed_trx": "00"},
                     {"signatures": ["x"], "compression": "none", "packed_trx": "00"},
                     {"signatures": [], "compression": "bzip", "packed_trx": "00"},
                     {"signatures": [], "compression": "none", "transaction": {**head, "actions": [action]}},
                     {"signatures": [], "compression": "none", "transaction": {**head, "expiration": "2001-01-01T00:00:00", "actions": [action]}},
                     {"signatures": [], "compression": "none", "transaction": {**head, "actions": []}}):
            yield chain + name, body
    for name in ("compute_transaction", "send_read_only_transaction", "send_transaction2"):
        for body in ({}, {"transaction": {}}, {"transaction": {"signatures": [], "compression": "none", "transaction": {**head, "actions": [action]}}},
                     {"transaction": {"signatures": [], "compression": "none", "transaction": {**head, "actions": []}}}):
            yield chain + name, body
    yield chain + "send_transaction2", {"retry_trx": True, "transaction": {"signatures": [], "compression": "none", "packed_trx": "00"}}
    yield chain + "push_transactions", []
    yield chain + "push_transactions", [{}]
    yield chain + "get_transaction_status", {"id": "x"}
    yield chain + "get_transaction_status", {"id": "11" * 32}
    yield chain + "get_transaction_status", b""
    yield chain + "get_accounts_by_authorizers", {"keys": [key]}
    yield chain + "get_accounts_by_authorizers", {"accounts": ["eosio", {"actor": "eosio.prods", "permission": "active"}]}
    yield chain + "get_accounts_by_authorizers", {}
    producer = "/v1/producer/"
    for name in ("paused", "get_runtime_options", "get_greylist", "get_whitelist_blacklist", "get_snapshot_requests",
                 "get_scheduled_protocol_feature_activations", "get_supported_protocol_features", "get_unapplied_transactions",
                 "get_integrity_hash", "get_account_ram_corrections"):
        yield producer + name, b""
        yield producer + name, {}
        yield producer + name, {"limit": 1}
    yield producer + "get_supported_protocol_features", {"exclude_disabled": True, "exclude_unactivatable": True}
    for digests in ([], ["00" * 32], ["0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd"], ["x"]):
        yield producer + "schedule_protocol_feature_activations", {"protocol_features_to_activate": digests}
    yield producer + "unschedule_snapshot", {"snapshot_request_id": 7}
    yield "/v1/net/connections", b""
    yield "/v1/net/status", b'"localhost:1"'
    yield "/v1/db_size/get", b""
    trace = "/v1/trace_api/"
    for body in ({"block_num": 2}, {"block_num": 99999999}, {}, {"block_num": "x"}, b""):
        yield trace + "get_block", body
    for body in ({"id": "11" * 32}, {"id": "x"}, {}, b""):
        yield trace + "get_transaction_trace", body


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--accounts", default="eosio,eosio.token,eosio.prods,alice,bob,carol,proda")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    asked = differing = 0
    for path, body in requests(options.accounts.split(",")):
        asked += 1
        answers = [ask(url, path, body) for url in (options.a, options.b)]
        shapes = []
        for status, text in answers:
            try:
                shapes.append((status, shape(json.loads(text))))
            except ValueError:
                shapes.append((status, text))
        if shapes[0] != shapes[1]:
            differing += 1
            print(f"--- {path} {body if isinstance(body, bytes) else json.dumps(body)}")
            for label, (status, text) in zip("AB", answers):
                print(f"  {label} {status} {text.decode(errors='replace')[:2000 if options.verbose else 420]}")
    print(f"{asked} questions, {differing} answers differ")
    sys.exit(min(differing, 100))


if __name__ == "__main__":
    main()
