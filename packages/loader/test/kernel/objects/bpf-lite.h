/* The little that the test programs need: no header of the system is included, so that the bytes do not depend on it. */
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))

#define MAP_HASH 1
#define MAP_ARRAY 2
#define MAP_PROG_ARRAY 3
#define MAP_PERCPU_ARRAY 6
#define MAP_ARRAY_OF_MAPS 12

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;
static u64 (*const current_pid_tgid)(void) = (void *)14;
static long (*const current_comm)(void *buf, u32 size) = (void *)16;
static void *(*const current_task)(void) = (void *)35;
static long (*const tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static u64 (*const attach_cookie)(void *ctx) = (void *)174;

#define CORE __attribute__((preserve_access_index))

char object_license[] SEC("license") = "Dual MIT/GPL";
