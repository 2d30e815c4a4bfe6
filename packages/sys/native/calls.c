#include "door.h"
#include <asm/stat.h>
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

CALL(write, 2)
  I32(fd);
  BYTES(buffer);
  check_span("write", buffer);
RESULT(SYS3(write, fd, buffer.data, buffer.length))

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
    {"run", door_run},
    {"perfEventOpen", door_perfEventOpen},
    {"ioctl", door_ioctl},
    {"mmap", door_mmap},
    {"unmap", door_unmap},
    {"openat", door_openat},
    {"fileSize", door_fileSize},
    {"read", door_read},
    {"write", door_write},
    {"close", door_close},
    {"socket", door_socket},
    {"setsockopt", door_setsockopt},
    {"sendto", door_sendto},
    {"recvfrom", door_recvfrom},
    {"pidfdOpen", door_pidfdOpen},
    {"fsopen", door_fsopen},
    {"fsconfig", door_fsconfig},
    {"fsmount", door_fsmount},
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
