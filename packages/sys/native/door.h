/* What the files of the addon share. Nothing in here decides anything: that is for the TypeScript above. */
#ifndef TSBPF_DOOR_H
#define TSBPF_DOOR_H

#define NAPI_VERSION 8
#include "syscall.h"
#include <linux/errno.h>
#include <node_api.h>

struct mapping;
struct prepared;
struct job;
struct watch;

struct span {
  uint8_t *data;
  size_t length;
};

/* One loaded copy in one environment (the main thread or a Worker). Touched on its thread only. */
struct door {
  napi_env env;
  uint64_t *owned; /* bit N: descriptor N was returned by a call of this door and is still open */
  size_t owned_words;
  struct mapping *mappings;
  struct prepared **prepared; /* NULL where free */
  size_t prepared_size;
  uint64_t prepared_last; /* generation of the last one made */
  struct job *jobs;
  struct watch *watches;
  uint32_t holders; /* the environment, each mapping, each job */
  bool ended;       /* the environment is gone: no Node-API call any more */
};

void door_drop(struct door *door);

/* owned.c */
long door_own(struct door *door, long fd);
bool door_owns(const struct door *door, int32_t fd);
void door_close_all(struct door *door);
napi_value door_mmap(napi_env env, napi_callback_info info);
napi_value door_unmap(napi_env env, napi_callback_info info);
napi_value door_close(napi_env env, napi_callback_info info);
void door_release_mappings(struct door *door);
/* The mapping of that number with its memory, NULL where there is none (any more). */
struct mapping *door_memory(struct door *door, uint64_t id, struct span *memory);

/* bpf.c */
napi_value door_bpf(napi_env env, napi_callback_info info);
napi_value door_bpfNested(napi_env env, napi_callback_info info);
napi_value door_bpfAsync(napi_env env, napi_callback_info info);
napi_value door_prepare(napi_env env, napi_callback_info info);
napi_value door_prepareMany(napi_env env, napi_callback_info info);
napi_value door_run(napi_env env, napi_callback_info info);
napi_value door_runMany(napi_env env, napi_callback_info info);
void door_forget_prepared(struct door *door, const struct mapping *mapping);
napi_value door_perfEventOpen(napi_env env, napi_callback_info info);
void door_abandon_jobs(struct door *door);

/* watch.c */
napi_value door_watch(napi_env env, napi_callback_info info);
napi_value door_unwatch(napi_env env, napi_callback_info info);
napi_value door_hasUvPoll(napi_env env, napi_callback_info info);
void door_unwatch_fd(struct door *door, int32_t fd);

/* arguments.c: each throws and returns false when the value is not what `what` says. */
enum { PATH_LIMIT = 4096 };
bool door_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values, struct door **door);
bool door_i32(napi_env env, napi_value value, const char *what, int32_t *out);
bool door_u32(napi_env env, napi_value value, const char *what, uint32_t *out);
bool door_size(napi_env env, napi_value value, const char *what, uint64_t *out);
bool door_bytes(napi_env env, napi_value value, const char *what, struct span *out);
/* The length is in numbers, which may lie unaligned. */
bool door_doubles(napi_env env, napi_value value, const char *what, struct span *out);
/* Result: bytes with the NUL, 0 for undefined where `optional`, -1 after a throw; a longer text is cut at the limit. */
long door_text(napi_env env, napi_value value, const char *what, bool optional, char out[PATH_LIMIT]);
napi_value door_number(napi_env env, long result);

/*
 * The parameters of a call, one line each, in the order of src/native/calls.ts: a test compares the two.
 * CALL(name, count) starts a call; I32, U32, SIZE, BYTES, DOUBLES and TEXT declare a variable from the next argument.
 */
#define CALL(name, count)                                        \
  napi_value door_##name(napi_env env, napi_callback_info info) { \
    napi_value arguments[(count) + 1];                            \
    struct door *door;                                            \
    size_t next = 0;                                              \
    if (!door_arguments(env, info, count, arguments, &door)) return NULL;
#define I32(variable) \
  int32_t variable;   \
  if (!door_i32(env, arguments[next++], #variable " must be an integer of 32 bits", &variable)) return NULL
#define U32(variable) \
  uint32_t variable;  \
  if (!door_u32(env, arguments[next++], #variable " must be an unsigned integer of 32 bits", &variable)) return NULL
#define SIZE(variable) \
  uint64_t variable;   \
  if (!door_size(env, arguments[next++], #variable " must be an integer from 0 to 2**53 - 1", &variable)) return NULL
#define BYTES(variable)  \
  struct span variable;  \
  if (!door_bytes(env, arguments[next++], #variable " must be a Uint8Array whose buffer is not detached", &variable)) \
    return NULL
#define DOUBLES(variable) \
  struct span variable;   \
  if (!door_doubles(env, arguments[next++], #variable " must be a Float64Array", &variable)) return NULL
#define TEXT(variable)       \
  char variable[PATH_LIMIT]; \
  if (door_text(env, arguments[next++], #variable " must be a string without NUL", false, variable) < 0) return NULL
#define TEXT_OR_NONE(variable)                                                                              \
  char variable##_bytes[PATH_LIMIT];                                                                        \
  long variable##_size = door_text(env, arguments[next++], #variable " must be a string without NUL", true, \
                                   variable##_bytes);                                                       \
  if (variable##_size < 0) return NULL;                                                                     \
  const char *variable = variable##_size == 0 ? NULL : variable##_bytes
/* The end of a call: its one system call. FD enters the descriptor that the kernel returns. */
#define RESULT(result)              \
  (void)door;                       \
  return door_number(env, (result)); \
  }
#define FD(result) RESULT(door_own(door, (result)))

/* The build with AddressSanitizer checks every buffer against what the kernel will touch; see check.c. */
#ifdef TSBPF_CHECKED
struct pointer;
void check_span(const char *what, struct span span);
void check_bpf(uint32_t cmd, const uint8_t *attr, size_t size, const struct pointer *pointers, size_t count);
#else
#define check_span(what, span) ((void)0)
#define check_bpf(cmd, attr, size, pointers, count) ((void)0)
#endif

/* A pointer field: `at` in the attr (parent 0) or in the buffer of the pointer `parent - 1`. */
struct pointer {
  struct span span;
  uint32_t at;
  uint32_t parent;
};

#endif
