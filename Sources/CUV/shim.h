// libuv, and the few Linux calls that Glibc's module hides behind _GNU_SOURCE.
// Defining _GNU_SOURCE instead would turn `sockaddr *` parameters into transparent unions, which Swift cannot call.
#pragma once
#include <uv.h>

int sluice_accept4(int descriptor, void *address, void *length, int flags) __asm__("accept4");
