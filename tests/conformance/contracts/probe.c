// The probe: a contract that runs little programs of host calls sent as action data (see ../record/probe.py).
//
// Data that begins with the magic bytes holds one section for each receiver (0 = any). For other data (native actions,
// onerror, transfers ...) the program is looked up in table `hook` of the receiver, under the action's name.
// hosts.inc is generated: the imports and `host(number, arguments, result)`.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#include "hosts.inc"

enum { PROGRAM_MAX = 40960, OUTPUT_MAX = 8192 };
#define TABLE_OUT 0xa6b2000000000000ull   /* out */
#define TABLE_HOOK 0x6d29000000000000ull  /* hook */

static u8 program[PROGRAM_MAX];
static u8 output[OUTPUT_MAX];
static u32 output_length;
static u64 registers[16];

static u64 read(const u8 *at, u32 bytes) {
  u64 value = 0;
  for (u32 i = 0; i < bytes; i++) value |= (u64)at[i] << (8 * i);
  return value;
}

static void append(const u8 *from, u32 length) {
  if (output_length + length > OUTPUT_MAX) __builtin_trap();
  for (u32 i = 0; i < length; i++) output[output_length + i] = from[i];
  output_length += length;
}

static void emit(u32 mode, u64 key) {
  u64 self = registers[13];
  if (mode == 0 && key == ~0ull) {
    u32 end = h_db_end_i64(self, self, TABLE_OUT);
    u64 last = ~0ull;
    if ((int)end < -1) h_db_previous_i64(end, (u32)&last);
    key = last + 1;
  }
  if (mode == 0) h_db_store_i64(self, TABLE_OUT, self, key, (u32)output, output_length);
  else if (mode == 1) h_printhex((u32)output, output_length);
#ifdef RETURN_VALUES
  else if (mode == 2) h_set_action_return_value((u32)output, output_length);
#endif
  else __builtin_trap();
  output_length = 0;
}

static const u8 *call(const u8 *at) {
  u32 fn = at[0], to = at[1] & 0x7f, log = !(at[1] & 0x80);
  u64 arguments[16], result = 0;
  at += 2;
  for (u32 i = 0; i < arity[fn]; i++) {
    if (at[0]) {
      arguments[i] = registers[at[1] & 15];
      at += 2;
    } else {
      arguments[i] = read(at + 1, 8);
      at += 9;
    }
  }
  if (host(fn, arguments, &result)) {
    registers[to & 15] = result;
    if (log) append((u8 *)&result, 8);
  }
  return at;
}

static void execute(const u8 *at, const u8 *end) {
  while (at < end) {
    u32 length;
    switch (*at++) {
    case 1: {
      u8 *to = (u8 *)(u32)read(at, 4);
      length = read(at + 4, 4);
      for (u32 i = 0; i < length; i++) to[i] = at[8 + i];
      at += 8 + length;
      break;
    }
    case 2: at = call(at); break;
    case 3: append((u8 *)(u32)read(at, 4), read(at + 4, 4)); at += 8; break;
    case 4: emit(at[0], read(at + 1, 8)); at += 9; break;
    case 5: registers[at[0] & 15] = read(at + 1, 8); at += 9; break;
    case 6:
      length = read(at + 4, 2);
      for (u32 i = read(at, 4); i; i--) execute(at + 6, at + 6 + length);
      at += 6 + length;
      break;
    case 7: {
      u64 pages = __builtin_wasm_memory_grow(0, read(at, 4));
      append((u8 *)&pages, 8);
      at += 4;
      break;
    }
    case 9: registers[at[0] & 15] += read(at + 1, 8); at += 9; break;
    case 10: {
      volatile u32 turns = read(at, 4);
      while (turns) turns--;
      at += 4;
      break;
    }
    case 11: *(u64 *)(u32)read(at, 4) = registers[at[4] & 15]; at += 5; break;
    case 12:
    case 13: {
      int negative = (int)registers[at[0] & 15] < 0;
      length = read(at + 1, 2);
      at += 3 + (negative == (at[-1] == 12) ? length : 0);
      break;
    }
    default: __builtin_trap();
    }
  }
}

static void start(u32 length) {
  const u8 *at = program + 3;
  if (length < 3 || program[0] != 0xb0 || program[1] != 0x5a) return;
  for (u32 sections = program[2]; sections; sections--) {
    u64 receiver = read(at, 8);
    u32 size = read(at + 8, 2);
    if (receiver == 0 || receiver == registers[13]) {
      execute(at + 10, at + 10 + size);
      return;
    }
    at += 10 + size;
  }
}

__attribute__((export_name("apply"))) void apply(u64 receiver, u64 code, u64 action) {
  registers[13] = receiver;
  registers[14] = code;
  registers[15] = action;
  u32 length = h_action_data_size();
  length = h_read_action_data((u32)program, length < PROGRAM_MAX ? length : PROGRAM_MAX);
  if (length >= 2 && program[0] == 0xb0 && program[1] == 0x5a) {
    start(length);
    return;
  }
  u32 row = h_db_find_i64(receiver, receiver, TABLE_HOOK, action);
  if ((int)row >= 0) start(h_db_get_i64(row, (u32)program, PROGRAM_MAX));
}
