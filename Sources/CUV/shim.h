// libuv, and the few Linux calls that Glibc's module hides behind _GNU_SOURCE.
// Defining _GNU_SOURCE instead would turn `sockaddr *` parameters into transparent unions, which Swift cannot call.
#pragma once
#include <uv.h>

int sluice_accept4(int descriptor, void *address, void *length, int flags) __asm__("accept4");
int sluice_pipe2(int descriptors[2], int flags) __asm__("pipe2");
long sluice_splice(int from, void *from_offset, int to, void *to_offset, unsigned long count, unsigned flags) __asm__("splice");
int sluice_thread_name(unsigned long thread, const char *name) __asm__("pthread_setname_np");
int sluice_get_affinity(int process, unsigned long size, void *mask) __asm__("sched_getaffinity");
int sluice_set_affinity(int process, unsigned long size, const void *mask) __asm__("sched_setaffinity");
