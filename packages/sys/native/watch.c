#include "door.h"
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

/* libuv, where the runtime has it: its interface is stable within major version 1. */
#define WEAK __attribute__((weak))
struct uv_poll;
enum { UV_POLL = 8, UV_READABLE = 1 };
typedef void (*uv_poll_cb)(struct uv_poll *handle, int status, int events);
extern WEAK size_t uv_handle_size(int type);
extern WEAK int uv_poll_init(void *loop, struct uv_poll *handle, int fd);
extern WEAK int uv_poll_start(struct uv_poll *handle, int events, uv_poll_cb ready);
extern WEAK void uv_handle_set_data(struct uv_poll *handle, void *data);
extern WEAK void *uv_handle_get_data(const struct uv_poll *handle);
extern WEAK void uv_close(struct uv_poll *handle, void (*closed)(struct uv_poll *handle));

struct poller;

struct watch {
  struct door *door;
  struct watch *next;
  uint64_t id;
  int fd;
  bool stopped;
  /* with uv_poll */
  struct uv_poll *handle;
  napi_ref ready;
  napi_async_cleanup_hook_handle hook;
  /* with the epoll thread */
  napi_threadsafe_function function;
  struct poller *poller;
  struct watch *next_polled; /* guarded by `polling` */
  bool failed;               /* guarded by `polling` */
};

static bool has_uv(void) {
  return uv_handle_size && uv_poll_init && uv_poll_start && uv_handle_set_data && uv_handle_get_data && uv_close;
}

napi_value door_hasUvPoll(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  (void)info;
  napi_get_boolean(env, has_uv(), &value);
  return value;
}

/* What a callback throws becomes an uncaught exception, as if a timer had thrown it. */
static void surface(napi_env env) {
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
    napi_fatal_exception(env, exception);
  }
}

static void forget(struct watch *watch) {
  struct watch **link = &watch->door->watches;
  while (*link != NULL && *link != watch) link = &(*link)->next;
  if (*link != NULL) *link = watch->next;
}

/* ---- uv_poll ---- */

static void uv_ready(struct uv_poll *handle, int status, int events) {
  struct watch *watch = uv_handle_get_data(handle);
  napi_env env = watch->door->env;
  napi_handle_scope scope;
  napi_value ready, global;
  (void)status; /* an error, too, is shown by reading; libuv has stopped the handle then */
  (void)events;
  if (watch->stopped || napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, watch->ready, &ready) == napi_ok && napi_get_global(env, &global) == napi_ok) {
    napi_make_callback(env, NULL, global, ready, 0, NULL, NULL);
    surface(env);
  }
  napi_close_handle_scope(env, scope);
}

static void uv_closed(struct uv_poll *handle) {
  struct watch *watch = uv_handle_get_data(handle);
  if (watch->hook != NULL) napi_remove_async_cleanup_hook(watch->hook);
  free(handle);
  free(watch);
}

static void uv_stop(struct watch *watch) {
  napi_delete_reference(watch->door->env, watch->ready);
  uv_close(watch->handle, uv_closed);
}

static void stop(struct watch *watch);

static void uv_environment_ends(napi_async_cleanup_hook_handle hook, void *argument) {
  (void)hook;
  stop(argument); /* once closed, the handle removes the hook: the environment waits for that */
}

static long uv_start(struct watch *watch, napi_value ready) {
  napi_env env = watch->door->env;
  void *loop;
  long result = napi_get_uv_event_loop(env, (struct uv_loop_s **)&loop) == napi_ok ? 0 : -ENOSYS;
  if (result == 0) watch->handle = calloc(1, uv_handle_size(UV_POLL));
  if (result == 0) result = watch->handle == NULL ? -ENOMEM : uv_poll_init(loop, watch->handle, watch->fd);
  if (result < 0) {
    free(watch->handle);
    free(watch);
    return result;
  }
  uv_handle_set_data(watch->handle, watch);
  napi_create_reference(env, ready, 1, &watch->ready);
  napi_add_async_cleanup_hook(env, uv_environment_ends, watch, &watch->hook);
  result = uv_poll_start(watch->handle, UV_READABLE, uv_ready);
  if (result < 0) {
    watch->stopped = true;
    uv_stop(watch);
    return result;
  }
  return 0;
}

/* ---- one epoll thread in the process, while anything is watched ---- */

struct poller {
  int epoll;
  int wake;
  unsigned long thread;
  size_t watches; /* these two guarded by `polling` */
  bool quit;
};
static struct lock polling;
static struct poller *poller;
static struct watch *polled;
static uint64_t last_id;

static void *poll_loop(void *argument) {
  struct poller *own = argument;
  bool quit = false;
  while (!quit) {
    struct epoll_event events[16];
    long count = SYS6(epoll_pwait, own->epoll, events, 16, -1, 0, 8);
    door_lock(&polling);
    for (long i = 0; i < count; i++) {
      struct watch *watch = polled;
      while (watch != NULL && watch->id != events[i].data) watch = watch->next_polled;
      if (watch == NULL) continue;
      if ((events[i].events & EPOLLERR) != 0) watch->failed = true;
      napi_call_threadsafe_function(watch->function, NULL, napi_tsfn_nonblocking);
    }
    quit = own->quit;
    door_unlock(&polling);
  }
  return NULL;
}

static void free_poller(struct poller *own) {
  if (own->epoll >= 0) SYS1(close, own->epoll);
  if (own->wake >= 0) SYS1(close, own->wake);
  free(own);
}

/* Called with `polling` held. */
static long start_poller(void) {
  struct poller *own = calloc(1, sizeof *own);
  if (own == NULL) return -ENOMEM;
  own->epoll = (int)SYS1(epoll_create1, EPOLL_CLOEXEC);
  own->wake = (int)SYS2(eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data = 0};
  long result = own->epoll < 0 ? own->epoll : own->wake;
  if (result >= 0) result = SYS4(epoll_ctl, own->epoll, EPOLL_CTL_ADD, own->wake, &event);
  if (result >= 0) {
    /* The thread takes no signal: those are for the threads of the runtime. */
    uint64_t all = ~0ull, before;
    SYS4(rt_sigprocmask, 2, &all, &before, 8);
    result = -pthread_create(&own->thread, NULL, poll_loop, own);
    SYS4(rt_sigprocmask, 2, &before, NULL, 8);
  }
  if (result < 0) {
    free_poller(own);
    return result;
  }
  poller = own;
  return 0;
}

static void arm(const struct watch *watch, int operation) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = watch->id};
  SYS4(epoll_ctl, watch->poller->epoll, operation, watch->fd, &event);
}

static void thread_ready(napi_env env, napi_value ready, void *context, void *data) {
  struct watch *watch = context;
  napi_value undefined;
  (void)data;
  if (env == NULL || watch->stopped) return;
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, ready, 0, NULL, NULL);
  surface(env);
  if (watch->stopped) return;
  door_lock(&polling);
  if (!watch->failed) arm(watch, EPOLL_CTL_MOD);
  door_unlock(&polling);
}

static void thread_freed(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

static void thread_environment_ends(void *argument) { stop(argument); }

static void thread_stop(struct watch *watch) {
  door_lock(&polling);
  struct poller *own = watch->poller;
  struct watch **link = &polled;
  while (*link != NULL && *link != watch) link = &(*link)->next_polled;
  if (*link != NULL) *link = watch->next_polled;
  SYS4(epoll_ctl, own->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  bool last = --own->watches == 0;
  if (last) {
    uint64_t one = 1;
    own->quit = true; /* a later watch starts another thread */
    poller = NULL;
    SYS3(write, own->wake, &one, 8);
  }
  door_unlock(&polling);
  if (last) { /* it never waits for this thread, so this is short; and then nothing is left open */
    pthread_join(own->thread, NULL);
    free_poller(own);
  }
  napi_remove_env_cleanup_hook(watch->door->env, thread_environment_ends, watch);
  napi_release_threadsafe_function(watch->function, napi_tsfn_abort);
}

static long thread_start(struct watch *watch, napi_value ready) {
  napi_env env = watch->door->env;
  napi_value name;
  long result = 0;
  if (napi_create_string_utf8(env, "tsbpf:watch", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, ready, NULL, name, 0, 1, watch, thread_freed, watch, thread_ready,
                                      &watch->function) != napi_ok) {
    free(watch);
    return -ENOMEM;
  }
  napi_add_env_cleanup_hook(env, thread_environment_ends, watch);
  door_lock(&polling);
  if (poller == NULL) result = start_poller();
  if (result == 0) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = watch->id};
    result = SYS4(epoll_ctl, poller->epoll, EPOLL_CTL_ADD, watch->fd, &event);
  }
  if (poller != NULL) {
    watch->poller = poller;
    poller->watches++;
    watch->next_polled = polled;
    polled = watch;
  }
  door_unlock(&polling);
  if (result == 0) return 0;
  watch->stopped = true;
  if (watch->poller != NULL) {
    thread_stop(watch);
  } else {
    napi_remove_env_cleanup_hook(env, thread_environment_ends, watch);
    napi_release_threadsafe_function(watch->function, napi_tsfn_abort);
  }
  return result;
}

/* ---- both ---- */

static void stop(struct watch *watch) {
  if (watch->stopped) return;
  watch->stopped = true;
  forget(watch);
  if (watch->handle != NULL) uv_stop(watch);
  else thread_stop(watch);
}

void door_unwatch_fd(struct door *door, int32_t fd) {
  struct watch *watch = door->watches;
  while (watch != NULL && watch->fd != fd) watch = watch->next;
  if (watch != NULL) stop(watch);
}

/* Result: the watch's number, or a negated errno. */
static long watch_fd(napi_env env, struct door *door, int32_t fd, napi_value ready, bool uv) {
  napi_valuetype type;
  if (napi_typeof(env, ready, &type) != napi_ok || type != napi_function) {
    napi_throw_type_error(env, NULL, "ready must be a function");
    return 0;
  }
  if (!door_owns(door, fd)) return -EBADF;
  for (struct watch *other = door->watches; other != NULL; other = other->next) {
    if (other->fd == fd) return -EEXIST;
  }
  if (uv && !has_uv()) return -ENOSYS;
  struct watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return -ENOMEM;
  door_lock(&polling);
  uint64_t id = ++last_id;
  door_unlock(&polling);
  *watch = (struct watch){.door = door, .id = id, .fd = fd};
  long result = uv ? uv_start(watch, ready) : thread_start(watch, ready); /* a failure frees it */
  if (result < 0) return result;
  watch->next = door->watches;
  door->watches = watch;
  return (long)id;
}

CALL(watch, 3)
  I32(fd);
  napi_value ready = arguments[next++];
  U32(uv);
RESULT(watch_fd(env, door, fd, ready, uv != 0))

static long unwatch(struct door *door, uint64_t id) {
  struct watch *watch = door->watches;
  while (watch != NULL && watch->id != id) watch = watch->next;
  if (watch != NULL) stop(watch);
  return 0;
}

CALL(unwatch, 1)
  SIZE(id);
RESULT(unwatch(door, id))
