#include "door.h"
#include <asm/stat.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

enum {
  SOCK_CLOEXEC = 02000000,
  FSOPEN_CLOEXEC = 1,
  FSMOUNT_CLOEXEC = 1,
};

CALL(ioctl, 3)
  I32(fd);
  U32(request);
  SIZE(argument);
RESULT(SYS3(ioctl, fd, request, argument))

CALL(openat, 4)
  I32(dirFd);
  TEXT(path);
  U32(flags);
  U32(mode);
FD(SYS4(openat, dirFd, path, flags | O_CLOEXEC, mode))

CALL(unlinkat, 3)
  I32(dirFd);
  TEXT(path);
  U32(flags);
RESULT(SYS3(unlinkat, dirFd, path, flags))

static long file_size(int32_t fd) {
  struct stat stat;
  long result = SYS2(fstat, fd, &stat);
  return result < 0 ? result : stat.st_size;
}

CALL(fileSize, 1)
  I32(fd);
RESULT(file_size(fd))

CALL(read, 2)
  I32(fd);
  BYTES(buffer);
  check_span("read", buffer);
RESULT(SYS3(read, fd, buffer.data, buffer.length))

CALL(pread, 3)
  I32(fd);
  BYTES(buffer);
  SIZE(offset);
  check_span("pread", buffer);
RESULT(SYS4(pread64, fd, buffer.data, buffer.length, offset))

CALL(write, 2)
  I32(fd);
  BYTES(buffer);
  check_span("write", buffer);
RESULT(SYS3(write, fd, buffer.data, buffer.length))

CALL(mkdirat, 3)
  I32(dirFd);
  TEXT(path);
  U32(mode);
RESULT(SYS3(mkdirat, dirFd, path, mode))

CALL(socket, 3)
  I32(domain);
  I32(type);
  I32(protocol);
FD(SYS3(socket, domain, type | SOCK_CLOEXEC, protocol))

CALL(setsockopt, 4)
  I32(fd);
  I32(level);
  I32(option);
  BYTES(value);
  check_span("setsockopt", value);
RESULT(SYS5(setsockopt, fd, level, option, value.data, value.length))

CALL(sendto, 3)
  I32(fd);
  BYTES(buffer);
  U32(flags);
  check_span("sendto", buffer);
RESULT(SYS6(sendto, fd, buffer.data, buffer.length, flags, 0, 0))

CALL(recvfrom, 3)
  I32(fd);
  BYTES(buffer);
  U32(flags);
  check_span("recvfrom", buffer);
RESULT(SYS6(recvfrom, fd, buffer.data, buffer.length, flags, 0, 0))

CALL(pidfdOpen, 2)
  I32(pid);
  U32(flags);
FD(SYS2(pidfd_open, pid, flags))

CALL(fsopen, 2)
  TEXT(type);
  U32(flags);
FD(SYS2(fsopen, type, flags | FSOPEN_CLOEXEC))

CALL(fsconfig, 4)
  I32(fd);
  U32(cmd);
  TEXT_OR_NONE(key);
  TEXT_OR_NONE(value);
RESULT(SYS5(fsconfig, fd, cmd, key, value, 0))

CALL(fsmount, 3)
  I32(fd);
  U32(flags);
  U32(attributes);
FD(SYS3(fsmount, fd, flags | FSMOUNT_CLOEXEC, attributes))

CALL(epollCreate, 0)
  (void)next;
  (void)arguments;
FD(SYS1(epoll_create1, EPOLL_CLOEXEC))

static long epoll_control(int32_t epoll, uint32_t operation, int32_t fd, uint32_t events, uint32_t data) {
  struct epoll_event event = {.events = events, .data = data};
  return SYS4(epoll_ctl, epoll, operation, fd, &event);
}

CALL(epollControl, 5)
  I32(epoll);
  U32(operation);
  I32(fd);
  U32(events);
  U32(data);
RESULT(epoll_control(epoll, operation, fd, events, data))

/* struct epoll_event is packed on some architectures: `ready` gets events and data as 32 bits each. */
static long epoll_ready(int32_t epoll, struct span ready) {
  struct epoll_event events[64];
  size_t most = ready.length / 8 < 64 ? ready.length / 8 : 64;
  long count = SYS6(epoll_pwait, epoll, events, most, 0, 0, 8);
  for (long i = 0; i < count; i++) {
    uint32_t pair[2] = {events[i].events, (uint32_t)events[i].data};
    copy(ready.data + 8 * i, pair, 8);
  }
  return count;
}

CALL(epollReady, 2)
  I32(epoll);
  BYTES(ready);
  check_span("epollReady", ready);
RESULT(epoll_ready(epoll, ready))

CALL(geteuid, 0)
  (void)next;
  (void)arguments;
RESULT(SYS0(geteuid))

/* ---- one environment's beginning and end ---- */

void door_drop(struct door *door) {
  if (--door->holders > 0) return;
  for (size_t i = 0; i < door->prepared_size; i++) free(door->prepared[i]);
  free(door->prepared);
  free(door);
}

/* Watches and mappings have hooks of their own, added later and so run before this one. */
static void environment_ends(void *argument) {
  struct door *door = argument;
  door->ended = true;
  door_abandon_jobs(door);
  door_release_mappings(door);
  door_close_all(door);
  door_drop(door);
}

static const struct {
  const char *name;
  napi_callback call;
} table[] = {
    {"bpf", door_bpf},
    {"bpfNested", door_bpfNested},
    {"bpfAsync", door_bpfAsync},
    {"prepare", door_prepare},
    {"prepareMany", door_prepareMany},
    {"run", door_run},
    {"runMany", door_runMany},
    {"perfEventOpen", door_perfEventOpen},
    {"ioctl", door_ioctl},
    {"mmap", door_mmap},
    {"unmap", door_unmap},
    {"openat", door_openat},
    {"fileSize", door_fileSize},
    {"read", door_read},
    {"pread", door_pread},
    {"write", door_write},
    {"close", door_close},
    {"mkdirat", door_mkdirat},
    {"unlinkat", door_unlinkat},
    {"socket", door_socket},
    {"setsockopt", door_setsockopt},
    {"sendto", door_sendto},
    {"recvfrom", door_recvfrom},
    {"pidfdOpen", door_pidfdOpen},
    {"fsopen", door_fsopen},
    {"fsconfig", door_fsconfig},
    {"fsmount", door_fsmount},
    {"epollCreate", door_epollCreate},
    {"epollControl", door_epollControl},
    {"epollReady", door_epollReady},
    {"geteuid", door_geteuid},
    {"watch", door_watch},
    {"unwatch", door_unwatch},
    {"hasUvPoll", door_hasUvPoll},
};

/*
 * The door travels as the data of each function: that costs nothing per call, and a runtime that calls this twice in
 * one environment gets two doors that do not know of each other, which is right.
 */
NAPI_MODULE_INIT() {
  struct door *door = calloc(1, sizeof *door);
  if (door == NULL) return NULL;
  *door = (struct door){.env = env, .holders = 1};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    napi_value function;
    if (napi_create_function(env, table[i].name, NAPI_AUTO_LENGTH, table[i].call, door, &function) != napi_ok ||
        napi_set_named_property(env, exports, table[i].name, function) != napi_ok) {
      free(door);
      return NULL;
    }
  }
  napi_add_env_cleanup_hook(env, environment_ends, door);
  return exports;
}
