#include "door.h"
#include <linux/mman.h>

/* ---- descriptors ---- */

long door_own(struct door *door, long fd) {
  if (fd < 0) return fd;
  size_t word = (size_t)fd / 64;
  if (word >= door->owned_words) {
    size_t words = word + 1 + door->owned_words;
    uint64_t *owned = calloc(words, sizeof *owned);
    if (owned == NULL) {
      SYS1(close, fd);
      return -ENOMEM;
    }
    if (door->owned != NULL) memcpy(owned, door->owned, door->owned_words * sizeof *owned);
    free(door->owned);
    door->owned = owned;
    door->owned_words = words;
  }
  door->owned[word] |= 1ull << (fd % 64);
  return fd;
}

bool door_owns(const struct door *door, int32_t fd) {
  return fd >= 0 && (size_t)fd / 64 < door->owned_words && (door->owned[fd / 64] >> (fd % 64) & 1) != 0;
}

void door_close_all(struct door *door) {
  for (size_t word = 0; word < door->owned_words; word++) {
    for (uint64_t bits = door->owned[word]; bits != 0; bits &= bits - 1) {
      SYS1(close, word * 64 + (size_t)__builtin_ctzll(bits));
    }
  }
  free(door->owned);
  door->owned = NULL;
  door->owned_words = 0;
}

static long close_owned(struct door *door, int32_t fd) {
  if (!door_owns(door, fd)) return -EBADF;
  door_unwatch_fd(door, fd); /* the number may be another file a moment later */
  door->owned[fd / 64] &= ~(1ull << (fd % 64));
  return SYS1(close, fd);
}

CALL(close, 1)
  I32(fd);
RESULT(close_owned(door, fd))

/* ---- mappings ---- */

/*
 * The range of a mapping is given back to the process only when no thread can reach it any more: JavaScript may move
 * the bytes to another buffer (ArrayBuffer.prototype.transfer) and that one to another Worker. What the kernel holds
 * for the mapping is given back earlier, by putting empty memory over the range: no access faults then, and none sees
 * a foreign mapping.
 */
struct mapping {
  struct door *door;
  struct mapping *next;
  uint64_t id;
  void *address;
  size_t length;
  napi_ref buffer;   /* weak */
  napi_ref sentinel; /* strong */
  uint8_t sentinel_byte;
  uint8_t holders; /* finalizers still to come: the buffer's, the sentinel's */
  bool released;   /* empty memory lies over the range */
  bool moved;      /* the bytes were moved to another buffer before `unmap` */
  bool checked;    /* the environment ends, and `keep` is decided */
  bool keep;       /* another thread may have the bytes: the range is never given back */
  bool finalized;
};

enum { MAX_MAPPING = 0xfffff000 /* the longest ArrayBuffer of Node 20 is 2**32 - 1 bytes */ };

static void release(struct mapping *mapping) {
  if (mapping->released) return;
  long result = SYS6(mmap, mapping->address, mapping->length, PROT_READ | PROT_WRITE,
                     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  mapping->released = result == (long)mapping->address;
}

static void drop(struct mapping *mapping) {
  if (--mapping->holders > 0) return;
  door_drop(mapping->door);
  free(mapping);
}

/* Deno calls hooks where no handle can be made, and ends the process for one; Node and Bun call themselves "node". */
static bool can_use_handles(napi_env env) {
  const napi_node_version *version;
  return napi_get_node_version(env, &version) == napi_ok && version->release != NULL && version->release[0] == 'n';
}

/* Whether the buffer still holds the bytes: neither collected nor detached. */
static bool in_place(napi_env env, napi_ref reference) {
  napi_value buffer = NULL;
  bool detached = true;
  if (napi_get_reference_value(env, reference, &buffer) == napi_ok && buffer != NULL) {
    napi_is_detached_arraybuffer(env, buffer, &detached);
  }
  return !detached;
}

/*
 * Decides about the range while the buffer is still as JavaScript left it. The runtimes end an environment in different
 * orders: Node finalizes buffers first, the newest first, and so the sentinel, which is made after the buffer and kept
 * as long, comes before it; others call hooks first.
 */
static void environment_ends(void *argument) {
  struct mapping *mapping = argument;
  napi_env env = mapping->door->env;
  napi_handle_scope scope;
  if (mapping->checked || mapping->finalized) return;
  mapping->checked = true;
  bool safe = mapping->released && !mapping->moved; /* detached by us */
  if (!safe && !mapping->moved && can_use_handles(env) && napi_open_handle_scope(env, &scope) == napi_ok) {
    safe = in_place(env, mapping->buffer);
    napi_close_handle_scope(env, scope);
  }
  if (safe) return;
  release(mapping);
  mapping->keep = true;
}

static void finalize_sentinel(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  environment_ends(hint); /* nothing else frees it before the buffer */
  drop(hint);
}

/* In an environment that ends, calls that could run JavaScript are refused. */
static bool is_ending(napi_env env) {
  napi_value global;
  bool has;
  return can_use_handles(env) && (napi_get_global(env, &global) != napi_ok ||
                                  napi_has_named_property(env, global, "undefined", &has) != napi_ok);
}

static void finalize_mapping(napi_env env, void *data, void *hint) {
  struct mapping *mapping = hint;
  struct mapping **link = &mapping->door->mappings;
  (void)data;
  while (*link != NULL && *link != mapping) link = &(*link)->next;
  if (*link != NULL) *link = mapping->next;
  door_forget_prepared(mapping->door, mapping);
  if (!mapping->checked && !mapping->door->ended && is_ending(env)) {
    release(mapping);
    mapping->keep = true;
  }
  if (!mapping->keep) SYS2(munmap, mapping->address, mapping->length);
  mapping->finalized = true;
  if (!mapping->door->ended) {
    napi_remove_env_cleanup_hook(env, environment_ends, mapping);
    /* An environment that ends frees its references itself; in Deno they are gone already. */
    if (mapping->buffer != NULL && !mapping->checked) napi_delete_reference(env, mapping->buffer);
    if (mapping->sentinel != NULL && !mapping->checked) napi_delete_reference(env, mapping->sentinel);
  }
  drop(mapping);
}

/* For runtimes that free buffers only after the end of the environment. */
void door_release_mappings(struct door *door) {
  for (struct mapping *mapping = door->mappings; mapping != NULL; mapping = mapping->next) release(mapping);
}

static napi_value map(napi_env env, struct door *door, uint64_t id, int32_t fd, uint64_t length, uint32_t protection,
                      uint32_t flags, uint64_t offset) {
  if (length > MAX_MAPPING || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN)) != 0) {
    napi_throw_range_error(env, NULL, "a mapping has at most 0xfffff000 bytes and no address of its own");
    return NULL;
  }
  struct mapping *mapping = calloc(1, sizeof *mapping);
  if (mapping == NULL) return door_number(env, -ENOMEM);
  long address = SYS6(mmap, 0, length, protection, flags, fd, offset);
  if (address < 0 && address >= -4095) {
    free(mapping);
    return door_number(env, address);
  }
  mapping->door = door;
  mapping->id = id;
  mapping->address = (void *)address;
  mapping->length = length;
  napi_value buffer;
  napi_status status =
      napi_create_external_arraybuffer(env, mapping->address, length, finalize_mapping, mapping, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    SYS2(munmap, address, length);
    free(mapping);
    napi_throw_error(env, "SYS_NO_EXTERNAL_BUFFERS", "this runtime forbids ArrayBuffers over foreign memory");
    return NULL;
  }
  mapping->holders = 1;
  door->holders++;
  mapping->next = door->mappings;
  door->mappings = mapping;
  if (status != napi_ok) {
    release(mapping); /* whether the runtime will call the finalizer is not known: keep the range */
    return door_number(env, -ENOMEM);
  }
  napi_create_reference(env, buffer, 0, &mapping->buffer);
  napi_value sentinel;
  if (napi_create_external_arraybuffer(env, &mapping->sentinel_byte, 1, finalize_sentinel, mapping, &sentinel) ==
      napi_ok) {
    mapping->holders++;
    napi_create_reference(env, sentinel, 1, &mapping->sentinel);
  }
  napi_add_env_cleanup_hook(env, environment_ends, mapping);
  return buffer;
}

CALL(mmap, 6)
  SIZE(id);
  I32(fd);
  SIZE(length);
  U32(protection);
  U32(flags);
  SIZE(offset);
  return map(env, door, id, fd, length, protection, flags, offset);
}

struct mapping *door_memory(struct door *door, uint64_t id, struct span *memory) {
  struct mapping *mapping = door->mappings;
  while (mapping != NULL && mapping->id != id) mapping = mapping->next;
  if (mapping == NULL || mapping->released) return NULL;
  *memory = (struct span){.data = mapping->address, .length = mapping->length};
  return mapping;
}

static long unmap(napi_env env, struct door *door, uint64_t id) {
  struct mapping *mapping = door->mappings;
  while (mapping != NULL && mapping->id != id) mapping = mapping->next;
  if (mapping == NULL || mapping->released) return 0;
  napi_value buffer = NULL;
  if (mapping->buffer != NULL) napi_get_reference_value(env, mapping->buffer, &buffer);
  mapping->moved = !in_place(env, mapping->buffer);
  door_forget_prepared(door, mapping);
  release(mapping);
  /* Last, because a runtime may call the finalizer from within. */
  if (buffer != NULL) napi_detach_arraybuffer(env, buffer);
  return 0;
}

CALL(unmap, 1)
  SIZE(id);
RESULT(unmap(env, door, id))
