#include "door.h"

enum {
  ATTR_LIMIT = 4096,           /* the kernel refuses more than a page */
  ATTR_PAD = 256,              /* the kernel writes into fields of a shorter attr without looking at its size */
  FLAT_POINTERS = 8,           /* pointers passed as arguments */
  POINTER_LIMIT = 1 << 21,     /* BPF_LINK_CREATE takes up to 2**20 symbols, each a pointer */
  PERF_FLAG_FD_CLOEXEC = 1 << 3,
};
static const size_t ASYNC_LIMIT = (size_t)1 << 30;

/* Commands whose result is a descriptor, by number. */
static bool returns_fd(uint32_t cmd) {
  const uint64_t commands = 1ull << 0 | 1ull << 5 | 1ull << 7 | 1ull << 13 | 1ull << 14 | 1ull << 17 | 1ull << 18 |
                            1ull << 19 | 1ull << 28 | 1ull << 30 | 1ull << 32 | 1ull << 33 | 1ull << 36;
  return cmd < 64 && (commands >> cmd & 1) != 0;
}

static bool range_error(napi_env env, const char *what) {
  napi_throw_range_error(env, NULL, what);
  return false;
}

/* Reads one slot: `at`, plus 2**32 times one more than the index of the pointer whose buffer holds the field. */
static bool slot(napi_env env, double value, size_t index, struct pointer *pointer) {
  if (!(value >= 0 && value <= 9007199254740991.0) || (double)(uint64_t)value != value) {
    return range_error(env, "a pointer's place must be a whole number");
  }
  pointer->at = (uint32_t)(uint64_t)value;
  pointer->parent = (uint32_t)((uint64_t)value >> 32);
  return pointer->parent <= index || range_error(env, "a pointer's parent must come before it");
}

static bool fits(napi_env env, const struct pointer *pointers, size_t index, size_t attr_size) {
  const struct pointer *pointer = &pointers[index];
  size_t length = pointer->parent == 0 ? attr_size : pointers[pointer->parent - 1].span.length;
  return (length >= 8 && pointer->at <= length - 8) || range_error(env, "a pointer field lies outside its structure");
}

/* Writes the address of each buffer into its field; `attr` and `pointers` stay where they are until `erase`. */
static void place(uint8_t *attr, const struct pointer *pointers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t *parent = pointers[i].parent == 0 ? attr : pointers[pointers[i].parent - 1].span.data;
    uint64_t address = (uintptr_t)pointers[i].span.data;
    __builtin_memcpy(parent + pointers[i].at, &address, 8);
  }
}

/* No address stays behind in memory that JavaScript sees. */
static void erase(uint8_t *attr, const struct pointer *pointers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t *parent = pointers[i].parent == 0 ? attr : pointers[pointers[i].parent - 1].span.data;
    __builtin_memset(parent + pointers[i].at, 0, 8);
  }
}

/* The call itself, on a copy of the attr: its pointers are never in memory that another thread can write. */
static long call_bpf(uint32_t cmd, struct span attr, const struct pointer *pointers, size_t count) {
  uint8_t local[ATTR_LIMIT + ATTR_PAD] __attribute__((aligned(16)));
  copy(local, attr.data, attr.length);
  memset(local + attr.length, 0, ATTR_PAD);
  place(local, pointers, count);
  check_bpf(cmd, local, attr.length, pointers, count);
  long result = SYS3(bpf, cmd, local, attr.length);
  erase(local, pointers, count);
  copy(attr.data, local, attr.length);
  return result;
}

static bool attr_fits(napi_env env, struct span attr) {
  return attr.length <= ATTR_LIMIT || range_error(env, "attr has at most 4096 bytes");
}

napi_value door_bpf(napi_env env, napi_callback_info info) {
  napi_value arguments[2 + 2 * FLAT_POINTERS];
  struct pointer pointers[FLAT_POINTERS];
  size_t given = 2 + 2 * FLAT_POINTERS, count = 0, next = 0;
  struct door *door;
  if (napi_get_cb_info(env, info, &given, arguments, NULL, (void **)&door) != napi_ok) return NULL;
  U32(cmd);
  BYTES(attr);
  if (!attr_fits(env, attr)) return NULL;
  if (given > 2 + 2 * FLAT_POINTERS || given % 2 != 0) {
    range_error(env, "pointers come in pairs of place and buffer, at most 8");
    return NULL;
  }
  for (; next < given; count++) {
    U32(at);
    BYTES(buffer);
    pointers[count] = (struct pointer){.span = buffer, .at = at, .parent = 0};
    if (!fits(env, pointers, count, attr.length)) return NULL;
  }
  long result = call_bpf(cmd, attr, pointers, count);
  return door_number(env, returns_fd(cmd) ? door_own(door, result) : result);
}

/* ---- pointers in arrays ---- */

struct request {
  napi_value *values;
  struct pointer *pointers;
  size_t count;
};

static void free_request(struct request *request) {
  free(request->values);
  free(request->pointers);
}

static bool has_shared_memory(napi_env env, napi_value array) {
  napi_value buffer;
  bool plain = false;
  return napi_get_typedarray_info(env, array, NULL, NULL, NULL, &buffer, NULL) != napi_ok ||
         napi_is_arraybuffer(env, buffer, &plain) != napi_ok || !plain;
}

/*
 * Reads `slots` (Float64Array) and `buffers` (array). Whatever may run JavaScript comes first; addresses are taken
 * last, when nothing can detach or move a buffer any more.
 */
static bool read_request(napi_env env, napi_value attr_value, napi_value slots_value, napi_value buffers,
                         struct span *attr, struct request *request) {
  napi_typedarray_type type;
  size_t count;
  uint32_t length;
  void *slots;
  if (napi_get_typedarray_info(env, slots_value, &type, &count, &slots, NULL, NULL) != napi_ok ||
      type != napi_float64_array || napi_get_array_length(env, buffers, &length) != napi_ok || length != count) {
    napi_throw_type_error(env, NULL, "slots must be a Float64Array and buffers an array of the same length");
    return false;
  }
  if (count > POINTER_LIMIT) return range_error(env, "too many pointers for one call");
  *request = (struct request){.values = calloc(count + 1, sizeof(napi_value)),
                              .pointers = calloc(count + 1, sizeof(struct pointer)),
                              .count = count};
  bool good = request->values != NULL && request->pointers != NULL;
  if (!good) range_error(env, "out of memory");
  for (size_t i = 0; good && i < count; i++) {
    good = napi_get_element(env, buffers, (uint32_t)i, &request->values[i]) == napi_ok;
  }
  good = good && door_bytes(env, attr_value, "attr must be a Uint8Array whose buffer is not detached", attr) &&
         attr_fits(env, *attr) &&
         napi_get_typedarray_info(env, slots_value, NULL, &count, &slots, NULL, NULL) == napi_ok &&
         (count == request->count || range_error(env, "slots changed during the call"));
  for (size_t i = 0; good && i < count; i++) {
    struct pointer *pointer = &request->pointers[i];
    double value;
    __builtin_memcpy(&value, (uint8_t *)slots + 8 * i, 8);
    good = slot(env, value, i, pointer) &&
           door_bytes(env, request->values[i], "buffer must be a Uint8Array whose buffer is not detached",
                      &pointer->span) &&
           fits(env, request->pointers, i, attr->length);
    if (good && pointer->parent != 0 && has_shared_memory(env, request->values[pointer->parent - 1])) {
      napi_throw_type_error(env, NULL, "a buffer that holds pointers must not be shared memory");
      good = false;
    }
  }
  if (!good) free_request(request);
  return good;
}

CALL(bpfNested, 4)
  U32(cmd);
  struct span attr;
  struct request request;
  if (!read_request(env, arguments[1], arguments[2], arguments[3], &attr, &request)) return NULL;
  long result = call_bpf(cmd, attr, request.pointers, request.count);
  free_request(&request);
RESULT(returns_fd(cmd) ? door_own(door, result) : result)

/* ---- prepared: the call is described once, over memory that this addon mapped, and then made often ---- */

enum { PREPARED_ATTR = 256, PREPARED_POINTERS = 4, PREPARED_LIMIT = 1 << 20 };

struct prepared {
  const struct mapping *mapping;
  uint64_t generation;
  uint32_t cmd;
  struct span attr; /* in the mapping; the pointers' buffers are, too */
  size_t count;
  struct pointer pointers[PREPARED_POINTERS]; /* of a vector: those of its first call */
  size_t steps[PREPARED_POINTERS];            /* bytes from one call of a vector to the next */
  size_t capacity;                            /* calls of a vector at most, 0 for a single call */
  uint8_t *results;                           /* of a vector: 4 bytes for each call, in the mapping */
  uint8_t local[PREPARED_ATTR + ATTR_PAD] __attribute__((aligned(16))); /* zero after the attr */
};

void door_forget_prepared(struct door *door, const struct mapping *mapping) {
  for (size_t i = 0; i < door->prepared_size; i++) {
    if (door->prepared[i] == NULL || door->prepared[i]->mapping != mapping) continue;
    free(door->prepared[i]);
    door->prepared[i] = NULL;
  }
}

/* Result: a number that is never used again, or a negated errno. */
static long remember(struct door *door, struct prepared *prepared) {
  size_t index = 0;
  while (index < door->prepared_size && door->prepared[index] != NULL) index++;
  if (index == PREPARED_LIMIT) return -EMFILE;
  if (index == door->prepared_size) {
    size_t size = door->prepared_size * 2 + 16;
    struct prepared **table = calloc(size, sizeof *table);
    if (table == NULL) return -ENOMEM;
    copy(table, door->prepared, door->prepared_size * sizeof *table);
    free(door->prepared);
    door->prepared = table;
    door->prepared_size = size;
  }
  door->prepared[index] = prepared;
  prepared->generation = ++door->prepared_last;
  return (long)(prepared->generation * PREPARED_LIMIT + index);
}

static bool within(struct span memory, uint64_t at, uint64_t size) {
  return at <= memory.length && size <= memory.length - at;
}

/* A whole number of `places`; one that is none fits no mapping. */
static uint64_t whole(struct span places, size_t index) {
  double value;
  __builtin_memcpy(&value, places.data + 8 * index, 8);
  return value >= 0 && value <= 9007199254740991.0 ? (uint64_t)value : UINT64_MAX;
}

/*
 * `places` has four numbers for each pointer: place in the attr, place of the buffer in the memory, its size, and the
 * step to the buffer of the next call of a vector. Result: NULL where something lies outside.
 */
static struct prepared *describe(struct span memory, uint64_t attr_at, uint64_t attr_size, struct span places,
                                 uint64_t capacity) {
  size_t count = places.length / 4;
  if (!within(memory, attr_at, attr_size) || attr_size > PREPARED_ATTR || places.length % 4 != 0 ||
      count > PREPARED_POINTERS) {
    return NULL;
  }
  struct prepared *prepared = calloc(1, sizeof *prepared);
  if (prepared == NULL) return NULL;
  prepared->attr = (struct span){.data = memory.data + attr_at, .length = attr_size};
  prepared->count = count;
  prepared->capacity = capacity;
  for (size_t i = 0; i < count; i++) {
    uint64_t at = whole(places, 4 * i), buffer = whole(places, 4 * i + 1);
    uint64_t size = whole(places, 4 * i + 2), step = whole(places, 4 * i + 3);
    uint64_t more = capacity > 1 ? capacity - 1 : 0;
    if (attr_size < 8 || at > attr_size - 8 || !within(memory, buffer, size) ||
        (more > 0 && step > (memory.length - buffer - size) / more)) {
      free(prepared);
      return NULL;
    }
    prepared->steps[i] = step;
    prepared->pointers[i] = (struct pointer){
        .span = {.data = size > 0 ? memory.data + buffer : NULL, .length = size}, .at = (uint32_t)at, .parent = 0};
  }
  return prepared;
}

static long keep_prepared(napi_env env, struct door *door, struct prepared *prepared, const struct mapping *mapping,
                          uint32_t cmd) {
  if (prepared == NULL) {
    range_error(env, "attr, buffers and results must lie in the mapping; an attr has at most 256 bytes and 4 pointers");
    return 0;
  }
  prepared->mapping = mapping;
  prepared->cmd = cmd;
  long handle = remember(door, prepared);
  if (handle < 0) free(prepared);
  return handle;
}

CALL(prepare, 5)
  SIZE(id);
  U32(cmd);
  U32(attrAt);
  U32(attrSize);
  DOUBLES(places);
  struct span memory;
  const struct mapping *mapping = door_memory(door, id, &memory);
  if (mapping == NULL) return door_number(env, -EBADF);
RESULT(keep_prepared(env, door, describe(memory, attrAt, attrSize, places, 0), mapping, cmd))

enum { VECTOR_LIMIT = 1 << 20 };

/* The same for many calls in a row, whose buffers and results stand side by side. */
CALL(prepareMany, 7)
  SIZE(id);
  U32(cmd);
  U32(attrAt);
  U32(attrSize);
  DOUBLES(places);
  U32(capacity);
  U32(resultsAt);
  struct span memory;
  const struct mapping *mapping = door_memory(door, id, &memory);
  if (mapping == NULL) return door_number(env, -EBADF);
  if (returns_fd(cmd)) return door_number(env, -EINVAL);
  struct prepared *prepared = NULL;
  if (capacity > 0 && capacity <= VECTOR_LIMIT && within(memory, resultsAt, 4ull * capacity)) {
    prepared = describe(memory, attrAt, attrSize, places, capacity);
  }
  if (prepared != NULL) prepared->results = memory.data + resultsAt;
RESULT(keep_prepared(env, door, prepared, mapping, cmd))

static struct prepared *find_prepared(const struct door *door, uint64_t handle) {
  size_t index = handle % PREPARED_LIMIT;
  struct prepared *prepared = index < door->prepared_size ? door->prepared[index] : NULL;
  return prepared != NULL && prepared->generation == handle / PREPARED_LIMIT ? prepared : NULL;
}

static long run(struct door *door, uint64_t handle) {
  struct prepared *prepared = find_prepared(door, handle);
  if (prepared == NULL || prepared->capacity > 0) return -EBADF;
  struct span attr = prepared->attr;
  copy(prepared->local, attr.data, attr.length);
  place(prepared->local, prepared->pointers, prepared->count);
  check_bpf(prepared->cmd, prepared->local, attr.length, prepared->pointers, prepared->count);
  long result = SYS3(bpf, prepared->cmd, prepared->local, attr.length);
  erase(prepared->local, prepared->pointers, prepared->count);
  copy(attr.data, prepared->local, attr.length);
  return returns_fd(prepared->cmd) ? door_own(door, result) : result;
}

CALL(run, 1)
  SIZE(handle);
RESULT(run(door, handle))

/* Result: how many calls were made; those after one that did not return 0 are left out where `stop` says so. */
static long run_many(struct door *door, uint64_t handle, uint32_t count, bool stop) {
  struct prepared *prepared = find_prepared(door, handle);
  if (prepared == NULL || count > prepared->capacity) return -EBADF;
  struct pointer pointers[PREPARED_POINTERS];
  uint32_t made = 0;
  bool refused = false;
  copy(pointers, prepared->pointers, sizeof pointers);
  while (made < count && !(refused && stop)) {
    copy(prepared->local, prepared->attr.data, prepared->attr.length);
    place(prepared->local, pointers, prepared->count);
    check_bpf(prepared->cmd, prepared->local, prepared->attr.length, pointers, prepared->count);
    int32_t result = (int32_t)SYS3(bpf, prepared->cmd, prepared->local, prepared->attr.length);
    __builtin_memcpy(prepared->results + 4 * (size_t)made, &result, 4);
    refused = result != 0;
    made++;
    for (size_t i = 0; i < prepared->count; i++) {
      if (pointers[i].span.data != NULL) pointers[i].span.data += prepared->steps[i];
    }
  }
  erase(prepared->local, pointers, prepared->count);
  return made;
}

CALL(runMany, 3)
  SIZE(handle);
  U32(count);
  U32(stop);
RESULT(run_many(door, handle, count, stop != 0))

/* ---- on the thread pool ---- */

struct job {
  struct door *door;
  struct job *next;
  uint32_t cmd;
  long result;
  enum { STARTED, DONE, ABANDONED } state; /* guarded by `jobs` */
  struct span attr;                        /* all in `block`, native memory of the job */
  uint8_t *block;
  struct pointer *pointers;
  size_t count;
  napi_ref attr_value, buffers;
  napi_deferred deferred;
  napi_async_work work;
};
static struct lock jobs;

static void close_result(const struct job *job) {
  if (job->result >= 0 && returns_fd(job->cmd)) SYS1(close, job->result);
}

static void free_job(struct job *job) {
  free(job->block);
  free(job->pointers);
  free(job);
}

/* On a thread of the pool: touches native memory only. */
static void execute(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  job->result = SYS3(bpf, job->cmd, job->attr.data, job->attr.length);
  door_lock(&jobs);
  if (job->state == ABANDONED) close_result(job);
  else job->state = DONE;
  door_unlock(&jobs);
}

/* The environment ends: nobody will take the result. */
void door_abandon_jobs(struct door *door) {
  door_lock(&jobs);
  for (struct job *job = door->jobs; job != NULL; job = job->next) {
    if (job->state == DONE) close_result(job);
    job->state = ABANDONED;
  }
  door_unlock(&jobs);
}

static void copy_back(napi_env env, napi_value array, struct span from) {
  napi_typedarray_type type;
  size_t length;
  void *data;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, NULL, NULL) != napi_ok) return;
  if (type == napi_uint8_array) copy(data, from.data, length < from.length ? length : from.length);
}

static void finish(napi_env env, struct job *job) {
  napi_value attr, buffers, result;
  napi_value *values = calloc(job->count + 1, sizeof(napi_value));
  bool good = values != NULL && napi_get_reference_value(env, job->attr_value, &attr) == napi_ok &&
              napi_get_reference_value(env, job->buffers, &buffers) == napi_ok;
  for (size_t i = 0; good && i < job->count; i++) {
    good = napi_get_element(env, buffers, (uint32_t)i, &values[i]) == napi_ok;
  }
  erase(job->attr.data, job->pointers, job->count);
  if (good) copy_back(env, attr, job->attr);
  for (size_t i = 0; good && i < job->count; i++) copy_back(env, values[i], job->pointers[i].span);
  free(values);
  result = door_number(env, returns_fd(job->cmd) ? door_own(job->door, job->result) : job->result);
  napi_resolve_deferred(env, job->deferred, result);
}

static void complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  struct door *door = job->door;
  struct job **link = &door->jobs;
  while (*link != NULL && *link != job) link = &(*link)->next;
  if (*link != NULL) *link = job->next;
  door_lock(&jobs);
  bool abandoned = job->state == ABANDONED;
  door_unlock(&jobs);
  if (status != napi_ok) job->result = -ECANCELED;
  if (!abandoned) {
    finish(env, job);
    napi_delete_reference(env, job->attr_value);
    napi_delete_reference(env, job->buffers);
  }
  napi_delete_async_work(env, job->work);
  free_job(job);
  door_drop(door);
}

static bool copy_request(struct job *job, struct span attr) {
  size_t size = (attr.length + ATTR_PAD + 15) / 16 * 16;
  for (size_t i = 0; i < job->count; i++) {
    size_t length = job->pointers[i].span.length;
    if (length > ASYNC_LIMIT || size > ASYNC_LIMIT) return false;
    size += (length + 15) / 16 * 16;
  }
  if (size > ASYNC_LIMIT || (job->block = malloc(size)) == NULL) return false;
  memset(job->block, 0, attr.length + ATTR_PAD);
  copy(job->block, attr.data, attr.length);
  job->attr = (struct span){.data = job->block, .length = attr.length};
  uint8_t *next = job->block + (attr.length + ATTR_PAD + 15) / 16 * 16;
  for (size_t i = 0; i < job->count; i++) {
    struct span *span = &job->pointers[i].span;
    copy(next, span->data, span->length);
    span->data = span->length > 0 ? next : NULL;
    next += (span->length + 15) / 16 * 16;
  }
  place(job->attr.data, job->pointers, job->count);
  return true;
}

CALL(bpfAsync, 4)
  U32(cmd);
  struct span attr;
  struct request request;
  if (!read_request(env, arguments[1], arguments[2], arguments[3], &attr, &request)) return NULL;
  free(request.values);
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL) {
    free(request.pointers);
    range_error(env, "out of memory");
    return NULL;
  }
  *job = (struct job){.door = door, .cmd = cmd, .pointers = request.pointers, .count = request.count};
  napi_value name, promise = NULL;
  if (!copy_request(job, attr)) {
    free_job(job);
    range_error(env, "a call on the thread pool takes buffers of at most 1 GiB together, and there must be memory");
    return NULL;
  }
  check_bpf(cmd, job->attr.data, job->attr.length, job->pointers, job->count);
  if (napi_create_string_utf8(env, "tsbpf:bpf", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) != napi_ok) {
    free_job(job);
    return NULL;
  }
  napi_create_reference(env, arguments[1], 1, &job->attr_value);
  napi_create_reference(env, arguments[3], 1, &job->buffers);
  napi_create_promise(env, &job->deferred, &promise);
  door->holders++;
  job->next = door->jobs;
  door->jobs = job;
  napi_queue_async_work(env, job->work);
  return promise;
}

/* ---- perf_event_open: like bpf(2), its attr has pointers and says its own size ---- */

CALL(perfEventOpen, 7)
  struct span attr;
  struct request request;
  I32(pid);
  I32(cpu);
  I32(groupFd);
  U32(flags);
  uint32_t size = 0;
  if (!read_request(env, arguments[4], arguments[5], arguments[6], &attr, &request)) return NULL;
  if (attr.length >= 8) __builtin_memcpy(&size, attr.data + 4, 4);
  if (attr.length < 64 || size > attr.length) {
    free_request(&request);
    range_error(env, "attr has at least 64 bytes and those that its field size says");
    return NULL;
  }
  uint8_t local[ATTR_LIMIT + ATTR_PAD] __attribute__((aligned(16)));
  copy(local, attr.data, attr.length);
  place(local, request.pointers, request.count);
  long result = SYS5(perf_event_open, local, pid, cpu, groupFd, flags | PERF_FLAG_FD_CLOEXEC);
  erase(local, request.pointers, request.count);
  copy(attr.data, local, attr.length);
  free_request(&request);
FD(result)
